"""What every Http port promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a port and the address of `tests.contracts.http_server`, which a browser sees as another origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from tests.contracts.expect import expect
from tests.contracts.memory import MIB, at_most
from web5.errors import BadReply, BlobMissing, BodyTooLarge, InvalidArgument, RemoteError, TimedOut, Unreachable
from web5.ports.http import BodyStream, Http, HttpResponse

Case = Callable[[Http, str], Awaitable[None]]

LIMIT = 4 * MIB
"""Of bodies that are expected to be small."""
NOBODY = "http://127.0.0.1:47/"
"""A port on which nobody listens, and which browsers do not block: a worker of Firefox never hears of an upload to one
that is."""


async def case_a_request_arrives_as_it_was_made(http: Http, base: str) -> None:
    body = bytes(range(256)) * 300
    response = await http.request("POST", f"{base}/echo", headers={"X-One": "1", "dwn-request": "{}"}, body=body)
    assert response.status == 200
    seen = json.loads(response.headers["x-seen"])
    assert seen["method"] == "POST"
    assert seen["headers"]["x-one"] == "1"
    assert seen["headers"]["dwn-request"] == "{}"
    assert "cookie" not in seen["headers"]
    assert await response.read(LIMIT) == body


async def case_get_and_put_and_no_body(http: Http, base: str) -> None:
    for method, body in (("GET", None), ("PUT", b"put"), ("POST", b""), ("DELETE", None)):
        response = await http.request(method, f"{base}/echo", body=body)
        assert json.loads(response.headers["x-seen"])["method"] == method
        assert await response.read(LIMIT) == (body or b"")


async def case_header_names_are_lower_case(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/echo")
    await response.read(LIMIT)
    assert "x-seen" in response.headers
    assert all(name == name.lower() for name in response.headers)


async def case_any_status_is_a_response(http: Http, base: str) -> None:
    for status in (200, 202, 204, 400, 404, 500, 503):
        response = await http.request("GET", f"{base}/status/{status}")
        assert response.status == status
        assert await response.read(LIMIT) == (b"" if status == 204 else str(status).encode())


async def case_a_body_comes_in_pieces_as_it_is_sent(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/first-then-wait", timeout=20)
    chunks = response.chunks()
    assert await anext(chunks) == b"first"
    # The server sends the rest only when it is asked to: the first piece did not wait for it.
    await (await http.request("POST", f"{base}/go-on", body=b"")).read(LIMIT)
    assert b"".join([chunk async for chunk in chunks]) == b" and the rest"


async def case_a_large_body_comes_whole(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/large")
    body = await response.read(LIMIT)
    assert len(body) == 3_000_000
    assert body == (bytes(range(250)) * 12_000)


async def case_a_large_body_is_read_in_little_memory(http: Http, base: str) -> None:
    with at_most(16 * MIB):
        response = await http.request("GET", f"{base}/mebibytes/64")
        position = 0
        async for chunk in response.chunks():
            assert (chunk[0], chunk[-1]) == (position // MIB, (position + len(chunk) - 1) // MIB)
            position += len(chunk)
            await asyncio.sleep(0)
        assert position == 64 * MIB


async def case_a_body_is_read_up_to_its_limit(http: Http, base: str) -> None:
    for limit, whole in ((6, True), (5, True), (4, False), (0, False)):
        response = await http.request("POST", f"{base}/echo", body=b"12345")
        assert response.url == f"{base}/echo"
        if whole:
            assert await response.read(limit) == b"12345"
        else:
            await expect(BodyTooLarge, response.read(limit))
    assert await (await http.request("POST", f"{base}/echo", body=b"")).read(0) == b""


async def case_what_exceeds_the_limit_is_not_kept(http: Http, base: str) -> None:
    with at_most(16 * MIB):
        response = await http.request("GET", f"{base}/mebibytes/64")
        await expect(BodyTooLarge, response.read(MIB))
    await response.close()
    endless = await http.request("GET", f"{base}/first-then-wait", timeout=20)
    await expect(BodyTooLarge, endless.read(4))


async def case_a_body_that_unpacks_to_very_much_is_not_unpacked(http: Http, base: str) -> None:
    with at_most(16 * MIB):
        response = await http.request("GET", f"{base}/packed/64")
        await expect(BadReply, response.read(MIB))


async def case_the_reply_to_an_upload_has_a_limit_too(http: Http, base: str) -> None:
    async def upload() -> None:
        await (await _upload(http, f"{base}/mebibytes/64", Source(0))).read(MIB)

    with at_most(16 * MIB):
        await expect(BodyTooLarge, upload())


async def case_an_iteration_that_is_closed_drops_the_rest(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/silent-body", timeout=20)
    chunks = response.chunks()
    assert await anext(chunks) == b"first"
    assert isinstance(chunks, AsyncGenerator)
    await chunks.aclose()
    await response.close()


async def case_silence_before_the_headers_times_out(http: Http, base: str) -> None:
    started = time.monotonic()
    await expect(TimedOut, http.request("GET", f"{base}/silent", timeout=0.3))
    assert 0.25 < time.monotonic() - started < 5


async def case_silence_within_the_body_times_out(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/silent-body", timeout=0.3)
    assert response.status == 200
    await expect(TimedOut, response.read(LIMIT))


async def case_a_body_that_breaks_off_is_unreachable(http: Http, base: str) -> None:
    async def read() -> bytes:
        return await (await http.request("GET", f"{base}/break-off")).read(LIMIT)

    await expect(Unreachable, read())


async def case_nobody_there_is_unreachable(http: Http, base: str) -> None:
    await expect(Unreachable, http.request("GET", "http://127.0.0.1:9/", timeout=10))


async def case_a_url_that_is_none_is_a_remote_error(http: Http, base: str) -> None:
    await expect(RemoteError, http.request("GET", "http://", timeout=5))


async def case_a_cancelled_request_stops(http: Http, base: str) -> None:
    asking = asyncio.ensure_future(http.request("GET", f"{base}/silent", timeout=30))
    await (await http.request("GET", f"{base}/echo")).read(LIMIT)
    asking.cancel()
    await asyncio.wait([asking], timeout=5)
    assert asking.cancelled()


async def case_closing_drops_what_was_not_read(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/large")
    await response.close()
    await response.close()
    again = await http.request("GET", f"{base}/echo")
    assert again.status == 200
    await again.close()


async def case_several_at_once(http: Http, base: str) -> None:
    async def one(number: int) -> bytes:
        return await (await http.request("POST", f"{base}/echo", body=str(number).encode())).read(LIMIT)

    assert await asyncio.gather(*map(one, range(12))) == [str(number).encode() for number in range(12)]


async def case_redirects_are_followed(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/redirect")
    assert response.status == 200
    assert await response.read(LIMIT) == b"200"


class Source:
    """Numbered chunks of 1 MiB, made as they are read. `ends` tells how iterations ended: the exceptions' names.

    Parameters:
        chunks: how many.
        stop: awaited after the second chunk.
    """

    def __init__(self, chunks: int, stop: Callable[[], Awaitable[object]] | None = None) -> None:
        self.chunks, self.size = chunks, chunks * MIB
        self.ends: list[str] = []
        self._stop = stop

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for number in range(self.chunks):
                yield number.to_bytes(4, "big") * (MIB // 4)
                if number == 1 and self._stop is not None:
                    await self._stop()
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("whole")

    async def sha256(self) -> str:
        digest = hashlib.sha256()
        async for chunk in self:
            digest.update(chunk)
        self.ends.clear()
        return digest.hexdigest()


async def _upload(http: Http, url: str, source: Source, **more: Any) -> HttpResponse:
    return await http.request("POST", url, body=BodyStream(source, source.size, **more), timeout=60)


async def case_a_large_stream_arrives_whole_in_little_memory(http: Http, base: str) -> None:
    source, told = Source(64), list[int]()
    expected = {"length": source.size, "transfer-encoding": None, "sha256": await source.sha256()}
    with at_most(16 * MIB):
        response = await _upload(http, f"{base}/sink/large", source, on_sent=told.append)
        assert response.status == 200
        assert json.loads(await response.read(LIMIT)) == expected
    assert source.ends == ["whole"]
    assert told == sorted(told)
    assert told[-1] == source.size


async def case_an_upload_brings_its_headers_and_its_answer(http: Http, base: str) -> None:
    async def data() -> AsyncIterator[bytes]:
        for piece in (b"a st", b"", b"ream"):
            yield piece

    headers = {"X-One": "1", "dwn-request": "{}", "content-type": "application/octet-stream"}
    response = await http.request("POST", f"{base}/echo", headers=headers, body=BodyStream(data(), 8))
    seen = json.loads(response.headers["x-seen"])
    assert {name: seen["headers"][name.lower()] for name in headers} == headers
    assert seen["headers"]["content-length"] == "8"
    assert [chunk async for chunk in response.chunks()] == [b"a stream"]
    await response.close()
    empty = await http.request("POST", f"{base}/echo", body=BodyStream(Source(0), 0))
    assert await empty.read(LIMIT) == b""
    for status in (204, 404, 500):
        response = await _upload(http, f"{base}/status/{status}", Source(0))
        assert response.status == status
        assert await response.read(LIMIT) == (b"" if status == 204 else str(status).encode())


async def case_a_source_that_breaks_off_breaks_the_request_off(http: Http, base: str) -> None:
    async def fail() -> None:
        raise BlobMissing("it was deleted meanwhile")

    name = secrets.token_hex(8)
    source = Source(4, fail)
    await expect(BlobMissing, _upload(http, f"{base}/sink/{name}", source))
    assert source.ends == ["BlobMissing"]
    assert not await _arrived(http, base, name)


async def case_a_source_of_another_size_than_it_said_breaks_the_request_off(http: Http, base: str) -> None:
    for wrong in (-1, 1):
        name = secrets.token_hex(8)
        body = BodyStream(Source(3), Source(3).size + wrong)
        await expect(InvalidArgument, http.request("POST", f"{base}/sink/{name}", body=body))
        assert not await _arrived(http, base, name)


async def case_an_answer_that_does_not_wait_for_the_upload_counts(http: Http, base: str) -> None:
    response = await _upload(http, f"{base}/too-large", Source(16))
    assert response.status == 413
    assert await response.read(LIMIT) == b"too large"


async def case_a_server_that_slams_the_door_is_told_at_once(http: Http, base: str) -> None:
    # Whether the answer or the end of the connection is seen first lies with the operating system.
    with contextlib.suppress(Unreachable):
        assert (await _upload(http, f"{base}/slammed", Source(32))).status == 413
    assert (await (await http.request("GET", f"{base}/status/200")).read(LIMIT)) == b"200"


async def case_what_is_sent_goes_to_no_other_address(http: Http, base: str) -> None:
    name = secrets.token_hex(8)
    for method, body in (("POST", b"1"), ("PUT", b"1"), ("POST", BodyStream(Source(4), Source(4).size))):
        await expect(Unreachable, http.request(method, f"{base}/elsewhere/{name}", body=body))
        assert not await _arrived(http, base, name)


async def case_an_upload_is_cancelled_while_its_source_is_read(http: Http, base: str) -> None:
    reached, name = asyncio.Event(), secrets.token_hex(8)

    async def stall() -> None:
        reached.set()
        await asyncio.Event().wait()

    source = Source(4, stall)
    sending = asyncio.ensure_future(_upload(http, f"{base}/sink/{name}", source))
    await reached.wait()
    sending.cancel()
    await asyncio.wait([sending], timeout=5)
    assert sending.cancelled()
    assert source.ends == ["CancelledError"]
    assert not await _arrived(http, base, name)


async def case_an_upload_is_cancelled_while_the_server_thinks(http: Http, base: str) -> None:
    read = asyncio.Event()

    async def tell() -> None:
        read.set()

    body = BodyStream(Source(2, tell), Source(2).size)
    sending = asyncio.ensure_future(http.request("POST", f"{base}/silent", body=body))
    await read.wait()
    await (await http.request("GET", f"{base}/echo")).read(LIMIT)
    sending.cancel()
    await asyncio.wait([sending], timeout=5)
    assert sending.cancelled()


async def case_silence_after_an_upload_times_out(http: Http, base: str) -> None:
    body = BodyStream(Source(1), Source(1).size)
    await expect(TimedOut, http.request("POST", f"{base}/silent", body=body, timeout=0.5))


async def case_an_upload_to_nobody_is_unreachable(http: Http, base: str) -> None:
    await expect(Unreachable, _upload(http, NOBODY, Source(2)))
    await expect(RemoteError, _upload(http, "http://", Source(2)))


async def _arrived(http: Http, base: str, name: str) -> bool:
    whole: bool = json.loads(await (await http.request("GET", f"{base}/arrived/{name}")).read(LIMIT))
    return whole


async def guarded_case_only_https_is_requested(http: Http, base: str) -> None:
    for url in (f"{base}/status/200", base.replace("http:", "ftp:"), "nonsense", "https://"):
        await expect(RemoteError, http.request("GET", url, timeout=10))


async def guarded_case_no_password_and_no_other_service(http: Http, base: str) -> None:
    for host in ("user@example.com", "user:password@example.com", "example.com:22", "example.com:80"):
        await expect(Unreachable, http.request("GET", f"https://{host}/", timeout=10))


GUARDED_CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("guarded_case_")]
"""For the guarded flavour."""

CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
