"""The invariants of web5.dids.dht.gateways, on real gateways and through the resolver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.dids.gateway_world import CRYPTO, GatewayWorld
from web5.dids import dht
from web5.dids.dht.bep44 import PAYLOAD_LIMIT
from web5.dids.dht.gateways import HEDGE_SECONDS, REFUSAL_BYTES, SURVEY_SECONDS
from web5.dids.models import DidResolutionResult
from web5.dids.resolver import CACHE_SECONDS, default_resolver, dwn_endpoints
from web5.errors import DidError, NoGateway, RemoteError, Unreachable

REFUSED = httpx.ConnectError("refused")


@pytest.fixture
async def world() -> GatewayWorld:
    return GatewayWorld("a", "b", "c")


def failed(result: DidResolutionResult) -> list[tuple[str, str]]:
    failures = result.did_resolution_metadata.get("gatewayFailures", ())
    return [(failure["gateway"], failure["error"]) for failure in failures]


async def test_one_gateway_that_answers_is_enough(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    result = await world.resolver_of().resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert result.did_resolution_metadata == {}
    assert world.requests == {("GET", "a"): 1}


@pytest.mark.parametrize("failure", [404, 500, 429, REFUSED, httpx.ReadTimeout("slow")])
async def test_the_next_is_asked_if_one_cannot_help_and_that_is_told(
    world: GatewayWorld, failure: int | httpx.TransportError
) -> None:
    """Invariant 4."""
    portable_did = await world.publish(await dht.create(CRYPTO))
    world.failing["a"] = failure
    result = await world.resolver_of().resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert failed(result) == [("http://a", "notFound" if failure == 404 else "internalError")]
    assert world.requests["GET", "c"] == 0


async def test_a_gateway_that_makes_documents_up_is_passed_over(world: GatewayWorld) -> None:
    """Invariant 1."""
    portable_did, other = await world.publish(await dht.create(CRYPTO)), await dht.create(CRYPTO)
    await world.publish(other, "b", "c")
    path = f"http://b/{other.uri.removeprefix('did:dht:')}"
    foreign = await (await world.http.request("GET", path)).read(PAYLOAD_LIMIT)

    class Forging(GatewayWorld):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "a":
                return httpx.Response(200, content=foreign)
            return await world.handle_async_request(request)

    result = await Forging("a", "b", "c").resolver_of().resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert failed(result) == [("http://a", "invalidSignature")]


async def test_a_slow_gateway_is_not_waited_for(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    world.silent["a"] = asyncio.Event()
    asking = asyncio.ensure_future(world.resolver_of().resolve(portable_did.uri))
    await world.asked.wait()
    assert world.requests == {("GET", "a"): 1}
    world.clock.advance(HEDGE_SECONDS)
    assert (await asking).did_document == portable_did.document
    assert world.requests == {("GET", "a"): 1, ("GET", "b"): 1}


async def test_not_found_is_an_answer_only_if_all_say_so(world: GatewayWorld) -> None:
    """Invariant 2."""
    portable_did = await dht.create(CRYPTO)
    result = await world.resolver_of().resolve(portable_did.uri)
    assert result.error == "notFound"
    assert [gateway for gateway, _ in failed(result)] == world.uris()
    world.failing["b"] = REFUSED
    result = await world.resolver_of().resolve(portable_did.uri)
    assert result.error == "internalError"
    assert "http://b: " in result.did_resolution_metadata["errorMessage"]


async def test_a_document_outlives_a_gateway_that_forgot_it_while_another_is_down(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    asking = world.resolver_of()
    await asking.resolve(portable_did.uri)
    world.clock.advance(CACHE_SECONDS)
    world.failing |= {"a": 404, "b": REFUSED, "c": 404}
    result = await asking.resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert result.did_resolution_metadata["stale"] is True
    assert len(failed(result)) == 3


async def test_of_several_answers_the_newest_counts(world: GatewayWorld) -> None:
    """Invariant 3."""
    portable_did = await world.publish(await dht.create(CRYPTO))
    world.clock.advance(10)
    newer = await world.publish(portable_did, "b")
    answers = await world.gateways().survey(dht.identity_key(portable_did.uri))
    newest = answers.newest
    assert newest is not None and str(newest.seq) == newer.metadata["versionId"]


async def test_an_older_version_never_replaces_a_newer_one(world: GatewayWorld) -> None:
    """Invariant 5 of the resolver."""
    old = await world.publish(await dht.create(CRYPTO))
    world.clock.advance(10)
    changed = old.document.model_copy(update={"also_known_as": ["did:example:me"]})
    new = await world.publish(old.model_copy(update={"document": changed}), "b")
    asking = world.resolver_of()
    world.failing["a"] = REFUSED
    assert (await asking.resolve(old.uri)).did_document == new.document
    world.clock.advance(CACHE_SECONDS)
    world.failing.clear()
    world.requests.clear()
    result = await asking.resolve(old.uri)
    assert world.requests == {("GET", "a"): 1}
    assert (result.did_document, result.did_document_metadata["versionId"]) == (new.document, new.metadata["versionId"])


async def test_a_survey_does_not_wait_for_ever(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    world.silent["b"] = asyncio.Event()
    asking = asyncio.ensure_future(world.gateways().survey(dht.identity_key(portable_did.uri)))
    await world.asked.wait()
    world.clock.advance(SURVEY_SECONDS)
    answers = await asking
    assert [answer.item is not None for answer in answers.all] == [True, False, True]
    assert answers.details["gatewayFailures"][0]["errorMessage"] == "nothing came in 5 s"


async def test_a_document_goes_to_every_gateway(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    for name in "abc":
        assert (await world.resolver_of(name).resolve(portable_did.uri)).did_document == portable_did.document


async def test_it_is_published_if_one_takes_it_and_not_if_none_does(world: GatewayWorld) -> None:
    portable_did = await dht.create(CRYPTO)
    world.failing |= {"a": REFUSED, "b": REFUSED, "c": REFUSED}
    with pytest.raises(Unreachable, match=r"http://a: .*; http://b: .*; http://c: "):
        await world.publish(portable_did)
    world.failing["c"] = 500
    with pytest.raises(DidError, match="http://c: the DID DHT gateway answered PUT with 500: failed"):
        await world.publish(portable_did)
    del world.failing["b"]
    assert (await world.publish(portable_did)).metadata["published"]


async def test_without_a_gateway_a_did_dht_is_not_found_and_the_reason_is_typed(world: GatewayWorld) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    resolver = default_resolver(world.http, CRYPTO, world.clock)
    result = await resolver.resolve(portable_did.uri)
    assert (result.did_document, result.error) == (None, "internalError")
    assert "did_dht_gateways" in result.did_resolution_metadata["errorMessage"]
    with pytest.raises(NoGateway, match="did_dht_gateways") as refused:
        await dwn_endpoints(resolver, portable_did.uri)
    assert isinstance(refused.value, DidError) and isinstance(refused.value, RemoteError)
    with pytest.raises(NoGateway):
        await dht.publish(portable_did, world.http, CRYPTO)


async def test_a_gateway_that_is_named_twice_is_asked_once(world: GatewayWorld) -> None:
    assert world.gateways("a", "b", "a").uris == ("http://a", "http://b")


@pytest.mark.parametrize(
    ("status", "code"), [(200, "invalidDidDocumentLength"), (404, "notFound"), (502, "internalError")]
)
async def test_a_gateway_is_not_trusted_to_be_brief(world: GatewayWorld, status: int, code: str) -> None:
    portable_did = await world.publish(await dht.create(CRYPTO))
    taken = 0

    class Flooding(GatewayWorld):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host != "a":
                return await world.handle_async_request(request)

            async def body() -> AsyncIterator[bytes]:
                nonlocal taken
                while taken < 1000:
                    taken += 1
                    yield bytes(10_000)

            return httpx.Response(status, content=body())

    result = await Flooding("a", "b", "c").resolver_of().resolve(portable_did.uri)
    assert result.did_document == portable_did.document
    assert failed(result) == [("http://a", code)]
    assert taken <= REFUSAL_BYTES // 10_000 + 1
