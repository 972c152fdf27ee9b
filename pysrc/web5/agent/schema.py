"""The agent's tables. A released step is never edited: add another."""

from __future__ import annotations

COMPONENT = "agent"

STEPS = (
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
    -- Identities are records of the agent; which one is in use, each device knows for itself.
    CREATE TABLE agent_chosen_identity (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), did TEXT NOT NULL);
    """,
)
