"""The messages that are held here and cannot be read, or whose data cannot: they are fetched again.

There are few, if any, so all of them are kept in memory too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from web5.dwn.store.database import Database

MOST_DAMAGED = 10_000
"""Messages of one tenant that are remembered; where more are damaged, the others are found when these are mended."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The fault of one message, and since when it is known (microseconds since 1970)."""

    detail: str
    since: int


class DamageTable:
    """The damaged messages of all tenants. Methods that write must run inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database.connection
        self._known: dict[str, dict[str, Damage]] = {}

    def read(self) -> None:
        """Read what the database has."""
        self._known.clear()
        for tenant, cid, detail, since in self._db.execute("SELECT tenant, cid, detail, since FROM sync_damaged"):
            self._known.setdefault(tenant, {})[cid] = Damage(detail, since)

    def of(self, tenant: str) -> dict[str, Damage]:
        """Return the damaged messages of a tenant, by CID."""
        return dict(self._known.get(tenant, ()))

    def among(self, tenant: str, cids: Iterable[str]) -> set[str]:
        """Return those of the CIDs whose messages are damaged."""
        known = self._known.get(tenant)
        return known.keys() & set(cids) if known else set()

    def add(self, tenant: str, cid: str, damage: Damage) -> bool:
        """Add a message; return False if it is known already, or there are too many."""
        known = self._known.setdefault(tenant, {})
        if cid in known or len(known) >= MOST_DAMAGED:
            return False
        self._db.execute("INSERT INTO sync_damaged VALUES (?, ?, ?, ?)", (tenant, cid, damage.detail, damage.since))
        known[cid] = damage
        return True

    def remove(self, tenant: str, cid: str) -> None:
        self._db.execute("DELETE FROM sync_damaged WHERE tenant = ? AND cid = ?", (tenant, cid))
        self._known.get(tenant, {}).pop(cid, None)

    def forget(self, tenant: str) -> None:
        """Forget all of a tenant's."""
        self._db.execute("DELETE FROM sync_damaged WHERE tenant = ?", (tenant,))
        self._known.pop(tenant, None)
