"""The resolver's invariants 1 to 4 (web5.dids.resolver), on a real method with a gateway that can be told to fail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.contracts.memory import at_most
from tests.unit.dids.gateway_world import CRYPTO, GatewayWorld
from web5.crypto.encoding import b64url_encode
from web5.dids import dht
from web5.dids.jwk import DidJwk
from web5.dids.jwk import create as create_jwk
from web5.dids.models import DidDocument, PortableDid, Resolved
from web5.dids.resolver import (
    CACHE_ENTRIES,
    CACHE_SECONDS,
    FAILURES,
    RETRY_SECONDS,
    SELF_CONTAINED,
    SHORT,
    UniversalResolver,
)
from web5.dids.uri import DidUrl
from web5.errors import DidError


class World(GatewayWorld):
    """A gateway "a", and a resolver."""

    def __init__(self) -> None:
        super().__init__("a")
        self.resolver = self.resolver_of()

    async def published(self) -> PortableDid:
        return await self.publish(await dht.create(CRYPTO, **dht.identity_defaults(["https://a.example"])))


@pytest.fixture
async def world() -> World:
    return World()


def _changed(portable_did: PortableDid) -> PortableDid:
    document = portable_did.document.model_copy(update={"also_known_as": ["did:example:changed"]})
    return portable_did.model_copy(update={"document": document})


async def test_a_document_is_asked_for_once_in_a_quarter_of_an_hour(world: World) -> None:
    uri = (await world.published()).uri
    first = await world.resolver.resolve(uri)
    world.clock.advance(CACHE_SECONDS - 1)
    assert await world.resolver.resolve(f"{uri}#0") == first
    assert world.requests.total() == 1
    world.clock.advance(1)
    assert await world.resolver.resolve(uri) == first
    assert world.requests.total() == 2


async def test_a_publisher_may_ask_for_less(world: World) -> None:
    class Brief:
        name = "brief"
        asked = 0

        async def resolve(self, did: DidUrl) -> Resolved:
            self.asked += 1
            return Resolved((await dht.create(CRYPTO)).document, {}, ttl=60)

    method = Brief()
    resolver = UniversalResolver([method], world.clock)
    await resolver.resolve("did:brief:a")
    world.clock.advance(59)
    await resolver.resolve("did:brief:a")
    assert method.asked == 1
    world.clock.advance(1)
    await resolver.resolve("did:brief:a")
    assert method.asked == 2


async def test_a_failure_is_believed_for_a_moment_only(world: World) -> None:
    portable_did = await dht.create(CRYPTO)
    assert (await world.resolver.resolve(portable_did.uri)).error == "notFound"
    assert (await world.resolver.resolve(portable_did.uri)).error == "notFound"
    assert world.requests.total() == 1
    await world.publish(portable_did)
    world.clock.advance(RETRY_SECONDS)
    assert (await world.resolver.resolve(portable_did.uri)).error is None


async def test_many_who_ask_at_once_are_one_request(world: World) -> None:
    uri = (await world.published()).uri
    hold = world.silent["a"] = asyncio.Event()
    asking = [asyncio.ensure_future(world.resolver.resolve(uri)) for _ in range(20)]
    await world.asked.wait()
    asking[0].cancel()
    hold.set()
    results = await asyncio.gather(*asking[1:])
    assert world.requests.total() == 1
    assert all(result.error is None for result in results)


@pytest.mark.parametrize("failure", [503, 429, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_failing_gateway_leaves_the_known_document(world: World, failure: int | httpx.TransportError) -> None:
    uri = (await world.published()).uri
    known = await world.resolver.resolve(uri)
    world.clock.advance(CACHE_SECONDS)
    world.failing["a"] = failure
    stale = await world.resolver.resolve(uri)
    assert stale.did_document == known.did_document and stale.error is None
    assert stale.did_resolution_metadata["stale"] is True
    assert stale.did_resolution_metadata["staleReason"].startswith("internalError: ")
    await world.resolver.resolve(uri)
    assert world.requests.total() == 2  # a failing gateway is not asked again at once
    world.failing.clear()
    world.clock.advance(RETRY_SECONDS)
    assert await world.resolver.resolve(uri) == known


async def test_a_document_that_is_gone_is_gone(world: World) -> None:
    uri = (await world.published()).uri
    await world.resolver.resolve(uri)
    world.clock.advance(CACHE_SECONDS)
    world.failing["a"] = 404
    assert (await world.resolver.resolve(uri)).error == "notFound"


async def test_a_seeded_did_resolves_at_once_and_outlives_a_gateway_that_does_not_know_it(world: World) -> None:
    portable_did = await dht.create(CRYPTO)
    world.resolver.seed(portable_did)
    result = await world.resolver.resolve(portable_did.uri)
    assert result.did_document == portable_did.document and world.requests.total() == 0
    assert result.did_document_metadata == {"published": False}
    world.clock.advance(CACHE_SECONDS)
    for failure in (None, 503):
        world.failing = {"a": failure} if failure else {}
        result = await world.resolver.resolve(portable_did.uri)
        assert result.did_document == portable_did.document and result.did_resolution_metadata["stale"]
        world.clock.advance(RETRY_SECONDS)


async def test_a_seed_gives_way_to_a_newer_version_only(world: World) -> None:
    old = await world.published()
    world.clock.advance(10)
    new = await world.publish(_changed(old))
    world.resolver.seed(old)
    world.clock.advance(CACHE_SECONDS)
    assert (await world.resolver.resolve(old.uri)).did_document == new.document
    edited = new.model_copy(update={"document": old.document})
    world.resolver.seed(edited)  # changed here and not published yet
    world.clock.advance(CACHE_SECONDS)
    result = await world.resolver.resolve(old.uri)
    assert result.did_document == old.document and result.did_resolution_metadata == {}


async def test_a_seed_while_a_lookup_runs_is_not_lost(world: World) -> None:
    portable_did = await dht.create(CRYPTO)
    hold = world.silent["a"] = asyncio.Event()
    asking = asyncio.ensure_future(world.resolver.resolve(portable_did.uri))
    await world.asked.wait()
    world.resolver.seed(portable_did)
    hold.set()
    assert (await asking).did_document == portable_did.document
    assert (await world.resolver.resolve(portable_did.uri)).did_document == portable_did.document


async def test_what_is_forgotten_is_asked_for_again(world: World) -> None:
    portable_did = await world.published()
    await world.resolver.resolve(portable_did.uri)
    world.resolver.forget(portable_did.uri)
    world.resolver.forget(portable_did.uri)
    await world.resolver.resolve(portable_did.uri)
    assert world.requests.total() == 2


async def test_what_is_forgotten_while_a_lookup_runs_is_asked_for_anew(world: World) -> None:
    old = await world.published()
    hold = world.silent["a"] = asyncio.Event()
    asking = asyncio.ensure_future(world.resolver.resolve(old.uri))
    await world.asked.wait()
    world.resolver.forget(old.uri)
    asking_anew = asyncio.ensure_future(world.resolver.resolve(old.uri))
    hold.set()
    await asyncio.gather(asking, asking_anew)
    assert world.requests.total() == 2
    await world.resolver.resolve(old.uri)
    assert world.requests.total() == 2


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

    portable_did = await dht.create(CRYPTO)
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


async def test_neither_failures_nor_documents_made_from_a_did_drive_out_what_was_fetched(world: World) -> None:
    class Nothing:
        name = "nothing"

        async def resolve(self, did: DidUrl) -> Resolved:
            raise DidError("notFound", "there is nothing")

    portable_did = await world.published()
    fetching = world.resolver_of()
    resolver = UniversalResolver([*fetching._methods.values(), Nothing()], world.clock)
    document = (await resolver.resolve(portable_did.uri)).did_document
    for number in range(FAILURES + 10):
        assert (await resolver.resolve(f"did:nothing:{number}")).error == "notFound"
    made = (await create_jwk(CRYPTO)).uri
    for number in range(SELF_CONTAINED + 10):
        await resolver.resolve(_did_jwk({"kty": "OKP", "crv": "Ed25519", "x": "AA", "n": number}))
    assert await resolver.resolve(made) is await resolver.resolve(made)
    assert (await resolver.resolve(portable_did.uri)).did_document is document
    assert world.requests.total() == 1


def _did_jwk(key: dict[str, Any]) -> str:
    return f"did:jwk:{b64url_encode(json.dumps(key).encode())}"


async def test_a_document_that_is_made_from_a_long_did_is_not_kept(world: World) -> None:
    resolver = UniversalResolver([DidJwk()], world.clock)
    long = _did_jwk({"kty": "OKP", "crv": "Ed25519", "x": "AA", "n": "x" * SHORT})
    assert (await resolver.resolve(long)).error is None
    assert await resolver.resolve(long) is not await resolver.resolve(long)


async def test_documents_of_many_small_parts_are_weighed_by_the_memory_that_they_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hollow:
        """Gives documents that take many times the bytes that they had on the wire."""

        name = "hollow"

        async def resolve(self, did: DidUrl) -> Resolved:
            methods = [{"id": "", "type": "", "controller": ""} for _ in range(1500)]
            wire = {"id": did.uri, "verificationMethod": methods, "x": [[] for _ in range(5000)]}
            return Resolved(DidDocument.from_wire(wire), {})

    monkeypatch.setattr("web5.dids.resolver.CACHE_BYTES", 8 << 20)
    resolver = UniversalResolver([Hollow()], world.clock)
    await resolver.resolve("did:hollow:first")
    with at_most(10 << 20):  # with the one that is being made
        for number in range(12):
            await resolver.resolve(f"did:hollow:{number}")
