"""`web5.delegation`: the grants of a delegate, and their renewal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import renewal
from web5.agent.delegation.actor import Delegate
from web5.agent.delegation.delegation import Delegation
from web5.api.permissions.permission_records import PermissionGrant, PermissionRequest
from web5.dwn.codes import Code
from web5.dwn.permissions.grants import Grant
from web5.errors import Web5Error
from web5.sync.states import SyncEvent
from web5.tasks import first_of, notify

A_WEEK = timedelta(days=7)
_MICROSECOND = timedelta(microseconds=1)

LOOK_SECONDS = 3600.0
"""The time between two looks at when grants end."""

OnEnding = Callable[[Sequence[PermissionGrant]], None]


class DelegationApi:
    """The grants of the delegate that this app is.

    Attributes:
        on_ending: called with the grants that have expired or will within a week, each once while the app runs and
            somebody listens.
        renews: whether `watch` asks for them again by itself.
    """

    def __init__(self, agent: Agent, actor: Delegate) -> None:
        self.on_ending: list[OnEnding] = []
        self.renews = False
        self._agent = agent
        self._actor = actor
        self._announced: set[str] = set()
        self._may_have_ended = asyncio.Event()
        self._renewing = asyncio.Lock()

    @property
    def connected_did(self) -> str:
        """The DID for which the delegate acts."""
        return self._actor.did

    @property
    def delegate_did(self) -> str:
        """The DID that signs."""
        return self._actor.delegate_did

    def grants(self) -> list[PermissionGrant]:
        """Return the grants that hold now, the one that lasts longest first."""
        return self._as_seen(self._actor.grants.held(self.connected_did, self.delegate_did))

    def ending(self, within: timedelta = A_WEEK) -> list[PermissionGrant]:
        """Return the grants that have expired or will within that time, unless another grants the same for longer."""
        return self._as_seen(renewal.ending(self._agent, self._actor, within // _MICROSECOND))

    async def renew(self, within: timedelta = A_WEEK) -> list[PermissionRequest]:
        """Ask the owner to renew the grants that end within that time, and were not asked for in the last week.

        The requests are in the owner's DWN when this returns, or kept until it takes them. New grants come by sync, or
        by `refresh`.

        Returns:
            The requests.

        Raises:
            DwnError, DidError, RemoteError: every DWN of the owner refused a request, or none was found.
        """
        async with self._renewing:
            messages = await renewal.renewal_requests(self._agent, self._actor, within // _MICROSECOND)
            requests = [
                PermissionRequest(self._agent, self.delegate_did, message, self.connected_did) for message in messages
            ]
            for request in requests:
                await request.send()
                await request.store()
            return requests

    async def refresh(self) -> None:
        """Fetch new grants, and revocations, from the owner's remote DWN, even if the grants to sync have ended.

        Raises:
            DwnError, DidError, RemoteError: it refused, or could not be found or reached.
        """
        await renewal.refresh(self._agent, self._actor)

    async def export(self) -> dict[str, Any]:
        """Return the delegation **with the delegate's private keys**, as `Web5.connect_as_delegate` takes it."""
        portable = await self._agent.identities.portable_did(self.delegate_did)
        grants = tuple(grant.raw_message for grant in self.grants())
        return Delegation(self.connected_did, self.delegate_did, grants, portable).to_json()

    async def look(self) -> None:
        """Refresh, call `on_ending` with the grants that end, and renew them if `renews` is True."""
        with suppress(Web5Error):  # it is tried again
            await self.refresh()
        ending = [grant for grant in self.ending() if grant.id not in self._announced]
        if ending and self.on_ending:
            self._announced.update(grant.id for grant in ending)
            notify("a callback of on_ending failed", self.on_ending, ending)
        if self.renews:
            with suppress(Web5Error):
                await self.renew()

    async def watch(self) -> None:
        """Call `look` every hour, and when a DWN says that a grant was revoked, until cancelled.

        `Web5.connect` has this run in the background.
        """
        listeners = self._agent.sync.listeners
        listeners.append(self._on_sync_event)
        try:
            while True:
                self._may_have_ended.clear()
                before = len(self.grants())
                await self.look()
                if len(self.grants()) < before:
                    continue  # it may have come in the midst of several revocations
                await first_of(self._agent.clock.sleep(LOOK_SECONDS), self._may_have_ended.wait())
        finally:
            listeners.remove(self._on_sync_event)

    def _on_sync_event(self, event: SyncEvent) -> None:
        if event.kind != "endpoint" or event.tenant != self.connected_did:
            return
        errors = [status.last_error for status in self._agent.sync.status(self.connected_did)]
        if any(error and error[1].startswith(Code.GrantAuthorizationGrantRevoked) for error in errors):
            self._may_have_ended.set()

    def _as_seen(self, grants: Sequence[Grant]) -> list[PermissionGrant]:
        return [PermissionGrant(self._agent, self.delegate_did, one.message, self.connected_did) for one in grants]
