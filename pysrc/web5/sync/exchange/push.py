"""Sending to one endpoint in one visit: drives `plan.push`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

from web5.dwn.data import MAX_INLINE_BYTES
from web5.dwn.wire.rpc import method_of
from web5.errors import BlobMissing, MessageDamaged, StorageCorrupt, Web5Error
from web5.sync.exchange.audit.displaced import RESTORED, confirmed
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.history import RENEWED, hand_on, is_from_the_past, renewed
from web5.sync.exchange.peer import Peer
from web5.sync.plan.damage import damaged_here
from web5.sync.plan.dependencies import NO_RECORD, is_initial, record_key
from web5.sync.plan.policy import Outcome, classify_own, is_of_node, waiting_for
from web5.sync.plan.push import Item, PushPlan
from web5.sync.states import State, SyncEvent

AHEAD = 32
"""Messages whose order is planned at a time."""

TRIES = 2
"""Attempts to send one message in one visit: it is sent again when its dependency was taken."""

FLUSH_SECONDS = 0.5
"""The time after which outcomes are made durable, so that a page that is closed sends no more than that again."""

NOTHING_TO_SEND = Outcome("pruned here, or sent meanwhile", None)
REPLACED = Outcome("its data was replaced meanwhile", State.PENDING)


class Push:
    """The sending side of a visit.

    Attributes:
        halted: why it ended early; None: it did not.
        failed: an outcome that says more of the endpoint than of its message; None: there was none.
        stored: True if a message was new to the endpoint.
        dependency_lost: True if the endpoint lacks a message that the ledger says it holds.
        restored: True if a message was written, which all endpoints are to have.
    """

    def __init__(self, context: SyncContext, peer: Peer) -> None:
        self.halted: Outcome | None = None
        self.failed: Outcome | None = None
        self.dependency_lost = self.restored = self.stored = False
        self._context = context
        self._peer = peer
        self._outbox = context.ledger.outbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._last: dict[int, str] = {}
        self._tries: Counter[int] = Counter()
        self._done = 0
        self._total = 0
        self._flushed = context.clock.monotonic()
        self._unflushed = False
        self._kept = 0
        self._by_date: deque[tuple[int, str]] | None = None

    async def run(self) -> bool:
        """Send the due messages, until none is left or the endpoint is halted; return True if it took any."""
        before, self._by_date = self._peer.report.pushed, None
        self._total = self._done + self._outbox.summary(self._id).unsettled
        plan, last, sending = PushPlan(), 0, set[asyncio.Task[tuple[Item, Outcome]]]()
        try:
            while True:
                while len(plan) < AHEAD and not plan.halted and (due := self._due(last)):
                    for seq, cid in due:
                        last = max(last, seq)
                        if not await self._plan(plan, seq, cid):
                            break
                await self._keep(last)
                sending |= {asyncio.create_task(self._send(item)) for item in plan.ready()}
                if not sending:
                    break
                patience = FLUSH_SECONDS if self._unflushed else None
                done, sending = await asyncio.wait(sending, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    self._record([outcome for task in done for outcome in plan.done(*task.result())])
                if (now := self._context.clock.monotonic()) >= self._flushed + FLUSH_SECONDS or not done:
                    self._flushed, self._unflushed = now, False
                    await self._context.ledger.database.flush()
        finally:
            for task in sending:
                task.cancel()
        self.halted = plan.halted
        return self._peer.report.pushed > before

    async def _keep(self, seq: int) -> None:
        """Return once all messages up to this one are durable: what is undone here must not come back from a node."""
        if seq > self._kept:
            newest = self._context.dwn.store.last_seq()
            await self._context.ledger.database.flush()
            self._kept = newest

    def _due(self, after: int) -> list[tuple[int, str]]:
        """Return the next due entries, opening windows of the event log until there are some or it ends.

        A message on which this program has failed comes last, so that it holds up no other.
        """
        if self._by_date is not None:
            return [self._by_date.popleft() for _ in range(min(AHEAD, len(self._by_date)))]
        crashed, found = self._context.crashed, dict[int, str]()
        while not found:
            due = self._outbox.due(self._id, self._context.clock.now(), AHEAD, after, self._peer.clock.now())
            for one in due:
                (self._last if (self._id, one.cid) in crashed else found)[one.position] = one.cid
                after = one.position
            if not due and not self._outbox.open_window(self._id):
                found, self._last = self._last, {}
                break
        return list(found.items())

    async def _plan(self, plan: PushPlan, seq: int, cid: str) -> bool:
        """Put a message in its place in the plan; return False if all that is due was put in another order instead."""
        if self._tries[seq] >= TRIES:
            return True
        self._tries[seq] += 1
        try:
            stored = await self._context.dwn.read_stored(self._tenant, cid)
        except MessageDamaged as error:
            self._record([(Item(seq, cid, NO_RECORD), damaged_here(cid, error))])
            return True
        if stored is None:
            self._record([(Item(seq, cid, NO_RECORD), NOTHING_TO_SEND)])
            return True
        item = self._context.held.item(self._tenant, seq, cid, stored.message)
        if self._by_date is None and self._context.held.ends_something(self._tenant, item, stored.message):
            self._tries[seq] -= 1
            self._sort_by_date(plan)
            return False
        if (outcome := plan.held_back(item)) is not None:
            self._record([(item, outcome)])
        else:
            plan.add(item)
        return True

    def _sort_by_date(self, plan: PushPlan) -> None:
        """Send all that is due in the order in which it was made, and not in which it came here.

        What a definition or a grant allowed is taken before its end, also by a node that keeps no history.
        """
        while self._outbox.open_window(self._id):
            pass
        due = self._outbox.due(self._id, self._context.clock.now(), there=self._peer.clock.now())
        made = self._context.dwn.store.made(self._tenant, [entry.position for entry in due])
        todo = [(entry.position, entry.cid) for entry in due if entry.position not in plan]
        self._by_date = deque(sorted(todo, key=lambda one: (made.get(one[0], 0), one[0])))

    async def _send(self, item: Item) -> tuple[Item, Outcome]:
        crashed = self._context.crashed
        try:
            outcome = await push_message(self._context, self._peer, item)
        except Exception:
            crashed.add((self._id, item.cid))
            raise
        crashed.discard((self._id, item.cid))
        return item, outcome

    def _record(self, outcomes: list[tuple[Item, Outcome]]) -> None:
        self._context.record_sent(self._id, outcomes)
        self._unflushed = True
        report = self._peer.report
        report.pushed += sum(outcome.settled and outcome.code != 0 for _, outcome in outcomes)
        self._done += sum(outcome.settled for _, outcome in outcomes)
        self.failed = self.failed or next((outcome for _, outcome in outcomes if is_of_node(outcome)), None)
        self.stored |= any(outcome.settled and outcome.code in (202, 204) for _, outcome in outcomes)
        self.restored |= any(outcome in (RESTORED, RENEWED) for _, outcome in outcomes)
        # It was sent after all that the ledger counts as missing there.
        self.dependency_lost |= any(outcome.lacks_message for _, outcome in outcomes)
        total = max(self._done, self._total)
        self._context.notify(
            SyncEvent("progress", self._tenant, report.endpoint, "push", self._done, total, report.bytes_out)
        )


async def push_message(context: SyncContext, peer: Peer, item: Item) -> Outcome:
    """Send one message as it is stored now, unless the endpoint does not need it any more."""
    tenant, endpoint = peer.endpoint.tenant, peer.endpoint.id
    async with context.record_lock(endpoint, item.ordering_key):
        if not context.needs(endpoint, item.seq):
            return NOTHING_TO_SEND
        try:
            stored = await context.dwn.read_stored(tenant, item.cid)
        except MessageDamaged as error:
            return damaged_here(item.cid, error)
        if stored is None:
            return NOTHING_TO_SEND
        message = stored.message
        if stored.data is None and method_of(message) == "Records.Write" and context.held.is_bare(tenant, message):
            return waiting_for(record_key(item.ordering_key), "its data, or a later message of its record")
        if not is_initial(message) and context.lacks_initial(endpoint, tenant, item):
            # A delete would be answered with 404, as if the record were deleted already.
            return waiting_for(record_key(item.ordering_key), f"the initial write of record {item.ordering_key}")
        context.sending.add((endpoint, item.cid))
        context.unlisted.sent(endpoint, item.cid)
        try:
            outcome = await peer.send(message, stored.data, _byte_counter(context, peer, item.cid))
            if is_from_the_past(context, tenant, message, outcome):
                handed = await hand_on(context, peer, item, _byte_counter(context, peer, item.cid))
                if handed is None and outcome.code == 409 and method_of(message) == "Records.Delete":
                    handed = await renewed(context, peer, message, outcome)
                outcome = handed or outcome
        except BlobMissing:
            # It was replaced or deleted while it was read; its replacement is a message of its own.
            return NOTHING_TO_SEND if await context.dwn.read_stored(tenant, item.cid) is None else REPLACED
        except MessageDamaged as error:
            return damaged_here(item.cid, error)
        except Web5Error as error:
            return classify_own(error)
        finally:
            context.sending.discard((endpoint, item.cid))
        if outcome.says_deleted:  # so its delete will come from there, and end it here too
            outcome = replace(outcome, state=State.WAITING, waits_for=record_key(item.ordering_key))
        if outcome.code == 409:
            outcome = await confirmed(context, peer, item.cid, outcome)
        doubtful = outcome.state is State.REFUSED and outcome.code in (400, 401)
        if doubtful and not await context.dwn.is_whole(tenant, item.cid):
            return damaged_here(item.cid, StorageCorrupt("it is not what it was"))
        if outcome.settled:
            context.taken.add((endpoint, item.seq))
            if stored.data is not None and (stored.data.size or 0) <= MAX_INLINE_BYTES:
                peer.report.bytes_out += stored.data.size or 0
        return outcome


def _byte_counter(context: SyncContext, peer: Peer, cid: str) -> Callable[[int], None]:
    before = 0

    def sent(total: int) -> None:
        nonlocal before
        peer.report.bytes_out += total - before
        before = total
        context.notify(
            SyncEvent("progress", peer.endpoint.tenant, peer.endpoint.url, "push", bytes=peer.report.bytes_out)
        )
        context.notify(
            SyncEvent("sending", peer.endpoint.tenant, peer.endpoint.url, "push", bytes=total, message_cid=cid)
        )

    return sent
