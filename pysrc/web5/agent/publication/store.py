"""What is known of the publication of each DID: what was given to which gateways, and whether it can be found there.

It holds nothing secret: a signed item is what the gateways show everybody.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, fields
from typing import Literal

from web5.agent import schema
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database

State = Literal["missing", "incomplete", "well"]
"""missing: nobody can find the DID, or not its latest version. incomplete: it is found, but a gateway does not have it,
or did not answer when it was to be renewed. well: neither."""


@dataclass(frozen=True)
class Publication:
    """One DID's; times are microseconds since 1970.

    Parameters:
        document_hash: `document_hash` of what was published last; None before the first time.
        item: the signed item that says it, in the relay's form; None if it was published elsewhere.
        sequence: the item's sequence number.
        published: when a gateway last took it.
        confirmed: when a gateway last showed it.
        holders: the gateways that took it.
        state: how it stands, see `State`.
        error: what was wrong with the last attempt, of all gateways or of some.
        attempts: how many in a row ended in this state, unless all is well.
        next_try: when something is to be done again.
    """

    did: str
    document_hash: bytes | None = None
    item: bytes | None = None
    sequence: int | None = None
    published: int | None = None
    confirmed: int | None = None
    holders: tuple[str, ...] = ()
    state: State = "missing"
    error: str | None = None
    attempts: int = 0
    next_try: int = 0

    @property
    def known(self) -> bool:
        """True once the DID has been found at a gateway, so that remote nodes can find it too."""
        return self.confirmed is not None

    @property
    def out(self) -> bool:
        """True if the version that was published last is the one that is found."""
        return self.confirmed is not None and self.published is not None and self.confirmed >= self.published


_COLUMNS = ", ".join(field.name for field in fields(Publication))
_PLACES = ", ".join("?" for _ in fields(Publication))


class Publications:
    """Keeps them in the agent's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate(schema.COMPONENT, schema.STEPS)

    def get(self, did: str) -> Publication:
        """What is known of a DID; of one that was never published, only that."""
        query = f"SELECT {_COLUMNS} FROM agent_publication WHERE did = ?"
        row = self._database.connection.execute(query, (did,)).fetchone()
        if row is None:
            return Publication(did)
        values = dict(zip((field.name for field in fields(Publication)), row, strict=True))
        return Publication(**{**values, "holders": tuple(json.loads(values["holders"]))})

    async def put(self, publication: Publication) -> None:
        """Keep it in the place of what was known before; durable on return."""
        values = [json.dumps(value) if isinstance(value, tuple) else value for value in astuple(publication)]
        with self._database.transaction() as db:
            db.execute(f"INSERT OR REPLACE INTO agent_publication ({_COLUMNS}) VALUES ({_PLACES})", values)
        await self._database.flush()

    async def forget(self, did: str) -> None:
        """Know nothing of a DID any more."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM agent_publication WHERE did = ?", (did,))
        await self._database.flush()


def document_hash(portable_did: PortableDid) -> bytes:
    """A hash of all that is published of a DID: its document and its types."""
    said = [portable_did.document.to_wire(), portable_did.metadata.get("types") or []]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
