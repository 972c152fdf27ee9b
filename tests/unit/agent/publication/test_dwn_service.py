"""The DWN service in a DID document, wherever it came from."""

from __future__ import annotations

from typing import Any

import pytest

from web5.agent.publication.dwn_service import with_dwn_endpoints
from web5.cpython.crypto import CPythonCrypto
from web5.dids import dht
from web5.dids.models import DidDocument

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
