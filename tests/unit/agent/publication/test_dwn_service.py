"""The DWN service in a DID document, wherever it came from."""

from __future__ import annotations

from typing import Any

import pytest

from web5.agent.publication.dwn_service import with_dwn_endpoints
from web5.cpython.crypto import CPythonCrypto
from web5.dids import dht
from web5.dids.models import DidDocument
from web5.errors import InvalidArgument

A, B = "https://a.example", "https://b.example"

OTHER = {"id": "#blog", "type": "LinkedDomains", "serviceEndpoint": "https://blog.example"}


@pytest.mark.parametrize("id", ["#dwn", "#node"])
async def test_the_endpoints_of_every_dwn_service_are_replaced(id: str) -> None:
    portable_did = await dht.create(CPythonCrypto())
    before = {"id": id, "type": "DecentralizedWebNode", "serviceEndpoint": {"nodes": ["https://a"]}, "enc": "#k"}
    wire: dict[str, Any] = {**portable_did.document.to_wire(), "service": [before, OTHER]}
    portable_did = portable_did.model_copy(update={"document": DidDocument.from_wire(wire)})
    document = with_dwn_endpoints(portable_did, ["https://b/", "https://c", "https://b/"], now=1).document
    assert document.dwn_endpoints == ["https://b", "https://c"]
    assert document.service is not None
    kept, dwn = (service.to_wire() for service in document.service)
    assert kept == OTHER
    assert (dwn["id"], dwn["enc"]) == (f"{portable_did.uri}#dwn", "#k")
    assert with_dwn_endpoints(portable_did, [], now=1).document.dwn_endpoints == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a", "begins with https"),
        ("a.example", "begins with https"),
        ("https://", "begins with https"),
        ("https://" + "a" * 3000, "begins with https"),
        ("https://user:secret@a.example", "password"),
        ("https://user@a.example", "name or password"),
        ("https://a.example/x,y", "comma"),
        ("https://a.example/x;y=z", "semicolon"),
        ("https://a.example/" + "x" * 900, "has room for 1000"),
    ],
)
async def test_what_a_document_cannot_name_is_refused_with_the_reason(url: str, why: str) -> None:
    portable_did = await dht.create(CPythonCrypto(), **dht.identity_defaults([A]))
    with pytest.raises(InvalidArgument, match=why) as refused:
        with_dwn_endpoints(portable_did, [A, url], now=1)
    assert "secret" not in str(refused.value)
    assert len(str(refused.value)) < 1000


async def test_too_many_are_refused_and_removing_some_never_is() -> None:
    portable_did = await dht.create(CPythonCrypto(), **dht.identity_defaults([A]))
    many = [f"https://dwn{number}.nodes.example.org/tenants/alice" for number in range(20)]
    with pytest.raises(InvalidArgument, match="Nothing was changed"):
        with_dwn_endpoints(portable_did, many, now=1)
    wire = portable_did.document.to_wire()
    wire["service"][0]["serviceEndpoint"] = many
    too_large = portable_did.model_copy(update={"document": DidDocument.from_wire(wire)})
    assert with_dwn_endpoints(too_large, many[1:], now=1).document.dwn_endpoints == many[1:]


async def test_all_forms_of_a_url_are_one_endpoint() -> None:
    portable_did = await dht.create(CPythonCrypto())
    document = with_dwn_endpoints(portable_did, ["HTTPS://A.example:443/", A, f"{B}/x/../", A], now=1).document
    assert document.dwn_services[0].service_endpoint == [A, B]
