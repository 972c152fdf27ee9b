"""The registrations of an app's DIDs with their nodes, told to a callback: `Web5.connect(registration=…)`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from web5.agent.agent import Agent
from web5.sync import Registration, SyncEvent
from web5.tasks import notify
from web5.urls import same_endpoint

OnRegistration = Callable[[str, str, Registration], object]
"""A callback that takes a DID, the URL of one of its nodes, and the state of its registration there."""


class RegistrationTeller:
    """Tells a callback of each registration that a node demands, as it is and after each change, until `end`.

    Parameters:
        dids: whose registrations.
        callback: what it raises goes to the event loop's exception handler.
    """

    def __init__(self, agent: Agent, dids: Collection[str], callback: OnRegistration) -> None:
        self._sync = agent.sync
        self._dids = dids
        self._callback = callback
        self._told: dict[tuple[str, str], Registration] = {}
        self._sync.listeners.append(self._hear)
        for did in dids:
            self._look(did)

    def end(self) -> None:
        """Tell nothing more. Safe to call twice."""
        if self._hear in self._sync.listeners:
            self._sync.listeners.remove(self._hear)

    def _hear(self, event: SyncEvent) -> None:
        if event.kind == "registration" and event.tenant in self._dids:
            self._look(event.tenant)

    def _look(self, did: str) -> None:
        for status in self._sync.status(did):
            key = did, same_endpoint(status.endpoint)
            if status.registration != self._told.get(key, Registration()):
                self._told[key] = status.registration
                notify("a callback of registration failed", [self._callback], did, key[1], status.registration)
