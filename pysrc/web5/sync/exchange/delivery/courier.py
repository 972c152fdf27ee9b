"""Delivering to one endpoint of somebody else: drives `plan.push`, several requests in flight.

Invariants:
1. One round to an endpoint runs at a time; what is asked for meanwhile is done by the next, which follows at once.
2. Messages of one record keep the order in which they were sent, and what depends on others comes after them.
3. An endpoint that fails, or that asks for a pause, gets nothing more in this round. No other endpoint waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from web5.dwn.wire.rpc import method_of
from web5.errors import BlobMissing, MessageDamaged, Web5Error
from web5.sync.exchange.audit.displaced import standing
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.delivery.letters import parts_of
from web5.sync.exchange.peer import Peer
from web5.sync.ledger.deliveries import Row
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.damage import damaged_here
from web5.sync.plan.delivery import DELETED, NOT_TRIED
from web5.sync.plan.policy import LONGEST, RECONNECT, Outcome, classify_error, classify_own
from web5.sync.plan.push import Item, PushPlan
from web5.sync.plan.variants import DISPLACED
from web5.sync.states import EndpointReport, State, SyncEvent

log = logging.getLogger(__name__)

AHEAD = 32
"""Messages whose order is planned at a time."""

TRIES = 2
"""Attempts to send one message in one round: it is sent again when what it waited for was taken."""


class Courier:
    """The deliveries of one author to one endpoint of a target.

    Parameters:
        jitter: returns numbers from 0 to 1.

    Attributes:
        report: counts of the work done since this exists.
        in_flight: the IDs of the rows that are being sent.
        retries: what failed, or waits, is tried again without a request.
    """

    def __init__(
        self, context: SyncContext, author: str, target: str, url: str, jitter: Callable[[], float], *, retries: bool
    ) -> None:
        self.report = EndpointReport(target, url)
        self.in_flight: set[int] = set()
        self.retries = retries
        self.task: asyncio.Task[None] | None = None
        self._context = context
        self._table = context.ledger.deliveries
        self._of = (author, target, url)
        self._jitter = jitter
        self._wanted = False
        self._failures = 0
        self._timer: asyncio.Task[None] | None = None
        self._expected: dict[str, list[asyncio.Future[Outcome]]] = {}

    def outcome_of(self, cid: str) -> asyncio.Future[Outcome]:
        """Return the outcome that the next attempt to deliver a message will have."""
        found = asyncio.get_running_loop().create_future()
        self._expected.setdefault(cid, []).append(found)
        return found

    def visit(self) -> asyncio.Task[None]:
        """Send what is due; return the task that does so."""
        self._wanted = True
        if self.task is None:
            self._cancel_timer()
            self.task = asyncio.create_task(self._run())
        return self.task

    def set_retries(self, on: bool) -> None:
        """Retry by itself what failed, as soon as it is due; or do so no more."""
        self.retries = on
        if not on:
            self._cancel_timer()

    async def stop(self) -> None:
        """End at once; return when that is done."""
        self._wanted = False
        self.set_retries(False)
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
            self.task = None
        self._tell_others(NOT_TRIED)

    async def _run(self) -> None:
        halted: Outcome | None = None
        try:
            while self._wanted:
                self._wanted = False
                try:
                    halted = await self._round()
                except Exception as error:  # the ledger may be just what fails
                    halted = classify_error(error)
                    if not isinstance(error, Web5Error):
                        log.exception("deliveries to %s failed", self._of[2])
                if not self._wanted:
                    self._tell_others(halted or NOT_TRIED)
        finally:
            self.task = None
            self._tell_others(NOT_TRIED)
        self._failures = self._failures + 1 if halted is not None else 0
        if self.retries and (seconds := self._wait(halted)) is not None:
            self._timer = asyncio.create_task(self._visit_after(seconds))

    def _tell_others(self, outcome: Outcome) -> None:
        for cid in list(self._expected):
            self._tell(cid, outcome)

    def _tell(self, cid: str, outcome: Outcome) -> None:
        for one in self._expected.pop(cid, ()):
            if not one.done():
                one.set_result(outcome)

    def _wait(self, halted: Outcome | None) -> float | None:
        """Return the seconds after which something is to be tried again; None: nothing is."""
        now = self._context.clock.now()
        if halted is not None:
            pause = 0.0 if halted.not_before is None else (halted.not_before - now) / 1_000_000
            return max(pause, RECONNECT.spread(self._failures, self._jitter()))
        due = self._table.next_due(*self._of)
        return None if due is None else min(max(0.0, (due - now) / 1_000_000), LONGEST)

    async def _visit_after(self, seconds: float) -> None:
        await self._context.clock.sleep(seconds)
        self._timer = None
        self.visit()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell_sent(self, cid: str, sent: int) -> None:
        author, target, url = self._of
        self._context.notify(SyncEvent("sending", author, url, "push", bytes=sent, target=target, message_cid=cid))

    # -- one round

    async def _round(self) -> Outcome | None:
        """Send what is due; return why the endpoint gets nothing more now, or None."""
        author, target, url = self._of
        context, tries = self._context, Counter[int]()
        if not self._due(0, 1):
            return None
        try:
            peer = await context.peer(Endpoint(0, target, url), self.report, signer_of=author)
        except Web5Error as error:  # the author's keys are not at hand
            return await self._halt(classify_error(error))
        going = True
        while going:
            plan, before = PushPlan(), self.report.pushed
            await self._pass(plan, peer, tries)
            if plan.halted is not None:
                return await self._halt(replace(plan.halted, not_before=context.remote.pauses.until(url)))
            going = self.report.pushed > before
        await context.ledger.database.flush()
        return None

    async def _halt(self, outcome: Outcome) -> Outcome:
        with self._context.ledger.database.transaction(makes_room=True):
            self._table.halt(*self._of, outcome, self._context.clock.now())
        await self._context.ledger.database.flush()
        author, target, url = self._of
        self._context.notify(SyncEvent("undelivered", author, url, "push", target=target))
        return outcome

    def _due(self, after: int, limit: int = AHEAD) -> list[Row]:
        return self._table.due(*self._of, self._context.clock.now(), limit, after)

    async def _pass(self, plan: PushPlan, peer: Peer, tries: Counter[int]) -> None:
        """Send all that is due once, in its order."""
        rows, last = dict[int, Row](), 0
        sending = set[asyncio.Task[tuple[Item, Outcome]]]()
        try:
            while True:
                while len(plan) < AHEAD and not plan.halted and (due := self._due(last)):
                    for row in due:
                        last = row.position
                        if tries[row.id] < TRIES:
                            tries[row.id] += 1
                            rows[row.position] = row
                            await self._plan(plan, row)
                for item in plan.ready():
                    sending.add(asyncio.create_task(self._send(peer, rows[item.seq], item)))
                if not sending:
                    return
                done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    for item, outcome in plan.done(*task.result()):
                        await self._record(rows[item.seq], item, outcome)
        finally:
            for task in sending:
                task.cancel()

    async def _plan(self, plan: PushPlan, row: Row) -> None:
        """Put a message in its place in the plan, if there is anything to send."""
        item = Item(row.position, row.cid, row.record)
        try:
            parts = await parts_of(self._context, row)
        except Web5Error as error:
            outcome = damaged_here(row.cid, error) if isinstance(error, MessageDamaged) else classify_own(error)
            await self._record(row, item, outcome)
            return
        if isinstance(parts, Outcome):
            await self._record(row, item, parts)
            return
        item = self._context.held.item(row.author, row.position, row.cid, parts[-1][0])
        if (outcome := plan.held_back(item)) is not None:  # type: ignore[assignment]
            await self._record(row, item, outcome)
        else:
            plan.add(item)

    async def _send(self, peer: Peer, row: Row, item: Item) -> tuple[Item, Outcome]:
        self.in_flight.add(row.id)
        try:
            return item, await self._deliver(peer, row)
        except MessageDamaged as error:
            return item, damaged_here(row.cid, error)
        except Exception as error:
            if not isinstance(error, Web5Error):
                log.exception("message %s could not be delivered", row.cid)
            return item, classify_own(error)
        finally:
            self.in_flight.discard(row.id)

    async def _deliver(self, peer: Peer, row: Row) -> Outcome:
        parts = await parts_of(self._context, row)
        if isinstance(parts, Outcome):
            return parts
        outcome = DELETED
        for message, data in parts:
            try:
                outcome = await peer.send(message, data, partial(self._tell_sent, row.cid))
            except BlobMissing:
                gone = await parts_of(self._context, row)  # if it was replaced or deleted while it was read
                if isinstance(gone, Outcome):
                    return gone
                raise
            if not outcome.settled:
                return outcome
        if outcome.code == 409 and method_of(parts[-1][0]) == "Records.Write":
            newest = self._context.held.newest_write(row.author, cid=row.cid)
            found = None if newest is None else await standing(peer, newest)
            return DISPLACED if found is DISPLACED else outcome
        return outcome

    async def _record(self, row: Row, item: Item, outcome: Outcome) -> None:
        context, blobs = self._context, list[str]()
        with context.ledger.database.transaction(makes_room=True):
            if outcome.settled:
                blobs = self._table.settle(row, item.provides)
            else:
                self._table.fail(row, outcome, context.clock.now())
        if outcome.settled:
            self.report.pushed += 1
        self._tell(row.cid, outcome)
        if blobs:
            await context.ledger.database.flush()
            await context.dwn.blobs.delete(blobs)
        same = (outcome.state, outcome.code, outcome.detail) == (row.state, row.code, row.detail)
        kind = "withdrawn" if outcome is DELETED else "delivered" if outcome.settled else "undelivered"
        if outcome.state is not State.PENDING and not same:
            context.notify(
                SyncEvent(kind, row.author, row.url, "push", target=row.target, message_cid=row.cid)  # type: ignore[arg-type]
            )
