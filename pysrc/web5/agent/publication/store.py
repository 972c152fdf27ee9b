"""The state of the publication of each DID. Nothing in it is secret: gateways show a signed item to everybody."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, fields
from typing import Literal

from web5.dids.dht.bep44 import SignedItem, parse_relay_payload
from web5.dids.dht.identity import identity_key
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database

State = Literal["missing", "incomplete", "published"]
"""missing: nobody can find the DID, or not its latest version. incomplete: it is found, but a gateway refused it or did
not answer. published: every gateway took it, and one has shown it."""

SCHEMA = (
    """
    CREATE TABLE agent_publication (
        did TEXT PRIMARY KEY,
        document_hash BLOB,
        payload BLOB,
        state TEXT NOT NULL,
        known INTEGER NOT NULL,
        error TEXT,
        gateways TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_try INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)


@dataclass(frozen=True)
class Publication:
    """The publication of one DID.

    Parameters:
        document_hash: `document_hash` of what was published last; None before the first time.
        payload: the signed item that says it, in the relay's form; None if it was published elsewhere.
        state: see `State`.
        known: True once the DID has been found at a gateway, so that remote nodes can find it too.
        error: the failures in the last attempt, of all gateways or of some.
        gateways: the URLs of all gateways that the last attempt asked, separated by spaces.
        attempts: how many in a row ended in this state, unless it is "published".
        next_try: when something is to be done again (microseconds since 1970).
    """

    did: str
    document_hash: bytes | None = None
    payload: bytes | None = None
    state: State = "missing"
    known: bool = False
    error: str | None = None
    gateways: str = ""
    attempts: int = 0
    next_try: int = 0

    @property
    def is_current(self) -> bool:
        """True if the version that was published last is the one that is found."""
        return self.state != "missing"

    @property
    def item(self) -> SignedItem | None:
        """The signed item that was published last, if it was published from here."""
        return None if self.payload is None else parse_relay_payload(identity_key(self.did), self.payload)

    @property
    def sequence(self) -> int:
        """The sequence number of the item; 0 without one."""
        return self.item.seq if self.item else 0


_PLACES = ", ".join("?" for _ in fields(Publication))


class PublicationStore:
    """Publications in the agent's database; every change is durable on return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("agent_publication", SCHEMA)

    def get(self, did: str) -> Publication:
        """Return the publication of a DID; an empty one if it was never published."""
        query = "SELECT * FROM agent_publication WHERE did = ?"
        row = self._database.connection.execute(query, (did,)).fetchone()
        return Publication(*row) if row else Publication(did)

    async def put(self, publication: Publication) -> None:
        """Replace what is known of a DID."""
        with self._database.transaction() as db:
            db.execute(f"INSERT OR REPLACE INTO agent_publication VALUES ({_PLACES})", astuple(publication))
        await self._database.flush()

    async def forget(self, did: str) -> None:
        """Drop what is known of a DID."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM agent_publication WHERE did = ?", (did,))
        await self._database.flush()


def document_hash(portable_did: PortableDid) -> bytes:
    """Return a hash of all that is published of a DID: its document and its types."""
    published = [portable_did.document.to_wire(), portable_did.metadata.get("types") or []]
    return hashlib.sha256(json.dumps(published, sort_keys=True).encode()).digest()
