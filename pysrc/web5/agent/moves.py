"""The identities that recoveries have brought into another agent on this device, until one of them ended.

What is deleted from the agent that is here after a recovery was cut off, is so deleted from the other one too.
"""

from __future__ import annotations

from web5.dwn.store.database import Database

SCHEMA = ("CREATE TABLE agent_move (agent TEXT NOT NULL, did TEXT NOT NULL, PRIMARY KEY (agent, did)) WITHOUT ROWID",)


class Moves:
    """The moves that were begun. Every change is durable on return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("agent_move", SCHEMA)

    def into(self, agent_did: str) -> list[str]:
        """Return the DIDs that were moved into an agent which did not have them."""
        query = "SELECT did FROM agent_move WHERE agent = ? ORDER BY did"
        return [did for (did,) in self._database.connection.execute(query, (agent_did,))]

    async def begin(self, agent_did: str, did: str) -> None:
        """Note an identity, before it is moved."""
        with self._database.transaction() as db:
            db.execute("INSERT OR IGNORE INTO agent_move VALUES (?, ?)", (agent_did, did))
        await self._database.flush()

    async def end(self, agent_did: str) -> None:
        """Forget what was moved into an agent: it is the one that is here now, or nothing of it is left there."""
        with self._database.transaction(makes_room=True) as db:
            db.execute("DELETE FROM agent_move WHERE agent = ?", (agent_did,))
        await self._database.flush()
