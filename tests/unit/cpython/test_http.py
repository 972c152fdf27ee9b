"""HttpxHttp against sockets that answer byte by byte what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from web5.cpython.guard import guarded_http
from web5.cpython.http import HttpxHttp, certificate_authorities
from web5.errors import TimedOut, Unreachable

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(talk: Talk) -> AsyncIterator[str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.fixture
async def http() -> AsyncIterator[HttpxHttp]:
    http = HttpxHttp()
    yield http
    await http.close()


async def test_certificate_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch):
    certificate_authorities()
    read: list[object] = []
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **where: read.append(where))
    await HttpxHttp().close()
    await guarded_http().close()
    assert read == []


async def test_any_status_is_a_response_and_headers_are_latin1(http: HttpxHttp):
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nX-Name: caf\xe9\r\nX-Name: two\r\nContent-Length: 4\r\n\r\nwait")

    async with answering(talk) as url:
        response = await http.request("GET", url)
        assert response.status == 503
        assert response.headers["x-name"] == "café, two"
        assert await response.read(100) == b"wait"
        await response.close()
        await response.close()


async def test_body_arrives_before_its_end(http: HttpxHttp):
    seen = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfour")
        await seen.wait()
        writer.write(b"more")

    async with answering(talk) as url:
        response = await http.request("GET", url)
        got = []
        async for chunk in response.chunks():
            got.append(chunk)
            seen.set()
        assert got == [b"four", b"more"]


async def test_connection_that_breaks_in_the_body_is_unreachable(http: HttpxHttp):
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")

    async with answering(talk) as url:
        response = await http.request("GET", url)
        with pytest.raises(Unreachable):
            await response.read(100)


@pytest.mark.parametrize("opening", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_silence_is_timed_out(http: HttpxHttp, opening: bytes):
    done = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(opening)
        await done.wait()

    async with answering(talk) as url:
        with pytest.raises(TimedOut):
            await (await http.request("GET", url, timeout=0.1)).read(100)
        done.set()


async def test_headers_that_trickle_do_not_stretch_the_timeout(http: HttpxHttp):
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-More: 1\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with answering(talk) as url:
        with pytest.raises(TimedOut):
            await http.request("GET", url, timeout=0.2)


async def test_nobody_listens(http: HttpxHttp):
    async with answering(lambda reader, writer: asyncio.sleep(0)) as url:
        pass
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await http.request("GET", url)


@pytest.mark.parametrize("url", ["", "dwn0", "ftp://example.com/", "http://", "http://[::1", "http://a:b:c/"])
async def test_endpoint_that_is_no_http_url_is_unreachable(http: HttpxHttp, url: str):
    with pytest.raises(Unreachable):
        await http.request("GET", url)
