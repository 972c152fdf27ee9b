"""The tables of sync. Times are microseconds since 1970. A released step is never edited: add another."""

from __future__ import annotations


def _entries(table: str) -> str:
    """Return a table of entries, with an index for each way in which they are asked for while sync runs."""
    return f"""
    CREATE TABLE {table} (
        endpoint INTEGER NOT NULL,
        position INTEGER NOT NULL,
        cid TEXT NOT NULL,
        state TEXT NOT NULL,
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        waits_for TEXT,
        since INTEGER,
        PRIMARY KEY (endpoint, position)
    ) WITHOUT ROWID;
    CREATE INDEX {table}_by_state ON {table} (endpoint, state, position);
    CREATE INDEX {table}_ready ON {table} (endpoint, position)
        WHERE next_try IS NULL AND state NOT IN ('pending', 'settled');
    CREATE INDEX {table}_refused ON {table} (endpoint, code) WHERE state IN ('refused', 'blocked');
    CREATE INDEX {table}_later ON {table} (endpoint, next_try) WHERE next_try IS NOT NULL;
    CREATE INDEX {table}_waiting ON {table} (endpoint, waits_for)
        WHERE waits_for IS NOT NULL AND next_try IS NOT NULL;
    """


SCHEMA = (
    f"""
    -- `protocols` is a JSON list, or NULL for everything.
    CREATE TABLE sync_tenant (tenant TEXT PRIMARY KEY, protocols TEXT, delegate TEXT);
    -- AUTOINCREMENT: an outcome from an endpoint that is gone must not count for another.
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
    -- Where the next listing of an endpoint begins; see `cursors.LogPosition`. JSON, 'null' is the start of the log.
    CREATE TABLE sync_cursor (
        endpoint INTEGER NOT NULL,
        log TEXT NOT NULL,
        cursor TEXT NOT NULL,
        start TEXT NOT NULL,
        batch TEXT NOT NULL,
        PRIMARY KEY (endpoint, log)
    ) WITHOUT ROWID;
    {_entries("sync_out")}
    CREATE INDEX sync_out_cid ON sync_out (endpoint, cid);
    {_entries("sync_in")}
    CREATE UNIQUE INDEX sync_in_cid ON sync_in (endpoint, cid);
    -- Messages that were sent to somebody else, a row for each of his endpoints; '' is the url of one to be found. All
    -- rows of a delivery have one position, by which they keep the order in which they were sent.
    CREATE TABLE sync_delivery (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        author TEXT NOT NULL,
        target TEXT NOT NULL,
        url TEXT NOT NULL,
        cid TEXT NOT NULL,
        record TEXT NOT NULL,
        position INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        code INTEGER NOT NULL DEFAULT 0,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER,
        tried INTEGER,
        waits_for TEXT,
        since INTEGER NOT NULL,
        UNIQUE (author, target, url, position)
    );
    CREATE INDEX sync_delivery_message ON sync_delivery (author, cid, target);
    CREATE INDEX sync_delivery_record ON sync_delivery (author, target, record);
    CREATE INDEX sync_delivery_position ON sync_delivery (position);
    -- Those of them that are not held here, with their data: small ones inline, large ones in a blob; and copies of
    -- those that are held, if their data are small, for the case that they are replaced.
    CREATE TABLE sync_carried (
        author TEXT NOT NULL,
        cid TEXT NOT NULL,
        message TEXT NOT NULL,
        data BLOB,
        blob TEXT,
        held INTEGER NOT NULL,
        PRIMARY KEY (author, cid)
    );
    -- One row for each tenant and endpoint that ever asked for a registration.
    CREATE TABLE sync_registration (
        tenant TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        state TEXT NOT NULL,
        terms_hash TEXT,
        hashes INTEGER,
        reason TEXT,
        registered INTEGER,
        attempts INTEGER NOT NULL,
        next_try INTEGER,
        PRIMARY KEY (tenant, endpoint)
    ) WITHOUT ROWID;
    -- Terms that the person agreed to, for all tenants of this agent. They stay when others take their place, as the
    -- record of what was agreed to, and when.
    CREATE TABLE sync_accepted_terms (
        endpoint TEXT NOT NULL,
        hash TEXT NOT NULL,
        accepted INTEGER NOT NULL,
        PRIMARY KEY (endpoint, hash)
    ) WITHOUT ROWID;
    -- How many hashes the person lets this device compute for an endpoint.
    CREATE TABLE sync_accepted_work (
        endpoint TEXT PRIMARY KEY,
        hashes INTEGER NOT NULL,
        accepted INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE sync_endpoint ADD COLUMN tried INTEGER",
    """
    -- When the pause is over that an endpoint asked for.
    ALTER TABLE sync_endpoint ADD COLUMN error_until INTEGER;
    """,
    """
    -- Messages that are held here and cannot be read, or whose data cannot.
    CREATE TABLE sync_damaged (
        tenant TEXT NOT NULL,
        cid TEXT NOT NULL,
        detail TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (tenant, cid)
    ) WITHOUT ROWID;
    """,
    """
    -- The code of an invitation that the person gave for an endpoint, until that refuses it.
    CREATE TABLE sync_invitation (
        endpoint TEXT PRIMARY KEY,
        code TEXT NOT NULL,
        given INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
