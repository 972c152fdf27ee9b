"""The agent's tables. A released step is never edited: add another."""

from __future__ import annotations

COMPONENT = "agent"

STEPS = (
    """
    -- Identities are records of the agent; which one is in use, each device knows for itself.
    CREATE TABLE agent_chosen_identity (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), did TEXT NOT NULL);
    """,
)
