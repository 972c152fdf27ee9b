"""The operator's word about tenants, in a database of its own, which `web5-node tenants` writes at any time.

Invariants:
1. What is said of a tenant holds from its next message on, and its subscriptions end within half a minute.
2. Nothing that a tenant sends adds a row: there are as many as the operator has spoken of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from web5.dwn.store.database import Database

Admission = Literal["open", "list"]

SCHEMA = (
    """
    -- Of who is not here, nothing was said. A quota that is NULL is that of all tenants; 0 is none.
    CREATE TABLE tenant (
        did TEXT PRIMARY KEY,
        admitted INTEGER NOT NULL DEFAULT 0,
        suspended INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER,
        messages INTEGER
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that one may keep; None: as much as there is room for."""

    bytes: int | None = None
    messages: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The operator's word about a tenant.

    Parameters:
        bytes, messages: the tenant's own quota; None: that of all, 0: none.
    """

    admitted: bool = False
    suspended: bool = False
    bytes: int | None = None
    messages: int | None = None

    def quota(self, usual: Quota) -> Quota:
        """Return the tenant's quota, where all others have the usual one."""
        return Quota(
            (self.bytes or None) if self.bytes is not None else usual.bytes,
            (self.messages or None) if self.messages is not None else usual.messages,
        )


class Registry:
    """The operator's word about each tenant, by DID."""

    def __init__(self, database: Database) -> None:
        database.check_version({"tenants": SCHEMA})
        database.migrate("tenants", SCHEMA)
        self._database = database

    def said(self, did: str) -> Said:
        """Return what was said of a tenant, now."""
        query = "SELECT admitted, suspended, bytes, messages FROM tenant WHERE did = ?"
        row = self._database.connection.execute(query, (did,)).fetchone()
        return Said() if row is None else Said(bool(row[0]), bool(row[1]), row[2], row[3])

    async def ask(self, did: str) -> Said:
        """As `said`, without holding up anything else."""
        return await self._database.read(lambda: self.said(did))

    def everything(self) -> dict[str, Said]:
        """Return all that was said, by DID."""
        query = "SELECT did, admitted, suspended, bytes, messages FROM tenant ORDER BY did"
        rows = self._database.connection.execute(query)
        return {did: Said(bool(admitted), bool(suspended), *quota) for did, admitted, suspended, *quota in rows}

    async def say(self, did: str, said: Said) -> None:
        """Put something in the place of what was said of a tenant, durably."""
        row = (did, said.admitted, said.suspended, said.bytes, said.messages)
        with self._database.transaction() as db:
            if said == Said():
                db.execute("DELETE FROM tenant WHERE did = ?", (did,))
            else:
                db.execute(
                    "INSERT INTO tenant VALUES (?, ?, ?, ?, ?) ON CONFLICT (did) DO UPDATE SET admitted ="
                    " excluded.admitted, suspended = excluded.suspended, bytes = excluded.bytes,"
                    " messages = excluded.messages",
                    row,
                )
        await self._database.flush()
