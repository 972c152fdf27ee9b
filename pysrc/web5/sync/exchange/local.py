"""The local side of a visit: the engine, the ledger, and what must not be done twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from web5.dwn import Delivery, Dwn
from web5.dwn.store.store import MessageRow
from web5.errors import RemoteError
from web5.ports.clock import Clock
from web5.sync.ledger.ledger import Ledger
from web5.sync.ledger.outbox import Outcome
from web5.sync.plan import dependencies
from web5.sync.plan.dependencies import record_key
from web5.sync.plan.ordering import ALONE, is_initial, lane_of
from web5.sync.plan.policy import Verdict, judge, judge_error, waiting_for
from web5.sync.plan.pull import Candidate, Chain
from web5.sync.plan.push import Item
from web5.sync.states import Message, SyncEvent


class Local:
    """What every visit to an endpoint shares.

    Parameters:
        notify: takes each `SyncEvent`.

    Attributes:
        claimed: (tenant, CID) of what is being fetched just now, with the endpoint's id.
        sending: (endpoint id, CID) of what is being sent just now.
        taken: (endpoint id, seq) of what an endpoint took, until the ledger has it.
        did_errors: why a tenant's DID document could not be had, by tenant.
        key_errors: why nothing can be signed for a tenant, by tenant.
    """

    def __init__(self, dwn: Dwn, ledger: Ledger, clock: Clock, notify: Callable[[SyncEvent], None]) -> None:
        self.dwn = dwn
        self.ledger = ledger
        self.clock = clock
        self.notify = notify
        self.claimed: dict[tuple[str, str], int] = {}
        self.sending: set[tuple[int, str]] = set()
        self.did_errors: dict[str, str] = {}
        self.key_errors: dict[str, str] = {}
        self.taken: set[tuple[int, int]] = set()
        self._lanes: dict[tuple[int, str], tuple[asyncio.Lock, int]] = {}

    def trouble(self, tenant: str) -> str | None:
        """Why nothing, or only with what was known before, can be done for a tenant."""
        return self.did_errors.get(tenant) or self.key_errors.get(tenant)

    def needs(self, endpoint: int, seq: int) -> bool:
        """True if the endpoint is still to be given this event's message."""
        return (endpoint, seq) not in self.taken and not self.ledger.outbox.is_settled(endpoint, seq)

    def record_sent(self, endpoint: int, outcomes: Sequence[tuple[Item, Verdict]]) -> None:
        """Put into the ledger what became of sent messages."""
        rows = [Outcome(item.seq, item.cid, verdict, item.provides) for item, verdict in outcomes]
        self.ledger.outbox.record(endpoint, rows, self.clock.now())
        self.taken.difference_update((endpoint, item.seq) for item, _ in outcomes)

    async def apply(self, tenant: str, chains: Sequence[Chain], source: str) -> list[list[Verdict]]:
        """Let the engine take pulled messages, those of a chain in order; the row of each goes in the transaction that
        stores it (ledger invariant 5).

        Returns:
            A verdict for each message, by chain. What follows one that waits gets the same, unless it was taken.
        """
        together = [all(one.is_small_write for one in chain) for chain in chains]
        writes = [one for chain, is_small in zip(chains, together, strict=True) if is_small for one in chain]
        verdicts = iter(await self._apply_writes(tenant, writes, source))
        return [
            [next(verdicts) for _ in chain] if is_small else await self._apply_in_turn(tenant, chain, source)
            for chain, is_small in zip(chains, together, strict=True)
        ]

    async def _apply_writes(self, tenant: str, writes: Sequence[Candidate], source: str) -> list[Verdict]:
        if not writes:
            return []
        deliveries = [Delivery(one.message, one.inline, one.cid) for one in writes]
        replies = await self.dwn.process_writes(tenant, deliveries, source=source)
        return [self._judge(tenant, one, reply) for one, reply in zip(writes, replies, strict=True)]

    async def _apply_in_turn(self, tenant: str, chain: Chain, source: str) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for candidate in chain:
            if not verdicts or not verdicts[-1].waits_for:
                verdicts.append(await self._apply_one(tenant, candidate, source))
            else:
                verdicts.append(verdicts[-1])
        return verdicts

    async def _apply_one(self, tenant: str, candidate: Candidate, source: str) -> Verdict:
        try:
            reply = await self.dwn.process_message(tenant, candidate.message, candidate.data, source=source)
        except RemoteError as error:  # the data broke off
            return judge_error(error)
        return self._judge(tenant, candidate, reply)

    def _judge(self, tenant: str, candidate: Candidate, reply: Message) -> Verdict:
        verdict = judge(reply, candidate.message)
        if self._wants_initial(tenant, candidate, verdict):
            waits = waiting_for(record_key(candidate.lane), f"the initial write of record {candidate.lane}")
            return replace(waits, code=verdict.code)
        if verdict.settled and verdict.code not in (202, 204):
            self.ledger.superseded(tenant, candidate.cid)
        return verdict

    def _wants_initial(self, tenant: str, candidate: Candidate, verdict: Verdict) -> bool:
        """True if the engine might say something else of a message if its record were here: it calls a delete of
        nothing done, and an update of nothing, by somebody else than the tenant, not allowed."""
        if verdict.code not in (401, 404) or verdict.waits_for or candidate.lane == ALONE:
            return False
        return not is_initial(candidate.message) and not self._record(tenant, candidate.lane)

    def is_bare(self, tenant: str, message: Message) -> bool:
        """True if a record is here only as this initial write, without its data: what follows is still to come."""
        rows = self._record(tenant, lane_of(message))
        return len(rows) == 1 and not rows[0].latest

    def lacks_initial(self, endpoint: int, tenant: str, item: Item) -> bool:
        """True if the endpoint is still to be given the initial write of a message's record, and this is not it."""
        record = self._record(tenant, item.lane) if item.lane else []
        return any(one.initial and one.cid != item.cid and self.needs(endpoint, one.seq) for one in record)

    def with_initial(self, tenant: str, cid: str) -> list[Item]:
        """A message and, before it, the initial write of its record, if it is another; empty if it is not here."""
        store = self.dwn.store
        row = store.message(store.tenant(tenant), cid)
        if row is None:
            return []
        lane = lane_of(row.message)
        before = [one for one in self._record(tenant, lane) if one.initial and one.cid != cid] if lane else []
        return [
            Item(one.seq, one.cid, lane, provides=dependencies.provided_keys(one.message)) for one in (*before, row)
        ]

    def _record(self, tenant: str, record_id: str) -> list[MessageRow]:
        store = self.dwn.store
        rows: list[MessageRow] = store.record(store.tenant(tenant), record_id)
        return rows

    @asynccontextmanager
    async def lane(self, endpoint: int, lane: str) -> AsyncIterator[None]:
        """Keep others from sending messages of the same record to the same endpoint meanwhile."""
        key = (endpoint, lane)
        lock, users = self._lanes.get(key) or (asyncio.Lock(), 0)
        self._lanes[key] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            users = self._lanes[key][1] - 1
            if users:
                self._lanes[key] = lock, users
            else:
                del self._lanes[key]
