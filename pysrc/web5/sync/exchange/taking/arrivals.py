"""Taking what one visit fetches: it is applied, held until something else has come, or noted with the reason."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from math import inf

from web5.dwn.data import DataStream
from web5.errors import RemoteError, StorageFull
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.exchange.taking.applying import CheckedBatches
from web5.sync.plan import dependencies
from web5.sync.plan.budget import Claim
from web5.sync.plan.dependencies import NO_RECORD
from web5.sync.plan.policy import AT_NEXT_VISIT, ERRORS, FAILURES_IN_A_ROW, OWN, Outcome, classify_own
from web5.sync.plan.pull import KEPT_BYTES, Candidate, RecordBatch, ReorderBuffer
from web5.sync.plan.variants import VARIANT
from web5.sync.states import State, SyncEvent

AT_ONCE = 256
"""Batches that are applied together, with one transaction and one flush, whose pages they share."""

AT_ONCE_BYTES = 2 * 1024 * 1024
"""Their data altogether."""

PROGRESS_SECONDS = 0.1
"""The time between two reports of progress."""


class Arrivals:
    """The messages that one visit has fetched.

    Attributes:
        halted: why nothing more is fetched, by this side's fault perhaps; None: more may come.
        full: the outcome of a small message for which there was no room on this device; None: there was none.
        suspects: IDs of records of which the endpoint has variants.
        wants_history: True if something may depend on what has ended, which is listed nowhere.
        claim: that of the fetch that is under way.
    """

    def __init__(self, context: SyncContext, peer: Peer) -> None:
        self.halted: Outcome | None = None
        self.full: Outcome | None = None
        self.suspects: set[str] = set()
        self.wants_history = False
        self.claim = Claim(peer.endpoint.id, context.clock.monotonic())
        self._context = context
        self._peer = peer
        self._inbox = context.ledger.inbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._budget = context.fetches[self._id]
        self._buffer = ReorderBuffer()
        self._total = 0
        self._settled = 0
        self._others = 0
        self._reported = 0.0
        self._no_room: float | None = None
        self._full = 0

    def begin(self, number: int, claim: Claim) -> None:
        """Count the progress of a fetch of so many messages."""
        self.claim = claim
        self._total = self._settled + number
        self._others = self._inbox.summary(self._id).unsettled - number

    async def apply(self, batches: Iterable[RecordBatch]) -> bool:
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
                self.update_progress()
                checking = checking or self._check(todo)
        finally:
            if checking is not None:
                checking.cancel()
        return waits

    async def apply_missing(self, batches: Sequence[RecordBatch]) -> bool:
        """Apply what is missing here; return True if some of it waits for something else."""
        for candidate in (one for batch in batches for one in batch if one.variant):
            self.set_aside(candidate)
        absent = self._context.dwn.store.missing(self._tenant, [one.cid for batch in batches for one in batch])
        return await self.apply([[candidate for candidate in batch if candidate.cid in absent] for batch in batches])

    async def apply_read(self, candidate: Candidate) -> None:
        """Apply one message that was asked for alone, after those of its record unless it mends a damaged one."""
        candidate.read_alone = True
        is_damaged = bool(self._context.ledger.damage.among(self._tenant, (candidate.cid,)))
        await self.apply([[candidate] if is_damaged else self._buffer.add(candidate)])

    def give_up_incomplete(self) -> None:
        """Note the reason for what waits in vain for another message of its record."""
        for candidate, outcome in self._buffer.incomplete():
            self._spend_on(candidate, outcome)
            self.record(candidate.cid, outcome)

    async def with_data(self, candidate: Candidate) -> Candidate | Outcome:
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
            self.claim.brought(self._context.clock.monotonic(), size=len(chunk))
            self._peer.report.bytes_in += len(chunk)
            self._report_progress()
            yield chunk

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
                self.wants_history = True
            if outcome.settled:
                self._count_applied(candidate, outcome)
                if outcome.name == VARIANT.name:
                    self.set_aside(candidate)
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
            self.record(candidate.cid, reason or outcome)
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
            self.claim.brought(now, messages=1)
            self._budget.refund(1, now)
            self._peer.report.pulled += 1
            if isinstance(candidate.data, bytes):
                self._peer.report.bytes_in += len(candidate.data)

    def _spend_on(self, candidate: Candidate, outcome: Outcome) -> None:
        """Count a message that is of no use here, unless a page brought it, which counts as one."""
        if candidate.read_alone and outcome.state is not State.PENDING and not outcome.is_own:
            self._budget.spend(1, self._context.clock.monotonic())

    def set_aside(self, candidate: Candidate) -> None:
        """Note that the endpoint has a variant of a record."""
        key = candidate.ordering_key
        self._inbox.set_aside(self._id, candidate.variant or candidate.cid, key)
        if key != NO_RECORD:
            self.suspects.add(key)

    def record(self, cid: str, outcome: Outcome) -> None:
        """Note the outcome of a message that has to come again."""
        if not outcome.settled:
            self._inbox.failed(self._id, cid, outcome, self._context.clock.now())

    def update_progress(self, *, now: bool = False) -> None:
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
