"""Fetching from one endpoint in one visit: drives `plan.pull`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import InvalidArgument
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.exchange.taking.arrivals import Arrivals
from web5.sync.plan.budget import NOT_GIVEN, PATIENCE, Claim
from web5.sync.plan.policy import FAILURES_IN_A_ROW, Outcome, is_of_node, node_failed
from web5.sync.plan.pull import PAGES_ABOVE, PRIORITY_PAGES, Candidate, PageWalk, read_history, read_reply
from web5.tasks import first_of

WIDTH = 6
"""MessagesRead requests in flight to one endpoint."""

TRIES = 3
"""Requests for one message in one visit: it is asked for again when its dependency has come."""


class Pull:
    """The fetching side of a visit.

    Attributes:
        failed: an outcome that says more of the endpoint than of its message; None: there was none.
        fruitless: True if the endpoint is not asked for more now, because too little came of it.
        suspects: IDs of records of which the endpoint has variants.
    """

    def __init__(self, context: SyncContext, peer: Peer) -> None:
        self.failed: Outcome | None = None
        self.fruitless = False
        self._arrivals = Arrivals(context, peer)
        self.suspects = self._arrivals.suspects
        self._context = context
        self._peer = peer
        self._inbox = context.ledger.inbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._budget = context.fetches[self._id]
        self._left_to_others: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._failures = 0
        self._knows_history = False

    @property
    def halted(self) -> Outcome | None:
        """The reason for which it ended early, by this side's fault perhaps; None: it did not."""
        return self._arrivals.halted

    @property
    def full(self) -> Outcome | None:
        """The outcome of a small message for which there was no room on this device; None: there was none."""
        return self._arrivals.full

    async def fetch(self) -> bool:
        """Fetch the messages that are due and claimed by nobody; return True if that concerns the other endpoints."""
        self._context.applying.forget_replaced_damage(self._tenant)
        now = self._context.clock.monotonic()
        due = [entry.cid for entry in self._inbox.due(self._id, self._context.clock.now())]
        due = [cid for cid in due if self._tries[cid] < TRIES]
        self._left_to_others = {cid for cid in due if self._is_claimed(cid, now)}
        cids = self._within_budget([cid for cid in due if cid not in self._left_to_others], now)
        if not cids or self.halted:
            return False
        before = self._peer.report.pulled
        claim = Claim(self._id, now)
        self._arrivals.begin(len(cids), claim)
        claims = dict.fromkeys(((self._tenant, cid) for cid in cids), claim)
        self._context.claim(claims)
        try:
            if len(cids) > PAGES_ABOVE and not self._peer.is_delegate:
                if self._peer.endpoint.caught_up is None:
                    await self._fetch_protocols(set(cids))
                    await self._fetch_history()
                for walk in self._walks(set(cids)):
                    await self._fetch_pages(walk)
            await self._fetch_history()
            await self._read_all(self._inbox.remaining(self._id, cids))
            await self._fetch_history()
        finally:
            self._context.release_claims(claim, claims)
        self._arrivals.update_progress(now=True)
        return self._peer.report.pulled > before or bool(self._inbox.remaining(self._id, cids))

    async def others_ended(self) -> bool:
        """Wait for others that fetch what is due here, while something comes of it; False if there were none."""
        if not self._left_to_others or self.halted:
            return False
        now = self._context.clock.monotonic()
        if any(self._is_claimed(cid, now) for cid in self._left_to_others):  # they may have ended meanwhile
            await first_of(self._context.unclaimed.wait(), self._context.clock.sleep(PATIENCE))
        return not self.halted

    def _is_claimed(self, cid: str, now: float) -> bool:
        claim = self._context.claimed.get((self._tenant, cid))
        return claim is not None and claim.holds(now)

    def _is_others(self, cid: str) -> bool:
        """Return True if another endpoint is asked for a message by now, because this one was slow."""
        claim = self._context.claimed.get((self._tenant, cid))
        return claim is not None and claim is not self._arrivals.claim and claim.holds(self._context.clock.monotonic())

    def _within_budget(self, cids: list[str], now: float) -> list[str]:
        """Return the messages to ask for now: all, or of an endpoint of which nothing comes, a few of the newest."""
        left = self._budget.left(now)
        self.fruitless = bool(cids) and left < len(cids) and left < NOT_GIVEN
        return cids[::-1][: max(0, int(left))] if self.fruitless else cids

    def _spend(self, units: float) -> None:
        self._budget.spend(units, self._context.clock.monotonic())

    def _is_exhausted(self, under_way: int = 0) -> bool:
        """Return True if nothing more is to be asked for, should so many messages that are asked for not be given."""
        return self._budget.left(self._context.clock.monotonic()) <= NOT_GIVEN * under_way

    # -- many at once

    async def _fetch_protocols(self, wanted: set[str]) -> None:
        """Fetch the protocols first: without them none of their records could be applied."""
        scope = self._context.ledger.protocols(self._tenant) or ()
        entries = await self._peer.query_protocols(scope[0] if len(scope) == 1 else None)
        if isinstance(entries, Outcome):
            self._count(entries)
            return
        await self._arrivals.apply_missing(
            [[one] for one in map(_configuration, entries) if one is not None and one.cid in wanted]
        )

    async def _fetch_history(self) -> None:
        """Fetch what ended, once a visit, if something may have depended on it: it is listed nowhere."""
        url = self._peer.endpoint.url
        unknown = self._peer.is_delegate or url in self._context.without_history
        if not self._arrivals.wants_history or self._knows_history or unknown or self.halted:
            return
        self._knows_history = True
        entries = await self._peer.history()
        if entries is None:
            self._context.without_history.add(url)
        elif isinstance(entries, Outcome):
            self._count(entries)
        else:
            ended = [one for entry in entries if (one := read_history(entry)) is not None]
            await self._arrivals.apply(
                [[one] for one in ended if not self._context.held.has_history(self._tenant, one.message)]
            )

    def _walks(self, wanted: set[str]) -> Iterator[PageWalk]:
        caught_up = self._peer.endpoint.caught_up
        if caught_up is not None and caught_up > self._context.clock.now():
            caught_up = 0  # by a clock that was ahead: it says that there was a listing, and not when
        if caught_up is None:
            for filter in self._context.priorities.get(self._tenant, ()):
                yield PageWalk(wanted, None, filter, PRIORITY_PAGES)
        protocols = self._context.ledger.protocols(self._tenant)
        for within in [{}] if protocols is None else [{"protocol": one} for one in protocols]:
            yield PageWalk(wanted, caught_up, within)

    async def _fetch_pages(self, walk: PageWalk) -> None:
        if self.halted:
            return
        page = self._query(walk)
        try:
            while True:
                reply = await page
                if isinstance(reply, Outcome):
                    if reply.ends_visit or not walk.shrink():
                        return self._count(reply)
                    page = self._query(walk)
                    continue
                batches, before = walk.feed(reply), self._peer.report.pulled
                more = walk.more and not self._is_exhausted() and not self._arrivals.claim.is_lost
                if more:
                    page = self._query(walk)
                waits = await self._arrivals.apply_missing(batches)
                if self._peer.report.pulled == before:
                    self._spend(1 if waits else NOT_GIVEN)
                self._arrivals.update_progress(now=True)
                if not more:
                    return
        finally:
            page.cancel()

    def _query(self, walk: PageWalk) -> asyncio.Task[Message | Outcome]:
        # A node that says that it is tomorrow gets no question by which to read tomorrow's records.
        now = min(self._context.clock.now(), self._peer.clock.now())
        return asyncio.create_task(self._peer.query_page(walk.query(now)))

    # -- one by one

    async def _read_all(self, cids: Sequence[str]) -> None:
        queue, crashes, under_way = deque(cids), list[Exception](), 0

        async def work() -> None:
            nonlocal under_way
            while queue and not self.halted and not self._is_exhausted(under_way) and len(crashes) < FAILURES_IN_A_ROW:
                cid = queue.popleft()
                under_way += 1
                try:
                    if not self._is_others(cid) and self._inbox.remaining(self._id, [cid]):
                        self._tries[cid] += 1
                        await self._read(cid)
                except Exception as error:  # a fault of this program holds up no other message
                    crashes.append(error)
                finally:
                    under_way -= 1
                self._arrivals.update_progress()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(queue))):
                group.create_task(work())
        if crashes:
            raise ExceptionGroup("messages could not be fetched", crashes)
        self._arrivals.give_up_incomplete()

    async def _read(self, cid: str) -> None:
        async with self._peer.read(cid) as reply:
            if isinstance(reply, Outcome):
                self._count(reply)
                if reply.code == 404:
                    if not self._context.ledger.damage.among(self._tenant, (cid,)):  # which it may never have listed
                        self._spend(NOT_GIVEN)
                    self._inbox.gone(self._id, cid)
                else:
                    self._arrivals.record(cid, reply)
                return
            self._failures = 0
            found = read_reply(cid, reply)
            if isinstance(found, Candidate):
                found = await self._arrivals.with_data(found)
            if isinstance(found, Outcome):
                if not found.is_own:
                    self._spend(NOT_GIVEN)
                self._arrivals.record(cid, found)
                return
            if found.variant is not None:
                self._spend(1)
                self._arrivals.set_aside(found)
                if self._context.dwn.store.has(self._tenant, found.cid):
                    return
            await self._arrivals.apply_read(found)

    def _count(self, outcome: Outcome) -> None:
        self._failures = self._failures + 1 if node_failed(outcome) else 0
        if self.failed is None and is_of_node(outcome):
            self.failed = outcome
        if outcome.ends_visit or self._failures >= FAILURES_IN_A_ROW:
            self._arrivals.halted = self.halted or outcome


def _configuration(entry: Any) -> Candidate | None:
    if not isinstance(entry, dict) or method_of(entry) != "Protocols.Configure":
        return None
    try:
        return Candidate(message_cid(entry), entry)
    except InvalidArgument:
        return None
