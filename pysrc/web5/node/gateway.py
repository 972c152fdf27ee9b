"""A DID DHT gateway that keeps the signed documents itself: `PUT` and `GET /{key}`, the key in z-base-32.

Source: the DID DHT specification, "Gateway API", of which this is the part "DHT" that `@web5/dids` and Pkarr clients
use, and the Pkarr relay design that it builds on; BEP 44 for sequence numbers and signatures. Without a bridge to the
Mainline DHT (`web5.node.mainline`) it is a gateway for one site or a test.

Invariants:
1. Only items that the key itself has signed are stored, and only packets of the key's did:dht.
2. A sequence number never goes back, nor far ahead of the clock, or of what is held; with the same number only the
   same value is accepted (BEP 44).
3. What is held is bounded in number and in time. What was renewed lately makes room for nothing, so nobody can drive
   out by many new documents what others keep.
4. What is only in the DHT is answered, and not kept in the database: strangers' questions fill nothing.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from web5.budget import Budget
from web5.crypto.encoding import z32_decode
from web5.dids.dht.bep44 import PAYLOAD_LIMIT, encode, parse_relay_payload
from web5.dwn.store.database import Database
from web5.errors import CryptoError, DidError
from web5.lru import LruCache
from web5.node.dwn.endpoint import cross_origin, read_body
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.limits import address_of
from web5.node.mainline.bridge import Bridge
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto

_KEY_CHARACTERS = 52
"""Of 32 bytes in z-base-32."""


def create_gateway(
    database: Database, crypto: Crypto, clock: Clock | None = None, limits: GatewayLimits | None = None
) -> Starlette:
    """Return a gateway without a bridge as an ASGI app.

    Parameters:
        database: keeps the items; the caller opens and closes it.
    """
    clock, limits = clock or SystemClock(), limits or GatewayLimits()
    return gateway_of(GatewayItems(database, crypto, clock, limits), clock, limits)


def gateway_of(items: GatewayItems, clock: Clock, limits: GatewayLimits, bridge: Bridge | None = None) -> Starlette:
    """Return the gateway to some documents as an ASGI app.

    It answers `PUT` with 200, 400 (key, body or packet malformed, sequence number ahead of the clock, or signature
    wrong), 409 (a newer or another document is there), 413 (over 1,000 bytes of value), 429 (too many from one address)
    or 503 (full); `GET` with 200, 400 or 404, and where there is a bridge with 429 or 503 if it cannot ask the DHT now.
    """
    gateway = _Gateway(items, clock, limits, bridge)
    return Starlette(
        routes=[
            Route("/{key}", gateway.put, methods=["PUT"]),
            Route("/{key}", gateway.get, methods=["GET"]),
        ],
        middleware=[cross_origin("GET", "PUT")],
        exception_handlers={DidError: _refuse, CryptoError: _refuse},
    )


class _Gateway:
    def __init__(self, items: GatewayItems, clock: Clock, limits: GatewayLimits, bridge: Bridge | None) -> None:
        self._items = items
        self._clock = clock
        self._limits = limits
        self._bridge = bridge
        self._budgets: LruCache[str, Budget] = LruCache(limits.addresses)

    async def put(self, request: Request) -> Response:
        key = _key(request)
        self._charge(request)
        body = await read_body(request, PAYLOAD_LIMIT)
        if body is None:
            raise HTTPException(413, f"a signed document has at most {PAYLOAD_LIMIT} bytes here")
        await self._items.take(parse_relay_payload(key, body))
        if self._bridge is not None:
            self._bridge.publish(key)
        return Response(status_code=200)

    async def get(self, request: Request) -> Response:
        key = _key(request)
        item = await self._items.held(key)
        if item is None and self._bridge is not None:
            item = await self._bridge.find(key, address_of(request.client) if request.client else None)
        if item is None:
            raise HTTPException(404, "no such DID here")
        return Response(encode(item), media_type="application/octet-stream", headers={"cache-control": "no-cache"})

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


def _key(request: Request) -> bytes:
    text = request.path_params["key"]
    if len(text) != _KEY_CHARACTERS:
        raise HTTPException(400, f"a key has {_KEY_CHARACTERS} characters, not {len(text)}")
    try:
        return z32_decode(text)
    except CryptoError as error:
        raise HTTPException(400, f"{text!r} is not z-base-32") from error
