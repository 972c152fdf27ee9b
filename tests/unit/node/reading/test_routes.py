"""The routes for what is published, through ASGI, with a real DWN behind them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.node.nodes import BASE, LIMITS, Served, clock
from web5.crypto.encoding import b64url_encode
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.node.limits import LEAST_REPLY, Limits
from web5.node.reading.routes import LONGEST_HEADER

PROTOCOL = "https://protocol.example/notes"
DEFINITION = {
    "protocol": PROTOCOL,
    "published": True,
    "types": {"note": {"schema": "https://schema.example/note", "dataFormats": ["text/plain"]}, "part": {}},
    "structure": {"note": {"part": {}}},
}
LARGE = bytes(range(256)) * 400


class Published:
    """A DWN with records, some of which are published."""

    def __init__(self, served: Served) -> None:
        self.served, self.did, self.client = served, served.did, served.client

    async def put(self, message: dict[str, Any], data: bytes | None = None) -> dict[str, Any]:
        reply = await self.served.remote.process_message(f"{BASE}/dwn0", self.did, message, data)
        assert reply["status"]["code"] == 202, reply
        return message

    async def write(self, data: bytes = b"text", data_format: str = "text/plain", **options: Any) -> dict[str, Any]:
        options = {"published": True, **options}
        message = await compose.records_write(self.served.signer, clock, data=data, data_format=data_format, **options)
        return await self.put(message, data)

    async def configure(self, **changes: Any) -> None:
        definition = {**DEFINITION, **changes}
        await self.put(await compose.protocols_configure(self.served.signer, clock, definition=definition))

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(f"/dwn0/{self.did}/{path}", **options)


@pytest.fixture
async def node(tmp_path: Path) -> Published:
    return Published(await Served.start(tmp_path))


def in_url(protocol: str = PROTOCOL) -> str:
    return b64url_encode(protocol.encode())


@pytest.mark.parametrize("path", ["records", "read/records"])
@pytest.mark.parametrize("data", [b"", b"text", LARGE], ids=len)
async def test_a_published_record_is_its_data(node: Published, path: str, data: bytes) -> None:
    write = await node.write(data, "image/png")
    answer = await node.get(f"{path}/{write['recordId']}")
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["etag"] == f'"{message_cid(write)}"'
    reply = json.loads(answer.headers["dwn-response"])
    assert reply["entry"]["recordsWrite"]["recordId"] == write["recordId"]


async def test_what_is_not_published_is_not_there_in_the_same_words(node: Published) -> None:
    write = await node.write(published=None)
    answers = [await node.get(f"records/{record_id}") for record_id in (write["recordId"], "bafyreinone", "x" * 5000)]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b'{"status":{"code":404,"detail":"Not Found"}}')
    }
    other = await node.client.get(f"/dwn0/did:jwk:nobody/records/{write['recordId']}")
    assert (other.status_code, other.content) == (404, answers[0].content)
    assert (await node.client.get(f"/dwn0/{'x' * 3000}/records/x")).status_code == 404


async def test_what_a_client_has_is_not_sent_again_until_it_changes(node: Published) -> None:
    write = await node.write(LARGE)
    path = f"records/{write['recordId']}"
    tag = (await node.get(path)).headers["etag"]
    known = await node.get(path, headers={"if-none-match": f'"x", {tag}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    newer = await compose.records_write(
        node.served.signer, clock, data=b"newer", data_format="text/plain", existing=write
    )
    await node.put(newer, b"newer")
    changed = await node.get(path, headers={"if-none-match": tag})
    assert (changed.status_code, changed.content) == (200, b"newer")
    assert changed.headers["etag"] != tag


@pytest.mark.parametrize("size", [10, len(LARGE)])
async def test_parts(node: Published, size: int) -> None:
    data = LARGE[:size]
    path = f"records/{(await node.write(data))['recordId']}"
    for asked, part in ((f"bytes={size - 4}-", data[-4:]), ("bytes=2-4", data[2:5]), ("bytes=-3", data[-3:])):
        answer = await node.get(path, headers={"range": asked})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-length"] == str(len(part))
        start = data.rindex(part) if asked != "bytes=2-4" else 2
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{size}"
    none = await node.get(path, headers={"range": f"bytes={size}-"})
    assert (none.status_code, none.content, none.headers["content-range"]) == (416, b"", f"bytes */{size}")
    whole = await node.get(path, headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (whole.status_code, whole.content) == (200, data)


async def test_head_gives_the_headers_alone(node: Published) -> None:
    path = f"/dwn0/{node.did}/records/{(await node.write(LARGE))['recordId']}"
    answer = await node.client.head(path, headers={"range": "bytes=0-1"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(LARGE)))


async def test_a_message_that_is_too_long_for_a_header_is_left_out(node: Published) -> None:
    write = await node.write(tags={"long": "x" * LONGEST_HEADER})
    answer = await node.get(f"records/{write['recordId']}")
    assert answer.content == b"text"
    assert "dwn-response" not in answer.headers


async def test_a_record_that_was_deleted_is_told_as_over_rpc(node: Published) -> None:
    write = await node.write()
    await node.put(await compose.records_delete(node.served.signer, clock, record_id=write["recordId"]))
    answer = await node.get(f"records/{write['recordId']}")
    assert answer.status_code == 404
    assert answer.json()["status"] == {"code": 404, "detail": "Not Found"}


async def test_data_that_are_lost_are_a_failure_and_no_404(node: Published, caplog: pytest.LogCaptureFixture) -> None:
    write = await node.write(LARGE)
    blobs = node.served.blobs[0]
    await blobs.delete(await blobs.keys())
    with caplog.at_level(logging.CRITICAL, "web5.node"):
        answer = await node.get(f"records/{write['recordId']}")
    assert answer.status_code == 500
    assert answer.json() == {"status": {"code": 500, "detail": "StorageError: this node's store failed"}}


async def test_queries(node: Published) -> None:
    schemas = ["https://a.example/", "https://a.example/", "https://b.example/"]
    writes = [await node.write(f"{number}".encode(), schema=schema) for number, schema in enumerate(schemas)]
    await node.write(b"hidden", schema=schemas[0], published=None)

    async def found(query: str) -> list[str]:
        answer = await node.get(f"query?{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        return [entry["recordId"] for entry in answer.json()["entries"]]

    ids = [write["recordId"] for write in writes]
    assert await found("filter.schema=https://a.example/") == ids[:2]
    assert await found("filter[schema]=https://a.example/&dateSort=createdDescending") == ids[1::-1]
    assert await found("filter.dataFormat=text/plain") == ids
    assert await found("filter.dataFormat=text/plain&filter.published=true&pagination.limit=1") == ids[:1]
    page = (await node.get("query?filter.dataFormat=text/plain&pagination.limit=2")).json()
    cursor = "&".join(f"pagination.cursor.{name}={value}" for name, value in page["cursor"].items())
    assert await found(f"filter.dataFormat=text/plain&{cursor}") == ids[2:]
    assert await found(f"filter.recipient={node.did}") == []


async def test_a_query_without_leave_is_a_reply_with_that_status(node: Published) -> None:
    answer = await node.get("query?filter.dataFormat=text/plain&filter.published=false")
    assert (answer.status_code, answer.json()["status"]["code"]) == (200, 401)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "filter=x",
        "filter.schema=a&filter.schema=b",
        "filter.published=perhaps",
        "filter.unknown=x",
        "filter.dataFormat=x&pagination=1",
        "filter.dataFormat=x&pagination.limit=0",
        "filter.dataFormat=x&pagination.limit=many",
        "filter.dataFormat=x&pagination.cursor.messageCid=x",
        "filter.dataFormat=x&dateSort=random",
        "filter.dataFormat=x&dateSort.x=1",
        "filter.a.b.c.d.e.f.g=1",
        "filter.schema=%00&x=1",
        "filter.protocol=http://[",
    ],
)
async def test_what_is_no_query(node: Published, query: str) -> None:
    answer = await node.get(f"query?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"]["code"] == 400


async def test_an_answer_that_a_client_has_is_not_sent_again(node: Published) -> None:
    await node.write()
    tag = (await node.get("query?filter.dataFormat=text/plain")).headers["etag"]
    known = await node.get("query?filter.dataFormat=text/plain", headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")
    await node.write()
    assert (await node.get("query?filter.dataFormat=text/plain", headers={"if-none-match": tag})).status_code == 200


async def test_a_query_is_bounded_as_over_rpc(tmp_path: Path) -> None:
    node = Published(await Served.start(tmp_path, Limits(message=LIMITS.message, reply=LEAST_REPLY)))
    for _ in range(4):
        await node.write(b"x" * 30_000)
    page = (await node.get("query?filter.dataFormat=text/plain")).json()
    assert 0 < len(page["entries"]) < 4
    assert page["cursor"]


async def test_protocols(node: Published) -> None:
    assert (await node.get("query/protocols")).json() == []
    assert (await node.get(f"read/protocols/{in_url()}")).status_code == 404
    await node.configure()
    await node.configure(protocol="https://protocol.example/hidden", published=False)
    [one] = (await node.get("query/protocols")).json()
    assert one["descriptor"]["definition"]["protocol"] == PROTOCOL
    assert (await node.get(f"read/protocols/{in_url()}")).json() == one
    assert (await node.get(f"read/protocols/{in_url('https://protocol.example/hidden')}")).status_code == 404


@pytest.mark.parametrize("protocol", ["not+base64url", "_w", "a", in_url("http://[")])
async def test_what_is_no_protocol(node: Published, protocol: str) -> None:
    assert (await node.get(f"read/protocols/{protocol}")).status_code == 400
    assert (await node.get(f"read/protocols/{protocol}/note")).status_code == 400


async def test_the_newest_at_a_path_of_a_protocol(node: Published) -> None:
    await node.configure()
    at = {"protocol": PROTOCOL, "protocol_path": "note", "schema": "https://schema.example/note"}
    assert (await node.get(f"read/protocols/{in_url()}/note")).status_code == 404
    first = await node.write(b"first", **at)
    await node.write(b"second", **at)
    await node.write(b"hidden", **at, published=None)
    part = await node.write(
        b"part", "text/html", protocol=PROTOCOL, protocol_path="note/part", parent_context_id=first["contextId"]
    )
    for path in ("note", "note/", "/note"):
        assert (await node.get(f"read/protocols/{in_url()}/{path}")).content == b"second"
    assert (await node.get(f"read/protocols/{in_url()}/note/part")).headers["etag"] == f'"{message_cid(part)}"'
    chosen = await node.get(f"read/protocols/{in_url()}/note?filter.recordId={first['recordId']}")
    assert chosen.content == b"first"
    assert (await node.get(f"read/protocols/{in_url()}/")).status_code == 400
    assert (await node.get(f"read/protocols/{in_url()}/other")).status_code == 404


async def test_another_method_is_none(node: Published) -> None:
    assert (await node.client.post(f"/dwn0/{node.did}/records/x")).status_code == 405
