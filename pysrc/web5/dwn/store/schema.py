"""The engine's tables. A released step is never edited: add another."""

from __future__ import annotations

COMPONENT = "dwn"

STEPS = (
    """
    CREATE TABLE dwn_store (id TEXT NOT NULL);
    INSERT INTO dwn_store VALUES (lower(hex(randomblob(5))));

    CREATE TABLE dwn_tenant (id INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE);

    -- Rows in the order of `seq` are the event log: a message and its event live and die together.
    -- `latest` marks the state of a record that queries see (the reference's isLatestBaseState).
    -- `guest` is the author where that is not the tenant: most rows carry no author, and the index holds only guests.
    -- What is immutable in a record stands in the row of its delete too, so that the same filters find it.
    -- A ProtocolsConfigure is no record: it has no `record_id` and no `date_created`, and is never `latest`.
    CREATE TABLE dwn_message (
        seq INTEGER PRIMARY KEY,
        tenant INTEGER NOT NULL,
        cid TEXT NOT NULL,
        method TEXT NOT NULL,
        record_id TEXT,
        latest INTEGER NOT NULL,
        initial INTEGER NOT NULL,
        message_timestamp TEXT NOT NULL,
        date_created TEXT,
        published INTEGER,
        date_published TEXT,
        guest TEXT,
        attester TEXT,
        recipient TEXT,
        protocol TEXT,
        protocol_path TEXT,
        context_id TEXT,
        parent_id TEXT,
        schema TEXT,
        data_format TEXT,
        data_cid TEXT,
        data_size NUMERIC,
        message TEXT NOT NULL,
        data BLOB
    );
    CREATE UNIQUE INDEX dwn_by_cid ON dwn_message (tenant, cid);
    CREATE INDEX dwn_by_record ON dwn_message (tenant, record_id);
    CREATE INDEX dwn_by_tenant ON dwn_message (tenant, seq);
    CREATE INDEX dwn_by_updated ON dwn_message (tenant, message_timestamp);
    CREATE INDEX dwn_deletes ON dwn_message (tenant) WHERE method = 'Delete';
    CREATE UNIQUE INDEX dwn_by_configured ON dwn_message (tenant, protocol) WHERE method = 'Configure';

    -- Those with a date and a CID behind their column give rows in the order of creation; `published` stands last so
    -- that those who may see only that need not look at every row.
    CREATE INDEX dwn_by_created ON dwn_message (tenant, method, date_created, cid, published) WHERE latest = 1;
    CREATE INDEX dwn_by_published ON dwn_message (tenant, date_published, cid) WHERE latest = 1 AND published = 1;
    CREATE INDEX dwn_by_schema ON dwn_message (tenant, schema, method, date_created, cid, published)
        WHERE latest = 1 AND schema IS NOT NULL;
    CREATE INDEX dwn_by_protocol ON dwn_message
        (tenant, protocol, latest, protocol_path, method, date_created, cid, published) WHERE protocol IS NOT NULL;
    CREATE INDEX dwn_by_context ON dwn_message (tenant, context_id, method, date_created, cid)
        WHERE latest = 1 AND context_id IS NOT NULL;
    CREATE INDEX dwn_by_parent ON dwn_message (tenant, parent_id, latest, method, date_created, cid)
        WHERE parent_id IS NOT NULL;
    CREATE INDEX dwn_by_role ON dwn_message (tenant, recipient, protocol, protocol_path, context_id)
        WHERE latest = 1 AND method = 'Write' AND protocol IS NOT NULL;
    CREATE INDEX dwn_by_recipient ON dwn_message (tenant, recipient, method, date_created, cid)
        WHERE latest = 1 AND recipient IS NOT NULL;
    CREATE INDEX dwn_by_guest ON dwn_message (tenant, guest, method, date_created, cid)
        WHERE latest = 1 AND guest IS NOT NULL;
    CREATE INDEX dwn_by_attester ON dwn_message (tenant, attester, method, date_created, cid)
        WHERE latest = 1 AND attester IS NOT NULL;

    -- Tags of the latest states. A text is stored as UTF-16BE bytes, so that it sorts as JavaScript compares texts;
    -- a number as a number; a boolean as 'true' or 'false', so that it equals neither.
    CREATE TABLE dwn_tag (
        tag_tenant INTEGER NOT NULL,
        name TEXT NOT NULL,
        value NOT NULL,
        tag_created TEXT NOT NULL,
        tagged INTEGER NOT NULL,
        PRIMARY KEY (tag_tenant, name, value, tag_created, tagged)
    ) WITHOUT ROWID;
    CREATE INDEX dwn_tag_by_message ON dwn_tag (tagged);

    -- Data that is too large to lie with its message.
    CREATE TABLE dwn_blob (
        tenant INTEGER NOT NULL,
        record_id TEXT NOT NULL,
        data_cid TEXT NOT NULL,
        size INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (tenant, record_id, data_cid)
    ) WITHOUT ROWID;
    """,
)
