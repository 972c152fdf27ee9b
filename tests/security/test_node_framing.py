"""Bytes on the wire hold as many requests as a strict reader finds in them, however they are mutated.

The reader here has the whole text at hand, and knows nothing of `web5.node.http.framing`. The server is the node's own,
on real sockets, with an app that takes down what it is asked.
"""

import asyncio
import gc
import re
import tracemalloc
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from tests.security.examples import examples
from tests.served import served
from tests.unit.node.http.test_framing import BAD, CHUNKED, GET, OLD, POST

EXAMPLES = 400
LIMIT = 60

UPGRADE = b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
CLOSING = b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SMUGGLER = b"POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET) + GET
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
WHOLE = [GET, POST, CHUNKED, OLD, CLOSING, SMUGGLER, UPGRADE]
PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\n\n",
        b" ",
        b"\t",
        b"\x00",
        b"\x0b",
        b"0",
        b"3",
        b"a",
        b":",
        b";x=y",
        b",",
    ),
    *(b"0\r\n\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"content-length: 40\r\n", b"X: y\r\n z\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: xchunked\r\n"),
    *(b"Host: y\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", GET, LAST),
]
TRIED: Counter[str] = Counter()

HOST = re.compile(rb"([\w.-]*|\[[\da-fA-F:.]+\])(:\d{0,5})?")
TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Strict:
    """The requests in a text, as a reader finds them who takes nothing that could be meant otherwise."""

    def __init__(self, text: bytes) -> None:
        self.requests: list[tuple[bytes, bytes, bytes]] = []
        self.end = "more"  # or "closed", by the last request's wish, or "bad"
        self.refused: list[int] = []
        self._text = text
        while self._text and self.end == "more" and self._one():
            pass

    def _bad(self, status: int = 400) -> bool:
        self.end, self.refused = "bad", [status]
        return False

    def _one(self) -> bool:
        head, mark, rest = self._text.partition(b"\r\n\r\n")
        if not mark:
            return False
        lines = head.split(b"\r\n")
        first = lines[0].split(b" ")
        if len(first) != 3 or not TOKEN.fullmatch(first[0]) or first[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
            return self._bad()
        if first[1][:1] != b"/" or any(byte <= 0x20 or byte >= 0x7F or byte == 0x23 for byte in first[1]):
            return self._bad()
        known = first[0] in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE")
        fields: dict[bytes, list[bytes]] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.fullmatch(name) or any(b == 0x7F or (b < 0x20 and b != 9) for b in value):
                return self._bad()
            fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
        if not known:
            return self._bad(501)
        lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
        hosts, new = fields.get(b"host", []), first[2] == b"HTTP/1.1"
        if len(hosts) > 1 or (new and not hosts) or not all(map(HOST.fullmatch, hosts)):
            return self._bad()
        if len(lengths + codings) > 1 or any(not value.isdigit() or len(value) > 15 for value in lengths):
            return self._bad()
        if codings and (not new or codings[0].lower() != b"chunked"):
            return self._bad()
        size = int(lengths[0]) if lengths else 0
        if b"upgrade" in fields and (codings or size):
            return self._bad()
        body = b""
        if codings:
            while True:
                line, mark, after = rest.partition(b"\r\n")
                if b"\n" in line or len(line) > 15 or (mark and not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line)):
                    return self._bad()
                if not mark:
                    return False
                chunk, end = after[: int(line, 16)], after[int(line, 16) :][:2]
                if len(chunk) < int(line, 16) or b"\r\n"[: len(end)] != end:
                    return False if len(chunk) < int(line, 16) else self._bad()
                if len(end) < 2:
                    return False
                body, rest = body + chunk, after[int(line, 16) + 2 :]
                if not chunk:
                    break
        elif len(rest) < size:
            return False
        else:
            body, rest = rest[:size], rest[size:]
        self.requests.append((first[0], first[1], body))
        self._text = rest
        wishes = [wish.strip().lower() for value in fields.get(b"connection", []) for wish in value.split(b",")]
        if not new or b"close" in wishes:
            self.end = "closed"
        return True


