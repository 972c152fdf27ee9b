"""DID URLs lead where the reference's lead, and to embedded methods as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.dids.models import DidDocument, DidResolutionResult, Service, VerificationMethod
from web5.dids.resolver import dereference

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["dereference"]


class Known:
    """A resolver that knows one answer."""

    def __init__(self, resolution: Any) -> None:
        self._result = DidResolutionResult(
            did_resolution_metadata=resolution["didResolutionMetadata"],
            did_document=resolution["didDocument"] and DidDocument.from_wire(resolution["didDocument"]),
            did_document_metadata=resolution["didDocumentMetadata"],
        )

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        return self._result


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"{case['didUrl'][61:]}, {case['resolution']}")
async def test_leads_where_the_reference_leads(case: Any) -> None:
    resolution = VECTORS["resolutions"][case["resolution"]]
    expected = case["result"]
    if expected["contentStream"] == "the document":
        expected = {**expected, "contentStream": resolution["didDocument"]}
    result = (await dereference(Known(resolution), case["didUrl"])).to_wire()
    result["dereferencingMetadata"].pop("errorMessage", None)  # the reference has none here
    assert result == expected


async def test_what_is_named_has_its_own_model() -> None:
    whole = Known(VECTORS["resolutions"]["whole"])
    did = VECTORS["resolutions"]["whole"]["didDocument"]["id"]
    for url, kind in ((did, DidDocument), (f"{did}#0", VerificationMethod), (f"{did}#s", Service)):
        assert type((await dereference(whole, url)).content_stream) is kind


async def test_an_embedded_method_is_found_and_a_namesake_of_another_did_is_not() -> None:
    method = {"type": "JsonWebKey", "controller": "did:example:a"}
    document = {
        "id": "did:example:a",
        "verificationMethod": [{"id": "did:example:other#k", **method}],
        "keyAgreement": [{"id": "did:example:a#e", **method}],
    }
    resolver = Known({"didResolutionMetadata": {}, "didDocument": document, "didDocumentMetadata": {}})
    found = await dereference(resolver, "did:example:a#e")
    assert found.content_stream is not None and found.content_stream.id == "did:example:a#e"
    missing = await dereference(resolver, "did:example:a#k")
    assert (missing.error, missing.content_stream) == ("notFound", None)
    assert "#k" in missing.dereferencing_metadata["errorMessage"]


@given(st.text(max_size=40) | st.from_regex(r"did:dht:[a-z]{1,3}([/?#][a-z0-9#?]{0,5}){0,3}", fullmatch=True))
async def test_any_text_has_a_result(text: str) -> None:
    result = await dereference(Known(VECTORS["resolutions"]["whole"]), text)
    assert (result.error is None) == (result.content_stream is not None)
