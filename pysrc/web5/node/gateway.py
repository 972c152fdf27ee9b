"""A DID DHT gateway that keeps the signed documents itself: `PUT` and `GET /{key}`, the key in z-base-32.

Source: the DID DHT specification, "Gateway API", of which this is the part "DHT" that `@web5/dids` and Pkarr clients
use, and the Pkarr relay design that it builds on; BEP 44 for sequence numbers and signatures. It is a gateway for one
site or a test: it does not speak to the Mainline DHT.

Invariants:
1. Only what the key itself has signed is stored.
2. A sequence number never goes back; with the same number only the same value is accepted (BEP 44).
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web5.crypto.encoding import z32_decode
from web5.dids.dht.bep44 import KEY_BYTES, PAYLOAD_LIMIT, SignedItem, encode, parse_relay_payload, verify_item
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError
from web5.node.cors import cross_origin
from web5.ports.crypto import Crypto

_SCHEMA = ["CREATE TABLE did_dht_item (key BLOB PRIMARY KEY, payload BLOB NOT NULL) WITHOUT ROWID"]


def create_gateway(database: Database, crypto: Crypto) -> Starlette:
    """The gateway as an ASGI app.

    Answers `PUT` with 200, 400 (key or body malformed, or signature wrong), 409 (a newer or another document is
    there) or 413 (over 1,000 bytes of value); `GET` with 200, 400 or 404.

    Parameters:
        database: where the items are kept; the caller opens and closes it.
    """
    items = _Items(database)

    async def put(request: Request) -> Response:
        try:
            item = parse_relay_payload(_key(request), await _body(request))
            if not await verify_item(item, crypto):
                raise _Refusal(400, "the signature is not the key's")
            await items.keep(item)
        except _Refusal as refusal:
            return PlainTextResponse(refusal.reason, refusal.status)
        except (DidError, CryptoError) as error:
            return PlainTextResponse(str(error), 400)
        return Response(status_code=200)

    async def get(request: Request) -> Response:
        try:
            payload = items.payload(_key(request))
        except _Refusal as refusal:
            return PlainTextResponse(refusal.reason, refusal.status)
        if payload is None:
            return PlainTextResponse("no such DID here", 404)
        return Response(payload, media_type="application/octet-stream", headers={"cache-control": "no-cache"})

    return Starlette(
        routes=[Route("/{key}", put, methods=["PUT"]), Route("/{key}", get, methods=["GET"])],
        middleware=[cross_origin("GET", "PUT")],
    )


class _Refusal(Exception):
    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(reason)


class _Items:
    """Signed items by public key, in SQLite, in the relay's form."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("did_dht_gateway", _SCHEMA)

    def payload(self, key: bytes) -> bytes | None:
        query = "SELECT payload FROM did_dht_item WHERE key = ?"
        row = self._database.connection.execute(query, (key,)).fetchone()
        return row[0] if row else None

    async def keep(self, item: SignedItem) -> None:
        """Store an item that was verified.

        Raises:
            _Refusal: 409.
        """
        with self._database.transaction() as db:
            held = self.payload(item.key)
            if held is not None:
                _check_succession(parse_relay_payload(item.key, held), item)
            db.execute("INSERT OR REPLACE INTO did_dht_item VALUES (?, ?)", (item.key, encode(item)))
        await self._database.flush()


def _check_succession(held: SignedItem, item: SignedItem) -> None:
    if item.seq < held.seq:
        raise _Refusal(409, f"sequence number {held.seq} is here already")
    if item.seq == held.seq and item.value != held.value:
        raise _Refusal(409, f"another document with sequence number {held.seq} is here already")


def _key(request: Request) -> bytes:
    text = request.path_params["key"]
    try:
        key = z32_decode(text)
    except CryptoError as error:
        raise _Refusal(400, f"{text!r} is not z-base-32") from error
    if len(key) != KEY_BYTES:
        raise _Refusal(400, f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > PAYLOAD_LIMIT:
            raise _Refusal(413, f"a signed document has at most {PAYLOAD_LIMIT} bytes here")
    return bytes(body)
