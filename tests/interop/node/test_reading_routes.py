"""Our routes for what is published beside those of `@web5/dwn-server`, one by one, with the same records in both."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.node.serving import EmbeddedServer
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

pytestmark = pytest.mark.asyncio(loop_scope="session")

clock, crypto = SystemClock(), CPythonCrypto()
PROTOCOL, HIDDEN = "https://protocol.example/notes", "https://protocol.example/hidden"
SCHEMA = "https://schema.example/note"
LARGE = bytes(range(256)) * 400


def in_url(protocol: str) -> str:
    return b64url_encode(protocol.encode())


def definition(protocol: str, published: bool) -> dict[str, Any]:
    types = {"note": {"schema": SCHEMA, "dataFormats": ["text/plain"]}, "part": {}}
    return {"protocol": protocol, "published": published, "types": types, "structure": {"note": {"part": {}}}}


class Both:
    """An identity with the same messages at our node and at the reference's."""

    def __init__(self, urls: list[str], did: str, signer: Any) -> None:
        self.urls, self.did, self._signer = urls, did, signer
        self._http = HttpxHttp()
        self._remote = RemoteDwn(self._http)
        self._clients = [httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) for url in urls]
        self.ids: dict[str, str] = {}

    async def put(self, message: dict[str, Any], data: bytes | None = None) -> None:
        for url in self.urls:
            status = (await self._remote.process_message(url, self.did, message, data))["status"]
            assert status["code"] == 202, (url, status)

    async def write(self, name: str, data: bytes, **options: Any) -> None:
        options = {"data_format": "text/plain", "published": True, **options}
        message = await compose.records_write(self._signer, clock, data=data, **options)
        await self.put(message, data)
        self.ids[name] = message["recordId"]

    async def fill(self) -> None:
        for protocol, published in ((PROTOCOL, True), (HIDDEN, False)):
            await self.put(
                await compose.protocols_configure(self._signer, clock, definition=definition(protocol, published))
            )
        await self.write("text", b"text", schema=SCHEMA)
        await self.write("image", LARGE, data_format="image/png")
        await self.write("odd", b"odd", data_format="application/vnd.example+json")
        await self.write("hidden", b"hidden", schema=SCHEMA, published=None)
        at = {"protocol": PROTOCOL, "protocol_path": "note", "schema": SCHEMA}
        for name in ("first", "second"):
            await self.write(name, name.encode(), **at)
        await self.write("unseen", b"unseen", **at, published=None)
        await self.write("deleted", b"deleted")
        await self.put(await compose.records_delete(self._signer, clock, record_id=self.ids["deleted"]))

    async def get(self, path: str) -> list[httpx.Response]:
        return [await client.get(f"/{self.did}/{path}") for client in self._clients]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self._http.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(embedded: EmbeddedServer, reference_servers: list[ReferenceDwnServer]):
    did = await jwk.create(crypto)
    both = Both([f"{embedded.url}/dwn0", reference_servers[0].url], did.uri, await signer_for(did, crypto))
    await both.fill()
    yield both
    await both.close()


def told(answer: httpx.Response) -> Any:
    """What an answer says, in whatever order."""
    if "json" in answer.headers.get("content-type", "") and "dwn-response" not in answer.headers:
        return answer.json()
    return answer.content


@pytest.mark.parametrize("name", ["text", "image", "odd", "first"])
@pytest.mark.parametrize("route", ["records", "read/records"])
async def test_a_record_that_is_published(both: Both, route: str, name: str) -> None:
    ours, theirs = await both.get(f"{route}/{both.ids[name]}")
    assert ours.status_code == theirs.status_code == 200
    assert ours.content == theirs.content
    assert ours.headers["content-type"] == theirs.headers["content-type"].partition(";")[0]
    entries = [json.loads(answer.headers["dwn-response"])["entry"] for answer in (ours, theirs)]
    entries[1].pop("data")  # a stream, in JSON
    assert entries[0] == entries[1]


