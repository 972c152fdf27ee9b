"""Fetching from one endpoint in one visit: drives `plan.pull`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

from web5.dwn.data import DataStream
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import InvalidArgument, RemoteError, StorageFull
from web5.sync.exchange.applying import CheckedBatches
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.plan import dependencies
from web5.sync.plan.budget import NOT_GIVEN, PATIENCE, Claim
from web5.sync.plan.dependencies import NO_RECORD
from web5.sync.plan.policy import (
    AT_NEXT_VISIT,
    ERRORS,
    FAILURES_IN_A_ROW,
    OWN,
    Outcome,
    classify_own,
    is_of_node,
    node_failed,
)
from web5.sync.plan.pull import (
    KEPT_BYTES,
    PAGES_ABOVE,
    PRIORITY_PAGES,
    Candidate,
    PageWalk,
    RecordBatch,
    ReorderBuffer,
    read_history,
    read_reply,
)
from web5.sync.plan.variants import VARIANT
from web5.sync.states import State, SyncEvent
from web5.tasks import first_of

WIDTH = 6
"""MessagesRead requests in flight to one endpoint."""

AT_ONCE = 256
"""Batches that are applied together, with one transaction and one flush, whose pages they share."""

AT_ONCE_BYTES = 2 * 1024 * 1024
"""Their data altogether."""

TRIES = 3
"""Requests for one message in one visit: it is asked for again when its dependency has come."""

PROGRESS_SECONDS = 0.1
"""The time between two reports of progress."""


class Pull:
    """The fetching side of a visit.

    Attributes:
        halted: why it ended early, by this side's fault perhaps; None: it did not.
        full: the outcome of a small message for which there was no room on this device; None: there was none.
        failed: an outcome that says more of the endpoint than of its message; None: there was none.
        fruitless: True if the endpoint is not asked for more now, because too little came of it.
        suspects: IDs of records of which the endpoint has variants.
    """

    def __init__(self, context: SyncContext, peer: Peer) -> None:
        self.halted: Outcome | None = None
        self.full: Outcome | None = None
        self.failed: Outcome | None = None
        self.suspects: set[str] = set()
        self.fruitless = False
        self._context = context
        self._peer = peer
        self._inbox = context.ledger.inbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._budget = context.fetches[self._id]
        self._claim = Claim(self._id, context.clock.monotonic())
        self._left_to_others: set[str] = set()
        self._buffer = ReorderBuffer()
        self._tries: Counter[str] = Counter()
        self._failures = 0
        self._total = 0
        self._settled = 0
        self._others = 0
        self._reported = 0.0
        self._no_room: float | None = None
        self._full = 0
        self._wants_history = self._knows_history = False

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
        self._total = self._settled + len(cids)
        self._others = self._inbox.summary(self._id).unsettled - len(cids)
        self._claim = Claim(self._id, now)
        claims = dict.fromkeys(((self._tenant, cid) for cid in cids), self._claim)
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
            self._context.release_claims(self._claim, claims)
        self._update_progress(now=True)
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
        return claim is not None and claim is not self._claim and claim.holds(self._context.clock.monotonic())

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
        await self._apply_all([[one] for one in map(_configuration, entries) if one is not None and one.cid in wanted])

    async def _fetch_history(self) -> None:
        """Fetch what ended, once a visit, if something may have depended on it: it is listed nowhere."""
        url = self._peer.endpoint.url
        unknown = self._peer.is_delegate or url in self._context.without_history
        if not self._wants_history or self._knows_history or unknown or self.halted:
            return
        self._knows_history = True
        entries = await self._peer.history()
        if entries is None:
            self._context.without_history.add(url)
        elif isinstance(entries, Outcome):
            self._count(entries)
        else:
            ended = [one for entry in entries if (one := read_history(entry)) is not None]
            await self._apply([[one] for one in ended if not self._context.held.has_history(self._tenant, one.message)])

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
                more = walk.more and not self._is_exhausted() and not self._claim.is_lost
                if more:
                    page = self._query(walk)
                waits = await self._apply_all(batches)
                if self._peer.report.pulled == before:
                    self._spend(1 if waits else NOT_GIVEN)
                self._update_progress(now=True)
                if not more:
                    return
        finally:
            page.cancel()

    def _query(self, walk: PageWalk) -> asyncio.Task[Message | Outcome]:
        # A node that says that it is tomorrow gets no question by which to read tomorrow's records.
        now = min(self._context.clock.now(), self._peer.clock.now())
        return asyncio.create_task(self._peer.query_page(walk.query(now)))

    async def _apply_all(self, batches: Sequence[RecordBatch]) -> bool:
        """Apply what is missing here; return True if some of it waits for something else."""
        for candidate in (one for batch in batches for one in batch if one.variant):
            self._set_aside(candidate)
        absent = self._context.dwn.store.missing(self._tenant, [one.cid for batch in batches for one in batch])
        return await self._apply([[candidate for candidate in batch if candidate.cid in absent] for batch in batches])

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
                self._update_progress()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(WIDTH, len(queue))):
                group.create_task(work())
        if crashes:
            raise ExceptionGroup("messages could not be fetched", crashes)
        for candidate, outcome in self._buffer.incomplete():
            self._spend_on(candidate, outcome)
            self._record(candidate.cid, outcome)

    async def _read(self, cid: str) -> None:
        async with self._peer.read(cid) as reply:
            if isinstance(reply, Outcome):
                self._count(reply)
                if reply.code == 404:
                    if not self._context.ledger.damage.among(self._tenant, (cid,)):  # which it may never have listed
                        self._spend(NOT_GIVEN)
                    self._inbox.gone(self._id, cid)
                else:
                    self._record(cid, reply)
                return
            self._failures = 0
            found = read_reply(cid, reply)
            if isinstance(found, Candidate):
                found = await self._with_data(found)
            if isinstance(found, Outcome):
                if not found.is_own:
                    self._spend(NOT_GIVEN)
                self._record(cid, found)
                return
            if found.variant is not None:
                self._spend(1)
                self._set_aside(found)
                if self._context.dwn.store.has(self._tenant, found.cid):
                    return
            found.read_alone = True
            is_damaged = bool(self._context.ledger.damage.among(self._tenant, (cid,)))
            await self._apply([[found] if is_damaged else self._buffer.add(found)])

    async def _with_data(self, candidate: Candidate) -> Candidate | Outcome:
        """Read small data now; count large data as it passes, unless as much had no room here just now."""
        data = candidate.data
        if isinstance(data, DataStream) and self._no_room is not None and (data.size or 0) >= self._no_room:
            return classify_own(StorageFull(f"there was no room for {self._no_room:.0f} bytes"))
        if isinstance(data, DataStream) and (data.size or 0) <= KEPT_BYTES:
            try:
                candidate.data = await data.read()
            except RemoteError as error:
                return classify_own(error)
        elif isinstance(data, DataStream):
            candidate.data = DataStream(partial(self._counted, data), data.size)
        return candidate

    async def _counted(self, data: DataStream) -> AsyncIterator[bytes]:
        async for chunk in data:
            self._claim.brought(self._context.clock.monotonic(), size=len(chunk))
            self._peer.report.bytes_in += len(chunk)
            self._report_progress()
            yield chunk

    # -- outcomes

    async def _apply(self, batches: Iterable[RecordBatch]) -> bool:
        """Apply batches, then the messages that waited for them; return True if any has to wait itself, and is held."""
        todo, waits = deque(filter(None, batches)), False
        checking = self._check(todo)
        try:
            while checking is not None:
                checked = await checking
                checking = self._check(todo)  # while these are stored
                outcomes = await self._context.applying.store(checked)
                for batch, of_batch in zip(checked.batches, outcomes, strict=True):
                    todo.extend(self._take_outcomes(batch, of_batch, checked.provided))
                    waits = waits or any(outcome.waits_for for outcome in of_batch)
                self._update_progress()
                checking = checking or self._check(todo)
        finally:
            if checking is not None:
                checking.cancel()
        return waits

    def _check(self, todo: deque[RecordBatch]) -> asyncio.Task[CheckedBatches] | None:
        """Have the next batches checked that are applied together; None if there are none."""
        group, size = list[RecordBatch](), 0
        while todo and len(group) < AT_ONCE and size < AT_ONCE_BYTES:
            group.append(todo.popleft())
            size += sum(len(one.data) for one in group[-1] if isinstance(one.data, bytes))
        if not group:
            return None
        return asyncio.create_task(self._context.applying.check(self._tenant, group, self._peer.endpoint.url))

    def _take_outcomes(self, batch: RecordBatch, outcomes: Sequence[Outcome], provided: int) -> list[RecordBatch]:
        """Record the outcomes of a batch, and hold its messages that wait; return the batches that waited for it.

        Parameters:
            provided: see `CheckedBatches`; what they wait for may have come meanwhile, from anywhere.
        """
        released: list[RecordBatch] = []
        waiting: RecordBatch = []
        reason: Outcome | None = None
        for place, (candidate, outcome) in enumerate(zip(batch, outcomes, strict=True)):
            if outcome.may_be_of_the_past or (outcome.code == 202 and candidate.ordering_key == NO_RECORD):
                self._wants_history = True
            if outcome.settled:
                self._count_applied(candidate, outcome)
                if outcome.name == VARIANT.name:
                    self._set_aside(candidate)
                released += self._buffer.release(dependencies.provided_keys(candidate.message))
                continue
            if reason is None and outcome.waits_for:
                reason = outcome
                if self._context.ledger.provisions.came_after(provided, self._tenant, outcome.waits_for):
                    if _is_kept(batch[place:]):
                        return [*released, batch[place:]]
                    reason = replace(outcome, backoff=AT_NEXT_VISIT)  # its data went by
            if reason is not None:
                waiting.append(candidate)
            self._spend_on(candidate, outcome)
            self._record(candidate.cid, reason or outcome)
            self._learn_room(candidate, outcome)
        if reason is not None and reason.waits_for:
            if joined := self._buffer.join(waiting, reason.waits_for):
                released.append(joined)
            else:
                self._buffer.hold(waiting, reason.waits_for)
        return released

    def _learn_room(self, candidate: Candidate, outcome: Outcome) -> None:
        """Note that there is no room for data of this size, or, after some small ones in a row, for anything."""
        if outcome.name != OWN[StorageFull].name:
            return
        if isinstance(candidate.data, DataStream):
            self._no_room = min(self._no_room or inf, candidate.data.size or 0)
            return
        self._full += 1
        self.full = replace(ERRORS[StorageFull], detail=outcome.detail, is_fruitless=True)
        if self._full >= FAILURES_IN_A_ROW:
            self.halted = self.halted or self.full

    def _count_applied(self, candidate: Candidate, outcome: Outcome) -> None:
        if outcome.code in (202, 204):
            self._full = 0
            now = self._context.clock.monotonic()
            self._claim.brought(now, messages=1)
            self._budget.refund(1, now)
            self._peer.report.pulled += 1
            if isinstance(candidate.data, bytes):
                self._peer.report.bytes_in += len(candidate.data)

    def _spend_on(self, candidate: Candidate, outcome: Outcome) -> None:
        """Count a message that is of no use here, unless a page brought it, which counts as one."""
        if candidate.read_alone and outcome.state is not State.PENDING and not outcome.is_own:
            self._spend(1)

    def _set_aside(self, candidate: Candidate) -> None:
        key = candidate.ordering_key
        self._inbox.set_aside(self._id, candidate.variant or candidate.cid, key)
        if key != NO_RECORD:
            self.suspects.add(key)

    def _record(self, cid: str, outcome: Outcome) -> None:
        if not outcome.settled:
            self._inbox.failed(self._id, cid, outcome, self._context.clock.now())

    def _count(self, outcome: Outcome) -> None:
        self._failures = self._failures + 1 if node_failed(outcome) else 0
        if self.failed is None and is_of_node(outcome):
            self.failed = outcome
        if outcome.ends_visit or self._failures >= FAILURES_IN_A_ROW:
            self.halted = self.halted or outcome

    def _update_progress(self, *, now: bool = False) -> None:
        """Count the messages that have no entry any more, whoever brought them; those of other fetches count there."""
        moment = self._context.clock.monotonic()
        if now or moment >= self._reported + PROGRESS_SECONDS:
            self._reported = moment
            self._settled = self._total - max(0, self._inbox.summary(self._id).unsettled - self._others)
            self._report_progress()

    def _report_progress(self) -> None:
        report = self._peer.report
        self._context.notify(
            SyncEvent("progress", self._tenant, report.endpoint, "pull", self._settled, self._total, report.bytes_in)
        )


def _is_kept(batch: RecordBatch) -> bool:
    """Return True if a batch can be applied once more."""
    return not any(isinstance(one.data, DataStream) for one in batch)


def _configuration(entry: Any) -> Candidate | None:
    if not isinstance(entry, dict) or method_of(entry) != "Protocols.Configure":
        return None
    try:
        return Candidate(message_cid(entry), entry)
    except InvalidArgument:
        return None
