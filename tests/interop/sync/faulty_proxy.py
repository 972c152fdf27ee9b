"""A reverse proxy on real sockets that is far away and, until it is told to be calm, does what networks and servers do.

Invariants:
1. What befalls a request is drawn from a deck that a seed has shuffled: everything in it comes once before anything
   comes again.
2. Once `calm` has returned nothing goes wrong any more, and no message arrives that was sent before.
3. One connection carries one request, or one WebSocket.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Any, Generic, TypeVar

from web5.dwn.wire import rpc

LATENCY = 0.05
"""Seconds from a request's arrival here until it is sent on, and for whatever comes over a WebSocket."""

LATER = 1.2
"""Seconds until a request is delivered again, at most."""

LARGEST_HEAD = 64 * 1024
PIECE = 64 * 1024


@dataclass(frozen=True)
class Exchange:
    """One request on its way.

    Parameters:
        ask: has the server process the request, as often as it is called, and returns its whole response.
        later: does something after the reply.
        time_out: has the client think that the reply does not come any more.
    """

    head: bytes
    random: Random
    ask: Callable[[], Awaitable[bytes]]
    later: Callable[[Coroutine[Any, Any, None]], None]
    time_out: Callable[[], None]

    @property
    def id(self) -> rpc.Id:
        return _rpc_id(self.head)


Fate = Callable[[Exchange], Awaitable[bytes]]
"""What befalls a request: gives the bytes that the client gets before its connection ends."""


# -- on the way


async def passes(exchange: Exchange) -> bytes:
    return await exchange.ask()


async def cut_before(exchange: Exchange) -> bytes:
    return b""


async def cut_after(exchange: Exchange) -> bytes:
    await exchange.ask()
    return b""


async def cut_in_body(exchange: Exchange) -> bytes:
    response = await exchange.ask()
    _, _, body = response.partition(b"\r\n\r\n")
    return response[: -exchange.random.randint(1, len(body) or 1)]


async def cut_in_head(exchange: Exchange) -> bytes:
    return (await exchange.ask())[:40]


async def late(exchange: Exchange) -> bytes:
    response = await exchange.ask()
    exchange.time_out()
    return response


async def twice(exchange: Exchange) -> bytes:
    await exchange.ask()
    return await exchange.ask()


async def at_the_same_time(exchange: Exchange) -> bytes:
    one, _ = await asyncio.gather(exchange.ask(), exchange.ask())
    return one


async def again_later(exchange: Exchange) -> bytes:
    async def again() -> None:
        await asyncio.sleep(exchange.random.uniform(0, LATER))
        with suppress(OSError):  # the server may be down by then
            await exchange.ask()

    exchange.later(again())
    return await exchange.ask()


# -- what is answered instead


def page(status: int, body: bytes = b"<h1>Not today</h1>", kind: str = "text/html") -> Fate:
    """An answer that no DWN made."""

    async def act(exchange: Exchange) -> bytes:
        return _response(status, body, kind)

    return act


def reply(code: int, detail: str) -> Fate:
    """An answer in a DWN's words."""

    async def act(exchange: Exchange) -> bytes:
        text = rpc.encode_reply(exchange.id, {"status": {"code": code, "detail": detail}})
        return _response(200, text.encode(), "application/json")

    return act


async def done_but_failed(exchange: Exchange) -> bytes:
    await exchange.ask()
    return _response(502, b"<h1>Bad Gateway</h1>", "text/html")


async def noise(exchange: Exchange) -> bytes:
    return _response(200, exchange.random.randbytes(300), "application/json")


async def no_http(exchange: Exchange) -> bytes:
    return exchange.random.randbytes(300)


