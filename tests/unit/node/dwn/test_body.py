"""Requests in a body, through ASGI, with a real DWN behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.unit.node.nodes import BASE, LIMITS, Served, clock
from web5.dwn import compose
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc_body import BODY_V1, CONTENT_TYPE, MAX_ENVELOPE_BYTES, encode_head
from web5.node.dwn.body import LARGE
from web5.node.limits import Limits
from web5.remote.dwn import SECONDS
from web5.remote.info import server_info

TYPE = {"content-type": CONTENT_TYPE}


@pytest.fixture
async def served(tmp_path: Path) -> Served:
    return await Served.start(tmp_path)


async def envelope(served: Served, data: bytes) -> bytes:
    return rpc.encode_request(served.did, await served.message(data), "the id").encode()


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def error_of(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("data", [b"", b"data", bytes(200_000)], ids=len)
async def test_message_and_data_come_in_one_body(served: Served, data: bytes, step: int) -> None:
    if step == 1 and len(data) > 1000:
        data = data[:30_001]
    message = await served.message(data)
    body = encode_head(rpc.encode_request(served.did, message, "the id").encode(), has_data=True) + data
    answer = await served.post(headers=TYPE, content=pieces(body, step))
    assert (answer.status_code, answer.json()["id"]) == (200, "the id")
    assert rpc.parse_response(answer.content)["status"]["code"] == 202
    reply = await served.read("/dwn0", message["recordId"])
    assert await reply["entry"]["data"].read() == data


async def test_a_question_has_no_data(served: Served) -> None:
    record_id, _ = await served.write("/dwn0", b"x" * 50_000)
    message = await compose.records_read(served.signer, clock, filter={"recordId": record_id})
    body = encode_head(rpc.encode_request(served.did, message).encode(), has_data=False)
    answer = await served.post(headers=TYPE, content=body)
    assert answer.content == b"x" * 50_000
    assert rpc.parse_response(answer.headers["dwn-response"])["status"]["code"] == 200


async def test_a_message_may_be_larger_than_in_a_header(served: Served) -> None:
    message = await compose.records_write(
        served.signer, clock, data=b"x", data_format="text/plain", tags={"long": "x" * 300_000}
    )
    request = rpc.encode_request(served.did, message)
    assert error_of(await served.post(headers={"dwn-request": request}, content=b"x"))[0] == 431
    answer = await served.post(headers=TYPE, content=encode_head(request.encode(), has_data=True) + b"x")
    assert rpc.parse_response(answer.content)["status"]["code"] == 202


async def test_info_says_so(served: Served) -> None:
    info = await server_info(served.http, f"{BASE}/dwn0", SECONDS)
    assert info.http_rpc_framing == [BODY_V1]
    assert info.takes_bodies


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, rpc.ErrorCode.BAD_REQUEST),
        (b"\x00\x00\x00\x00", 400, rpc.ErrorCode.BAD_REQUEST),
        (encode_head(b"{}", has_data=False)[:-1], 400, rpc.ErrorCode.BAD_REQUEST),
        (encode_head(b"", has_data=False), 400, rpc.ErrorCode.BAD_REQUEST),
        (encode_head(b"\xff", has_data=False), 400, rpc.ErrorCode.BAD_REQUEST),
        (encode_head(b"no JSON", has_data=False), 400, rpc.ErrorCode.BAD_REQUEST),
        (encode_head(b"{}", has_data=False), 400, rpc.ErrorCode.INVALID_REQUEST),
        (b"\x04" + encode_head(b"{}", has_data=False)[1:], 400, rpc.ErrorCode.BAD_REQUEST),
        (b"\x00\xff\xff\xff\xff{", 413, rpc.ErrorCode.CONTENT_TOO_LARGE),
        (encode_head(b'{"jsonrpc":"2.0","id":"1","method":"x"}', has_data=False), 501, rpc.ErrorCode.METHOD_NOT_FOUND),
    ],
)
async def test_what_is_no_request(served: Served, body: bytes, status: int, code: int) -> None:
    assert error_of(await served.post(headers=TYPE, content=body)) == (status, code)


async def test_data_without_the_flag_for_them(served: Served) -> None:
    body = encode_head(await envelope(served, b"data"), has_data=False) + b"data"
    assert error_of(await served.post(headers=TYPE, content=body)) == (400, rpc.ErrorCode.BAD_REQUEST)
    assert await served.record_count("/dwn0") == 0


@pytest.mark.parametrize("version", ["", "; version=2", "; version=1; version=1"])
async def test_another_version(served: Served, version: str) -> None:
    headers = {"content-type": f"application/vnd.enbox.dwn-rpc{version}"}
    body = encode_head(await envelope(served, b"data"), has_data=True) + b"data"
    answer = await served.post(headers=headers, content=body)
    assert error_of(answer) == (415, rpc.ErrorCode.UNSUPPORTED_MEDIA_TYPE)


async def test_subscriptions_need_a_socket(served: Served) -> None:
    message = {"descriptor": {"interface": "Records", "method": "Subscribe"}}
    body = encode_head(rpc.encode_request(served.did, message).encode(), has_data=False)
    assert error_of(await served.post(headers=TYPE, content=body)) == (400, rpc.ErrorCode.INVALID_REQUEST)


async def test_too_much_data_is_refused_and_nothing_stays(served: Served) -> None:
    data = b"x" * (LIMITS.data + 1)
    body = encode_head(await envelope(served, data), has_data=True) + data
    answer = await served.post(headers=TYPE, content=pieces(body, 50_000))
    assert error_of(answer) == (413, rpc.ErrorCode.CONTENT_TOO_LARGE)
    assert answer.json()["id"] == "the id"
    assert await served.record_count("/dwn0") == 0
    assert await served.blobs[0].keys() == set()


async def test_large_messages_of_an_address_are_counted_while_they_come(tmp_path: Path) -> None:
    served = await Served.start(tmp_path, Limits(envelopes=2 * LARGE))
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"\x00" + (2 * LARGE).to_bytes(4, "big")
        reached.set()
        await go_on.wait()
        yield b" " * (2 * LARGE)

    first = asyncio.ensure_future(served.post(headers=TYPE, content=slow()))
    await reached.wait()
    large = b"\x00" + LARGE.to_bytes(4, "big")
    assert error_of(await served.post(headers=TYPE, content=large)) == (429, rpc.ErrorCode.TOO_MANY_REQUESTS)
    small = encode_head(await envelope(served, b""), has_data=True)
    assert (await served.post(headers=TYPE, content=small)).status_code == 200
    go_on.set()
    assert error_of(await first) == (400, rpc.ErrorCode.BAD_REQUEST)
    assert error_of(await served.post(headers=TYPE, content=large)) == (400, rpc.ErrorCode.BAD_REQUEST)


def test_the_limit_is_that_of_the_framing() -> None:
    assert Limits().envelope == MAX_ENVELOPE_BYTES