@pytest.mark.parametrize("name", ["hidden", "unseen", "deleted", None])
@pytest.mark.parametrize("route", ["records", "read/records"])
async def test_a_record_that_is_not(both: Both, route: str, name: str | None) -> None:
    record_id = both.ids[name] if name else "bafyreihzdcd6lmqajx7m2ckjhp3dkkkvhnrgxsxmbavrjmn5nrdvxqgsdu"
    ours, theirs = await both.get(f"{route}/{record_id}")
    assert ours.status_code == theirs.status_code == 404
    if name == "deleted":
        assert told(ours)["status"] == told(theirs)["status"]


QUERIES = [
    f"filter.schema={SCHEMA}",
    f"filter[schema]={SCHEMA}",
    f"filter.schema={SCHEMA}&dateSort=createdDescending",
    f"filter.protocol={PROTOCOL}&filter.protocolPath=note&dateSort=publishedAscending",
    "filter.dataFormat=image/png",
    "filter.recipient=did:example:nobody",
    "filter.recipient=did:example:a&filter.recipient=did:example:b",
    "filter.schema=https://none.example/",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_queries(both: Both, query: str) -> None:
    ours, theirs = await both.get(f"query?{query}")
    assert ours.status_code == theirs.status_code == 200
    assert told(ours) == told(theirs)
    assert ours.headers["content-type"].partition(";")[0] == theirs.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "filter=x",
        "filter.unknown=x",
        "filter.dataFormat=x&dateSort=random",
        "filter.dataFormat=x&pagination.limit=x",
    ],
)
async def test_what_is_no_query(both: Both, query: str) -> None:
    ours, theirs = await both.get(f"query?{query}")
    assert (ours.status_code, theirs.status_code) == (400, 400)


@pytest.mark.parametrize(
    "query", ["filter.dataFormat=text/plain&filter.published=true", "filter.dataFormat=text/plain&pagination.limit=1"]
)
async def test_values_that_are_no_text_are_taken_by_ours_alone(both: Both, query: str) -> None:
    """A parameter is a text; the reference takes it for one, and then wants a number or a boolean."""
    ours, theirs = await both.get(f"query?{query}")
    assert (ours.status_code, theirs.status_code) == (200, 400)


async def test_protocols(both: Both) -> None:
    ours, theirs = await both.get("query/protocols")
    assert (ours.status_code, theirs.status_code) == (200, 200)
    assert told(ours) == told(theirs)
    assert len(told(ours)) == 1


@pytest.mark.parametrize(("protocol", "status"), [(PROTOCOL, 200), (HIDDEN, 404), ("https://none.example", 404)])
async def test_a_protocol(both: Both, protocol: str, status: int) -> None:
    ours, theirs = await both.get(f"read/protocols/{in_url(protocol)}")
    assert (ours.status_code, theirs.status_code) == (status, status)
    if status == 200:
        assert told(ours) == told(theirs)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("note", b"second"),
        ("note/", b"second"),
        ("note?filter.recordId={first}", b"first"),
        ("note?filter.recordId={unseen}", None),
        ("note/part", None),
        ("other", None),
    ],
)
async def test_the_newest_at_a_path_of_a_protocol(both: Both, path: str, content: bytes | None) -> None:
    ours, theirs = await both.get(f"read/protocols/{in_url(PROTOCOL)}/{path.format(**both.ids)}")
    assert ours.status_code == theirs.status_code == (404 if content is None else 200)
    if content is not None:
        assert ours.content == theirs.content == content


@pytest.mark.parametrize("path", [f"read/protocols/{in_url(PROTOCOL)}/", "read/protocols/+/note"])
async def test_what_is_no_path_of_a_protocol(both: Both, path: str) -> None:
    ours, theirs = await both.get(path)
    assert (ours.status_code, theirs.status_code) == (400, 400)


async def test_what_a_node_says_of_itself(both: Both) -> None:
    ours, theirs = [(await client.get("/info")).json() for client in both._clients]
    assert set(theirs) - set(ours) <= {"sdkVersion", "version"}  # run from its source, ours has no version
    assert set(ours) - set(theirs) == {"httpRpcFraming"}
    ours, theirs = [(await client.get("/health")).json() for client in both._clients]
    assert ours == theirs == {"ok": True}


async def test_figures(both: Both) -> None:
    ours, theirs = [await client.get("/metrics") for client in both._clients]
    assert ours.status_code == theirs.status_code == 200
    for answer in (ours, theirs):
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "dwn_requests_total{" in answer.text
