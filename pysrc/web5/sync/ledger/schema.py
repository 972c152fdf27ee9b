"""The ledger's tables. A released step is never edited: add another."""

from __future__ import annotations

SCHEMA = (
    """
    -- `protocols` is a JSON list, or NULL for everything.
    CREATE TABLE sync_tenant (tenant TEXT PRIMARY KEY, protocols TEXT, delegate TEXT);
    -- AUTOINCREMENT: what was under way to an endpoint that is gone must not count for another.
    CREATE TABLE sync_endpoint (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL,
        url TEXT NOT NULL,
        pushed_seq INTEGER NOT NULL DEFAULT 0,
        caught_up INTEGER,
        audited INTEGER,
        last_success INTEGER,
        error_state TEXT,
        error_code INTEGER,
        error_detail TEXT,
        UNIQUE (tenant, url)
    );
    -- Where the next listing of an endpoint begins; see `feeds.Reading`. JSON, 'null' is the beginning of the log.
    CREATE TABLE sync_feed (
        endpoint INTEGER NOT NULL,
        feed TEXT NOT NULL,
        cursor TEXT NOT NULL,
        start TEXT NOT NULL,
        batch TEXT NOT NULL,
        PRIMARY KEY (endpoint, feed)
    ) WITHOUT ROWID;
    CREATE TABLE sync_out (
        endpoint INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        cid TEXT NOT NULL,
        state TEXT NOT NULL,
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        waits_for TEXT,
        since INTEGER,
        PRIMARY KEY (endpoint, seq)
    ) WITHOUT ROWID;
    CREATE INDEX sync_out_cid ON sync_out (cid, endpoint);
    CREATE INDEX sync_out_waiting ON sync_out (endpoint, waits_for) WHERE waits_for IS NOT NULL;
    CREATE TABLE sync_in (
        endpoint INTEGER NOT NULL,
        cid TEXT NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL,
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        waits_for TEXT,
        since INTEGER,
        PRIMARY KEY (endpoint, cid)
    ) WITHOUT ROWID;
    CREATE INDEX sync_in_position ON sync_in (endpoint, position);
    CREATE INDEX sync_in_waiting ON sync_in (endpoint, waits_for) WHERE waits_for IS NOT NULL;
    """,
)
