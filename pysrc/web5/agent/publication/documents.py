"""The DID documents of the agent and its identities: the newest that was published, and what was changed here since.

The keys of a DID and the document that it was made with never change. What does is kept beside them: the newest version
that was found published, and changes of the endpoints (`publication.changes`) that this version may not have yet. Both
are records of the agent, so that its other devices hear of them, and rows of this device, which hold what it made of
them.

Invariants:
1. The newest version that this device knows is replaced by a newer one alone, wherever that comes from.
2. What was added here stands until a document that has it was found published.
3. What another device added stands only against older documents, and against those that were published from here:
   whoever published a newer one elsewhere may have known it, and the other device sees to it if not. But what was
   known to be removed here stands as if it was made here: this device may have published a document without it.
4. What was removed stays removed until somebody adds it on a device of this agent: whoever publishes it later may not
   have heard of it.
5. A change is a record before it is a row: every device, and a recovered agent too, hears of what was acknowledged.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import apsw

from web5.agent.publication.changes import Change, applied, changes_between
from web5.agent.publication.dwn_service import with_service
from web5.agent.records import AgentRecords
from web5.dids.dht.bep44 import version_of
from web5.dids.models import DidDocument, PortableDid
from web5.dwn.store.database import Database
from web5.errors import DidError
from web5.strict_json import parse_own

log = logging.getLogger(__name__)

DOCUMENT = "document"
"""The kind of the record with the newest published document of a DID, whose id is the DID."""
ENDPOINT = "endpoint"
"""The kind of the records with changes; the id is the DID, a space, and the URL."""

SCHEMA = (
    """
    CREATE TABLE agent_document (
        did TEXT PRIMARY KEY, document TEXT, metadata TEXT, elsewhere INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE agent_document_change (
        did TEXT NOT NULL,
        url TEXT NOT NULL,
        value TEXT NOT NULL,
        version INTEGER NOT NULL,
        standing INTEGER NOT NULL,
        PRIMARY KEY (did, url)
    ) WITHOUT ROWID;
    """,
)


class Standing(IntEnum):
    """The standing of a change."""

    SETTLED = 0
    """The newest document has it, or has overruled it. A removal counts all the same (invariant 4)."""
    HEARD_OF = 1
    """Another device made it, and the newest document does not have it (invariant 3)."""
    MADE_HERE = 2
    """It was made here, and was not found published yet (invariant 2)."""
    RESTORED = 3
    """Another device added again what was known to be removed here, and that was not found published yet."""


@dataclass(frozen=True)
class Wanted:
    """A DID as it is to be published.

    Parameters:
        version: the sequence number of the newest document that is known to be published, which this is made of.
        changed: this is another one than that.
    """

    portable_did: PortableDid
    version: int
    changed: bool


class Documents:
    """The documents of this device. Every change is durable on return.

    Attributes:
        on_change: called with a DID of whose document this device has heard something new.
    """

    def __init__(self, database: Database, records: AgentRecords) -> None:
        self.on_change: list[Callable[[str], Awaitable[None]]] = []
        self._database = database
        self._records = records
        self._making: set[tuple[str, int]] = set()
        records.on_change.append(self._heard)
        database.migrate("agent_document", SCHEMA)

    async def open(self) -> None:
        """Take in what the agent's records have, once they are open."""
        for kind in (DOCUMENT, ENDPOINT):
            for id in self._records.ids(kind):
                await self._heard(kind, id)

    def current(self, held: PortableDid) -> PortableDid:
        """Return a DID with its newest document, and with what was changed since.

        Parameters:
            held: with its keys, and the document that it was made or imported with.
        """
        return self.wanted(held).portable_did

    def wanted(self, held: PortableDid) -> Wanted:
        """Return what is to be published of a DID. See `current`."""
        newest = self._newest(held)
        version, urls = _published_version(newest), newest.document.dwn_endpoints
        changes = [change for change, standing in self._changes(held.uri) if standing or change.value is False]
        merged = applied(urls, changes)
        if merged == urls:
            return Wanted(newest, version, changed=False)
        ahead = max(version + 1, *(change.version for change in changes))
        metadata = {**newest.metadata, "published": False, "versionId": str(ahead)}
        document = with_service(newest, merged)
        changed = newest.model_copy(update={"document": document, "metadata": metadata})
        return Wanted(changed, version, changed=True)

    async def change(self, now: PortableDid, urls: Sequence[str]) -> None:
        """Choose other endpoints for a DID whose document can have them.

        Parameters:
            now: the DID as it is now.
            urls: in normal form.
        """
        did = now.uri
        published = self._row(did).version or _published_version(now)
        known = [published, *(change.version for change, _ in self._changes(did))]
        version = max(known) + 1
        changes = changes_between(now.document.dwn_endpoints, urls, version)
        for change in changes:
            key = (_id(did, change), version)
            self._making.add(key)
            try:
                await self._records.put(ENDPOINT, key[0], {"value": change.value, "version": version})
            finally:
                self._making.discard(key)
        with self._database.transaction() as db:
            for change in changes:
                self._keep(db, did, change, Standing.MADE_HERE)
        await self._database.flush()

    async def published(self, portable_did: PortableDid) -> None:
        """Keep a version that was published from here, and is found."""
        await self._keep_newest(portable_did, elsewhere=False)

    async def found(self, portable_did: PortableDid) -> None:
        """Keep a version that was published elsewhere."""
        await self._keep_newest(portable_did, elsewhere=True)

    async def forget(self, did: str) -> None:
        """Forget what this device knows of a DID that is on this agent no more."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM agent_document WHERE did = ?", (did,))
            db.execute("DELETE FROM agent_document_change WHERE did = ?", (did,))
        await self._database.flush()

    async def delete_records(self, did: str) -> None:
        """Delete what all devices know of a DID."""
        for id in self.record_ids(did):
            await self._records.delete(ENDPOINT, id)
        if did in self._records.ids(DOCUMENT):
            await self._records.delete(DOCUMENT, did)

    def record_ids(self, did: str) -> list[str]:
        """Return the ids of the records with changes of a DID."""
        return [id for id in self._records.ids(ENDPOINT) if _parts(id)[0] == did]

    # -- what is heard of

    async def _heard(self, kind: str, id: str) -> None:
        if kind not in (DOCUMENT, ENDPOINT):
            return
        (did, url), news = _parts(id), False
        try:
            for value in await self._records.all(kind, id):
                if kind == DOCUMENT:
                    news |= self._replace(did, value["document"], value["metadata"], elsewhere=True)
                else:
                    news |= self._take_in(did, Change(url, value["value"], value["version"]))
        except (DidError, KeyError, TypeError) as error:
            log.warning("the agent's record %s of %s has not the shape that is known here: %s", kind, did, error)
            return
        if news:
            await self._database.flush()
            for callback in self.on_change:
                await callback(did)

    def _take_in(self, did: str, change: Change) -> bool:
        """Take in another device's change; True if the document is another one by it."""
        if (_id(did, change), change.version) in self._making:
            return False
        row = self._row(did)
        has = row.document is not None and _has(row.endpoints, change)
        restores = change.value is True and self._is_removed(did, change.url)
        # What was restored stands also where the document has it: this device may just be publishing one without.
        stands = restores or (not has and (change.value is False or change.version > row.elsewhere))
        # What the document has already is news all the same, if an older change of it stood against that.
        stood = any(before.url == change.url and standing for before, standing in self._changes(did))
        standing = Standing.RESTORED if restores else Standing.HEARD_OF
        with self._database.transaction() as db:
            return self._keep(db, did, change, standing if stands else Standing.SETTLED) and (stands or stood)

    def _is_removed(self, did: str, url: str) -> bool:
        return any(change.url == url and change.value is False for change, _ in self._changes(did))

    # -- the rows

    async def _keep_newest(self, portable_did: PortableDid, *, elsewhere: bool) -> None:
        did, document, metadata = portable_did.uri, portable_did.document.to_wire(), portable_did.metadata
        self._replace(did, document, metadata, elsewhere=elsewhere)
        await self._database.flush()
        if did == self._records.did:
            return  # who finds these records has found the agent's document before
        known = await self._records.get(DOCUMENT, did)
        if known is None or version_of(known["metadata"]) < version_of(metadata):
            await self._records.put(DOCUMENT, did, {"document": document, "metadata": metadata})

    def _replace(self, did: str, document: Any, metadata: dict[str, Any], *, elsewhere: bool) -> bool:
        """Replace the newest version, unless this is none (invariant 1), and settle what it settles."""
        before, version = self._row(did), version_of(metadata)
        if version <= before.version:
            return False
        endpoints = DidDocument.from_wire(document).dwn_endpoints
        overrules = version if elsewhere else before.elsewhere
        with self._database.transaction() as db:
            row = (did, json.dumps(document), json.dumps(metadata), overrules)
            db.execute("INSERT OR REPLACE INTO agent_document VALUES (?, ?, ?, ?)", row)
            for change, standing in self._changes(did):
                overruled = standing is Standing.HEARD_OF and change.version <= overrules
                if standing is not Standing.SETTLED and (overruled or _has(endpoints, change)):
                    _put(db, did, change, Standing.SETTLED)
        return True

    def _newest(self, held: PortableDid) -> PortableDid:
        row = self._row(held.uri)
        if row.document is None or row.version < _published_version(held):
            return held
        return held.model_copy(update={"document": DidDocument.from_wire(row.document), "metadata": row.metadata})

    def _row(self, did: str) -> _Row:
        query = "SELECT document, metadata, elsewhere FROM agent_document WHERE did = ?"
        row = self._database.connection.execute(query, (did,)).fetchone()
        return _Row(parse_own(row[0]), parse_own(row[1]), row[2]) if row else _Row(None, {}, 0)

    def _changes(self, did: str) -> list[tuple[Change, Standing]]:
        query = "SELECT url, value, version, standing FROM agent_document_change WHERE did = ?"
        rows: Any = self._database.connection.execute(query, (did,)).fetchall()
        return [(Change(url, parse_own(value), version), Standing(standing)) for url, value, version, standing in rows]

    def _keep(self, db: apsw.Connection, did: str, change: Change, standing: Standing) -> bool:
        """Keep a change; return False if one of its URL is known that is as new."""
        for before, stood in self._changes(did):
            if before.url == change.url:
                if before.rank >= change.rank:
                    return False
                if stood is Standing.MADE_HERE and before.value == change.value and standing is not Standing.SETTLED:
                    standing = stood
        _put(db, did, change, standing)
        return True


def _put(db: apsw.Connection, did: str, change: Change, standing: Standing) -> None:
    row = (did, change.url, json.dumps(change.value), change.version, standing)
    db.execute("INSERT OR REPLACE INTO agent_document_change VALUES (?, ?, ?, ?, ?)", row)


@dataclass(frozen=True)
class _Row:
    """The newest version of a document, and the newest of those that were published elsewhere."""

    document: Any
    metadata: dict[str, Any]
    elsewhere: int

    @property
    def version(self) -> int:
        return version_of(self.metadata)

    @property
    def endpoints(self) -> list[str]:
        return DidDocument.from_wire(self.document).dwn_endpoints if self.document else []


def _published_version(portable_did: PortableDid) -> int:
    """Return the version of a document that is out; that of another is a device's time, which may have been ahead."""
    return version_of(portable_did.metadata) if portable_did.metadata.get("published") else 0


def _has(endpoints: list[str], change: Change) -> bool:
    return applied(endpoints, [change]) == endpoints


def _id(did: str, change: Change) -> str:
    return f"{did} {change.url}"


def _parts(id: str) -> tuple[str, str]:
    did, _, url = id.partition(" ")
    return did, url
