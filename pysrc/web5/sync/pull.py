"""Fetching from one endpoint in one round: drives `pull_plan`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from web5.dwn.data import DataStream
from web5.errors import RemoteError
from web5.sync.local import Local
from web5.sync.peer import Peer
from web5.sync.policy import FAILURES_IN_A_ROW, Halt, Verdict, judge_error, node_failed
from web5.sync.pull_plan import KEPT_BYTES, PAGES_ABOVE, Candidate, Chain, Chains, PageWalk, read_candidate
from web5.sync.states import State, SyncEvent

WIDTH = 6
"""MessagesRead requests in flight to one endpoint."""

AT_ONCE = 64
"""Records that are applied at the same time, so that they share a flush."""

TRIES = 2
"""How often one message is asked for in one round: again when something it may depend on has come."""


class Pull:
    """One endpoint's part of a round. `halted` is why it ended early."""

    def __init__(self, peer: Peer, local: Local) -> None:
        self.halted: Verdict | None = None
        self._peer = peer
        self._local = local
        self._inbox = local.ledger.inbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._tries: Counter[str] = Counter()
        self._failures = 0
        self._total = 0

    async def list(self) -> None:
        """Ask what is new, and take it over into the ledger."""
        listing = await self._peer.list()
        if isinstance(listing, Verdict):
            self.halted = listing
            return
        self._peer.report.listed = len(listing.cids)
        if listing.cids:
            missing = self._local.dwn.store.missing(self._tenant, listing.cids)
            self._local.ledger.listed(self._peer.endpoint, listing.cids, missing, listing.cursor)

    async def fetch(self) -> bool:
        """Fetch what is due and nobody else is fetching; True if it changed anything for the other endpoints."""
        due = self._inbox.due(self._id, self._local.clock.now())
        cids = [row.cid for row in due if self._tries[row.cid] < TRIES and not self._is_claimed(row.cid)]
        if not cids or self.halted:
            return False
        before = self._peer.report.pulled
        self._tries.update(cids)
        self._total += len(cids)
        claims = {(self._tenant, cid) for cid in cids}
        self._local.claimed |= claims
        try:
            if len(cids) > PAGES_ABOVE:
                await self._pages(set(cids))
            await self._read_all([cid for cid in cids if self._inbox.has(self._id, cid)])
        finally:
            self._local.claimed -= claims
        return self._peer.report.pulled > before or self._inbox.has_any(self._id, cids)

    def _is_claimed(self, cid: str) -> bool:
        return (self._tenant, cid) in self._local.claimed

    # -- pages

    async def _pages(self, wanted: set[str]) -> None:
        walk = PageWalk(wanted, self._peer.endpoint.caught_up)
        page = asyncio.create_task(self._peer.page(walk.query()))
        try:
            while True:
                reply = await page
                if isinstance(reply, Verdict):
                    self._count(reply)
                    return
                chains = walk.feed(reply)
                more = walk.more
                if more:
                    page = asyncio.create_task(self._peer.page(walk.query()))
                await self._apply_all(chains)
                if not more:
                    return
        finally:
            page.cancel()

    async def _apply_all(self, chains: Sequence[Chain]) -> None:
        held = self._local.dwn.store.missing(self._tenant, [one.cid for chain in chains for one in chain])
        room = asyncio.Semaphore(AT_ONCE)

        async def apply(chain: Chain) -> None:
            async with room:
                for candidate in chain:
                    self._record(candidate.cid, await self._apply(candidate))

        async with asyncio.TaskGroup() as group:
            for chain in chains:
                if wanted := [candidate for candidate in chain if candidate.cid in held]:
                    group.create_task(apply(wanted))
        self._progress()

    # -- one by one

    async def _read_all(self, cids: Sequence[str]) -> None:
        queue, chains = deque(cids), Chains()

        async def work() -> None:
            while queue and not self.halted:
                cid = queue.popleft()
                if self._inbox.has(self._id, cid):
                    await self._read(cid, chains)
                    self._progress()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(queue))):
                group.create_task(work())
        for candidate, verdict in chains.left():
            self._record(candidate.cid, verdict)

    async def _read(self, cid: str, chains: Chains) -> None:
        async with self._peer.read(cid) as reply:
            if isinstance(reply, Verdict):
                self._count(reply)
                if reply.code == 404:
                    self._inbox.gone(self._id, cid)
                else:
                    self._record(cid, reply)
                return
            self._failures = 0
            found = read_candidate(cid, reply)
            if isinstance(found, Candidate):
                found = await _in_memory_if_small(found)
            if isinstance(found, Verdict):
                self._record(cid, found)
            else:
                await self._take(found, chains)

    async def _take(self, candidate: Candidate, chains: Chains) -> None:
        todo = chains.offer(candidate)
        while todo:
            now = todo.pop(0)
            verdict = await self._apply(now)
            if verdict.state is State.WAITING and not isinstance(now.data, DataStream):
                todo = [*chains.early(now, verdict), *todo]
            else:
                self._record(now.cid, verdict)

    # -- outcomes

    async def _apply(self, candidate: Candidate) -> Verdict:
        verdict = await self._local.apply(self._tenant, candidate, self._peer.endpoint.url)
        self._peer.report.pulled += verdict.code in (202, 204)
        return verdict

    def _record(self, cid: str, verdict: Verdict) -> None:
        if not verdict.settled:
            self._inbox.failed(self._id, cid, verdict, self._local.clock.now())

    def _count(self, verdict: Verdict) -> None:
        self._failures = self._failures + 1 if node_failed(verdict) else 0
        if verdict.halt is Halt.ENDPOINT or self._failures >= FAILURES_IN_A_ROW:
            self.halted = self.halted or verdict

    def _progress(self) -> None:
        endpoint, done = self._peer.endpoint, self._peer.report.pulled
        self._local.notify(SyncEvent("progress", self._tenant, endpoint.url, "pull", done, max(done, self._total)))


async def _in_memory_if_small(candidate: Candidate) -> Candidate | Verdict:
    data = candidate.data
    if isinstance(data, DataStream) and (data.size or 0) <= KEPT_BYTES:
        try:
            candidate.data = await data.read()
        except RemoteError as error:
            return judge_error(error)
    return candidate
