"""Sending to one endpoint in one visit: drives `push_plan`, several requests in flight."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from web5.dwn.data import MAX_INLINE_BYTES
from web5.dwn.rpc import method_of
from web5.errors import BlobMissing, InvalidArgument
from web5.sync.exchange.local import Local
from web5.sync.exchange.peer import Peer
from web5.sync.plan.dependencies import provided_keys, record_key
from web5.sync.plan.ordering import is_initial, lane_of, parent_of
from web5.sync.plan.policy import SLOWLY, Tell, Verdict, waiting_for
from web5.sync.plan.push import Item, PushPlan
from web5.sync.states import State, SyncEvent

AHEAD = 32
"""Messages whose order is planned at a time."""

TRIES = 2
"""How often one message is sent in one visit: again when something it depends on was taken."""

KEEP_SECONDS = 0.5
"""After so long what was sent is made durable, so that a page which is closed sends no more than that again."""

NOTHING_TO_SEND = Verdict("pruned here, or sent meanwhile", None)
DAMAGED = Verdict("its data is damaged here", State.REFUSED, backoff=SLOWLY, tell=Tell.PERSON)
REPLACED = Verdict("its data was replaced meanwhile", State.PENDING)

Outcomes = list[tuple[Item, Verdict]]


class Push:
    """One endpoint's part of a visit.

    Attributes:
        halted: why it ended early.
        doubtful: True if the endpoint lacks something that the ledger says it holds.
    """

    def __init__(self, peer: Peer, local: Local) -> None:
        self.halted: Verdict | None = None
        self.doubtful = False
        self._peer = peer
        self._local = local
        self._outbox = local.ledger.outbox
        self._id = peer.endpoint.id
        self._tenant = peer.endpoint.tenant
        self._tries: Counter[int] = Counter()
        self._done = 0
        self._total = 0
        self._kept = local.clock.monotonic()

    async def run(self) -> bool:
        """Send what is due, until nothing is left or the endpoint is halted; True if it took anything."""
        before = self._peer.report.pushed
        self._total = self._done + self._outbox.counts(self._id, self._tenant)[0]
        plan, last, sending = PushPlan(), 0, set[asyncio.Task[tuple[Item, Verdict]]]()
        try:
            while True:
                while len(plan) < AHEAD and not plan.halted and (rows := self._due(last)):
                    for seq, cid in rows:
                        last = seq
                        await self._plan(plan, seq, cid)
                sending |= {asyncio.create_task(self._send(item)) for item in plan.ready()}
                if not sending:
                    break
                done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                self._record([outcome for task in done for outcome in plan.done(*task.result())])
                await self._keep()
        finally:
            for task in sending:
                task.cancel()
        self.halted = plan.halted
        return self._peer.report.pushed > before

    async def _keep(self) -> None:
        """Make durable what is recorded, now and then."""
        now = self._local.clock.monotonic()
        if now >= self._kept + KEEP_SECONDS:
            self._kept = now
            await self._local.ledger.database.flush()

    def _due(self, after: int) -> list[tuple[int, str]]:
        """The next rows that may be sent; opens windows of the event log until there are some or it ends."""
        while True:
            rows = self._outbox.due(self._id, self._local.clock.now(), AHEAD, after)
            if rows:
                return [(row.order, row.cid) for row in rows]
            if not self._outbox.open_window(self._id, self._tenant):
                return []

    async def _plan(self, plan: PushPlan, seq: int, cid: str) -> None:
        if self._tries[seq] >= TRIES:
            return
        self._tries[seq] += 1
        stored = await self._local.dwn.read_stored(self._tenant, cid)
        if stored is None:
            self._record([(Item(seq, cid, ""), NOTHING_TO_SEND)])
            return
        item = Item(seq, cid, lane_of(stored.message), parent_of(stored.message), provided_keys(stored.message))
        if plan.waits_already(item):
            self._record([(item, plan.waits(item))])
        else:
            plan.add(item)

    async def _send(self, item: Item) -> tuple[Item, Verdict]:
        return item, await give(self._local, self._peer, item)

    def _record(self, outcomes: Outcomes) -> None:
        self._local.record_sent(self._id, outcomes)
        report = self._peer.report
        report.pushed += sum(verdict.settled and verdict.code != 0 for _, verdict in outcomes)
        self._done += sum(verdict.settled for _, verdict in outcomes)
        # It was sent after all that the ledger counts as missing there.
        self.doubtful = self.doubtful or any(verdict.waits_for and verdict.code for _, verdict in outcomes)
        total = max(self._done, self._total)
        self._local.notify(
            SyncEvent("progress", self._tenant, report.endpoint, "push", self._done, total, report.bytes_out)
        )


async def give(local: Local, peer: Peer, item: Item) -> Verdict:
    """Send one message as it is stored now, unless the endpoint does not need it any more."""
    tenant, endpoint = peer.endpoint.tenant, peer.endpoint.id
    async with local.lane(endpoint, item.lane):
        if not local.needs(endpoint, item.seq):
            return NOTHING_TO_SEND
        stored = await local.dwn.read_stored(tenant, item.cid)
        if stored is None:
            return NOTHING_TO_SEND
        message = stored.message
        if stored.data is None and method_of(message) == "Records.Write" and local.is_bare(tenant, message):
            return waiting_for(record_key(item.lane), "its data, or a later message of its record")
        if not is_initial(message) and local.lacks_initial(endpoint, tenant, item):
            # A delete would be answered with 404, as if the record were deleted already.
            return waiting_for(record_key(item.lane), f"the initial write of record {item.lane}")
        local.sending.add((endpoint, item.cid))
        try:
            verdict = await peer.give(message, stored.data, _counting(local, peer))
        except BlobMissing:
            # It was replaced or deleted while it was read; what came in its place is a message of its own.
            return NOTHING_TO_SEND if await local.dwn.read_stored(tenant, item.cid) is None else REPLACED
        except InvalidArgument as error:
            return replace(DAMAGED, detail=f"the stored data is damaged: {error}")
        finally:
            local.sending.discard((endpoint, item.cid))
        if verdict.settled:
            local.taken.add((endpoint, item.seq))
            if stored.data is not None and (stored.data.size or 0) <= MAX_INLINE_BYTES:
                peer.report.bytes_out += stored.data.size or 0
        return verdict


def _counting(local: Local, peer: Peer) -> Callable[[int], None]:
    """Counts large data as it goes out."""
    before = 0

    def sent(total: int) -> None:
        nonlocal before
        peer.report.bytes_out += total - before
        before = total
        local.notify(
            SyncEvent("progress", peer.endpoint.tenant, peer.endpoint.url, "push", bytes=peer.report.bytes_out)
        )

    return sent
