"""`web5.delegation`: what a delegate was granted, and until when."""

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
from web5.api.permission_records import PermissionGrant, PermissionRequest
from web5.dwn.codes import Code
from web5.dwn.permissions.grants import Grant
from web5.errors import Web5Error
from web5.sync.states import SyncEvent
from web5.tasks import first_of

A_WEEK = timedelta(days=7)
_MICROSECOND = timedelta(microseconds=1)

LOOK_SECONDS = 3600.0
"""Between two looks at when grants end."""

OnEnding = Callable[[Sequence[PermissionGrant]], None]


class DelegationApi:
    """
    Attributes:
        on_ending: called with the grants that have expired or will within a week, each once while the app runs and
            somebody listens; they must not raise.
        renews: whether `watch` asks for them again by itself.
    """

    def __init__(self, agent: Agent, actor: Delegate) -> None:
        self.on_ending: list[OnEnding] = []
        self.renews = False
        self._agent = agent
        self._actor = actor
        self._told: set[str] = set()
        self._doubt = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    @property
    def connected_did(self) -> str:
        """The DID for which the delegate acts."""
        return self._actor.did

    @property
    def delegate_did(self) -> str:
        """The DID that signs."""
        return self._actor.delegate_did

    def grants(self) -> list[PermissionGrant]:
        """Those that hold now, the one that lasts longest first."""
        return self._shown(self._actor.grants.held(self.connected_did, self.delegate_did))

    def ending(self, within: timedelta = A_WEEK) -> list[PermissionGrant]:
        """The grants that have expired or will within that time, unless another grants the same for longer."""
        return self._shown(renewal.ending(self._actor, within // _MICROSECOND))

    async def renew(self, within: timedelta = A_WEEK) -> list[PermissionRequest]:
        """Ask the owner to grant again what ends within that time; what was asked for in the last week is not again.

        The requests are in the owner's DWN when this returns. What the owner grants comes by sync, or by `refresh`.

        Raises:
            DwnError, RemoteError: no DWN of the owner took a request.
        """
        async with self._one_at_a_time:
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
            DwnError, RemoteError: it refused, or could not be reached.
        """
        await renewal.refresh(self._agent, self._actor)

    async def export(self) -> dict[str, Any]:
        """The delegation **with the delegate's private keys**, as `Web5.connect_as_delegate` takes it."""
        portable = await self._agent.identities.portable_did(self.delegate_did)
        grants = tuple(grant.raw_message for grant in self.grants())
        return Delegation(self.connected_did, self.delegate_did, grants, portable).to_json()

    async def look(self) -> None:
        """See now what was granted, revoked or ends, tell those who listen, and renew if `renews` says so."""
        with suppress(Web5Error):  # it is tried again
            await self.refresh()
        ending = [grant for grant in self.ending() if grant.id not in self._told]
        if ending and self.on_ending:
            self._told.update(grant.id for grant in ending)
            for listener in tuple(self.on_ending):
                listener(ending)
        if self.renews:
            with suppress(Web5Error):
                await self.renew()

    async def watch(self) -> None:
        """Look now and then, and when a DWN says that a grant was revoked, until cancelled; `Web5.connect` has it run
        in the background."""
        listeners = self._agent.sync.listeners
        listeners.append(self._heard)
        try:
            while True:
                self._doubt.clear()
                await self.look()
                await first_of(self._agent.clock.sleep(LOOK_SECONDS), self._doubt.wait())
        finally:
            listeners.remove(self._heard)

    def _heard(self, event: SyncEvent) -> None:
        if event.kind != "endpoint" or event.tenant != self.connected_did:
            return
        errors = [status.last_error for status in self._agent.sync.status(self.connected_did)]
        if any(error and error[1].startswith(Code.GrantAuthorizationGrantRevoked) for error in errors):
            self._doubt.set()

    def _shown(self, grants: Sequence[Grant]) -> list[PermissionGrant]:
        return [PermissionGrant(self._agent, self.delegate_did, one.message, self.connected_did) for one in grants]
