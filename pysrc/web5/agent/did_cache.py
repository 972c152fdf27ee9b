"""The resolver's cache in the agent's database.

It commits and never flushes: a document that is lost costs one request, so it becomes durable with whatever is flushed
next, and never makes anybody wait.
"""

from __future__ import annotations

import json
import logging

import apsw

from web5.dids.models import DidDocument
from web5.dids.resolver import CachedDocument
from web5.dwn.store.database import Database
from web5.errors import DidError, StorageError
from web5.strict_json import parse_own

log = logging.getLogger(__name__)

KEPT = 512
"""Documents, of one or two KB each: a browser loads them all when it opens the store. Those that would have to be asked
for soonest go first."""

LARGEST = 16 * 1024
"""Characters of a document, with its metadata, that is kept. Whoever sends a message chooses what is resolved here."""

SCHEMA = (
    """
    CREATE TABLE did_cache (
        did TEXT PRIMARY KEY, document TEXT NOT NULL, metadata TEXT NOT NULL, expires INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX did_cache_by_expires ON did_cache (expires);
    """,
)

_TOO_MANY = "SELECT did FROM did_cache ORDER BY expires DESC LIMIT -1 OFFSET ?"


class StoredDidCache:
    """`web5.dids.resolver.DidCache` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("did_cache", SCHEMA)

    def load(self, did: str) -> CachedDocument | None:
        query = "SELECT document, metadata, expires FROM did_cache WHERE did = ?"
        row = self._database.connection.execute(query, (did,)).fetchone()
        if row is None:
            return None
        try:
            return CachedDocument(DidDocument.from_wire(parse_own(row[0])), parse_own(row[1]), row[2])
        except DidError:
            return None  # kept by a version that took more

    def keep(self, did: str, cached: CachedDocument) -> None:
        document, metadata = json.dumps(cached.document.to_wire()), json.dumps(cached.metadata)
        if len(document) + len(metadata) > LARGEST:
            return self.drop(did)
        self._write(
            ("INSERT OR REPLACE INTO did_cache VALUES (?, ?, ?, ?)", (did, document, metadata, cached.expires)),
            (f"DELETE FROM did_cache WHERE did IN ({_TOO_MANY})", (KEPT,)),
        )

    def drop(self, did: str) -> None:
        self._write(("DELETE FROM did_cache WHERE did = ?", (did,)))

    def _write(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        try:
            with self._database.transaction() as db:
                for statement, values in statements:
                    db.execute(statement, values)
        except (StorageError, apsw.Error) as error:
            # No reason to fail a resolution; who writes what matters meets the same failure and reports it.
            log.warning("a DID document was not kept: %s", error)
