"""The operator's word about tenants, in a database of its own, which `web5-node tenants` writes at any time.

Invariants:
1. What is said of a tenant holds from its next message on, and its subscriptions end within half a minute.
2. Nothing that a tenant sends adds a row, but the use of an invitation: there are as many as the operator has spoken
   of, or has invited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from web5.dwn.store.database import Database

Admission = Literal["open", "list", "invitation"]

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
    """
    -- By which a tenant was admitted; it may have been revoked since.
    ALTER TABLE tenant ADD COLUMN invitation TEXT;
    -- A code is known by its SHA-256 alone. Times: microseconds since 1970.
    CREATE TABLE invitation (
        id TEXT PRIMARY KEY,
        code_hash TEXT NOT NULL,
        uses INTEGER NOT NULL,
        used INTEGER NOT NULL,
        ends INTEGER,
        note TEXT NOT NULL,
        made INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)

_COLUMNS = "did, admitted, suspended, bytes, messages, invitation"


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
        invitation: the ID of the invitation that has admitted it, if one has.
    """

    admitted: bool = False
    suspended: bool = False
    bytes: int | None = None
    messages: int | None = None
    invitation: str | None = None

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
        row = self._database.connection.execute(f"SELECT {_COLUMNS} FROM tenant WHERE did = ?", (did,)).fetchone()
        return Said() if row is None else _said(row)

    async def ask(self, did: str) -> Said:
        """As `said`, without holding up anything else."""
        return await self._database.read(lambda: self.said(did))

    def everything(self) -> dict[str, Said]:
        """Return all that was said, by DID."""
        rows = self._database.connection.execute(f"SELECT {_COLUMNS} FROM tenant ORDER BY did")
        return {row[0]: _said(row) for row in rows}

    def some(self, pattern: str, limit: int) -> dict[str, Said]:
        """Return what was said of some tenants whose DIDs fit a pattern (`use.largest`), by DID."""
        query = f"SELECT {_COLUMNS} FROM tenant WHERE did LIKE ? ESCAPE '!' ORDER BY did LIMIT ?"
        rows: list[tuple[Any, ...]] = self._database.connection.execute(query, (pattern, limit)).fetchall()
        return {row[0]: _said(row) for row in rows}

    async def say(self, did: str, said: Said) -> None:
        """Put something in the place of what was said of a tenant, durably."""

        def change() -> None:
            db = self._database.connection
            if said == Said():
                db.execute("DELETE FROM tenant WHERE did = ?", (did,))
            else:
                db.execute(
                    f"INSERT INTO tenant ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (did) DO UPDATE SET"
                    " admitted = excluded.admitted, suspended = excluded.suspended, bytes = excluded.bytes,"
                    " messages = excluded.messages, invitation = excluded.invitation",
                    (did, int(said.admitted), int(said.suspended), said.bytes, said.messages, said.invitation),
                )

        await self._database.commit(change)


def _said(row: tuple[Any, ...]) -> Said:
    _, admitted, suspended, *rest = row
    return Said(bool(admitted), bool(suspended), *rest)
