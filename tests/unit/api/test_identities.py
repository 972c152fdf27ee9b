"""`web5.did`: DIDs and DID URLs, on real nodes and a real gateway."""

from __future__ import annotations

from tests.unit.conftest import World
from web5 import Web5
from web5.dids.models import Service, VerificationMethod


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
