"""What is where: the durable account of every message at every endpoint, in the engine's own SQLite database.

A cursor over the event log and rows for exceptions, not an outbox row for every message: a local write then costs
the ledger nothing, an endpoint that appears later is filled from cursor 0 without anything having been kept for it,
and what the engine prunes from its log needs no tidying here.

Invariants:
1. Out: every event of the tenant with seq ≤ `pushed_seq` is settled for the endpoint, or has a row in `sync_out`.
2. Out: every event with seq > `pushed_seq` is pending for the endpoint, unless a row with that seq says otherwise.
   So a local write is pending for every endpoint from its commit on.
3. What was pulled from an endpoint, or was listed by it, is settled for it in the transaction that applies it, or
   that takes over the listing: no echo.
4. In: the cursor of an endpoint is stored in one transaction with a row in `sync_in` for every listed message that
   is not held here. So it never passes a message that is neither applied nor accounted for.
5. A row in `sync_in` goes in the transaction that applies its message, whoever brought it, or when the message
   turned out to be superseded here or pruned there; else only when its endpoint or tenant leaves the ledger.
6. A crash at any point leaves 1 to 5 true. What was under way is tried again, and the answer 409 settles it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from web5.dwn.store.database import Database
from web5.sync.inbox import Inbox
from web5.sync.outbox import EventLog, Outbox
from web5.sync.policy import Verdict
from web5.sync.states import State

SCHEMA = (
    """
    CREATE TABLE sync_tenant (tenant TEXT PRIMARY KEY);
    CREATE TABLE sync_endpoint (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        url TEXT NOT NULL,
        pushed_seq INTEGER NOT NULL DEFAULT 0,
        cursor TEXT,
        caught_up INTEGER,
        last_success INTEGER,
        error_state TEXT,
        error_code INTEGER,
        error_detail TEXT,
        UNIQUE (tenant, url)
    );
    CREATE TABLE sync_out (
        endpoint INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        cid TEXT NOT NULL,
        state TEXT NOT NULL,
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        PRIMARY KEY (endpoint, seq)
    ) WITHOUT ROWID;
    CREATE INDEX sync_out_cid ON sync_out (cid, endpoint);
    CREATE INDEX sync_out_waiting ON sync_out (endpoint) WHERE state = 'waiting';
    CREATE TABLE sync_in (
        endpoint INTEGER NOT NULL,
        cid TEXT NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL,
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        PRIMARY KEY (endpoint, cid)
    ) WITHOUT ROWID;
    CREATE INDEX sync_in_position ON sync_in (endpoint, position);
    CREATE INDEX sync_in_waiting ON sync_in (endpoint) WHERE state = 'waiting';
    """,
)


class AppliedMessage(Protocol):
    """What the engine tells of a message in the transaction that stores it (`web5.dwn.Applied`)."""

    @property
    def tenant(self) -> str: ...
    @property
    def message_cid(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def source(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint's line in the ledger. Times are microseconds since 1970.

    `caught_up` is when the last listing was asked for after which nothing was left to be fetched.
    """

    id: int
    tenant: str
    url: str
    cursor: dict[str, Any] | None
    caught_up: int | None
    last_success: int | None
    error: Verdict | None


