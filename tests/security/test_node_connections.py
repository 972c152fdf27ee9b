"""Sockets of strangers against a real server: they end at their deadlines, and never make it unreachable."""

import asyncio
import dataclasses
import os
import resource
from pathlib import Path

import httpx
import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.served import served
from web5.cpython.websocket import CPythonWebSockets
from web5.errors import AskedToWait, NoWebSocket, Unreachable
from web5.node.http.connections import ConnectionLimits
from web5.tasks import first_of

SHORT = ConnectionLimits(head=0.2, body=0.2, taking=0.2, idle=2, slowest=1000)
HALF = b"GET /dwn0/health HTTP/1.1\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
LIMIT = 60


class App:
    """An ASGI app that reads all of a request and answers with so many bytes as its path says, for as long as it may.

    Attributes:
        began, over: set when a request came, and when it was over in any way.
    """

    def __init__(self) -> None:
        self.began, self.over = asyncio.Event(), asyncio.Event()
        self.bodies: list[bytes] = []

    async def __call__(self, scope, receive, send) -> None:
        self.began.set()
        try:
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.accept"})
                while (await receive())["type"] != "websocket.disconnect":
                    await self._flood(send)
                return
            body = b""
            while (message := await receive())["type"] == "http.request":
                body += message["body"]
                if not message["more_body"]:
                    self.bodies.append(body)
                    break
            else:
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            if scope["path"] == "/flood":
                await first_of(self._flood(send), self._gone(receive))
            await send({"type": "http.response.body", "body": b"ok"})
        finally:
            self.over.set()

    async def _flood(self, send) -> None:
        more = {"type": "http.response.body", "body": b"x" * 100_000, "more_body": True}
        while True:
            await send({"type": "websocket.send", "text": "x" * 100_000} if self.is_socket else more)
            await asyncio.sleep(0)

    is_socket = False

    async def _gone(self, receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass


async def connect(url: str, source: str = "127.0.0.1"):
    return await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]), local_addr=(source, 0))


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What still comes before the connection ends, which it must."""
    async with asyncio.timeout(LIMIT):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HALF,
        HALF + b"x: " + b"y" * 200_000,
        HEAD + b"\r\n",
        HEAD + b"\r\n" + b"x" * 10,
        HEAD + b"Expect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
async def test_a_request_that_does_not_go_on_is_given_up(sent):
    app = App()
    async with served(app, SHORT) as url:
        reader, writer = await connect(url)
        writer.write(sent)
        assert await ends(reader) in (b"", b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.close()
        if app.began.is_set():
            async with asyncio.timeout(LIMIT):
                await app.over.wait()
        assert app.bodies == []


async def test_a_body_that_trickles_is_given_up_too():
    async with served(App(), SHORT) as url:
        reader, writer = await connect(url)
        writer.write(HEAD + b"\r\n")

        async def trickle() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.ensure_future(trickle())
        assert await ends(reader) == b""
        trickling.cancel()
        writer.close()


async def test_an_idle_connection_ends_and_one_that_asks_again_is_served():
    async with served(App(), SHORT) as url:
        reader, writer = await connect(url)
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"0\r\n\r\n")
        assert await ends(reader) == b""
        writer.close()


async def test_a_connection_ends_whose_request_was_answered_before_it_had_come_whole():
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b"no"})

    async with served(app, SHORT) as url:
        reader, writer = await connect(url)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")
            assert b"403 Forbidden" in await reader.readuntil(b"0\r\n\r\n")
            writer.write(b"after")
        assert await ends(reader) == b""
        writer.close()


async def test_an_answer_that_is_not_taken_is_given_up():
    app = App()
    async with served(app, SHORT) as url:
        _, writer = await connect(url)
        writer.transport.pause_reading()
        writer.write(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(LIMIT):
            await app.over.wait()
        writer.transport.abort()


async def test_a_socket_that_takes_nothing_is_given_up():
    app = App()
    app.is_socket = True
    async with served(app, SHORT) as url:
        reader, writer = await connect(url)
        writer.write(HANDSHAKE + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.transport.pause_reading()
        writer.write(b"\x81\x80abcd")
        async with asyncio.timeout(LIMIT):
            await app.over.wait()
        writer.transport.abort()


@pytest.mark.parametrize("frame", [b"\x81\xfe\xff", b"\x01\x82abcdab", b"\x81\xfe\x40\x00abcd" + b"x" * 100])
async def test_a_text_that_does_not_go_on_ends_its_socket(frame):
    app = App()
    async with served(app, SHORT) as url:
        reader, writer = await connect(url)
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame)
        await ends(reader)
        async with asyncio.timeout(LIMIT):
            await app.over.wait()
        writer.close()


@pytest.mark.parametrize("more", [b"a: " + b"b" * 9000, b"a: b\r\nb: " + b"c" * 100_000])
async def test_a_handshake_that_cannot_be_read_ends_at_once(more):
    async with served(App(), dataclasses.replace(SHORT, head=LIMIT, taking=LIMIT)) as url:
        reader, writer = await connect(url)
        writer.write(HANDSHAKE + more + b"\r\n\r\n")
        assert (await ends(reader)).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_text_that_is_no_utf_8_ends_its_socket_without_a_word_in_the_log(caplog):
    async with served(App(), SHORT) as url:
        reader, writer = await connect(url)
        writer.write(HANDSHAKE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x81\x00\x00\x00\x00\xff")
        assert (await ends(reader))[2:4] == (1007).to_bytes(2, "big")
        writer.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def health(url: str, source: str) -> int:
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=LIMIT) as client:
        return (await client.get("/dwn0/health")).status_code


async def test_idle_sockets_of_a_stranger_keep_nobody_out():
    async with served(App(), ConnectionLimits(connections=20, head=LIMIT)) as url:
        open_ones = []
        for _ in range(100):
            _, writer = await connect(url)
            writer.write(HALF)
            open_ones.append(writer)
        for source in ("127.0.0.2", "127.0.0.1"):
            assert await health(url, source) == 200
        for writer in open_ones:
            writer.transport.abort()


async def test_busy_sockets_of_a_stranger_keep_nobody_else_out():
    app = App()
    async with served(app, ConnectionLimits(connections=20, per_address=20)) as url:
        sockets = [await CPythonWebSockets().connect(url.replace("http", "ws")) for _ in range(20)]
        with pytest.raises((NoWebSocket, Unreachable, AskedToWait)):
            await CPythonWebSockets().connect(url.replace("http", "ws"))
        assert await health(url, "127.0.0.1") == 503
        assert await health(url, "127.0.0.2") == 200
        for socket in sockets:
            await socket.close()


async def test_with_few_descriptors_the_node_answers_and_its_log_stays_small(tmp_path: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = EmbeddedServer(tmp_path / "data")
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        await server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    open_ones = []
    try:
        for _ in range(500):
            _, writer = await connect(server.url)
            writer.write(HALF)
            open_ones.append(writer)
        for source in ("127.0.0.1", "127.0.0.2"):
            assert await health(server.url, source) == 200
        assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < 300 - 100
        assert len(server.log) < 10_000
    finally:
        for writer in open_ones:
            writer.transport.abort()
        await server.stop()