def _response(status: int, body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body


FAULTS: Mapping[str, Fate] = {
    "cut before the request arrived": cut_before,
    "cut after it was processed": cut_after,
    "cut within the reply's body": cut_in_body,
    "cut within the reply's head": cut_in_head,
    "a late reply": late,
    "delivered twice": twice,
    "delivered twice at the same time": at_the_same_time,
    "delivered again later": again_later,
    "429 of a gateway": page(429),
    "429 of a node": reply(429, "TooManyRequests: slowly"),
    "500 of a gateway": page(500),
    "500 of a node": reply(500, "SqliteError: database is locked"),
    "502 although it was processed": done_but_failed,
    "503 of a gateway": page(503),
    "503 of a node": reply(503, "ServiceUnavailable: starting"),
    "507 of a gateway": page(507),
    "507 of a node": reply(507, "InsufficientStorage: the quota is used up"),
    "noise in the place of JSON": noise,
    "noise in the place of HTTP": no_http,
    "JSON of another kind": page(200, b'{"hello": ["world"]}', "application/json"),
    "a login page": page(200, b"<h1>Welcome to our Wi-Fi</h1>"),
}


# -- WebSockets


@dataclass(frozen=True)
class Wire:
    """What befalls a WebSocket.

    Parameters:
        opens: False: the handshake is refused with 503.
        says: bytes that the client gets right after the handshake.
        bytes_in, bytes_out: after so many to and from the client the connection is cut.
    """

    opens: bool = True
    says: bytes = b""
    bytes_in: float = float("inf")
    bytes_out: float = float("inf")


def _text_frame(text: bytes) -> bytes:
    return b"\x81" + bytes([len(text)]) + text


GOOD_WIRE = Wire()
WIRES: Mapping[str, Wire] = {
    "handshake refused": Wire(opens=False),
    "cut within the handshake": Wire(bytes_in=20),
    "cut within what the server says": Wire(bytes_in=700),
    "cut within what the client says": Wire(bytes_out=1200),
    "noise in the place of JSON, on a WebSocket": Wire(says=_text_frame(b"noise")),
    "JSON of another kind, on a WebSocket": Wire(says=_text_frame(b'["hello"]')),
    "noise in the place of frames": Wire(says=bytes(range(200, 250))),
}


T = TypeVar("T")


class Deck(Generic[T]):
    """Cards that come in an order of chance, each once before any comes again (invariant 1).

    Parameters:
        cards: name to card.
        good: what comes, besides, `goods` times.
    """

    def __init__(self, random: Random, cards: Mapping[str, T], good: T, goods: int) -> None:
        self._random = random
        self._cards: Sequence[tuple[str, T]] = [*cards.items(), *([("", good)] * goods)]
        self._good = good
        self._left: list[tuple[str, T]] = []
        self._calm = False
        self.drawn: Counter[str] = Counter()

    def draw(self) -> T:
        if self._calm:
            return self._good
        if not self._left:
            self._left = self._random.sample(self._cards, len(self._cards))
        name, card = self._left.pop()
        self.drawn[name] += 1
        return card

    def calm(self) -> None:
        self._calm = True


class FaultyProxy:
    """Stands before the server at `target`; `url` is its address, which stays the same.

    Use it as an async context manager.

    Parameters:
        goods: how many requests pass without harm for one of each fault; None: all do, unless `deal` says otherwise.

    Attributes:
        befell: how often each fault has happened.
        on_late: called with the ID of a JSON-RPC request whose reply does not come in time.
    """

    on_late: Callable[[rpc.Id], None]

    def __init__(self, target: str, seed: int, goods: int | None = 20) -> None:
        self._target = _address(target)
        self._random = Random(seed)
        self._deck = Deck(self._random, FAULTS, passes, goods or 0)
        self._wires = Deck(self._random, WIRES, GOOD_WIRE, 3)
        if goods is None:
            self._deck.calm()
            self._wires.calm()
        self._dealt: deque[Fate] = deque()
        self._port = 0
        self._server: asyncio.Server | None = None
        self._requests: set[asyncio.Task[Any]] = set()
        self._tunnels: set[asyncio.Task[Any]] = set()
        self._asking = 0
        self._changed = asyncio.Condition()
        self._shut = False
        self.on_late = lambda _: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def befell(self) -> Counter[str]:
        return Counter({name: count for name, count in (self._deck.drawn + self._wires.drawn).items() if name})

    def deal(self, *fates: Fate) -> None:
        """These befall the next requests."""
        self._dealt.extend(fates)

    async def calm(self) -> None:
        """Do nothing wrong any more; return when all requests under way have ended, and WebSockets are cut."""
        self._deck.calm()
        self._wires.calm()
        self._dealt.clear()
        await _ended(self._tunnels)
        while self._requests:
            await asyncio.wait(self._requests)

    async def refuse(self) -> None:
        """Refuse connections, and cut those that are open, until `listen`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await _ended(self._tunnels | self._requests)

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, limit=LARGEST_HEAD)
        self._port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> FaultyProxy:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    # -- connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                head = await reader.readuntil(b"\r\n\r\n")
                if _fields(head).get(b"upgrade", b"").lower() == b"websocket":
                    await self._tracked(self._tunnels, self._tunnel(self._wires.draw(), head, reader, writer))
                else:
                    await self._tracked(self._requests, self._exchange(head, reader, writer))
        finally:
            writer.close()

    async def _exchange(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await reader.readexactly(int(_fields(head).get(b"content-length", b"0")))
        await asyncio.sleep(LATENCY)
        sent = _closing(head) + body
        fate = self._dealt.popleft() if self._dealt else self._deck.draw()
        exchange = Exchange(
            head, self._random, lambda: self._ask(sent), self._do_later, lambda: self.on_late(_rpc_id(head))
        )
        writer.write(await fate(exchange))
        await writer.drain()

    @asynccontextmanager
    async def between_requests(self) -> AsyncIterator[None]:
        """The server processes none until the end of the block; those that arrive meanwhile wait."""
        async with self._changed:
            self._shut = True
            await self._changed.wait_for(lambda: not self._asking)
        try:
            yield
        finally:
            async with self._changed:
                self._shut = False
                self._changed.notify_all()

    async def _ask(self, request: bytes) -> bytes:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._shut)
            self._asking += 1
        try:
            reader, writer = await asyncio.open_connection(*self._target)
            try:
                writer.write(request)
                await writer.drain()
                return await reader.read()
            finally:
                writer.close()
        finally:
            self._asking -= 1
            async with self._changed:
                self._changed.notify_all()

    async def _tunnel(
        self, wire: Wire, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not wire.opens:
            writer.write(_response(503, b"", "text/plain"))
            return
        from_server, to_server = await asyncio.open_connection(*self._target)
        try:
            to_server.write(head)
            opened = await from_server.readuntil(b"\r\n\r\n")
            writer.write((opened + wire.says)[: int(min(wire.bytes_in, PIECE))])
            ways = (
                asyncio.ensure_future(_pump(from_server, writer, wire.bytes_in - len(opened))),
                asyncio.ensure_future(_pump(reader, to_server, wire.bytes_out)),
            )
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            to_server.close()

    def _do_later(self, work: Coroutine[Any, Any, None]) -> None:
        self._tracked(self._requests, work)

    @staticmethod
    def _tracked(tasks: set[asyncio.Task[Any]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: float) -> None:
    """Carry bytes from one end to the other, late, until there are none or so many have passed."""
    while left > 0 and (piece := await reader.read(PIECE)):
        await asyncio.sleep(LATENCY)
        writer.write(piece[: int(min(left, len(piece)))])
        await writer.drain()
        left -= len(piece)


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def _fields(head: bytes) -> dict[bytes, bytes]:
    found = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        found[name.strip().lower()] = value.strip()
    return found


def _rpc_id(head: bytes) -> rpc.Id:
    """The ID of the JSON-RPC request in a head, if there is one."""
    request = _fields(head).get(rpc.REQUEST_HEADER.encode())
    return None if request is None else rpc.parse_request(request.decode()).id


def _closing(head: bytes) -> bytes:
    """The same request, whose connection the server is to close after its response."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"connection: close", b"", b""])