class Ledger:
    """The ledger of all tenants of one node.

    Parameters:
        database: the engine's own; `open` adds the ledger's tables.
        events: the engine's event log.
    """

    def __init__(self, database: Database, events: EventLog) -> None:
        self.database = database
        self.inbox = Inbox(database)
        self.outbox = Outbox(database, events)
        self._endpoint_ids: dict[str, dict[str, int]] = {}

    def open(self) -> None:
        """Bring the tables up to date."""
        self.database.migrate("sync", SCHEMA)
        for endpoint_id, tenant, url in self._db.execute("SELECT id, tenant, url FROM sync_endpoint"):
            self._endpoint_ids.setdefault(tenant, {})[url] = endpoint_id

    # -- tenants and endpoints

    def tenants(self) -> list[str]:
        """The tenants that sync, in the order of their registration."""
        return [row[0] for row in self._db.execute("SELECT tenant FROM sync_tenant ORDER BY rowid")]

    def register(self, tenant: str) -> None:
        """Let a tenant sync; registering twice changes nothing."""
        with self.database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO sync_tenant VALUES (?)", (tenant,))

    def unregister(self, tenant: str) -> None:
        """Forget a tenant and everything the ledger says of it; its messages stay."""
        with self.database.transaction() as db:
            db.execute("DELETE FROM sync_tenant WHERE tenant = ?", (tenant,))
            self._drop(tenant, list(self._endpoint_ids.get(tenant, {})))
        self._endpoint_ids.pop(tenant, None)

    def endpoints(self, tenant: str) -> list[Endpoint]:
        """The tenant's endpoints, in the order in which they became known."""
        found = self._db.execute(
            "SELECT id, tenant, url, cursor, caught_up, last_success, error_state, error_code, error_detail"
            " FROM sync_endpoint WHERE tenant = ? ORDER BY id",
            (tenant,),
        )
        return [
            Endpoint(id_, tenant, url, json.loads(cursor) if cursor else None, caught_up, success, _error(*error))
            for id_, tenant, url, cursor, caught_up, success, *error in found
        ]

    def set_endpoints(self, tenant: str, urls: Sequence[str]) -> list[str]:
        """Take over the endpoints of the tenant's DID document; returns those that are gone from it, now dropped."""
        known = self._endpoint_ids.get(tenant, {})
        removed = [url for url in known if url not in urls]
        added = [url for url in urls if url not in known]
        if removed or added:
            with self.database.transaction() as db:
                self._drop(tenant, removed)
                for url in added:
                    db.execute("INSERT INTO sync_endpoint (tenant, url) VALUES (?, ?)", (tenant, url))
            rows = self._db.execute("SELECT url, id FROM sync_endpoint WHERE tenant = ? ORDER BY id", (tenant,))
            self._endpoint_ids[tenant] = dict(rows)
        return removed

    def _drop(self, tenant: str, urls: Sequence[str]) -> None:
        for url in urls:
            endpoint = self._endpoint_ids[tenant][url]
            for table, column in (("sync_out", "endpoint"), ("sync_in", "endpoint"), ("sync_endpoint", "id")):
                self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (endpoint,))

    # -- what happened

    def applied(self, message: AppliedMessage) -> None:
        """The engine's hook: runs inside its write transaction (invariants 3 and 5)."""
        endpoints = self._endpoint_ids.get(message.tenant)
        if not endpoints:
            return
        for url, endpoint in endpoints.items():
            listed = self.inbox.settle(endpoint, message.message_cid)
            if listed or url == message.source:
                self.outbox.mark_settled(endpoint, message.seq, message.message_cid)
            self.inbox.release_waiting(endpoint)

    def listed(self, endpoint: Endpoint, cids: Sequence[str], missing: set[str], cursor: Any) -> None:
        """Take over an endpoint's listing: rows for what is missing here, the rest is settled for it (invariant 4).

        Parameters:
            cids: the listed message CIDs, in the endpoint's order.
            missing: those of them that are not held here.
            cursor: from where to list the next time; None keeps the one before.
        """
        with self.database.transaction() as db:
            self.inbox.add(endpoint.id, [cid for cid in cids if cid in missing])
            self.outbox.settle_listed(endpoint.id, endpoint.tenant, {cid for cid in cids if cid not in missing})
            if cursor is not None:
                db.execute("UPDATE sync_endpoint SET cursor = ? WHERE id = ?", (json.dumps(cursor), endpoint.id))

    def superseded(self, tenant: str, cid: str) -> None:
        """The engine holds something newer than this message: nobody needs to be asked for it any more."""
        with self.database.transaction():
            for endpoint in self._endpoint_ids.get(tenant, {}).values():
                self.inbox.settle(endpoint, cid)

    def succeeded(self, endpoint: Endpoint, now: int, listing: int | None) -> None:
        """A round with the endpoint came to its end; `listing` is when it was asked what it has, if it was."""
        caught_up = None if listing is None or self.inbox.has_pending(endpoint.id) else listing
        with self.database.transaction() as db:
            db.execute(
                "UPDATE sync_endpoint SET last_success = ?, caught_up = ifnull(?, caught_up),"
                " error_state = NULL, error_code = NULL, error_detail = NULL WHERE id = ?",
                (now, caught_up, endpoint.id),
            )

    def failed(self, endpoint: Endpoint, verdict: Verdict) -> None:
        """A round with the endpoint ended early."""
        with self.database.transaction() as db:
            db.execute(
                "UPDATE sync_endpoint SET error_state = ?, error_code = ?, error_detail = ? WHERE id = ?",
                (verdict.state or State.PENDING, verdict.code, verdict.detail, endpoint.id),
            )

    @property
    def _db(self) -> Any:
        return self.database.connection


def _error(state: str | None, code: int, detail: str) -> Verdict | None:
    return None if state is None else Verdict("last error", State(state), code=code, detail=detail)
