"""`web5.did`: DIDs and DID URLs, on real nodes and a real gateway."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import Web5
from web5.dids.models import Service, VerificationMethod
from web5.errors import InvalidArgument, NoGateway


async def test_an_app_resolves_dids_and_what_is_in_them(world: World) -> None:
    agent = await world.device("laptop")
    web5, did = await Web5.connect(agent=agent, dwn_endpoints=world.endpoints, sync="off")
    document = (await web5.did.resolve(did)).did_document
    assert document is not None
    whole, service, key, nothing = [await web5.did.dereference(did + end) for end in ("", "#dwn", "#sig", "#none")]
    assert whole.content_stream == document
    assert isinstance(service.content_stream, Service) and service.content_stream.urls == world.endpoints
    assert isinstance(key.content_stream, VerificationMethod) and key.content_stream == document.find_method("sig")
    assert nothing.error == "notFound"
    await web5.close()


async def test_an_app_makes_dids_of_each_method(world: World) -> None:
    web5, _ = await Web5.connect(agent=await world.device("laptop"), dwn_endpoints=[], sync="off")
    service = {"id": "web", "type": "Homepage", "serviceEndpoint": ["https://example.org"]}
    made = await web5.did.create(services=[service], also_known_as=["https://example.org/me"], types=[1])
    stranger = await world.device("stranger")
    found = (await stranger.resolver.resolve(made.uri)).did_document
    assert found == made.document and found.also_known_as == ["https://example.org/me"]
    quiet = await web5.did.create("dht", publish=False)
    assert (await web5.did.resolve(quiet.uri)).error == "notFound"
    for method in ("jwk", "key"):
        for algorithm in ("Ed25519", "secp256k1"):
            one = await web5.did.create(method, algorithm=algorithm)  # type: ignore[arg-type]
            assert one.uri.startswith(f"did:{method}:") and len(one.private_keys) == 1
            assert (await web5.did.resolve(one.uri)).did_document == one.document


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "dth"}, "no method 'dth'; did you mean 'dht'"),
        ({"method": "web"}, "no method 'web'"),
        ({"method": None}, "no method 'None'"),
        ({"method": "dht", "algorithm": "Ed25519"}, "algorithm is for did:jwk and did:key"),
        ({"method": "jwk", "services": [{"id": "web"}]}, "services is for did:dht alone"),
        ({"method": "key", "types": [1]}, "types is for did:dht alone"),
    ],
)
async def test_a_did_that_cannot_be_made_is_refused(world: World, options: dict[str, Any], said: str) -> None:
    web5, _ = await Web5.connect(agent=await world.device("laptop"), dwn_endpoints=[], sync="off")
    with pytest.raises(InvalidArgument, match=said):
        await web5.did.create(**options)


async def test_without_a_gateway_only_what_need_not_be_published_is_made(world: World) -> None:
    web5, _ = await Web5.connect(agent=await world.blank_device("laptop", ()), dwn_endpoints=[], sync="off")
    with pytest.raises(NoGateway):
        await web5.did.create()
    assert (await web5.did.create(publish=False)).uri.startswith("did:dht:")
    assert (await web5.did.create("jwk")).uri.startswith("did:jwk:")
