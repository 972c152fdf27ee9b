"""Messages in the body of a request, to who takes them there, with our node at the other end, and with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.unit.node.nodes import BASE, Served
from web5.cpython.http import HttpxHttp
from web5.dwn.data import DataStream
from web5.dwn.wire.rpc import ErrorCode, RpcFault, encode_fault, encode_reply
from web5.dwn.wire.rpc_body import CONTENT_TYPE, MAX_ENVELOPE_BYTES, encode_head
from web5.errors import BadReply
from web5.ports.http import BodyStream
from web5.remote.dwn import LARGE_HEADER, RemoteDwn
from web5.remote.requests import in_body, in_header

ENDPOINT = "http://dwn.example/node"
OK = {"status": {"code": 202, "detail": "Accepted"}}
LARGE = {"descriptor": {"long": "x" * LARGE_HEADER}}
SMALL = {"descriptor": {}}


class Server:
    """A DWN that takes bodies, or says so."""

    def __init__(self, info: Response | None = None) -> None:
        self.seen: list[str] = []
        self.info = info or JSONResponse({"httpRpcFraming": ["body-v2", "body-v1"]})
        self.answer: Response = Response(encode_reply("1", OK))
        routes = [Route("/node/info", self._info), Route("/node", self._post, methods=["POST"])]
        self.remote = RemoteDwn(HttpxHttp(httpx.ASGITransport(Starlette(routes=routes))), timeout=5)

    async def _info(self, request: Request) -> Response:
        self.seen.append("info")
        return self.info

    async def _post(self, request: Request) -> Response:
        self.body = await request.body()
        self.seen.append("header" if "dwn-request" in request.headers else "body")
        return self.answer

    async def send(self, message: dict[str, Any], data: bytes | DataStream | None = None) -> dict[str, Any]:
        return await self.remote.process_message(ENDPOINT, "did:x:y", message, data)


async def test_a_large_message_asks_once_and_then_all_go_in_the_body() -> None:
    server = Server()
    assert await server.send(SMALL) == OK
    assert await server.send(LARGE, b"data") == OK
    assert server.body.endswith(b"}}}data") and server.body[0] == 1
    assert await server.send(SMALL) == OK
    assert server.body[0] == 0
    assert server.seen == ["header", "info", "body", "body"]


@pytest.mark.parametrize(
    "info",
    [
        JSONResponse({}),
        JSONResponse({"httpRpcFraming": "body-v1"}),
        JSONResponse({"httpRpcFraming": ["body-v1"] * 21}),
        JSONResponse({"httpRpcFraming": [{"body-v1": 1}]}),
        JSONResponse({"httpRpcFraming": ["body-v2"]}),
        PlainTextResponse("Not Found", 404),
    ],
)
async def test_who_does_not_offer_it_gets_headers_and_is_asked_once(info: Response) -> None:
    server = Server(info)
    for _ in range(3):
        assert await server.send(LARGE) == OK
    assert server.seen == ["info", "header", "header", "header"]


async def test_what_the_framing_has_no_room_for_goes_in_a_header() -> None:
    server = Server()
    assert await server.send({"descriptor": {"long": "x" * MAX_ENVELOPE_BYTES}}) == OK
    assert server.seen == ["header"]


@pytest.mark.parametrize(
    "answer",
    [
        Response(encode_fault(RpcFault(ErrorCode.BAD_REQUEST, "request payload required.", "1")), 400),
        Response(encode_fault(RpcFault(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "no", "1")), 415),
        PlainTextResponse("Bad Request", 400),
    ],
)
async def test_who_no_longer_reads_bodies_is_not_believed_to_refuse_the_message(answer: Response) -> None:
    server = Server()
    await server.send(LARGE)
    server.info, server.answer = JSONResponse({}), answer
    with pytest.raises(BadReply):
        await server.send(LARGE, b"data")
    server.answer = Response(encode_reply("1", OK))
    assert await server.send(LARGE, b"data") == OK
    assert server.seen == ["info", "body", "body", "info", "header"]


async def test_a_refusal_stays_one() -> None:
    server = Server()
    server.answer = Response(encode_fault(RpcFault(ErrorCode.BAD_REQUEST, "request malformed.", "1")), 400)
    assert (await server.send(LARGE))["status"] == {"code": 400, "detail": "request malformed."}


def test_the_two_ways() -> None:
    assert in_header("{}", None) == ({"dwn-request": "{}"}, None)
    assert in_header("{}", b"") == ({"dwn-request": "{}", "content-type": "application/octet-stream"}, b"")
    assert in_body("{}", None) == ({"content-type": CONTENT_TYPE}, encode_head(b"{}", has_data=False))
    assert in_body("{}", b"") == ({"content-type": CONTENT_TYPE}, encode_head(b"{}", has_data=True))


async def test_a_stream_tells_how_much_of_the_data_is_sent() -> None:
    async def chunks():
        yield b"one"
        yield b"two"

    told: list[int] = []
    _, body = in_body("{}", BodyStream(chunks(), 6, told.append))
    assert isinstance(body, BodyStream) and body.on_sent is not None
    assert b"".join([chunk async for chunk in body]) == encode_head(b"{}", has_data=True) + b"onetwo"
    for sent in (3, 7, body.size):
        body.on_sent(sent)
    assert told == [0, 0, 6]
    _, silent = in_body("{}", BodyStream(chunks(), 6))
    assert isinstance(silent, BodyStream) and silent.on_sent is None


@pytest.mark.parametrize("size", [4, 100_000])
async def test_our_node_takes_them(tmp_path: Path, size: int) -> None:
    served = await Served.start(tmp_path)
    await served.remote.info(served.did, f"{BASE}/dwn0")
    data = bytes(i & 255 for i in range(size))
    message = await served.message(data)
    told: list[int] = []
    stream = DataStream(data) if size < 1000 else DataStream(lambda: _chunked(data), size)
    reply = await served.remote.process_message(f"{BASE}/dwn0", served.did, message, stream, on_sent=told.append)
    assert reply["status"]["code"] == 202
    assert not told or told[-1] == size
    assert await (await served.read("/dwn0", message["recordId"]))["entry"]["data"].read() == data


async def _chunked(data: bytes):
    for start in range(0, len(data), 30_000):
        yield data[start : start + 30_000]
