"""The durable account of every message at every endpoint, in the engine's own SQLite database.

A cursor over the event log and entries for exceptions, not an outbox row for every message: a local write then costs
the ledger no page of the database, an endpoint that appears later is filled from cursor 0 without anything having been
kept for it, and events that the engine prunes from its log need no tidying here. What is pending is counted in memory
(`totals`).

Invariants:
1. Out: every event of the tenant with seq ≤ `pushed_seq` is settled for the endpoint, or has a row in `sync_out`.
2. Out: every event with seq > `pushed_seq` is pending for the endpoint, unless a row with that seq says otherwise.
   So a local write is pending for every endpoint from its commit on.
3. A message that was pulled from an endpoint, or listed by it, is settled for it in the transaction that applies it,
   or that takes over the listing: no echo.
4. In: the cursor of a log is stored in one transaction with a row in `sync_in` for every listed message that is not
   held here. So it never passes a message that is neither applied nor accounted for.
5. A row in `sync_in` goes in the transaction that applies its message, whoever brought it, or when the message
   turned out to be superseded here or pruned there, or is not in a listing of everything; else only when its endpoint
   or tenant leaves the ledger. That of a variant (`plan.variants`) stays as long as it is listed, settled.
6. A crash at any point leaves 1 to 5 true. Messages under way are tried again, and the answer 409 settles them.
7. A listing of everything (one without a cursor) overrules the ledger's belief about the endpoint: messages that it
   names are settled, all others pending again. So an endpoint that was wiped is filled again.
8. Where a tenant syncs only some protocols, "every event" in 1 and 2 means every event of these.
9. A message that is held here and cannot be read, or whose data cannot, has a row in `sync_in` for every endpoint that
   holds it, or lists it later, until the endpoint has given it, or says that it has it no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from web5.dwn import Applied
from web5.dwn.store.database import Database
from web5.dwn.store.store import Store
from web5.strict_json import parse_own
from web5.sync.ledger.cursors import CursorTable
from web5.sync.ledger.damage import Damage, DamageTable
from web5.sync.ledger.deliveries import DeliveryTable
from web5.sync.ledger.entries import Inbox
from web5.sync.ledger.outbox import Outbox
from web5.sync.ledger.provisions import Provisions
from web5.sync.ledger.schema import SCHEMA
from web5.sync.ledger.totals import Totals
from web5.sync.plan import dependencies
from web5.sync.plan.policy import Outcome
from web5.sync.states import Listing, State

_TABLES = ("sync_cursor", "sync_out", "sync_in")
"""Tables with rows of endpoints."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of one tenant. Times are microseconds since 1970.

    Parameters:
        caught_up: when the last listing was requested after which nothing was left to be fetched.
        audited: when it last listed everything.
        tried: the latest moment at which a message failed. All due times count from no later than that.
    """

    id: int
    tenant: str
    url: str
    caught_up: int | None = None
    audited: int | None = None
    last_success: int | None = None
    tried: int | None = None
    error: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant that syncs.

    Parameters:
        protocols: only these; None: everything.
        delegate: the DID that acts for the tenant with its grants; None: the tenant itself.
    """

    did: str
    protocols: tuple[str, ...] | None = None
    delegate: str | None = None

    @property
    def signer(self) -> str:
        return self.delegate or self.did


