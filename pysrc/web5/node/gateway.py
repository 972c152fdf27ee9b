"""A DID DHT gateway that keeps the signed documents itself: `PUT` and `GET /{key}`, the key in z-base-32.

Source: the DID DHT specification, "Gateway API", of which this is the part "DHT" that `@web5/dids` and Pkarr clients
use, and the Pkarr relay design that it builds on; BEP 44 for sequence numbers and signatures. It is a gateway for one
site or a test: it does not speak to the Mainline DHT.

Invariants:
1. Only items that the key itself has signed are stored, and only packets of the key's did:dht.
2. A sequence number never goes back, nor far ahead of the clock, or of what is held; with the same number only the
   same value is accepted (BEP 44).
3. What is held is bounded in number and in time. What was renewed lately makes room for nothing, so nobody can drive
   out by many new documents what others keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web5.budget import Budget
from web5.crypto.encoding import z32_decode
from web5.dids.dht.bep44 import PAYLOAD_LIMIT, SignedItem, check_clock, encode, parse_relay_payload, verify_item
from web5.dids.dht.identity import identity_key_to_did
from web5.dids.dht.method import sequence_at
from web5.dids.dht.strict import check_packet
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError
from web5.lru import LruCache
from web5.node.dwn.endpoint import cross_origin, read_body
from web5.node.limits import address_of
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto

SCHEMA = [
    """
    CREATE TABLE gateway_item (key BLOB PRIMARY KEY, payload BLOB NOT NULL, renewed INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX gateway_item_by_renewed ON gateway_item (renewed);
    """
]

_COUNTED = 64
"""New documents after which they are counted anew, where other processes take some too."""

_KEY_CHARACTERS = 52
"""Of 32 bytes in z-base-32."""


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


def create_gateway(
    database: Database, crypto: Crypto, clock: Clock | None = None, limits: GatewayLimits | None = None
) -> Starlette:
    """Return the gateway as an ASGI app.

    It answers `PUT` with 200, 400 (key, body or packet malformed, sequence number ahead of the clock, or signature
    wrong), 409 (a newer or another document is there), 413 (over 1,000 bytes of value), 429 (too many from one address)
    or 503 (full); `GET` with 200, 400 or 404.

    Parameters:
        database: keeps the items; the caller opens and closes it.
    """
    gateway = _Gateway(database, crypto, clock or SystemClock(), limits or GatewayLimits())
    return Starlette(
        routes=[
            Route("/{key}", gateway.put, methods=["PUT"]),
            Route("/{key}", gateway.get, methods=["GET"]),
        ],
        middleware=[cross_origin("GET", "PUT")],
        exception_handlers={DidError: _refuse, CryptoError: _refuse},
    )


class _Gateway:
    def __init__(self, database: Database, crypto: Crypto, clock: Clock, limits: GatewayLimits) -> None:
        database.check_version({"gateway": SCHEMA})
        database.migrate("gateway", SCHEMA)
        self._database = database
        self._crypto = crypto
        self._clock = clock
        self._limits = limits
        self._budgets: LruCache[str, Budget] = LruCache(limits.addresses)
        self._count = self._counted()

    async def put(self, request: Request) -> Response:
        key = _key(request)
        self._charge(request)
        body = await read_body(request, PAYLOAD_LIMIT)
        if body is None:
            raise HTTPException(413, f"a signed document has at most {PAYLOAD_LIMIT} bytes here")
        item, held = parse_relay_payload(key, body), await self._database.read(lambda: self._item(key))
        now = sequence_at(self._clock.now())
        # What is held may be from when this clock was ahead: its owner can renew and follow it all the same.
        check_clock(item.seq, now if held is None else max(now, held.seq), self._limits.ahead)
        check_packet(identity_key_to_did(key), item.value)
        if not await verify_item(item, self._crypto):
            raise HTTPException(400, "the signature is not the key's")
        await self._database.commit(lambda: self._put(key, item, now), of=key.hex())
        return Response(status_code=200)

    def _put(self, key: bytes, item: SignedItem, now: int) -> None:
        """Store an item, in a transaction, if it may follow what is held by now."""
        held = self._item(key)
        if held is not None:
            _check_succession(held, item)
        else:
            self._make_room(now)
        self._database.connection.execute(
            "INSERT INTO gateway_item VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET payload = excluded.payload, renewed = excluded.renewed",
            (key, encode(item), now),
        )
        self._count += held is None

    async def get(self, request: Request) -> Response:
        key = _key(request)
        item = await self._database.read(lambda: self._item(key))
        if item is None:
            raise HTTPException(404, "no such DID here")
        return Response(encode(item), media_type="application/octet-stream", headers={"cache-control": "no-cache"})

    def _item(self, key: bytes) -> SignedItem | None:
        query = "SELECT payload FROM gateway_item WHERE key = ? AND renewed > ?"
        oldest = sequence_at(self._clock.now()) - self._limits.kept
        row = self._database.connection.execute(query, (key, oldest)).fetchone()
        return parse_relay_payload(key, row[0]) if row else None

    def _make_room(self, now: int) -> None:
        """Forget what nobody renews any more, and if that is not enough, what was not renewed for longest."""
        if self._database.is_shared and self._count % _COUNTED == 0:
            self._count = self._counted()
        self._forget("renewed <= ?", now - self._limits.kept)
        if self._count >= self._limits.items:
            oldest = "SELECT key FROM gateway_item WHERE renewed <= ? ORDER BY renewed LIMIT 1"
            self._forget(f"key IN ({oldest})", now - self._limits.held)
        if self._count >= self._limits.items:
            raise HTTPException(503, "there is no room for new documents now", {"retry-after": "3600"})

    def _forget(self, condition: str, renewed: int) -> None:
        gone = self._database.connection.execute(f"DELETE FROM gateway_item WHERE {condition} RETURNING 1", (renewed,))
        self._count -= len(gone.fetchall())

    def _counted(self) -> int:
        [(count,)] = self._database.connection.execute("SELECT count(*) FROM gateway_item")
        return int(count)

    def _charge(self, request: Request) -> None:
        """Count a PUT for its address, or refuse it."""
        address, now, limits = address_of(request.client), self._clock.monotonic(), self._limits
        if (budget := self._budgets.get(address)) is None:
            budget = Budget(limits.burst, limits.per_minute)
            self._budgets.put(address, budget)
        if (left := budget.left(now)) < 1:
            seconds = str(-int((left - 1) * 60 // limits.per_minute))
            raise HTTPException(429, f"too many documents from {address}", {"retry-after": seconds})
        budget.spend(1, now)


async def _refuse(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


def _check_succession(held: SignedItem, item: SignedItem) -> None:
    if item.seq < held.seq:
        raise HTTPException(409, f"sequence number {held.seq} is here already")
    if item.seq == held.seq and item.value != held.value:
        raise HTTPException(409, f"another document with sequence number {held.seq} is here already")


def _key(request: Request) -> bytes:
    text = request.path_params["key"]
    if len(text) != _KEY_CHARACTERS:
        raise HTTPException(400, f"a key has {_KEY_CHARACTERS} characters, not {len(text)}")
    try:
        return z32_decode(text)
    except CryptoError as error:
        raise HTTPException(400, f"{text!r} is not z-base-32") from error
