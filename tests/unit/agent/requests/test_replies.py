"""What apps get of other people's DWNs: nothing that is no reply to their question."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.dwn.persons import ENCRYPTION, SteppingClock, person
from tests.unit.sync.world import Directory
from web5.agent.requests.messages import Messages
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dids.models import DidDocument
from web5.dwn import compose
from web5.dwn.data import DataStream
from web5.dwn.wire.rpc import encode_reply
from web5.errors import BadReply, NotFound, RemoteError
from web5.remote.dwn import RemoteDwn

OK = {"status": {"code": 200, "detail": "OK"}}
CLOCK = SteppingClock()
DATA = b"hello, world"


class Asked:
    """Somebody's DWNs, each of which answers what a test says, and the way to ask them."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[str] = []

        async def answer(request: Request) -> Response:
            self.asked.append(request.url.path)
            found = answers[int(request.url.path[1:])]
            return found if isinstance(found, Response) else Response(encode_reply("1", found))

        http = HttpxHttp(httpx.ASGITransport(Starlette(routes=[Route("/{path}", answer, methods=["POST"])])))
        directory = Directory()
        nodes = [f"http://nodes/{number}" for number in range(len(answers))]
        service = {"id": "#dwn", "type": "DecentralizedWebNode", "serviceEndpoint": nodes}
        document = DidDocument.from_wire({"id": "did:x:stranger", "service": [service]})
        directory.documents["did:x:stranger"] = document
        self.messages = Messages(None, None, directory, RemoteDwn(http, timeout=5))  # type: ignore[arg-type]

    async def __call__(self, message: Any) -> Any:
        return await self.messages.request("did:x:stranger", message)


async def written(**more: Any) -> dict[str, Any]:
    stranger = await person("Ed25519")
    return await compose.records_write(stranger.signer, CLOCK, data=DATA, data_format="text/plain", **more)


async def question(kind: str, **filter: Any) -> dict[str, Any]:
    make = {"query": compose.records_query, "read": compose.records_read}[kind]
    return await make(None, CLOCK, filter=filter or {"schema": "https://example.com/s"})


def streamed(entry: dict[str, Any], data: bytes) -> Response:
    return Response(data, headers={"dwn-response": encode_reply("1", OK | {"entry": entry})})


def without(message: dict[str, Any], *path: str) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    place = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def changed(message: dict[str, Any], value: Any, *path: str) -> dict[str, Any]:
    changed = copy.deepcopy(message)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


async def test_a_proper_reply_is_given() -> None:
    write = await written()
    entry = {**write, "encodedData": b64url_encode(DATA), "of a newer version": 1}
    reply = await Asked(OK | {"entries": [entry], "cursor": {"messageCid": "x"}})(await question("query"))
    assert reply["entries"] == [entry]
    assert (await Asked(OK | {"entries": []})(await question("query")))["entries"] == []
    read = await Asked(streamed({"recordsWrite": write}, DATA))(await question("read", recordId=write["recordId"]))
    assert await read["entry"]["data"].read() == DATA


@pytest.mark.parametrize("kind", ["query", "read", "protocols"])
@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"entries": None},
        {"entries": {}},
        {"entries": [1]},
        {"entry": []},
        {"entry": None},
        {"entries": [{}]},
        {"entry": {}},
    ],
)
async def test_a_reply_of_another_shape_is_none(kind: str, reply: dict[str, Any]) -> None:
    message = await (compose.protocols_query(None, CLOCK) if kind == "protocols" else question(kind))
    with pytest.raises(BadReply):
        await Asked(OK | reply)(message)


FAULTS = [
    (without, "recordId"),
    (without, "descriptor"),
    (without, "authorization"),
    (without, "authorization", "signature"),
    *((without, "descriptor", name) for name in ("dateCreated", "dataCid", "dataSize", "dataFormat")),
    (changed, 5, "recordId"),
    (changed, [], "authorization", "signature", "signatures"),
    (changed, [1], "authorization", "signature", "signatures"),
    (changed, [], "authorization", "authorDelegatedGrant"),
    (changed, "5", "descriptor", "dataSize"),
    (changed, -5, "descriptor", "dataSize"),
    (changed, 1, "descriptor", "published"),
    (changed, [], "descriptor", "tags"),
    (changed, 5, "descriptor", "schema"),
    (changed, [], "encryption"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_message_without_what_is_read_is_none(fault: Any) -> None:
    change, *arguments = fault
    write = change(await written(), *arguments)
    for initial in ({}, {"initialWrite": write}):
        whole = await written() if initial else write
        with pytest.raises(BadReply):
            await Asked(OK | {"entries": [{**whole, **initial}]})(await question("query"))
        with pytest.raises(BadReply):
            await Asked(streamed({"recordsWrite": whole, **initial}, DATA))(await question("read"))


@pytest.mark.parametrize("encoded", [b64url_encode(b"hello, w0rld"), "", "!", "=="])
async def test_inline_data_are_those_that_the_message_names(encoded: str) -> None:
    entry = {**await written(), "encodedData": encoded}
    with pytest.raises(BadReply):
        await Asked(OK | {"entries": [entry]})(await question("query"))


@pytest.mark.parametrize("data", [b"", b"hello", b"hello, w0rld", DATA + b"!", DATA * 10_000])
async def test_other_data_than_the_message_names_do_not_come_to_a_good_end(data: bytes) -> None:
    reply = await Asked(streamed({"recordsWrite": await written()}, data))(await question("read"))
    stream: DataStream = reply["entry"]["data"]
    given = b""
    with pytest.raises(BadReply):
        async for chunk in stream:
            given += chunk
    assert len(given) < len(DATA)


async def test_what_a_stranger_added_is_taken_away() -> None:
    write = await written()
    entry = {**write, "encryption": ENCRYPTION, "encodedData": b64url_encode(DATA)}
    reply = await Asked(OK | {"entries": [entry]})(await question("query"))
    assert reply["entries"] == [{**write, "encodedData": b64url_encode(DATA)}]
    found = {"recordsWrite": {**write, "encryption": ENCRYPTION}}
    read = await Asked(streamed(found, DATA))(await question("read", recordId=write["recordId"]))
    assert read["entry"]["recordsWrite"] == write


async def test_another_record_than_was_asked_for_is_no_reply() -> None:
    one, two = await written(), await written()
    with pytest.raises(BadReply, match="another record"):
        await Asked(streamed({"recordsWrite": one}, DATA))(await question("read", recordId=two["recordId"]))


async def test_the_next_node_is_asked_when_one_talks_nonsense() -> None:
    good = OK | {"entries": []}
    asked = Asked(OK, Response("<html>"), good)
    assert (await asked(await question("query")))["entries"] == []
    assert asked.asked == ["/0", "/1", "/2"]


async def test_a_refusal_stays_one() -> None:
    with pytest.raises(NotFound):
        await Asked({"status": {"code": 404, "detail": "Not Found"}})(await question("read"))


async def test_whoever_has_no_dwn_cannot_be_asked() -> None:
    with pytest.raises(RemoteError, match="names no DWN"):
        await Asked()(await question("query"))
