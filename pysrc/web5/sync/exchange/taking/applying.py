"""Pulled messages on their way into the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from web5.dwn import CheckedWrites, Delivery, Dwn
from web5.dwn.data import DataStream
from web5.dwn.values.types import Message
from web5.errors import StorageFull, Web5Error
from web5.sync.exchange.held import HeldMessages
from web5.sync.ledger.damage import Damage
from web5.sync.ledger.ledger import Ledger
from web5.sync.plan.damage import MENDED, NO_BETTER
from web5.sync.plan.dependencies import NO_RECORD, is_initial, record_key
from web5.sync.plan.policy import (
    AT_NEXT_VISIT,
    ENDED,
    FAILURES_IN_A_ROW,
    OWN,
    Outcome,
    classify,
    classify_own,
    waiting_for,
)
from web5.sync.plan.pull import Candidate, RecordBatch
from web5.sync.plan.variants import VARIANT, says_the_same
from web5.sync.states import State, SyncEvent

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CheckedBatches:
    """Pulled messages on their way into the engine.

    Parameters:
        together: for each batch, whether all of it is processed with others.
        writes: the messages of those batches.
        provided: the count of `Provisions` before it was looked at what they depend on.
        found: None: each of them is processed alone.
    """

    tenant: str
    source: str
    batches: Sequence[RecordBatch]
    together: Sequence[bool]
    writes: Sequence[Candidate]
    provided: int
    found: CheckedWrites | None = None


class Applying:
    """The way of pulled messages into the engine, and what its answers mean for the ledger."""

    def __init__(self, dwn: Dwn, ledger: Ledger, held: HeldMessages, notify: Callable[[SyncEvent], None]) -> None:
        self._dwn = dwn
        self._ledger = ledger
        self._held = held
        self._notify = notify

    async def apply(self, tenant: str, batches: Sequence[RecordBatch], source: str) -> list[list[Outcome]]:
        """Process pulled messages in the engine, those of a batch in order.

        They are the tenant's, and may be from the past (`web5.dwn.history`).

        The ledger's entry of each goes in the transaction that stores it (ledger invariant 5).

        Returns:
            An outcome for each message, by batch. Messages after one that waits get the same outcome.
        """
        return await self.store(await self.check(tenant, batches, source))

    async def check(self, tenant: str, batches: Sequence[RecordBatch], source: str) -> CheckedBatches:
        """Do the part of `apply` that may be done while other messages are stored."""
        damaged = self._ledger.damage.among(tenant, (one.cid for batch in batches for one in batch))
        together = [all(one.is_small_write and one.cid not in damaged for one in batch) for batch in batches]
        writes = [one for batch, is_small in zip(batches, together, strict=True) if is_small for one in batch]
        checked = CheckedBatches(tenant, source, batches, together, writes, self._ledger.provisions.count)
        if writes:
            deliveries = [Delivery(one.message, one.inline, one.cid) for one in writes]
            with suppress(Exception):  # of one of them, perhaps: each is tried alone
                checked.found = await self._dwn.check_writes(tenant, deliveries, source=source, replicated=True)
        return checked

    async def store(self, checked: CheckedBatches) -> list[list[Outcome]]:
        """Do the rest of `apply`."""
        tenant, source = checked.tenant, checked.source
        outcomes = iter(await self._store_writes(checked))
        return [
            [next(outcomes) for _ in batch] if is_small else await self._apply_in_turn(tenant, batch, source)
            for batch, is_small in zip(checked.batches, checked.together, strict=True)
        ]

    async def _store_writes(self, checked: CheckedBatches) -> list[Outcome]:
        tenant, writes = checked.tenant, checked.writes
        if checked.found is not None:
            try:
                replies = await self._dwn.store_writes(checked.found)
                return [self._classify(tenant, one, reply) for one, reply in zip(writes, replies, strict=True)]
            except Exception as error:  # as above
                if len(writes) == 1:
                    return [_failed(error, writes[0])]
        return await self._apply_each(tenant, writes, checked.source)

    async def _apply_write(self, tenant: str, one: Candidate, source: str) -> Outcome:
        delivery = Delivery(one.message, one.inline, one.cid)
        try:
            [reply] = await self._dwn.process_writes(tenant, [delivery], source=source, replicated=True)
        except Exception as error:
            return _failed(error, one)
        return self._classify(tenant, one, reply)

    async def _apply_each(self, tenant: str, writes: Sequence[Candidate], source: str) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in writes:
            latest = outcomes[-FAILURES_IN_A_ROW:]
            if len(latest) == FAILURES_IN_A_ROW and all(found.name == OWN[StorageFull].name for found in latest):
                outcomes.append(latest[-1])  # small as they are
            else:
                outcomes.append(await self._apply_write(tenant, one, source))
        return outcomes

    async def _apply_in_turn(self, tenant: str, batch: RecordBatch, source: str) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in batch:
            if outcomes and outcomes[-1].waits_for:
                outcomes.append(outcomes[-1])
                continue
            try:
                if self._ledger.damage.among(tenant, (one.cid,)):
                    outcomes.append(await self.mend(tenant, one))
                    continue
                reply = await self._dwn.process_message(tenant, one.message, one.data, source=source, replicated=True)
                outcomes.append(self._classify(tenant, one, reply))
            except Exception as error:
                outcomes.append(_failed(error, one))
        return outcomes

    async def mend(self, tenant: str, candidate: Candidate) -> Outcome:
        """Put what came from an endpoint in the place of the same message, which is damaged here."""
        reply = await self._dwn.mend(tenant, candidate.cid, candidate.message, candidate.data)
        if reply["status"]["code"] == 404:  # it was replaced or deleted meanwhile
            self._ledger.mended(tenant, candidate.cid)
            return Outcome("not held any more", None)
        if reply["status"]["code"] != 202 or not await self._dwn.is_whole(tenant, candidate.cid):
            return NO_BETTER
        self._ledger.mended(tenant, candidate.cid)
        self._notify(SyncEvent("mended", tenant))
        return MENDED

    def _classify(self, tenant: str, candidate: Candidate, reply: Message) -> Outcome:
        outcome, key = classify(reply, candidate.message), candidate.ordering_key
        if outcome.code not in (202, 204) and self._is_variant(tenant, candidate):
            return replace(VARIANT, code=outcome.code)
        if self._wants_initial(tenant, candidate, outcome):
            return replace(waiting_for(record_key(key), f"the initial write of record {key}"), code=outcome.code)
        end = None
        if outcome.says_deleted:
            outcome, end = replace(ENDED, code=outcome.code), self._held.end(tenant, key)
        if outcome.settled and outcome.code not in (202, 204):
            self._ledger.superseded(tenant, candidate.cid, end)
        return outcome

    def _is_variant(self, tenant: str, candidate: Candidate) -> bool:
        rows = [] if candidate.ordering_key == NO_RECORD else self._held.record(tenant, candidate.ordering_key)
        others = (row for row in rows if row.cid != candidate.cid and row.is_readable)
        return any(says_the_same(candidate.message, row.message) for row in others)

    def _wants_initial(self, tenant: str, candidate: Candidate, outcome: Outcome) -> bool:
        """Return True if the engine might say something else of a message if its record were here.

        It calls a delete of nothing done, and an update of nothing, by somebody else than the tenant, not allowed.
        """
        if outcome.code not in (401, 404) or outcome.lacks_message or candidate.ordering_key == NO_RECORD:
            return False
        return not is_initial(candidate.message) and not self._held.record(tenant, candidate.ordering_key)

    def damaged(self, tenant: str, cids: Collection[str] | None = None, limit: int | None = None) -> dict[str, Damage]:
        """Return the damaged messages of a tenant but those that are replaced by now, and need no data any more.

        Parameters:
            cids: only these messages.
            limit: of their number.
        """
        known = self._ledger.damage.of(tenant)
        asked = known if cids is None else [cid for cid in cids if cid in known]
        return dict(islice(((cid, known[cid]) for cid in asked if self._is_needed(tenant, cid)), limit))

    def forget_replaced_damage(self, tenant: str) -> None:
        """Forget the damaged messages that are replaced by now."""
        known = self._ledger.damage.of(tenant)
        for cid in known.keys() - self.damaged(tenant).keys():
            self._ledger.mended(tenant, cid)

    def _is_needed(self, tenant: str, cid: str) -> bool:
        row = self._held.row(tenant, cid)
        return row is not None and (row.latest or row.method != "Write" or not row.is_readable)


def _failed(error: Exception, candidate: Candidate) -> Outcome:
    if not isinstance(error, Web5Error):
        log.error("message %s could not be applied", candidate.cid, exc_info=error)
    outcome = classify_own(error)
    if isinstance(error, StorageFull) and not isinstance(candidate.data, DataStream):
        return replace(outcome, state=State.PENDING, backoff=AT_NEXT_VISIT)  # that is the device's trouble
    return outcome
