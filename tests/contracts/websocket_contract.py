"""What every WebSockets port promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a port and the address of `tests.contracts.websocket_server`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.contracts.expect import expect
from web5.errors import AskedToWait, NoWebSocket, RemoteError, TimedOut, Unreachable
from web5.ports.websocket import WebSocket, WebSockets

Case = Callable[[WebSockets, str], Awaitable[None]]
TEXTS = ["", "text", '{"a":"é, 世界 🦊"}', "line\nline\x00", "x" * 300_000]


async def case_texts_come_and_go_in_order_whatever_they_hold(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/echo")
    for text in TEXTS:
        await socket.send(text)
    received = aiter(socket)
    assert [await anext(received) for _ in TEXTS] == TEXTS
    await socket.close()


async def case_a_large_text_comes_whole(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/large/5000000")
    assert await anext(aiter(socket)) == "é" * 5_000_000
    await socket.close()


async def case_all_that_was_sent_before_the_end_is_given_first(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/count/500")
    received, end = await _read(socket)
    assert received == [str(number) for number in range(500)]
    assert isinstance(end, Unreachable)


async def case_an_end_by_the_other_side_is_told(sockets: WebSockets, base: str) -> None:
    for code in (1000, 1011, 4000):
        socket = await sockets.connect(f"{base}/close/{code}")
        received, end = await _read(socket)
        assert received == ["last words"]
        assert isinstance(end, Unreachable)
        assert str(code) in str(end) and "because" in str(end), str(end)
        await expect(Unreachable, socket.send("too late"))
        await socket.close()


async def case_a_connection_that_breaks_is_told(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/break-off")
    await socket.send("break off")
    received, end = await _read(socket)
    assert received == ["last words"]
    assert isinstance(end, Unreachable)
    await expect(Unreachable, socket.send("too late"))


async def case_what_is_no_text_ends_the_connection(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/bytes")
    received, end = await _read(socket)
    assert received == ["a text"]
    assert isinstance(end, Unreachable)
    await expect(Unreachable, socket.send("too late"))


async def case_closing_ends_whoever_iterates(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/echo")
    reading = asyncio.ensure_future(_read(socket))
    await asyncio.sleep(0)
    await socket.close()
    assert await asyncio.wait_for(reading, 5) == ([], None)
    await expect(Unreachable, socket.send("too late"))


async def case_closing_twice_and_while_texts_come_in_is_safe(sockets: WebSockets, base: str) -> None:
    socket = await sockets.connect(f"{base}/flood")
    received = aiter(socket)
    await anext(received)
    await asyncio.gather(socket.close(), socket.close())
    await socket.close()
    await expect(StopAsyncIteration, anext(received))


async def case_nobody_there_is_unreachable(sockets: WebSockets, base: str) -> None:
    await expect(Unreachable, sockets.connect("ws://127.0.0.1:9/", timeout=10))


async def case_silence_times_out(sockets: WebSockets, base: str) -> None:
    started = time.monotonic()
    await expect(TimedOut, sockets.connect(f"{base}/silent", timeout=0.3))
    assert 0.25 < time.monotonic() - started < 5


async def case_a_server_that_offers_none_is_a_remote_error(sockets: WebSockets, base: str) -> None:
    for status in (200, 404, 426):
        await expect((NoWebSocket, Unreachable), sockets.connect(f"{base}/status/{status}"))


async def case_a_server_that_asks_for_a_pause_is_a_remote_error(sockets: WebSockets, base: str) -> None:
    await expect((AskedToWait, Unreachable), sockets.connect(f"{base}/status/429"))


async def case_a_url_that_is_none_is_a_remote_error(sockets: WebSockets, base: str) -> None:
    for url in ("ws://", "ws://host:port/", "nonsense"):
        await expect(RemoteError, sockets.connect(url, timeout=5))


async def case_a_cancelled_connect_stops(sockets: WebSockets, base: str) -> None:
    connecting = asyncio.ensure_future(sockets.connect(f"{base}/silent"))
    await (await sockets.connect(f"{base}/echo")).close()
    connecting.cancel()
    await asyncio.wait([connecting], timeout=5)
    assert connecting.cancelled()


async def case_several_at_once(sockets: WebSockets, base: str) -> None:
    async def one(number: int) -> str:
        socket = await sockets.connect(f"{base}/echo")
        await socket.send(str(number))
        text = await anext(aiter(socket))
        await socket.close()
        return text

    assert await asyncio.gather(*map(one, range(12))) == [str(number) for number in range(12)]


async def _read(socket: WebSocket) -> tuple[list[str], Exception | None]:
    """Everything that comes in, and the error at its end."""
    received: list[str] = []
    texts = aiter(socket)
    try:
        while True:
            received.append(await anext(texts))
    except RemoteError as error:
        return received, error
    except StopAsyncIteration:
        return received, None


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
