"""The local side of all visits: the engine, the ledger, the signers, and guards against doing work twice at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from weakref import WeakValueDictionary

from web5.dwn import CheckedWrites, Delivery, Dwn
from web5.dwn.data import DataStream
from web5.dwn.store.protocols import versions
from web5.dwn.store.schema import SUPERSEDED
from web5.dwn.store.store import MessageRow
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import IdentityError, StorageFull, Web5Error
from web5.lru import LruCache
from web5.ports.clock import Clock
from web5.remote.dwn import RemoteDwn
from web5.sync.exchange.peer import GrantsOf, Peer, RemoteLog, SignerFor, logs_of
from web5.sync.exchange.registrar import Registrar
from web5.sync.ledger.damage import Damage
from web5.sync.ledger.ledger import Endpoint, Ledger
from web5.sync.plan.budget import AUDITS, FETCHES, RESTORES, BudgetOf, Claim
from web5.sync.plan.damage import MENDED, NO_BETTER
from web5.sync.plan.dependencies import (
    NO_RECORD,
    is_end,
    is_initial,
    ordering_key,
    parent_of,
    provided_keys,
    record_key,
)
from web5.sync.plan.policy import (
    AT_NEXT_VISIT,
    ENDED,
    FAILURES_IN_A_ROW,
    OWN,
    SLOWLY,
    Outcome,
    classify,
    classify_own,
    waiting_for,
)
from web5.sync.plan.pull import Candidate, RecordBatch
from web5.sync.plan.push import Item
from web5.sync.plan.variants import VARIANT, says_the_same
from web5.sync.states import EndpointReport, State, SyncEvent
from web5.tasks import TaskSet

KEPT_MADE = 10_000

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


@dataclass(eq=False)
class SyncContext:
    """The parts of sync that all visits share.

    Parameters:
        registrar: None: nobody is registered, and endpoints that demand it stay blocked.
        claimed: (tenant, CID) of each message that is being fetched, with the claim to it: no other endpoint is asked
            for it while that holds.
        unclaimed: set when claims have ended; then another takes its place.
        sending: (endpoint ID, CID) of each message that is being sent.
        crashed: (endpoint ID, CID) of each message on which this program failed when it was sent; it is sent last.
        taken: (endpoint ID, seq) of each message that an endpoint took, until the ledger has it.
        did_errors: why a tenant's DID document could not be resolved, by tenant.
        key_errors: why nothing can be signed for a tenant, by tenant.
        priorities: filters of the records to fetch first on a first sync, by tenant, the newest filter first.
        background: runs for which nobody waits.
        without_history: URLs of endpoints that know no messages from the past.
        suspects: IDs of records that an endpoint may have lost to variants, by its ID, until it was asked for them.
        put_off: by (endpoint, record ID): how often its answer said nothing of that, and when it is asked again.
        made: (tenant, CID) of the messages that were made here last.
        fetches: the budget for fetching what cannot be used, by the endpoint's ID.
        audits: the budget for listing everything in vain, likewise.
    """

    dwn: Dwn
    ledger: Ledger
    clock: Clock
    remote: RemoteDwn
    signer_for: SignerFor
    grants_of: GrantsOf
    notify: Callable[[SyncEvent], None]
    registrar: Registrar | None = None
    claimed: dict[tuple[str, str], Claim] = field(default_factory=dict)
    unclaimed: asyncio.Event = field(default_factory=asyncio.Event)
    sending: set[tuple[int, str]] = field(default_factory=set)
    crashed: set[tuple[int, str]] = field(default_factory=set)
    taken: set[tuple[int, int]] = field(default_factory=set)
    did_errors: dict[str, str] = field(default_factory=dict)
    key_errors: dict[str, str] = field(default_factory=dict)
    priorities: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    background: TaskSet = field(default_factory=lambda: TaskSet("a run of sync failed"))
    without_history: set[str] = field(default_factory=set)
    suspects: dict[int, set[str]] = field(default_factory=dict)
    put_off: dict[tuple[int, str], tuple[int, float]] = field(default_factory=dict)
    made: LruCache[tuple[str, str], bool] = field(default_factory=lambda: LruCache(KEPT_MADE))
    fetches: BudgetOf = field(default_factory=lambda: BudgetOf(FETCHES))
    audits: BudgetOf = field(default_factory=lambda: BudgetOf(AUDITS))
    _restores: BudgetOf = field(default_factory=lambda: BudgetOf(RESTORES))
    _restored: dict[str, tuple[int, float]] = field(default_factory=dict)
    _locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def tenant_error(self, tenant: str) -> str | None:
        """Return why nothing can be done for a tenant, or only with its known endpoints; None if all is well."""
        return self.did_errors.get(tenant) or self.key_errors.get(tenant)

    async def peer(
        self,
        endpoint: Endpoint,
        report: EndpointReport | None = None,
        signer_of: str | None = None,
        *,
        only_sends: bool = False,
    ) -> Peer:
        """Return the peer for an endpoint that signs for its tenant, by its delegate if it has one, or for `signer_of`.

        Parameters:
            only_sends: of use without grants, too: see `Peer.barred`.

        Raises:
            IdentityError, CryptoError, DidError: the keys, or the grants, are not at hand.
        """
        tenant = self.ledger.tenant(signer_of or endpoint.tenant)
        logs, barred = list[RemoteLog](), None
        try:
            logs = [] if tenant is None or signer_of is not None else logs_of(tenant, self.grants_of)
        except IdentityError as error:
            if not only_sends:
                raise
            barred = error
        signer = await self.signer_for(tenant.signer if tenant else signer_of or endpoint.tenant)
        report = report or EndpointReport(endpoint.tenant, endpoint.url)
        return Peer(
            endpoint, report, logs, self.remote, signer, self.remote.clocks.of(endpoint.url, signer.did), barred
        )

    # -- pull

    def claim(self, claims: Mapping[tuple[str, str], Claim]) -> None:
        """Take over messages by (tenant, CID), from those whose claim has lapsed too."""
        for key, claim in claims.items():
            if (lapsed := self.claimed.get(key)) is not None:
                lapsed.is_lost = True
            self.claimed[key] = claim

    def release_claims(self, claim: Claim, keys: Iterable[tuple[str, str]]) -> None:
        """End a claim to messages, as far as no other has taken its place."""
        for key in keys:
            if self.claimed.get(key) is claim:
                del self.claimed[key]
        self.unclaimed.set()
        self.unclaimed = asyncio.Event()

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
        damaged = self.ledger.damage.among(tenant, (one.cid for batch in batches for one in batch))
        together = [all(one.is_small_write and one.cid not in damaged for one in batch) for batch in batches]
        writes = [one for batch, is_small in zip(batches, together, strict=True) if is_small for one in batch]
        checked = CheckedBatches(tenant, source, batches, together, writes, self.ledger.provisions.count)
        if writes:
            deliveries = [Delivery(one.message, one.inline, one.cid) for one in writes]
            with suppress(Exception):  # of one of them, perhaps: each is tried alone
                checked.found = await self.dwn.check_writes(tenant, deliveries, source=source, replicated=True)
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
                replies = await self.dwn.store_writes(checked.found)
                return [self._classify(tenant, one, reply) for one, reply in zip(writes, replies, strict=True)]
            except Exception as error:  # as above
                if len(writes) == 1:
                    return [_failed(error, writes[0])]
        return await self._apply_each(tenant, writes, checked.source)

    async def _apply_write(self, tenant: str, one: Candidate, source: str) -> Outcome:
        delivery = Delivery(one.message, one.inline, one.cid)
        try:
            [reply] = await self.dwn.process_writes(tenant, [delivery], source=source, replicated=True)
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
                if self.ledger.damage.among(tenant, (one.cid,)):
                    outcomes.append(await self.mend(tenant, one))
                    continue
                reply = await self.dwn.process_message(tenant, one.message, one.data, source=source, replicated=True)
                outcomes.append(self._classify(tenant, one, reply))
            except Exception as error:
                outcomes.append(_failed(error, one))
        return outcomes

    async def mend(self, tenant: str, candidate: Candidate) -> Outcome:
        """Put what came from an endpoint in the place of the same message, which is damaged here."""
        reply = await self.dwn.mend(tenant, candidate.cid, candidate.message, candidate.data)
        if reply["status"]["code"] == 404:  # it was replaced or deleted meanwhile
            self.ledger.mended(tenant, candidate.cid)
            return Outcome("not held any more", None)
        if reply["status"]["code"] != 202 or not await self.dwn.is_whole(tenant, candidate.cid):
            return NO_BETTER
        self.ledger.mended(tenant, candidate.cid)
        self.notify(SyncEvent("mended", tenant))
        return MENDED

    def _classify(self, tenant: str, candidate: Candidate, reply: Message) -> Outcome:
        outcome, key = classify(reply, candidate.message), candidate.ordering_key
        if outcome.code not in (202, 204) and self._is_variant(tenant, candidate):
            return replace(VARIANT, code=outcome.code)
        if self._wants_initial(tenant, candidate, outcome):
            return replace(waiting_for(record_key(key), f"the initial write of record {key}"), code=outcome.code)
        if outcome.says_deleted:
            outcome = replace(ENDED, code=outcome.code)
        if outcome.settled and outcome.code not in (202, 204):
            self.ledger.superseded(tenant, candidate.cid)
        return outcome

    def _is_variant(self, tenant: str, candidate: Candidate) -> bool:
        rows = [] if candidate.ordering_key == NO_RECORD else self._record(tenant, candidate.ordering_key)
        others = (row for row in rows if row.cid != candidate.cid and row.is_readable)
        return any(says_the_same(candidate.message, row.message) for row in others)

    def _wants_initial(self, tenant: str, candidate: Candidate, outcome: Outcome) -> bool:
        """Return True if the engine might say something else of a message if its record were here.

        It calls a delete of nothing done, and an update of nothing, by somebody else than the tenant, not allowed.
        """
        if outcome.code not in (401, 404) or outcome.lacks_message or candidate.ordering_key == NO_RECORD:
            return False
        return not is_initial(candidate.message) and not self._record(tenant, candidate.ordering_key)

    def damaged(self, tenant: str, cids: Collection[str] | None = None, limit: int | None = None) -> dict[str, Damage]:
        """Return the damaged messages of a tenant but those that are replaced by now, and need no data any more.

        Parameters:
            cids: only these messages.
            limit: of their number.
        """
        known = self.ledger.damage.of(tenant)
        asked = known if cids is None else [cid for cid in cids if cid in known]
        return dict(islice(((cid, known[cid]) for cid in asked if self._is_needed(tenant, cid)), limit))

    def forget_replaced_damage(self, tenant: str) -> None:
        """Forget the damaged messages that are replaced by now."""
        known = self.ledger.damage.of(tenant)
        for cid in known.keys() - self.damaged(tenant).keys():
            self.ledger.mended(tenant, cid)

    def _is_needed(self, tenant: str, cid: str) -> bool:
        row = self.dwn.store.message(self.dwn.store.tenant(tenant), cid)
        return row is not None and (row.latest or row.method != "Write" or not row.is_readable)

    # -- push

    def record_lock(self, endpoint: int, key: str) -> asyncio.Lock:
        """Return the lock that keeps others from sending messages of a record to an endpoint meanwhile."""
        return self._locks.setdefault((endpoint, key), asyncio.Lock())

    def unsent(self, endpoint: Endpoint, cids: Sequence[str]) -> set[str]:
        """Return the IDs of the records whose messages were made here, and not yet sent to an endpoint."""
        found = set()
        for cid in cids:
            if self.made.get((endpoint.tenant, cid)):
                row = self.newest_write(endpoint.tenant, cid=cid)
                if row is not None and self.needs(endpoint.id, row.seq):
                    found.add(row.record_id)
        return found

    def needs(self, endpoint: int, seq: int) -> bool:
        return (endpoint, seq) not in self.taken and not self.ledger.outbox.is_settled(endpoint, seq)

    def record_sent(self, endpoint: int, outcomes: Sequence[tuple[Item, Outcome]]) -> None:
        self.ledger.outbox.record(endpoint, outcomes, self.clock.now())
        self.taken.difference_update((endpoint, item.seq) for item, _ in outcomes)

    def newest_write(self, tenant: str, *, record_id: str | None = None, cid: str | None = None) -> MessageRow | None:
        """Return the newest message of a record, or that with this CID, if it is its record's newest, and a write.

        One that cannot be read is none.
        """
        if cid is not None:
            row = self.dwn.store.message(self.dwn.store.tenant(tenant), cid)
            record_id = row.record_id if row else None
        rows = self._record(tenant, record_id) if record_id else []
        newest = rows[-1] if rows else None
        if newest is None or not newest.latest or newest.method != "Write" or cid not in (None, newest.cid):
            return None
        return newest if newest.is_readable else None

    def may_restore(self, endpoint: int, record_id: str) -> bool:
        """Return True if a record may be written anew for an endpoint now, and count it.

        Whoever displaces records again and again, or says so, has us write no more than that.
        """
        now = self.clock.monotonic()
        budget = self._restores[endpoint]
        times, due = self._restored.get(record_id, (0, now))
        if now < due or budget.left(now) < 1:
            return False
        budget.spend(1, now)
        self._restored[record_id] = times + 1, now + SLOWLY.delay(times + 1)
        return True

    def is_bare(self, tenant: str, message: Message) -> bool:
        """Return True if this node holds no more of a record than this initial write, without its data."""
        rows = self._record(tenant, ordering_key(message))
        return len(rows) == 1 and not rows[0].latest

    def lacks_initial(self, endpoint: int, tenant: str, item: Item) -> bool:
        """Return True if the endpoint still needs the initial write of a message's record, and this is not it."""
        initial = self._initial(tenant, item.ordering_key, item.cid)
        return any(self.needs(endpoint, one.seq) for one in initial)

    def with_initial(self, tenant: str, cid: str) -> list[Item]:
        """Return a message and, before it, the initial write of its record; nothing if it is not held here."""
        store = self.dwn.store
        if (row := store.message(store.tenant(tenant), cid)) is None:
            return []
        rows = [*self._initial(tenant, ordering_key(row.message), cid), row]
        return [self.item(tenant, one.seq, one.cid, one.message) for one in rows]

    def item(self, tenant: str, seq: int, cid: str, message: Message) -> Item:
        """Return a message as what is sent; the end of what others depend on goes alone."""
        key = ordering_key(message)
        initial = None
        if method_of(message) == "Records.Delete":
            initial = self.dwn.store.initial_write(self.dwn.store.tenant(tenant), key)
        return Item(seq, cid, key, parent_of(message), provided_keys(message, initial), is_end(message, initial))

    def ends_something(self, tenant: str, item: Item, message: Message) -> bool:
        """Return True if what an item ends is kept here, so that a node may lack what it had allowed."""
        if item.ordering_key != NO_RECORD:
            return item.alone
        store, definition = self.dwn.store, message["descriptor"].get("definition", {})
        return len(versions(store, store.tenant(tenant), definition.get("protocol"))) > 1

    def is_of_history(self, tenant: str, message: Message) -> bool:
        """Return True for a superseded definition, and for the first state of a grant that ended, with its data."""
        row = self.dwn.store.message(self.dwn.store.tenant(tenant), message_cid(message))
        if row is None:
            return False
        return row.method == SUPERSEDED or (row.initial and not row.latest and row.data is not None)

    def has_history(self, tenant: str, message: Message) -> bool:
        """Return True if what one of a node's history says is here already."""
        row = self.dwn.store.message(self.dwn.store.tenant(tenant), message_cid(message))
        return row is not None and (method_of(message) != "Records.Write" or row.data is not None)

    def _initial(self, tenant: str, record_id: str, cid: str) -> list[MessageRow]:
        """Return the initial write of a record, if it is another message than this."""
        if record_id == NO_RECORD:
            return []
        return [one for one in self._record(tenant, record_id) if one.initial and one.cid != cid]

    def _record(self, tenant: str, record_id: str) -> list[MessageRow]:
        store = self.dwn.store
        return store.record(store.tenant(tenant), record_id)


def _failed(error: Exception, candidate: Candidate) -> Outcome:
    if not isinstance(error, Web5Error):
        log.error("message %s could not be applied", candidate.cid, exc_info=error)
    outcome = classify_own(error)
    if isinstance(error, StorageFull) and not isinstance(candidate.data, DataStream):
        return replace(outcome, state=State.PENDING, backoff=AT_NEXT_VISIT)  # that is the device's trouble
    return outcome
