"""The agent's tables. A released step is never edited: add another."""

from __future__ import annotations

COMPONENT = "agent"

STEPS = (
    """
    CREATE TABLE agent_identity (
        id INTEGER PRIMARY KEY,
        did TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        chosen INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        published INTEGER,
        publish_error TEXT
    )
    """,
    """
    -- What the gateways were given of each DID; times are microseconds since 1970.
    CREATE TABLE agent_publication (
        did TEXT PRIMARY KEY,
        document_hash BLOB,
        item BLOB,
        sequence INTEGER,
        published INTEGER,
        confirmed INTEGER,
        holders TEXT NOT NULL DEFAULT '[]',
        state TEXT NOT NULL DEFAULT 'missing',
        error TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    INSERT INTO agent_publication (did, published, confirmed, error)
        SELECT did, published, published, publish_error FROM agent_identity;
    ALTER TABLE agent_identity DROP COLUMN published;
    ALTER TABLE agent_identity DROP COLUMN publish_error;
    """,
    """
    -- Identities are records of the agent; `legacy` empties the table above. Each device knows which one is in use.
    CREATE TABLE agent_chosen_identity (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), did TEXT NOT NULL);
    """,
)
