"""What every Http port promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a port and the address of `tests.contracts.http_server`, which a browser sees as another origin.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

from web5.errors import RemoteError, TimedOut, Unreachable
from web5.ports.http import Http

Case = Callable[[Http, str], Awaitable[None]]


async def case_a_request_arrives_as_it_was_made(http: Http, base: str) -> None:
    body = bytes(range(256)) * 300
    response = await http.request("POST", f"{base}/echo", headers={"X-One": "1", "dwn-request": "{}"}, body=body)
    assert response.status == 200
    seen = json.loads(response.headers["x-seen"])
    assert seen["method"] == "POST"
    assert seen["headers"]["x-one"] == "1"
    assert seen["headers"]["dwn-request"] == "{}"
    assert "cookie" not in seen["headers"]
    assert await response.read() == body


async def case_get_and_put_and_no_body(http: Http, base: str) -> None:
    for method, body in (("GET", None), ("PUT", b"put"), ("POST", b""), ("DELETE", None)):
        response = await http.request(method, f"{base}/echo", body=body)
        assert json.loads(response.headers["x-seen"])["method"] == method
        assert await response.read() == (body or b"")


async def case_header_names_are_lower_case(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/echo")
    await response.read()
    assert "x-seen" in response.headers
    assert all(name == name.lower() for name in response.headers)


async def case_any_status_is_a_response(http: Http, base: str) -> None:
    for status in (200, 202, 204, 400, 404, 500, 503):
        response = await http.request("GET", f"{base}/status/{status}")
        assert response.status == status
        assert await response.read() == (b"" if status == 204 else str(status).encode())


async def case_a_body_comes_in_pieces_as_it_is_sent(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/first-then-wait", timeout=20)
    chunks = response.chunks()
    assert await anext(chunks) == b"first"
    # The server sends the rest only when it is asked to: the first piece did not wait for it.
    await (await http.request("POST", f"{base}/go-on", body=b"")).read()
    assert b"".join([chunk async for chunk in chunks]) == b" and the rest"


async def case_a_large_body_comes_whole(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/large")
    body = await response.read()
    assert len(body) == 3_000_000
    assert body == (bytes(range(250)) * 12_000)


async def case_silence_before_the_headers_times_out(http: Http, base: str) -> None:
    started = time.monotonic()
    await _expect(TimedOut, http.request("GET", f"{base}/silent", timeout=0.3))
    assert 0.25 < time.monotonic() - started < 5


async def case_silence_within_the_body_times_out(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/silent-body", timeout=0.3)
    assert response.status == 200
    await _expect(TimedOut, response.read())


async def case_a_body_that_breaks_off_is_unreachable(http: Http, base: str) -> None:
    async def read() -> bytes:
        return await (await http.request("GET", f"{base}/break-off")).read()

    await _expect(Unreachable, read())


async def case_nobody_there_is_unreachable(http: Http, base: str) -> None:
    await _expect(Unreachable, http.request("GET", "http://127.0.0.1:9/", timeout=10))


async def case_a_url_that_is_none_is_a_remote_error(http: Http, base: str) -> None:
    await _expect(RemoteError, http.request("GET", "http://", timeout=5))


async def case_a_cancelled_request_stops(http: Http, base: str) -> None:
    asking = asyncio.ensure_future(http.request("GET", f"{base}/silent", timeout=30))
    await (await http.request("GET", f"{base}/echo")).read()
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
        return await (await http.request("POST", f"{base}/echo", body=str(number).encode())).read()

    assert await asyncio.gather(*map(one, range(12))) == [str(number).encode() for number in range(12)]


async def case_redirects_are_followed(http: Http, base: str) -> None:
    response = await http.request("GET", f"{base}/redirect")
    assert response.status == 200
    assert await response.read() == b"200"


async def _expect(kind: type[Exception], doing: Awaitable[object]) -> None:
    try:
        await doing
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
