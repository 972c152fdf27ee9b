"""The vault's tables; everything secret in them is encrypted before it gets here.

The wrapped key and the phrase lie in a table of their own, whose one small row always has its own page: SQLite then
never moves it, so that overwriting the row overwrites all there is of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from web5.dwn.store.database import Database

Protection = Literal["password", "device"]

SCHEMA = (
    """
    CREATE TABLE vault_agent (id INTEGER PRIMARY KEY CHECK (id = 1), did TEXT NOT NULL, did_jwe TEXT NOT NULL);
    CREATE TABLE vault_key (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        protection TEXT NOT NULL,
        wrapped BLOB NOT NULL,
        phrase_jwe TEXT
    );
    """,
)


@dataclass(frozen=True, repr=False)
class Wrapping:
    """The content key, encrypted under the password or by the device's key.

    Parameters:
        wrapped: a compact JWE for a password, the sealer's bytes for the device's key.
    """

    protection: Protection
    wrapped: bytes


class VaultStore:
    """One vault in a database. Every change is durable on return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("vault", SCHEMA)

    def agent_did(self) -> str | None:
        return self._text("SELECT did FROM vault_agent")

    def did_jwe(self) -> str | None:
        return self._text("SELECT did_jwe FROM vault_agent")

    def phrase_jwe(self) -> str | None:
        return self._text("SELECT phrase_jwe FROM vault_key")

    def wrapping(self) -> Wrapping | None:
        row = self._database.connection.execute("SELECT protection, wrapped FROM vault_key").fetchone()
        return None if row is None else Wrapping(*row)

    async def create(self, did: str, did_jwe: str, wrapping: Wrapping, phrase_jwe: str | None) -> None:
        with self._database.transaction() as db:
            db.execute("INSERT INTO vault_agent VALUES (1, ?, ?)", (did, did_jwe))
            db.execute("INSERT INTO vault_key VALUES (1, ?, ?, ?)", (wrapping.protection, wrapping.wrapped, phrase_jwe))
        await self._database.flush()

    async def replace(self, did: str, did_jwe: str, wrapping: Wrapping) -> None:
        """Put another vault in the place of the one that may be there, which is erased."""
        await self._erasing(
            ("INSERT OR REPLACE INTO vault_agent VALUES (1, ?, ?)", (did, did_jwe)),
            ("INSERT OR REPLACE INTO vault_key VALUES (1, ?, ?, NULL)", (wrapping.protection, wrapping.wrapped)),
        )

    async def rewrap(self, wrapping: Wrapping) -> None:
        """Put another wrapping in the place of the one that is there, which is erased."""
        values = (wrapping.protection, wrapping.wrapped)
        await self._erasing(("UPDATE vault_key SET protection = ?, wrapped = ?", values))

    async def forget_phrase(self) -> None:
        await self._erasing(("UPDATE vault_key SET phrase_jwe = NULL", ()))

    async def _erasing(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        with self._database.erasing_transaction() as db:
            for statement, values in statements:
                db.execute(statement, values)
        await self._database.erase()

    def _text(self, query: str) -> str | None:
        row: tuple[str | None] | None = self._database.connection.execute(query).fetchone()
        return None if row is None else row[0]