class Recorder:
    """An ASGI app that takes down the requests it has read to their end."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, bytes, bytes]] = []

    async def __call__(self, scope, receive, send) -> None:
        assert scope["type"] == "http"
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        self.requests.append((scope["method"].encode(), target, body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def talk(port: int, pieces: list[bytes], answers: int | None) -> tuple[list[int], bool]:
    """The statuses of the answers, and whether the server closed; `answers` None: all until it does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    statuses: list[int] = []
    closed = False
    try:
        async with asyncio.timeout(LIMIT):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            while answers is None or len(statuses) < answers:
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ")[1])
                if status != 100:
                    statuses.append(status)
                    await reader.readexactly(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
    except (asyncio.IncompleteReadError, ConnectionError):
        closed = True
    finally:
        writer.transport.abort()
    return statuses, closed


@st.composite
def streams(draw) -> tuple[bytes, list[int]]:
    """Some requests, mutated or not, with the last one behind them, and where they are cut."""
    stream = bytearray(b"".join(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(stream)))
        match draw(st.integers(0, 3)):
            case 0:
                stream[at:at] = draw(st.sampled_from(PIECES))
            case 1:
                del stream[at : at + draw(st.integers(1, 4))]
            case 2:
                stream[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 3:  # a line more among the fields
                line = stream.find(b"\r\n", at)
                stream[line + 2 : line + 2] = draw(st.sampled_from(PIECES))
    return bytes(stream) + LAST, sorted(draw(st.lists(st.integers(0, len(stream)), max_size=3)))


async def check(port: int, app: Recorder, stream: bytes, cuts: list[int]) -> None:
    wanted = Strict(stream)
    app.requests.clear()
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    statuses, closed = await talk(port, pieces, len(wanted.requests) if wanted.end == "more" else None)
    assert app.requests == wanted.requests, stream
    assert statuses == [200] * len(wanted.requests) + wanted.refused, stream
    assert closed == (wanted.end != "more")
    TRIED[wanted.end] += 1


def test_no_mutation_hides_a_request_in_another():
    with asyncio.Runner() as runner:
        stack, app = AsyncExitStack(), Recorder()
        port = int(runner.run(stack.enter_async_context(served(app))).rpartition(":")[2])

        @examples(EXAMPLES)
        @given(streams())
        def one(given: tuple[bytes, list[int]]) -> None:
            runner.run(check(port, app, *given))

        try:
            one()
        finally:
            runner.run(stack.aclose())
    print(dict(TRIED))
    assert TRIED["bad"] > EXAMPLES / 20
    assert TRIED["closed"] > EXAMPLES / 20


@pytest.mark.parametrize("before", [b"", GET, POST + CHUNKED])
@pytest.mark.parametrize("stream", BAD.values(), ids=BAD)
async def test_what_is_ambiguous_is_answered_once_and_the_connection_closed(stream, before):
    app = Recorder()
    async with served(app) as url:
        await check(
            int(url.rpartition(":")[2]), app, before + stream + (b"" if stream.endswith(b"0" * 50) else GET), []
        )


AHEAD = 5000
PIECE = bytes(64 * 1024)
PIECES_AFTER = 200
SOCKET = (
    b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Patient:
    """An ASGI app that answers a request when it may.

    Attributes:
        may_answer: set when it may.
        most: the most requests that there were at a time, in memory.
    """

    def __init__(self) -> None:
        self.came, self.may_answer = asyncio.Event(), asyncio.Event()
        self.most = 0

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        if not self.came.is_set():
            self.came.set()
            await asyncio.wait_for(self.may_answer.wait(), LIMIT)
            self.most = sum(type(one) is RequestResponseCycle for one in gc.get_objects())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def test_of_those_that_are_sent_ahead_one_at_a_time_becomes_a_request():
    app = Patient()
    async with served(app) as url, asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(GET * AHEAD + SOCKET)
        await app.came.wait()
        app.may_answer.set()
        for _ in range(AHEAD):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.transport.abort()
    assert app.most == 1


async def test_what_comes_after_a_refusal_is_not_kept():
    async with served(Patient()) as url, asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(BAD["bare LF"])
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        tracemalloc.start()
        try:
            for _ in range(PIECES_AFTER):
                writer.write(PIECE)
                await writer.drain()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            writer.transport.abort()
    assert kept < PIECES_AFTER * len(PIECE) / 4
