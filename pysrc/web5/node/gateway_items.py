"""The signed documents that a gateway keeps, and which of them the DHT has been given."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException

from web5.dids.dht.bep44 import SignedItem, check_clock, encode, parse_relay_payload, verify_item
from web5.dids.dht.identity import identity_key_to_did
from web5.dids.dht.method import sequence_at
from web5.dids.dht.strict import check_packet
from web5.dwn.store.database import Database
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto

SCHEMA = [
    """
    CREATE TABLE gateway_item (key BLOB PRIMARY KEY, payload BLOB NOT NULL, renewed INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX gateway_item_by_renewed ON gateway_item (renewed);
    """,
    """
    -- When somebody began to put it into the DHT; 0: nobody has put what it is now.
    ALTER TABLE gateway_item ADD COLUMN announced INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX gateway_item_unannounced ON gateway_item (renewed) WHERE announced = 0;
    """,
]

_COUNTED = 64
"""New documents after which they are counted anew, where other processes take some too."""


@dataclass(frozen=True)
class GatewayLimits:
    """Bounds on what strangers can have a gateway take; times in seconds.

    Parameters:
        ahead: the time by which a sequence number, which is the publisher's clock, may be ahead of ours.
        items: documents that are held, of 1,072 bytes at most.
        kept: the time after which a document that nobody renews is gone. Publishers renew every hour, and the DHT
            forgets after two; here a device may be off for a season.
        held: the time for which a document does not make room for another.
        burst: PUTs that an address may make at once.
        per_minute: PUTs that an address may make in the long run.
        addresses: addresses that are remembered.
    """

    ahead: int = 10 * 60
    items: int = 1_000_000
    kept: int = 90 * 24 * 60 * 60
    held: int = 24 * 60 * 60
    burst: int = 300
    per_minute: int = 30
    addresses: int = 10_000


class GatewayItems:
    """The documents in a database, which the caller opens and closes."""

    def __init__(self, database: Database, crypto: Crypto, clock: Clock, limits: GatewayLimits) -> None:
        database.check_version({"gateway": SCHEMA})
        database.migrate("gateway", SCHEMA)
        self._database = database
        self._crypto = crypto
        self._clock = clock
        self._limits = limits
        self._count = self._counted()

    @property
    def now(self) -> int:
        """The time, as sequence numbers have it."""
        return sequence_at(self._clock.now())

    async def held(self, key: bytes) -> SignedItem | None:
        """Return the document of a key, if it is here."""
        return await self._database.read(lambda: self._item(key))

    async def check(self, item: SignedItem, held: SignedItem | None) -> None:
        """Check an item by itself: its clock, its packet, its signature.

        Raises:
            DidError: it is no document of its key's did:dht, or from the future.
            HTTPException: the key has not signed it.
        """
        # What is held may be from when this clock was ahead: its owner can renew and follow it all the same.
        check_clock(item.seq, self.now if held is None else max(self.now, held.seq), self._limits.ahead)
        check_packet(identity_key_to_did(item.key), item.value)
        if not await verify_item(item, self._crypto):
            raise HTTPException(400, "the signature is not the key's")

    async def take(self, item: SignedItem) -> None:
        """Check an item, and keep it.

        Raises:
            DidError, HTTPException: as `check`; or it is older than what is here, or there is no room.
        """
        await self.check(item, await self.held(item.key))
        await self._database.commit(lambda: self._put(item), of=item.key.hex())

    async def claim(self, key: bytes, now: int, again: int, *, relied: bool) -> SignedItem | None:
        """Return the document of a key if it is to be put into the DHT now, which nobody else does then.

        Parameters:
            again: the seconds after which it is due again.
            relied: a tenant's: it counts as renewed.
        """

        def change() -> SignedItem | None:
            item, db = self._item(key), self._database.connection
            query = "UPDATE gateway_item SET announced = ? WHERE key = ? AND announced <= ? RETURNING 1"
            if item is None or not db.execute(query, (now, key, now - again)).fetchall():
                return None
            if relied:
                db.execute("UPDATE gateway_item SET renewed = ? WHERE key = ?", (now, key))
            return item

        return await self._database.commit(change, of=key.hex())

    async def announced(self, key: bytes, since: int) -> None:
        """Take note since when the DHT has the document that is here now; 0: it could not be put there."""

        def change() -> None:
            self._database.connection.execute("UPDATE gateway_item SET announced = ? WHERE key = ?", (since, key))

        await self._database.commit(change, of=key.hex())

    async def unannounced(self, renewed: int, count: int) -> list[bytes]:
        """Return the keys of documents that the DHT was never given, of those renewed since then, the latest first."""
        query = "SELECT key FROM gateway_item WHERE announced = 0 AND renewed > ? ORDER BY renewed DESC LIMIT ?"

        def look() -> list[bytes]:
            return [bytes(key) for (key,) in self._database.connection.execute(query, (renewed, count))]

        return await self._database.read(look)

    def _put(self, item: SignedItem) -> None:
        """Store an item, in a transaction, if it may follow what is held by now."""
        held = self._item(item.key)
        if held is not None:
            _check_succession(held, item)
        else:
            self._make_room()
        self._database.connection.execute(
            "INSERT INTO gateway_item (key, payload, renewed) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET payload = excluded.payload, renewed = excluded.renewed, announced ="
            " CASE WHEN gateway_item.payload = excluded.payload THEN gateway_item.announced ELSE 0 END",
            (item.key, encode(item), self.now),
        )
        self._count += held is None

    def _item(self, key: bytes) -> SignedItem | None:
        query = "SELECT payload FROM gateway_item WHERE key = ? AND renewed > ?"
        row = self._database.connection.execute(query, (key, self.now - self._limits.kept)).fetchone()
        return parse_relay_payload(key, row[0]) if row else None

    def _make_room(self) -> None:
        """Forget what nobody renews any more, and if that is not enough, what was not renewed for longest."""
        if self._database.is_shared and self._count % _COUNTED == 0:
            self._count = self._counted()
        self._forget("renewed <= ?", self.now - self._limits.kept)
        if self._count >= self._limits.items:
            oldest = "SELECT key FROM gateway_item WHERE renewed <= ? ORDER BY renewed LIMIT 1"
            self._forget(f"key IN ({oldest})", self.now - self._limits.held)
        if self._count >= self._limits.items:
            raise HTTPException(503, "there is no room for new documents now", {"retry-after": "3600"})

    def _forget(self, condition: str, renewed: int) -> None:
        gone = self._database.connection.execute(f"DELETE FROM gateway_item WHERE {condition} RETURNING 1", (renewed,))
        self._count -= len(gone.fetchall())

    def _counted(self) -> int:
        [(count,)] = self._database.connection.execute("SELECT count(*) FROM gateway_item")
        return int(count)


def _check_succession(held: SignedItem, item: SignedItem) -> None:
    if item.seq < held.seq:
        raise HTTPException(409, f"sequence number {held.seq} is here already")
    if item.seq == held.seq and item.value != held.value:
        raise HTTPException(409, f"another document with sequence number {held.seq} is here already")
