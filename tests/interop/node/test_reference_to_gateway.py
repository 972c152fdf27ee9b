"""`@web5/dids` publishes to and resolves from our gateway, at a root and below a path."""

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.interop.reference import reference_fixture
from tests.served import served
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids.resolver import default_resolver
from web5.dwn.store.database import open_memory
from web5.node.gateway import create_gateway
from web5.ports.clock import SystemClock

crypto = CPythonCrypto()


reference = reference_fixture("client.mjs")


@pytest.fixture(params=["", "/dht"])
async def gateway(request):
    app = Starlette(routes=[Mount(request.param, create_gateway(open_memory(), crypto))])
    async with served(app) as url:
        yield url + request.param


async def test_publish_and_resolve(reference, gateway):
    did = await reference.call("newDid", gateway=gateway)
    theirs = await reference.call("resolve", did=did, gateway=gateway)
    assert theirs["didDocument"]["id"] == did
    assert theirs["didDocumentMetadata"]["published"]
    http = HttpxHttp()
    ours = await default_resolver(http, crypto, SystemClock(), gateway).resolve(did)
    await http.close()
    assert ours.did_document.id == did
    assert ours.did_document_metadata["versionId"] == theirs["didDocumentMetadata"]["versionId"]
    assert await reference.call("publish", did=did, gateway=gateway), "a later publication replaces it"


async def test_what_was_never_published_is_not_found(reference, gateway):
    did = await reference.call("newDid", gateway=gateway, publish=False)
    result = await reference.call("resolve", did=did, gateway=gateway)
    assert result["didResolutionMetadata"]["error"] == "notFound"