class Ledger:
    """The ledger of all tenants of one node, in the engine's database, beside its event log."""

    def __init__(self, database: Database, store: Store) -> None:
        self.database = database
        self._totals = Totals(database, store)
        self.inbox = Inbox(database, self._totals)
        self.outbox = Outbox(database, self._totals, store, self.protocols)
        self.cursors = CursorTable(database.connection)
        self.damage = DamageTable(database)
        self.deliveries = DeliveryTable(database)
        self.provisions = Provisions()
        self._db = database.connection
        self._tenants: dict[str, Tenant] = {}
        self._endpoint_ids: dict[str, dict[str, int]] = {}

    def open(self) -> None:
        """Bring the tables up to date, and read the tenants."""
        self.database.migrate("sync", SCHEMA)
        self._read()
        self.database.health.on_undone.append(self._read_again)

    def _read_again(self) -> None:
        if self._db.table_exists(None, "sync_tenant"):  # else it is the opening that was undone
            self._read()

    def _read(self) -> None:
        """Make everything that is kept in memory."""
        self._tenants.clear()
        self._endpoint_ids.clear()
        self.damage.read()
        for did, protocols, delegate in self._db.execute("SELECT * FROM sync_tenant ORDER BY rowid"):
            self._tenants[did] = Tenant(did, tuple(parse_own(protocols)) if protocols else None, delegate)
        for endpoint_id, tenant, url in self._db.execute("SELECT id, tenant, url FROM sync_endpoint"):
            self._endpoint_ids.setdefault(tenant, {})[url] = endpoint_id
        with self.database.transaction(makes_room=True):
            self._totals.open()
            for endpoints in self._endpoint_ids.values():
                for endpoint in endpoints.values():
                    self.outbox.recount(endpoint)

    # -- tenants and endpoints

    def tenants(self) -> list[str]:
        return list(self._tenants)

    def tenant(self, did: str) -> Tenant | None:
        return self._tenants.get(did)

    def protocols(self, tenant: str) -> tuple[str, ...] | None:
        """Return the protocols that a tenant syncs; None: everything."""
        return self._tenants[tenant].protocols if tenant in self._tenants else None

    def register(self, tenant: Tenant) -> None:
        """Add a tenant. With another scope than before, its endpoints are compared anew."""
        known = self._tenants.get(tenant.did)
        if known == tenant:
            return
        protocols = None if tenant.protocols is None else json.dumps(tenant.protocols)
        with self.database.transaction() as db:
            db.execute(
                "INSERT INTO sync_tenant VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET protocols = excluded.protocols, delegate = excluded.delegate",
                (tenant.did, protocols, tenant.delegate),
            )
            for endpoint in self._endpoint_ids.get(tenant.did, {}).values():
                for table in _TABLES:
                    db.execute(f"DELETE FROM {table} WHERE endpoint = ?", (endpoint,))
                db.execute("UPDATE sync_endpoint SET pushed_seq = 0, caught_up = NULL WHERE id = ?", (endpoint,))
                self._totals.fill(endpoint, tenant.did, 0, tenant.protocols)
        self._tenants[tenant.did] = tenant

    def unregister(self, tenant: str) -> None:
        """Forget a tenant and all its rows; its messages stay."""
        with self.database.transaction(makes_room=True) as db:
            db.execute("DELETE FROM sync_tenant WHERE tenant = ?", (tenant,))
            self.damage.forget(tenant)
            self._drop(tenant, list(self._endpoint_ids.get(tenant, {})))
        self._endpoint_ids.pop(tenant, None)
        self._tenants.pop(tenant, None)

    def endpoints(self, tenant: str) -> list[Endpoint]:
        """Return the tenant's endpoints, in the order in which they became known."""
        found = self._db.execute(
            "SELECT id, tenant, url, caught_up, audited, last_success, tried,"
            " error_state, error_code, error_detail, error_until"
            " FROM sync_endpoint WHERE tenant = ? ORDER BY id",
            (tenant,),
        )
        return [
            Endpoint(id_, tenant, url, caught_up, audited, success, tried, _error(*error))
            for id_, tenant, url, caught_up, audited, success, tried, *error in found
        ]

    def endpoint(self, tenant: str, url: str) -> Endpoint | None:
        """Return one endpoint as it is now; None if it has left the ledger."""
        return next((one for one in self.endpoints(tenant) if one.url == url), None)

    def set_endpoints(self, tenant: str, urls: Sequence[str]) -> tuple[list[str], list[str]]:
        """Take over the endpoints of the tenant's DID document; return the added and the dropped ones."""
        known = self._endpoint_ids.get(tenant, {})
        removed = [url for url in known if url not in urls]
        added = [url for url in urls if url not in known]
        if removed or added:
            with self.database.transaction() as db:
                self._drop(tenant, removed)
                for url in added:
                    db.execute("INSERT INTO sync_endpoint (tenant, url) VALUES (?, ?)", (tenant, url))
                    self._totals.fill(db.last_insert_rowid(), tenant, 0, self.protocols(tenant))
            rows = self._db.execute("SELECT url, id FROM sync_endpoint WHERE tenant = ? ORDER BY id", (tenant,))
            self._endpoint_ids[tenant] = dict(rows)
        return added, removed

    def _drop(self, tenant: str, urls: Sequence[str]) -> None:
        for url in urls:
            endpoint = self._endpoint_ids[tenant][url]
            for table in _TABLES:
                self._db.execute(f"DELETE FROM {table} WHERE endpoint = ?", (endpoint,))
            self._db.execute("DELETE FROM sync_endpoint WHERE id = ?", (endpoint,))
            self._totals.drop(endpoint)

    # -- events

    def applied(self, message: Applied) -> None:
        """Settle a stored message; the engine's hook, inside its write transaction (invariants 3, 5 and 8)."""
        endpoints = self._endpoint_ids.get(message.tenant)
        if not endpoints:
            return
        keys = dependencies.provided_keys(message.message, message.initial_write)
        self.provisions.note(message.tenant, keys)
        is_end = message.message["descriptor"]["method"] != "Write"
        for url, endpoint in endpoints.items():
            states = self._totals.states(endpoint)
            listed = self.inbox.settle(endpoint, message.message_cid)
            is_there = listed or url == message.source
            if is_there:
                self.outbox.came(endpoint, message.seq, message.message_cid, states)
            else:
                self.outbox.appended(endpoint, message)
            if self.inbox.have_failed(states):
                self.inbox.release(endpoint, keys)
            # By an end, what was refused may be allowed, or need not be sent any more.
            if (is_there or is_end) and self.outbox.have_failed(states):
                self.outbox.release(endpoint, keys)

    def listed(
        self,
        endpoint: Endpoint,
        log: str,
        listing: Listing,
        missing: set[str],
        now: int,
        *,
        may_have_lost: bool = False,
    ) -> bool:
        """Take over an endpoint's listing: entries for the messages missing here, the rest is settled (invariant 4).

        Return False if it was not taken over, or not all of it, so that the next begins where it began.

        Parameters:
            may_have_lost: the listing shows that the endpoint may have lost messages, which no later one will show:
                it is due to list everything, until it did or `nothing_lost`.
        """
        if not self._is_known(endpoint):
            return False
        held = {cid for cid in listing.cids if cid not in missing}
        # A message that is only repeated was accounted for: if it is missing and has no entry, it is superseded here.
        wanted = missing.difference(self.cursors.get(endpoint.id, log).repeated_in(listing))
        wanted |= self.damage.among(endpoint.tenant, listing.cids)
        with self.database.transaction(makes_room=True):
            all_fit = self.inbox.add(endpoint.id, [cid for cid in listing.cids if cid in wanted], now)
            self.outbox.settle_listed(endpoint.id, held)
            if all_fit:
                self.cursors.advance(endpoint.id, log, listing)
            if may_have_lost:
                self._audited(endpoint, 0)
            elif listing.begun is None and endpoint.audited is None:
                self._audited(endpoint, now)
        return all_fit and listing.cursor is not None

    def relisted(self, endpoint: Endpoint, listings: Mapping[str, Listing], missing: set[str], now: int) -> int:
        """Take over listings of everything, by log (invariant 7); return how many messages the endpoint had lost."""
        if not self._is_known(endpoint):
            return 0
        cids = list(dict.fromkeys(cid for listing in listings.values() for cid in listing.cids))
        wanted = missing | self.damage.among(endpoint.tenant, cids)
        with self.database.transaction(makes_room=True):
            self.inbox.keep(endpoint.id, cids)
            all_fit = self.inbox.add(endpoint.id, [cid for cid in cids if cid in wanted], now)
            lost = self.outbox.relist(endpoint.id, set(cids) - missing)
            for log, listing in listings.items():
                self.cursors.forget(endpoint.id, log)
                if all_fit:
                    self.cursors.advance(endpoint.id, log, listing)
            self._audited(endpoint, now)
        return lost

    def lost_all(self, endpoint: Endpoint, now: int) -> int:
        """Count everything as unsent to an endpoint; return how many messages it was thought to hold."""
        with self.database.transaction(makes_room=True):
            lost = self.outbox.relist(endpoint.id, set()) if self._is_known(endpoint) else 0
            self._audited(endpoint, now)
        return lost

    def holds_all(self, endpoint: Endpoint, now: int) -> None:
        """Record that an endpoint still has what was sent there."""
        with self.database.transaction(makes_room=True):
            self._audited(endpoint, now)

    def forget_position(self, endpoint: Endpoint, log: str) -> None:
        """Begin an endpoint's log again with the next listing; what it is known to hold stays known."""
        with self.database.transaction(makes_room=True):
            self.cursors.forget(endpoint.id, log)

    def nothing_lost(self, endpoint: Endpoint) -> None:
        """Take back that an endpoint is due to list everything, where `listed` said so in the same visit."""
        if endpoint.audited and self._is_known(endpoint):
            with self.database.transaction(makes_room=True):
                self._audited(endpoint, endpoint.audited)

    def _is_known(self, endpoint: Endpoint) -> bool:
        """Return True unless an endpoint has left meanwhile, or could not be stored, and was undone."""
        return self._endpoint_ids.get(endpoint.tenant, {}).get(endpoint.url) == endpoint.id

    def _audited(self, endpoint: Endpoint, now: int) -> None:
        self._db.execute("UPDATE sync_endpoint SET audited = ? WHERE id = ?", (now, endpoint.id))

    def damaged(self, tenant: str, cid: str, seq: int, detail: str, now: int) -> bool:
        """Record that a message is damaged here; return False if that is known. Whoever holds it is asked for it."""
        with self.database.transaction(makes_room=True):
            if not self.damage.add(tenant, cid, Damage(detail, now)):
                return False
            for endpoint in self._endpoint_ids.get(tenant, {}).values():
                if self.outbox.is_settled(endpoint, seq):
                    self.inbox.add(endpoint, [cid], now)
        return True

    def mended(self, tenant: str, cid: str) -> None:
        """Record that a message is not damaged any more, or not held; what waits for it is tried again."""
        with self.database.transaction(makes_room=True):
            self.damage.remove(tenant, cid)
            for endpoint in self._endpoint_ids.get(tenant, {}).values():
                self.inbox.settle(endpoint, cid)
                self.outbox.release(endpoint, [dependencies.data_key(cid)])

    def superseded(self, tenant: str, cid: str, end: tuple[int, str] | None = None) -> None:
        """Settle a message that need not be fetched from anybody: the engine holds a newer one of its record.

        Parameters:
            end: the delete of its record, as (seq, CID). An endpoint that lists the message is sent that once more: it
                may have had nothing to delete when it was sent it, and got the record from elsewhere since.
        """
        with self.database.transaction(makes_room=True):
            for endpoint in self._endpoint_ids.get(tenant, {}).values():
                if self.inbox.settle(endpoint, cid) and end is not None:
                    self.outbox.reopen(endpoint, *end)

    def retry(self, endpoint: Endpoint, cid: str | None) -> None:
        """Forget the backoff of a message, or of all."""
        with self.database.transaction(makes_room=True):
            self.inbox.retry(endpoint.id, cid)
            self.outbox.retry(endpoint.id, cid)

    def clock_was_put_back(self, endpoint: Endpoint) -> None:
        """Forget all backoffs: they were counted by a clock that was ahead, and may last until it is as late again."""
        with self.database.transaction(makes_room=True) as db:
            self.inbox.retry(endpoint.id, None)
            self.outbox.retry(endpoint.id, None)
            db.execute("UPDATE sync_endpoint SET tried = NULL WHERE id = ?", (endpoint.id,))

    def ended(self, endpoint: Endpoint, now: int, listing: int | None, refusal: Outcome | None = None) -> None:
        """Record a visit that came to its end.

        Parameters:
            listing: when a listing was requested, if one was.
            refusal: why everything is held back nevertheless, so that it was no success.
        """
        caught_up = None if listing is None or self.inbox.has_pending(endpoint.id) else listing
        success = now if refusal is None else None
        error = (None, None, None) if refusal is None else (refusal.state, refusal.code, refusal.detail)
        with self.database.transaction(makes_room=True) as db:
            db.execute(
                "UPDATE sync_endpoint SET last_success = ifnull(?, last_success), caught_up = ifnull(?, caught_up),"
                " error_state = ?, error_code = ?, error_detail = ?, error_until = NULL WHERE id = ?",
                (success, caught_up, *error, endpoint.id),
            )

    def failed(self, endpoint: Endpoint, outcome: Outcome) -> None:
        """Record why a visit to the endpoint ended early."""
        with self.database.transaction(makes_room=True) as db:
            db.execute(
                "UPDATE sync_endpoint SET error_state = ?, error_code = ?, error_detail = ?, error_until = ?"
                " WHERE id = ?",
                (outcome.state, outcome.code, outcome.detail, outcome.not_before, endpoint.id),
            )


def _error(state: str | None, code: int, detail: str, until: int | None) -> Outcome | None:
    if state is None:
        return None
    return Outcome("last error", State(state), code=code, detail=detail, not_before=until)
