"""The parts of sync that all visits share, with guards against doing work twice at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from web5.dwn import Dwn
from web5.errors import IdentityError
from web5.lru import LruCache
from web5.ports.clock import Clock
from web5.remote.dwn import RemoteDwn
from web5.sync.exchange.audit.unlisted import UnlistedOf
from web5.sync.exchange.held import HeldMessages
from web5.sync.exchange.peer import GrantsOf, Peer, RemoteLog, SignerFor, logs_of
from web5.sync.exchange.registrar import Registrar
from web5.sync.exchange.taking.applying import Applying
from web5.sync.ledger.ledger import Endpoint, Ledger
from web5.sync.plan.budget import AUDITS, FETCHES, RESTORES, BudgetOf, Claim
from web5.sync.plan.policy import (
    SLOWLY,
    Outcome,
)
from web5.sync.plan.push import Item
from web5.sync.states import EndpointReport, SyncEvent
from web5.tasks import TaskSet

KEPT_MADE = 10_000

log = logging.getLogger(__name__)


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
        unlisted: what was sent to the endpoints since they listed their messages.
        unknown_grants: the IDs of grants that a delegate has invoked where they were not known, by the endpoint's URL.
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
    unknown_grants: dict[str, dict[str, None]] = field(default_factory=dict)
    put_off: dict[tuple[int, str], tuple[int, float]] = field(default_factory=dict)
    unlisted: UnlistedOf = field(default_factory=UnlistedOf)
    made: LruCache[tuple[str, str], bool] = field(default_factory=lambda: LruCache(KEPT_MADE))
    fetches: BudgetOf = field(default_factory=lambda: BudgetOf(FETCHES))
    audits: BudgetOf = field(default_factory=lambda: BudgetOf(AUDITS))
    held: HeldMessages = field(init=False)
    applying: Applying = field(init=False)
    _restores: BudgetOf = field(default_factory=lambda: BudgetOf(RESTORES))
    _restored: dict[str, tuple[int, float]] = field(default_factory=dict)
    _locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def __post_init__(self) -> None:
        self.held = HeldMessages(self.dwn.store)
        self.applying = Applying(self.dwn, self.ledger, self.held, self.notify)

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
        logs, barred, unknown = list[RemoteLog](), None, self.unknown_grants.setdefault(endpoint.url, {})
        try:
            logs = [] if tenant is None or signer_of is not None else logs_of(tenant, self.grants_of, unknown)
        except IdentityError as error:
            if not only_sends:
                raise
            barred = error
        signer = await self.signer_for(tenant.signer if tenant else signer_of or endpoint.tenant)
        report = report or EndpointReport(endpoint.tenant, endpoint.url)
        clock = self.remote.clocks.of(endpoint.url, signer.did)
        return Peer(endpoint, report, logs, self.remote, signer, clock, barred, unknown)

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

    def record_lock(self, endpoint: int, key: str) -> asyncio.Lock:
        """Return the lock that keeps others from sending messages of a record to an endpoint meanwhile."""
        return self._locks.setdefault((endpoint, key), asyncio.Lock())

    def unsent(self, endpoint: Endpoint, cids: Sequence[str]) -> set[str]:
        """Return the IDs of the records whose messages were made here, and not yet sent to an endpoint."""
        found = set()
        for cid in cids:
            if self.made.get((endpoint.tenant, cid)):
                row = self.held.newest_write(endpoint.tenant, cid=cid)
                if row is not None and self.needs(endpoint.id, row.seq):
                    found.add(row.record_id)
        return found

    def needs(self, endpoint: int, seq: int) -> bool:
        return (endpoint, seq) not in self.taken and not self.ledger.outbox.is_settled(endpoint, seq)

    def record_sent(self, endpoint: int, outcomes: Sequence[tuple[Item, Outcome]]) -> None:
        self.ledger.outbox.record(endpoint, outcomes, self.clock.now())
        self.taken.difference_update((endpoint, item.seq) for item, _ in outcomes)

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

    def lacks_initial(self, endpoint: int, tenant: str, item: Item) -> bool:
        """Return True if the endpoint still needs the initial write of a message's record, and this is not it."""
        initial = self.held.initial(tenant, item.ordering_key, item.cid)
        return any(self.needs(endpoint, one.seq) for one in initial)
