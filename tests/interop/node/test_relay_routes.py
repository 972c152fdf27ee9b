"""Our relay of the connect flow beside that of `@web5/dwn-server`, route by route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.node.serving import EmbeddedServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

JWE = "aGVhZGVy..bm9uY2U.Y2lwaGVydGV4dA.dGFn"
OTHER = "aGVhZGVy..bm9uY2U.b3RoZXI.dGFn"
Both = list[httpx.AsyncClient]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(embedded: EmbeddedServer, reference_servers: list[ReferenceDwnServer]) -> AsyncIterator[Both]:
    """Clients of ours and of the reference's."""
    urls = (f"{embedded.url}/dwn0/connect/", f"{reference_servers[0].url}/connect/")
    clients = [httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) for url in urls]
    yield clients
    for client in clients:
        await client.aclose()


async def ask(both: Both, method: str, paths: str | list[str], **request: Any) -> list[httpx.Response]:
    paths = paths if isinstance(paths, list) else [paths, paths]
    pairs = zip(both, paths, strict=True)
    return [await client.request(method, path, **request) for client, path in pairs]


def shown(answer: httpx.Response) -> Any:
    """The parts of an answer that clients go by."""
    media_type = answer.headers["content-type"].partition(";")[0]
    return answer.status_code, media_type, answer.json() if media_type == "application/json" else answer.text


@pytest.mark.parametrize("form", ["data", "json"])
async def test_a_request_is_left_and_taken_once(both: Both, form: str) -> None:
    answers = await ask(both, "POST", "par", **{form: {"request": JWE}})
    for client, answer in zip(both, answers, strict=True):
        assert answer.status_code == 201
        assert answer.json().keys() == {"request_uri", "expires_in"}
        assert answer.json()["expires_in"] == 600
        assert answer.json()["request_uri"].startswith(f"{client.base_url}authorize/")
    uris = [answer.json()["request_uri"] for answer in answers]
    ours, theirs = await ask(both, "GET", uris)
    assert shown(ours) == shown(theirs) == (200, "application/jwt", JWE)
    ours, theirs = await ask(both, "GET", uris)
    assert shown(ours) == shown(theirs)
    assert ours.status_code == 404


@pytest.mark.parametrize("form", ["data", "json"])
async def test_a_response_is_left_and_taken_once(both: Both, form: str) -> None:
    token = f"token/{form}.jwt"
    ours, theirs = await ask(both, "GET", token)
    assert shown(ours) == shown(theirs)
    assert ours.status_code == 404
    ours, theirs = await ask(both, "POST", "callback", **{form: {"id_token": JWE, "state": form}})
    assert shown(ours) == shown(theirs)
    assert ours.status_code == 201
    ours, theirs = await ask(both, "GET", token)
    assert shown(ours) == shown(theirs) == (200, "application/jwt", JWE)
    ours, theirs = await ask(both, "GET", token)
    assert shown(ours) == shown(theirs)
    assert ours.status_code == 404


async def test_the_first_response_stays(both: Both) -> None:
    for text, statuses in ((JWE, [201, 201]), (OTHER, [409, 201])):
        answers = await ask(both, "POST", "callback", data={"id_token": text, "state": "twice"})
        assert [answer.status_code for answer in answers] == statuses
    assert [answer.text for answer in await ask(both, "GET", "token/twice.jwt")] == [JWE, JWE]


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("par", {}),
        ("par", {"data": {"other": "x"}}),
        ("par", {"data": {"request": ""}}),
        ("par", {"data": {"request[request_uri]": "https://example.org"}}),
        ("par", {"json": {"request": {"request_uri": "https://example.org"}}}),
        ("callback", {}),
        ("callback", {"data": {"id_token": JWE}}),
        ("callback", {"data": {"state": "s"}}),
        ("callback", {"json": {"state": None, "id_token": JWE}}),
    ],
)
async def test_what_is_malformed(both: Both, path: str, request_: dict[str, Any]) -> None:
    ours, theirs = await ask(both, "POST", path, **request_)
    assert shown(ours) == shown(theirs)
    assert ours.status_code == 400


@pytest.mark.parametrize("path", ["authorize/none.jwt", "token/none.jwt", "authorize/none", "par", "callback", ""])
async def test_what_is_not_there(both: Both, path: str) -> None:
    ours, theirs = await ask(both, "GET", path)
    assert ours.status_code in (404, 405)
    assert theirs.status_code == 404


async def test_pages_of_other_origins_may_use_it(both: Both) -> None:
    for answer in await ask(both, "POST", "par", data={"request": JWE}, headers={"origin": "https://app.example"}):
        assert answer.headers["access-control-allow-origin"] == "*"
