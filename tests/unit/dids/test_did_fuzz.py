"""DID URLs, documents and portable DIDs from strangers: what they are, or a typed error."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dids.models import DidDocument, PortableDid
from web5.dids.uri import parse_did
from web5.dwn.store.database import open_memory
from web5.errors import CryptoError, DidError, Web5Error
from web5.node.gateway import create_gateway

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
PORTABLES = [vector["portable"] for vector in VECTORS["dht"]]
crypto = CPythonCrypto()

TEXT = st.text(max_size=12) | st.sampled_from(["#0", "#sig", "a,b", "c;d", "e=f", "\ud800", "did:example:a", "é" * 140])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn, originals: list[Any]) -> Any:
    """An original in which up to three values are others, or gone."""
    value = copy.deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(_places(value)[1:] or [(None,)]))
        holder = value
        for key in path:
            holder = holder[key]
        if last is None:
            continue
        if draw(st.booleans()):
            holder[last] = draw(JSON)
        else:
            del holder[last]
    return value


@given(st.text(max_size=60) | st.text("did:a%2fF/?#.", max_size=30).map("did:".__add__))
def test_any_text_is_a_did_url_or_none(text: str) -> None:
    did = parse_did(text)
    if did is not None:
        assert text.startswith(did.uri) and f"did:{did.method}:{did.id}" == did.uri
        assert parse_did(did.uri) is not None


@given(
    st.from_regex(r"did:[a-z0-9]{1,5}:([A-Za-z0-9._-]{0,4}:){0,2}[A-Za-z0-9._-]{1,8}", fullmatch=True),
    st.from_regex(r"(/[^#?\n]{0,6})?", fullmatch=True),
    st.from_regex(r"(\?[^#]{1,6})?", fullmatch=True),
    st.from_regex(r"(#[^\n\r\u2028\u2029]{1,6})?", fullmatch=True),
)
def test_a_did_url_is_the_sum_of_its_parts(uri: str, path: str, query: str, fragment: str) -> None:
    did = parse_did(uri + path + query + fragment)
    assert did is not None
    assert (did.uri, did.path, did.query, did.fragment) == (uri, path, query[1:], fragment[1:])


@given(JSON | damaged([portable["document"] for portable in PORTABLES]))
def test_any_json_is_a_document_or_a_did_error(wire: Any) -> None:
    try:
        document = DidDocument.from_wire(wire)
    except DidError as error:
        assert error.code == "invalidDidDocument"
        return
    json.dumps(document.to_wire())
    assert document.find_method("no such method") is None
    assert isinstance(document.dwn_endpoints, list)


@given(damaged([portable["document"] for portable in PORTABLES]))
def test_what_a_packet_carries_is_what_was_meant(wire: Any) -> None:
    try:
        document = DidDocument.from_wire(wire)
        packet = dht.to_packet(document)
    except DidError:
        return
    read = dht.from_packet(document.id, packet).document
    assert _as_dns_has_it(read.to_wire()) == _as_dns_has_it(document.to_wire())


def _as_dns_has_it(wire: dict[str, Any]) -> Any:
    """A document in which what DNS records cannot tell apart is the same."""
    members = {name: value for name, value in wire.items() if value not in (None, []) and name != "@context"}
    members["verificationMethod"] = [
        {**method, "type": None, "publicKeyJwk": {name: method["publicKeyJwk"].get(name) for name in ("crv", "x", "y")}}
        for method in members.get("verificationMethod", ())
    ]
    return json.loads(json.dumps(members), object_hook=_one_is_a_list)


def _one_is_a_list(members: dict[str, Any]) -> dict[str, Any]:
    return {name: [value] if isinstance(value, str) else value for name, value in members.items()}


@given(JSON | damaged(PORTABLES))
async def test_any_json_is_a_portable_did_that_can_be_used_or_a_typed_error(wire: Any) -> None:
    http = HttpxHttp(httpx.ASGITransport(create_gateway(open_memory(), crypto)))
    try:
        portable_did = PortableDid.from_wire(wire)
    except DidError:
        return
    json.dumps(portable_did.to_wire())
    with contextlib.suppress(DidError, CryptoError):
        await signer_for(portable_did, crypto)
    with contextlib.suppress(Web5Error):
        await dht.publish(portable_did, http, crypto, "http://gateway")
