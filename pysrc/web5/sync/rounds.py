"""One round of sync: every tenant, every endpoint, side by side; none of them holds up another.

Each endpoint is asked first what it has, then fetched from, then pushed to. So what several endpoints have already is
known before anything is pushed, and an idle endpoint costs one small request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from web5.dids.resolver import DidResolver
from web5.errors import CryptoError, DidError, IdentityError, Web5Error
from web5.sync.endpoints import resolve_endpoints
from web5.sync.ledger import Endpoint
from web5.sync.local import Local
from web5.sync.meeting import Meeting
from web5.sync.peer import Peer, Remote, SignerFor
from web5.sync.policy import Verdict
from web5.sync.pull import Pull
from web5.sync.push import Push
from web5.sync.states import Direction, State, SyncEvent, SyncReport


class Rounds:
    """Runs rounds, one at a time.

    Attributes:
        syncing: ids of the endpoints that are being visited.
        reachable: what the last visit found, by endpoint id.
        did_errors: why a tenant's DID document could not be had, by tenant.
    """

    def __init__(self, local: Local, remote: Remote, resolver: DidResolver, signer_for: SignerFor) -> None:
        self.syncing: set[int] = set()
        self.reachable: dict[int, bool] = {}
        self.did_errors: dict[str, str] = {}
        self._local = local
        self._remote = remote
        self._resolver = resolver
        self._signer_for = signer_for

    async def run(self, tenants: Sequence[str], directions: Sequence[Direction], report: SyncReport) -> None:
        """One round; `report` fills as it goes, so that it is true even if the round is cancelled."""
        self._local.notify(SyncEvent("started"))
        async with asyncio.TaskGroup() as group:
            for tenant in tenants:
                group.create_task(self._tenant(tenant, directions, report))
        await self._local.ledger.database.flush()

    async def refresh(self, tenant: str) -> None:
        """Take over the endpoints of the tenant's DID document; if it cannot be had, the known ones stay."""
        ledger = self._local.ledger
        try:
            removed = ledger.set_endpoints(tenant, await resolve_endpoints(self._resolver, tenant))
        except DidError as error:
            self.did_errors[tenant] = str(error)
            return
        self.did_errors.pop(tenant, None)
        for url in removed:
            self._local.notify(SyncEvent("removed", tenant, url))

    async def peer(self, endpoint: Endpoint, signer_of: str | None = None) -> Peer:
        """What talks to an endpoint in the name of its tenant, or of `signer_of`.

        Raises:
            IdentityError, CryptoError, DidError: the tenant's keys are not at hand.
        """
        signer = await self._signer_for(signer_of or endpoint.tenant)
        return Peer(self._remote, signer, self._local.clock, endpoint)

    async def _tenant(self, tenant: str, directions: Sequence[Direction], report: SyncReport) -> None:
        await self.refresh(tenant)
        if tenant in self.did_errors:
            report.did_errors[tenant] = self.did_errors[tenant]
        endpoints = self._local.ledger.endpoints(tenant)
        try:
            peers = [await self.peer(endpoint) for endpoint in endpoints]
        except (IdentityError, CryptoError, DidError) as error:
            self.did_errors[tenant] = report.did_errors[tenant] = str(error)
            return
        meeting = Meeting(len(peers))
        async with asyncio.TaskGroup() as group:
            for peer in peers:
                report.endpoints.append(peer.report)
                group.create_task(self._visit(peer, directions, meeting))

    async def _visit(self, peer: Peer, directions: Sequence[Direction], meeting: Meeting) -> None:
        endpoint, clock, ledger = peer.endpoint, self._local.clock, self._local.ledger
        pull = Pull(peer, self._local) if "pull" in directions else None
        push = Push(peer, self._local) if "push" in directions else None
        self.syncing.add(endpoint.id)
        self._tell(endpoint)
        asked = clock.now()
        try:
            halted = await _exchange(pull, push, meeting)
            self.reachable[endpoint.id] = halted is None or halted.code != 0
            if halted is None:
                ledger.succeeded(endpoint, clock.now(), asked if pull else None)
        except* Web5Error as errors:
            halted = Verdict("this side failed", State.PENDING, detail=_say(errors))
        finally:
            self.syncing.discard(endpoint.id)
            await meeting.leave()
        out, _ = ledger.outbox.counts(endpoint.id, endpoint.tenant)
        peer.report.unsettled = out + ledger.inbox.counts(endpoint.id)[0]
        if halted is not None:
            peer.report.error = (halted.code, halted.detail)
            ledger.failed(endpoint, halted)
        self._tell(endpoint)

    def _tell(self, endpoint: Endpoint) -> None:
        self._local.notify(SyncEvent("endpoint", endpoint.tenant, endpoint.url))


async def _exchange(pull: Pull | None, push: Push | None, meeting: Meeting) -> Verdict | None:
    """Fetch and push until all visits of the tenant are at rest; returns why it ended early, if it did."""
    if pull:
        await pull.list()
        await meeting.changed()
        if pull.halted:
            return pull.halted
    while True:
        seen = meeting.version
        if pull and await pull.fetch():
            await meeting.changed()
        if pull and pull.halted:
            return pull.halted
        if push:
            await push.run()
            if push.halted:
                return push.halted
        if not await meeting.rest(seen):
            return None


def _say(errors: BaseExceptionGroup) -> str:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return f"{type(first).__name__}: {first}"
