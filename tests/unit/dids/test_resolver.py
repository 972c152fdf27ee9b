"""The resolver's invariants 1 to 4 (web5.dids.resolver), on a real method with a gateway that can be told to fail."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.models import PortableDid, Resolved
from web5.dids.resolver import (
    CACHE_ENTRIES,
    CACHE_SECONDS,
    RETRY_SECONDS,
    UniversalResolver,
    default_resolver,
)
from web5.dids.uri import DidUrl
from web5.dwn.store.database import open_memory
from web5.errors import DidError
from web5.node.gateway import create_gateway

GATEWAY = "http://gateway.example"
crypto = CPythonCrypto()


class HandClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> int:
        return int(self.seconds * 1_000_000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class World(httpx.AsyncBaseTransport):
    """A gateway, the way to it, and a resolver."""

    def __init__(self) -> None:
        self._gateway = httpx.ASGITransport(create_gateway(open_memory(), crypto))
        self.requests = 0
        self.asked = asyncio.Event()
        self.failure: int | httpx.TransportError | None = None
        self.hold = asyncio.Event()
        self.hold.set()
        self.clock = HandClock()
        self.http = HttpxHttp(self)
        self.resolver = default_resolver(self.http, crypto, self.clock, GATEWAY)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        self.asked.set()
        await self.hold.wait()
        if isinstance(self.failure, int):
            return httpx.Response(self.failure, text="failed")
        if self.failure is not None:
            raise self.failure
        return await self._gateway.handle_async_request(request)

    async def published(self) -> PortableDid:
        portable_did = await dht.create(crypto, **dht.identity_defaults(["https://a.example"]))
        portable_did = await dht.publish(portable_did, self.http, crypto, GATEWAY, clock=self.clock)
        self.requests = 0
        self.asked.clear()
        return portable_did


@pytest.fixture
async def world() -> World:
    return World()


def _changed(portable_did: PortableDid) -> PortableDid:
    document = portable_did.document.model_copy(update={"also_known_as": ["did:example:changed"]})
    return portable_did.model_copy(update={"document": document})


async def test_a_document_is_asked_for_once_in_a_quarter_of_an_hour(world: World) -> None:
    uri = (await world.published()).uri
    first = await world.resolver.resolve(uri)
    world.clock.seconds += CACHE_SECONDS - 1
    assert await world.resolver.resolve(f"{uri}#0") == first
    assert world.requests == 1
    world.clock.seconds += 1
    assert await world.resolver.resolve(uri) == first
    assert world.requests == 2


async def test_a_publisher_may_ask_for_less(world: World) -> None:
    class Brief:
        name = "brief"
        asked = 0

        async def resolve(self, did: DidUrl) -> Resolved:
            self.asked += 1
            return Resolved((await dht.create(crypto)).document, {}, ttl=60)

    method = Brief()
    resolver = UniversalResolver([method], world.clock)
    await resolver.resolve("did:brief:a")
    world.clock.seconds += 59
    await resolver.resolve("did:brief:a")
    assert method.asked == 1
    world.clock.seconds += 1
    await resolver.resolve("did:brief:a")
    assert method.asked == 2


async def test_a_failure_is_believed_for_a_moment_only(world: World) -> None:
    portable_did = await dht.create(crypto)
    assert (await world.resolver.resolve(portable_did.uri)).error == "notFound"
    assert (await world.resolver.resolve(portable_did.uri)).error == "notFound"
    assert world.requests == 1
    await dht.publish(portable_did, world.http, crypto, GATEWAY)
    world.clock.seconds += RETRY_SECONDS
    assert (await world.resolver.resolve(portable_did.uri)).error is None


async def test_many_who_ask_at_once_are_one_request(world: World) -> None:
    uri = (await world.published()).uri
    world.hold.clear()
    asking = [asyncio.ensure_future(world.resolver.resolve(uri)) for _ in range(20)]
    await world.asked.wait()
    asking[0].cancel()
    world.hold.set()
    results = await asyncio.gather(*asking[1:])
    assert world.requests == 1
    assert all(result.error is None for result in results)


@pytest.mark.parametrize("failure", [503, 429, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_failing_gateway_leaves_the_known_document(world: World, failure: int | httpx.TransportError) -> None:
    uri = (await world.published()).uri
    known = await world.resolver.resolve(uri)
    world.clock.seconds += CACHE_SECONDS
    world.failure = failure
    stale = await world.resolver.resolve(uri)
    assert stale.did_document == known.did_document and stale.error is None
    assert stale.did_resolution_metadata["stale"] is True
    assert stale.did_resolution_metadata["staleReason"].startswith("internalError: ")
    await world.resolver.resolve(uri)
    assert world.requests == 2  # a failing gateway is not asked again at once
    world.failure = None
    world.clock.seconds += RETRY_SECONDS
    assert await world.resolver.resolve(uri) == known


async def test_a_document_that_is_gone_is_gone(world: World) -> None:
    uri = (await world.published()).uri
    await world.resolver.resolve(uri)
    world.clock.seconds += CACHE_SECONDS
    world.failure = 404
    assert (await world.resolver.resolve(uri)).error == "notFound"


async def test_a_seeded_did_resolves_at_once_and_outlives_a_gateway_that_does_not_know_it(world: World) -> None:
    portable_did = await dht.create(crypto)
    world.resolver.seed(portable_did)
    result = await world.resolver.resolve(portable_did.uri)
    assert result.did_document == portable_did.document and world.requests == 0
    assert result.did_document_metadata == {"published": False}
    world.clock.seconds += CACHE_SECONDS
    for failure in (None, 503):
        world.failure = failure
        result = await world.resolver.resolve(portable_did.uri)
        assert result.did_document == portable_did.document and result.did_resolution_metadata["stale"]
        world.clock.seconds += RETRY_SECONDS


async def test_a_seed_gives_way_to_a_newer_version_only(world: World) -> None:
    old = await world.published()
    world.clock.seconds += 10
    new = await dht.publish(_changed(old), world.http, crypto, GATEWAY, clock=world.clock)
    world.resolver.seed(old)
    world.clock.seconds += CACHE_SECONDS
    assert (await world.resolver.resolve(old.uri)).did_document == new.document
    edited = new.model_copy(update={"document": old.document})
    world.resolver.seed(edited)  # changed here and not published yet
    world.clock.seconds += CACHE_SECONDS
    result = await world.resolver.resolve(old.uri)
    assert result.did_document == old.document and result.did_resolution_metadata == {}


async def test_a_seed_while_a_lookup_runs_is_not_lost(world: World) -> None:
    portable_did = await dht.create(crypto)
    world.hold.clear()
    asking = asyncio.ensure_future(world.resolver.resolve(portable_did.uri))
    await world.asked.wait()
    world.resolver.seed(portable_did)
    world.hold.set()
    assert (await asking).did_document == portable_did.document
    assert (await world.resolver.resolve(portable_did.uri)).did_document == portable_did.document


async def test_what_is_forgotten_is_asked_for_again(world: World) -> None:
    portable_did = await world.published()
    await world.resolver.resolve(portable_did.uri)
    world.resolver.forget(portable_did.uri)
    world.resolver.forget(portable_did.uri)
    await world.resolver.resolve(portable_did.uri)
    assert world.requests == 2


async def test_what_is_forgotten_while_a_lookup_runs_is_asked_for_anew(world: World) -> None:
    old = await world.published()
    world.hold.clear()
    asking = asyncio.ensure_future(world.resolver.resolve(old.uri))
    await world.asked.wait()
    world.resolver.forget(old.uri)
    asking_anew = asyncio.ensure_future(world.resolver.resolve(old.uri))
    world.hold.set()
    await asyncio.gather(asking, asking_anew)
    assert world.requests == 2
    await world.resolver.resolve(old.uri)
    assert world.requests == 2


async def test_a_fault_in_a_method_is_a_result(world: World) -> None:
    class Broken:
        name = "broken"

        async def resolve(self, did: DidUrl) -> Resolved:
            raise ZeroDivisionError("oh")

    class Refusing:
        name = "refusing"

        async def resolve(self, did: DidUrl) -> Resolved:
            raise DidError("deactivated", "gone")

    resolver = UniversalResolver([Broken(), Refusing()], world.clock)
    result = await resolver.resolve("did:broken:a")
    assert (result.error, result.did_resolution_metadata["errorMessage"]) == (
        "internalError",
        "internalError: ZeroDivisionError: oh",
    )
    assert (await resolver.resolve("did:refusing:a")).error == "deactivated"
    assert (await resolver.resolve("did:unknown:a")).error == "methodNotSupported"
    assert (await resolver.resolve("no did")).error == "invalidDid"
    assert (await resolver.resolve(None)).error == "invalidDid"  # type: ignore[arg-type]


async def test_the_cache_has_an_end_and_seeds_stay(world: World) -> None:
    class Counting:
        name = "count"
        asked = 0

        async def resolve(self, did: DidUrl) -> Resolved:
            self.asked += 1
            return Resolved(portable_did.document, {})

    portable_did = await dht.create(crypto)
    method = Counting()
    resolver = UniversalResolver([method], world.clock)
    resolver.seed(portable_did.model_copy(update={"uri": "did:count:seed"}))
    for number in range(CACHE_ENTRIES + 1):
        await resolver.resolve(f"did:count:{number}")
    asked = method.asked
    await resolver.resolve("did:count:seed")
    await resolver.resolve(f"did:count:{CACHE_ENTRIES}")
    assert method.asked == asked
    await resolver.resolve("did:count:0")
    assert method.asked == asked + 1
