"""did:web: where its documents are, and invariants 1 to 3 (web5.dids.web); websites are joined through ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids.resolver import UniversalResolver, default_resolver
from web5.dids.uri import DidUrl, parse_did
from web5.dids.web import MAX_BYTES, DidWeb, document_url
from web5.errors import DidError
from web5.ports.clock import SystemClock

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["web"]
DID = "did:web:example.com"
URL = "https://example.com/.well-known/did.json"


class Websites:
    """Every website there is: what is at a URL; else 404."""

    def __init__(self, files: dict[str, Response]) -> None:
        self._files = {unquote(url): file for url, file in files.items()}
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        url = Request(scope).url
        self.asked.append(str(url))
        await self._files.get(unquote(str(url)), Response("no such file", 404))(scope, receive, send)

    def resolver(self, **options: Any) -> UniversalResolver:
        return UniversalResolver([DidWeb(HttpxHttp(httpx.ASGITransport(self)), **options)])


def _did(text: str) -> DidUrl:
    did = parse_did(text)
    assert did is not None
    return did


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["did"])
async def test_documents_are_where_the_reference_looks_and_what_it_gives(vector: Any) -> None:
    [url] = vector["asked"]
    assert document_url(_did(vector["did"])) == url
    result = await Websites({url: JSONResponse(vector["document"])}).resolver().resolve(vector["did"])
    assert result.to_wire() == vector["result"]


@pytest.mark.parametrize(
    "identifier",
    [
        "127.0.0.1",
        "127.1",
        "10.0.0.1%3A8080",
        "2130706433",
        "0x7f000001",
        "example.0x1",
        "%5B%3A%3A1%5D",
        "localhost",
        "localhost%3A8080:me",
        "dev.localhost",
        "LOCALHOST",
        "example.com%3A0",
        "example.com%3A65536",
        "example.com%3A",
        "example.com%3Aport",
        "-example.com",
        "example.com.",
        "example..com",
        "a_b.example",
        "user%40example.com",
        "example.com%2Fpath",
        "example.com%3F",
        "%20",
        ":path",
        "example.com::path",
        "example.com:..:x",
        "example.com:%2E%2E",
        "example.com:.",
        "example.com:a%2Fb",
        "example.com:a%3Fb",
        "example.com:a%00",
        "ex%C3%A4mple.com",
    ],
)
async def test_what_names_no_host_or_path_is_invalid_and_nobody_is_asked(identifier: str) -> None:
    websites = Websites({})
    assert (await websites.resolver().resolve(f"did:web:{identifier}")).error == "invalidDid"
    assert websites.asked == []


async def test_localhost_is_asked_over_plain_http_where_that_is_allowed() -> None:
    did = "did:web:localhost%3A8080:me"
    websites = Websites({"http://localhost:8080/me/did.json": JSONResponse({"id": did})})
    result = await websites.resolver(allow_localhost=True).resolve(did)
    assert result.did_document is not None and result.did_document.id == did
    for other in ("did:web:example.com", "did:web:127.0.0.1", "did:web:localhost.example.com"):
        await websites.resolver(allow_localhost=True).resolve(other)
    assert [url for url in websites.asked if url.startswith("http:")] == websites.asked[:1]


async def test_the_default_resolver_knows_the_method() -> None:
    websites = Websites({URL: JSONResponse({"id": DID})})
    http = HttpxHttp(httpx.ASGITransport(websites))
    nowhere = HttpxHttp(httpx.ASGITransport(Websites({})))
    arguments = CPythonCrypto(), SystemClock(), "http://gateway.example"
    assert (await default_resolver(http, *arguments).resolve(DID)).error is None
    assert (await default_resolver(nowhere, *arguments, web=DidWeb(http)).resolve(DID)).error is None
    assert (await default_resolver(nowhere, *arguments).resolve(DID)).error == "notFound"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response("gone", 404), "notFound"),
        (Response("gone", 410), "notFound"),
        (Response("busy", 503), "internalError"),
        (Response("", 204), "internalError"),
        (Response("<html>"), "invalidDidDocument"),
        (Response(b"\xff"), "invalidDidDocument"),
        (Response(b"[" * 5000), "invalidDidDocument"),
        (JSONResponse([]), "invalidDidDocument"),
        (JSONResponse({}), "invalidDidDocument"),
        (JSONResponse({"id": f"{DID}:somebody"}), "invalidDidDocument"),
        (JSONResponse({"id": DID, "service": [{}]}), "invalidDidDocument"),
        (JSONResponse({"id": DID, "x": "x" * MAX_BYTES}), "invalidDidDocumentLength"),
    ],
)
async def test_answers_that_are_no_document(response: Response, error: str) -> None:
    result = await Websites({URL: response}).resolver().resolve(DID)
    assert (result.error, result.did_document) == (error, None)


async def test_a_redirect_is_followed() -> None:
    elsewhere = "https://elsewhere.example/did.json"
    websites = Websites({URL: RedirectResponse(elsewhere), elsewhere: JSONResponse({"id": DID})})
    assert (await websites.resolver().resolve(DID)).error is None
    assert websites.asked == [URL, elsewhere]


async def test_an_answer_without_end_is_left_after_a_while() -> None:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    class Dripping(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=drops())

    result = await UniversalResolver([DidWeb(HttpxHttp(Dripping()), timeout=0.05)]).resolve(DID)
    assert result.error == "internalError"
    assert "took more than 0.05 seconds" in result.did_resolution_metadata["errorMessage"]


async def test_a_site_that_is_not_there_is_an_internal_error() -> None:
    class Down(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

    assert (await UniversalResolver([DidWeb(HttpxHttp(Down()))]).resolve(DID)).error == "internalError"


@given(st.text("abc:.%013AFxX/-_[]", max_size=30))
def test_any_identifier_has_an_https_url_or_is_invalid(identifier: str) -> None:
    did = parse_did(f"did:web:{identifier}")
    if did is None:
        return
    try:
        url = httpx.URL(document_url(did))
    except DidError as error:
        assert error.code == "invalidDid"
        return
    assert url.scheme == "https" and url.path.endswith("/did.json") and not url.query and not url.userinfo
    assert url.host == unquote(did.id.partition(":")[0]).partition(":")[0].lower()


@given(st.binary(max_size=100) | st.sampled_from([b'{"id":"did:web:example.com","x":', b'{"id":7}', b"null"]))
async def test_any_body_is_a_document_or_an_error(body: bytes) -> None:
    result = await Websites({URL: Response(body)}).resolver().resolve(DID)
    assert result.error in ("invalidDidDocument", None) and (result.error is None) == (result.did_document is not None)
