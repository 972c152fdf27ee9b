"""Fetching from one endpoint in one visit: drives `pull_plan`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from web5.dwn.cid import message_cid
from web5.dwn.data import DataStream
from web5.dwn.rpc import method_of
from web5.errors import InvalidArgument, RemoteError
from web5.sync.exchange.local import Local
from web5.sync.exchange.peer import Peer
from web5.sync.plan import dependencies
from web5.sync.plan.policy import FAILURES_IN_A_ROW, Halt, Verdict, judge_error, node_failed
from web5.sync.plan.priorities import Wish
from web5.sync.plan.pull import KEPT_BYTES, PAGES_ABOVE, Candidate, Chain, Chains, PageWalk, read_candidate
from web5.sync.states import SyncEvent

WIDTH = 6
"""MessagesRead requests in flight to one endpoint."""

AT_ONCE = 64
"""Records that are applied together, with one transaction and one flush."""

TRIES = 3
"""How often one message is asked for in one visit: again when something it depends on has come."""

TELL_SECONDS = 0.1
"""Between two words about progress."""


class Pull:
    """One endpoint's part of a visit. `halted` is why it ended early.

    Parameters:
        wishes: what is fetched first on a first sync.
    """

    def __init__(self, peer: Peer, local: Local, wishes: Sequence[Wish] = ()) -> None:
        self.halted: Verdict | None = None
        self._peer = peer
        self._local = local
        self._wishes = wishes
        self._inbox = local.ledger.inbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._chains = Chains()
        self._tries: Counter[str] = Counter()
        self._failures = 0
        self._total = 0
        self._settled = 0
        self._others = 0
        self._told = 0.0

    async def fetch(self) -> bool:
        """Fetch what is due and nobody else is fetching; True if it changed anything for the other endpoints."""
        due = self._inbox.due(self._id, self._local.clock.now())
        cids = [row.cid for row in due if self._tries[row.cid] < TRIES and not self._is_claimed(row.cid)]
        if not cids or self.halted:
            return False
        before = self._peer.report.pulled
        self._tries.update(cids)
        self._total = self._settled + len(cids)
        self._others = self._inbox.counts(self._id)[0] - len(cids)
        claims = dict.fromkeys(((self._tenant, cid) for cid in cids), self._id)
        self._local.claimed |= claims
        try:
            if len(cids) > PAGES_ABOVE and not self._peer.is_delegate:
                if self._peer.endpoint.caught_up is None:
                    await self._protocols(set(cids))
                for walk in self._walks(set(cids)):
                    await self._pages(walk)
            await self._read_all(self._inbox.left(self._id, cids))
        finally:
            for claim in claims:
                self._local.claimed.pop(claim, None)
        self._progress(now=True)
        return self._peer.report.pulled > before or bool(self._inbox.left(self._id, cids))

    def _is_claimed(self, cid: str) -> bool:
        return (self._tenant, cid) in self._local.claimed

    # -- many at once

    async def _protocols(self, wanted: set[str]) -> None:
        """The protocols first: without them none of their records could be applied."""
        entries = await self._peer.protocols()
        if isinstance(entries, Verdict):
            self._count(entries)
            return
        await self._apply_all([[one] for one in map(_configuration, entries) if one is not None and one.cid in wanted])

    def _walks(self, wanted: set[str]) -> Iterator[PageWalk]:
        caught_up = self._peer.endpoint.caught_up
        if caught_up is None:
            for wish in self._wishes:
                yield PageWalk(wanted, None, wish.filter, wish.pages)
        protocols = self._local.ledger.protocols(self._tenant)
        for within in [{}] if protocols is None else [{"protocol": one} for one in protocols]:
            yield PageWalk(wanted, caught_up, within)

    async def _pages(self, walk: PageWalk) -> None:
        if self.halted:
            return
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
                self._progress(now=True)
                if not more:
                    return
        finally:
            page.cancel()

    async def _apply_all(self, chains: Sequence[Chain]) -> None:
        absent = self._local.dwn.store.missing(self._tenant, [one.cid for chain in chains for one in chain])
        await self._apply([[candidate for candidate in chain if candidate.cid in absent] for chain in chains])

    # -- one by one

    async def _read_all(self, cids: Sequence[str]) -> None:
        queue = deque(cids)

        async def work() -> None:
            while queue and not self.halted:
                cid = queue.popleft()
                if self._inbox.has(self._id, cid):
                    await self._read(cid)
                self._progress()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(queue))):
                group.create_task(work())
        for candidate, verdict in self._chains.left():
            self._record(candidate.cid, verdict)

    async def _read(self, cid: str) -> None:
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
                found = await self._data_of(found)
            if isinstance(found, Verdict):
                self._record(cid, found)
            else:
                await self._apply([self._chains.offer(found)])

    async def _data_of(self, candidate: Candidate) -> Candidate | Verdict:
        """Small data is read now; large data is counted as it passes."""
        data = candidate.data
        if isinstance(data, DataStream) and (data.size or 0) <= KEPT_BYTES:
            try:
                candidate.data = await data.read()
            except RemoteError as error:
                return judge_error(error)
        elif isinstance(data, DataStream):
            candidate.data = counted(data, self._passed)
        return candidate

    def _passed(self, size: int) -> None:
        self._peer.report.bytes_in += size
        self._tell()

    # -- outcomes

    async def _apply(self, chains: Iterable[Chain]) -> None:
        """Apply messages, those of a chain in order, and then what waited for them; what has to wait itself is held."""
        todo = deque(filter(None, chains))
        while todo:
            now = [todo.popleft() for _ in range(min(AT_ONCE, len(todo)))]
            verdicts = await self._local.apply(self._tenant, now, self._peer.endpoint.url)
            for chain, of_chain in zip(now, verdicts, strict=True):
                todo.extend(self._after(chain, of_chain))

    def _after(self, chain: Chain, verdicts: Sequence[Verdict]) -> list[Chain]:
        """Take over what became of a chain; returns what waited for it, and holds what has to wait."""
        released: list[Chain] = []
        waiting: Chain = []
        reason: Verdict | None = None
        for candidate, verdict in zip(chain, verdicts, strict=True):
            if verdict.settled:
                self._count_applied(candidate, verdict)
                released += self._chains.release(dependencies.provided_keys(candidate.message))
                continue
            if reason is None and verdict.waits_for:
                reason = verdict
            if reason is not None:
                waiting.append(candidate)
            self._record(candidate.cid, reason or verdict)
        if reason is not None and reason.waits_for:
            self._chains.hold(waiting, reason.waits_for)
        return released

    def _count_applied(self, candidate: Candidate, verdict: Verdict) -> None:
        if verdict.code in (202, 204):
            self._peer.report.pulled += 1
            if isinstance(candidate.data, bytes):
                self._peer.report.bytes_in += len(candidate.data)

    def _record(self, cid: str, verdict: Verdict) -> None:
        if not verdict.settled:
            self._inbox.failed(self._id, cid, verdict, self._local.clock.now())

    def _count(self, verdict: Verdict) -> None:
        self._failures = self._failures + 1 if node_failed(verdict) else 0
        if verdict.halt is Halt.ENDPOINT or self._failures >= FAILURES_IN_A_ROW:
            self.halted = self.halted or verdict

    def _progress(self, *, now: bool = False) -> None:
        """Messages are done with that have no row any more, whoever brought them; what others fetch counts there."""
        moment = self._local.clock.monotonic()
        if now or moment >= self._told + TELL_SECONDS:
            self._told = moment
            self._settled = self._total - max(0, self._inbox.counts(self._id)[0] - self._others)
            self._tell()

    def _tell(self) -> None:
        report = self._peer.report
        self._local.notify(
            SyncEvent("progress", self._tenant, report.endpoint, "pull", self._settled, self._total, report.bytes_in)
        )


def _configuration(entry: Any) -> Candidate | None:
    if not isinstance(entry, dict) or method_of(entry) != "Protocols.Configure":
        return None
    try:
        return Candidate(message_cid(entry), entry)
    except InvalidArgument:
        return None


def counted(stream: DataStream, passed: Callable[[int], None]) -> DataStream:
    """Return the same data; `passed` is called with the size of each chunk as it goes by."""

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in stream:
            passed(len(chunk))
            yield chunk

    return DataStream(chunks, stream.size, once=stream.once)
