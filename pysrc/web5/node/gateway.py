"""A DID DHT gateway that keeps the signed documents itself: `PUT` and `GET /{key}`, the key in z-base-32.

Source: the DID DHT specification, "Gateway API", of which this is the part "DHT" that `@web5/dids` and Pkarr clients
use, and the Pkarr relay design that it builds on; BEP 44 for sequence numbers and signatures. It is a gateway for one
site or a test: it does not speak to the Mainline DHT.

Invariants:
1. Only items that the key itself has signed are stored.
2. A sequence number never goes back; with the same number only the same value is accepted (BEP 44).
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web5.crypto.encoding import z32_decode
from web5.dids.dht.bep44 import KEY_BYTES, PAYLOAD_LIMIT, SignedItem, encode, parse_relay_payload, verify_item
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError
from web5.node.endpoint import cross_origin, read_body
from web5.ports.crypto import Crypto

_SCHEMA = ["CREATE TABLE did_dht_item (key BLOB PRIMARY KEY, payload BLOB NOT NULL) WITHOUT ROWID"]


def create_gateway(database: Database, crypto: Crypto) -> Starlette:
    """Return the gateway as an ASGI app.

    It answers `PUT` with 200, 400 (key or body malformed, or signature wrong), 409 (a newer or another document is
    there) or 413 (over 1,000 bytes of value); `GET` with 200, 400 or 404.

    Parameters:
        database: keeps the items; the caller opens and closes it.
    """
    database.migrate("did_dht_gateway", _SCHEMA)

    async def put(request: Request) -> Response:
        key, body = _key(request), await read_body(request, PAYLOAD_LIMIT)
        if body is None:
            raise HTTPException(413, f"a signed document has at most {PAYLOAD_LIMIT} bytes here")
        item = parse_relay_payload(key, body)
        if not await verify_item(item, crypto):
            raise HTTPException(400, "the signature is not the key's")
        with database.transaction() as db:
            held = _payload(database, key)
            if held is not None:
                _check_succession(parse_relay_payload(key, held), item)
            db.execute("INSERT OR REPLACE INTO did_dht_item VALUES (?, ?)", (key, encode(item)))
        await database.flush()
        return Response(status_code=200)

    async def get(request: Request) -> Response:
        payload = _payload(database, _key(request))
        if payload is None:
            raise HTTPException(404, "no such DID here")
        return Response(payload, media_type="application/octet-stream", headers={"cache-control": "no-cache"})

    return Starlette(
        routes=[Route("/{key}", put, methods=["PUT"]), Route("/{key}", get, methods=["GET"])],
        middleware=[cross_origin("GET", "PUT")],
        exception_handlers={DidError: _refuse, CryptoError: _refuse},
    )


async def _refuse(request: Request, error: Exception) -> Response:
    return PlainTextResponse(str(error), 400)


def _payload(database: Database, key: bytes) -> bytes | None:
    """Return the item of a key in the relay's form."""
    row = database.connection.execute("SELECT payload FROM did_dht_item WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def _check_succession(held: SignedItem, item: SignedItem) -> None:
    if item.seq < held.seq:
        raise HTTPException(409, f"sequence number {held.seq} is here already")
    if item.seq == held.seq and item.value != held.value:
        raise HTTPException(409, f"another document with sequence number {held.seq} is here already")


def _key(request: Request) -> bytes:
    text = request.path_params["key"]
    try:
        key = z32_decode(text)
    except CryptoError as error:
        raise HTTPException(400, f"{text!r} is not z-base-32") from error
    if len(key) != KEY_BYTES:
        raise HTTPException(400, f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key
