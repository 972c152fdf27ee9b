"""The HTTP server below the node: uvicorn on httptools and websockets, with strict framing, limits and deadlines.

uvicorn has a timeout for idle connections that have had an answer, and a cap that it looks at when a request has come.
A connection that has not brought one yet, brings its body or takes its answer slowly is bounded here (`connections`).
hypercorn and granian have no cap by address either, and no deadline for a body that goes by its size.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode

from web5.node.http.connections import BATCH, ConnectionLimits, Connections
from web5.node.http.framing import Framing
from web5.node.http.joined import JoinedTransport
from web5.node.limits import KIB, Limits

HEADERS_BESIDE = 16 * KIB
"""Bytes of other headers that a request may have beside its message."""

LARGEST_TEXT = 2 * Limits().message
"""Bytes of a WebSocket's text from which on the socket is closed; what is over `Limits.message` is only refused."""

PING_SECONDS = 20.0
"""Time between two pings of a WebSocket's client, and for its answer."""

GRACE_SECONDS = 3
"""Time that requests under way have by default once the server is to end."""

BACKLOG = 1024
"""Connections that the system keeps until they are accepted."""

_ALL_TAKEN = 2**40
"""More than any buffer holds: what counts as moved when a client has taken all that was there for it."""


class ServerConfig(uvicorn.Config):
    """uvicorn's settings, with the connections of the server that they are for."""

    def __init__(self, app: ASGIApp, connections: Connections, most_head: int, **more: Any) -> None:
        super().__init__(app, **more)
        self.connections = connections
        self.most_head = most_head


def refusal(status: int, headers: str = "") -> bytes:
    """Return the answer to a connection that is closed then."""
    reason = HTTPStatus(status).phrase
    text = f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(reason)}\r\n"
    return f"{text}Connection: close\r\n{headers}\r\n{reason}".encode()


class HttpProtocol(HttpToolsProtocol):
    """A connection that carries HTTP, a request at a time: what a client sends ahead waits as the bytes it is."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        own = cast(ServerConfig, config)
        self._connections, self._framing = own.connections, Framing(own.most_head)
        self._ahead = b""
        self._received = self._resumed = 0
        self._is_over = False  # it is answered for the last time; what comes is not looked at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joined = cast(asyncio.Transport, JoinedTransport(transport))
        super().connection_made(joined)
        if not self._connections.admit(self):
            transport.write(refusal(503, "Retry-After: 10\r\n"))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.drop(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_over:
            self._received += len(data)
            self._ahead += data
            self._read_on()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value.rstrip(b" \t"))

    def handle_websocket_upgrade(self) -> None:
        self._is_over = True
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        cast(JoinedTransport, self.transport).go()
        super().on_response_complete()
        self._read_on()

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    def is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or self._is_over

    def waits_for(self) -> tuple[str, int] | None:
        if self._is_over:
            return "taking", 0
        if self.flow.write_paused or self.transport.is_closing():
            return "taking", self._resumed * _ALL_TAKEN - self.transport.get_write_buffer_size()
        if self._framing.place != "head":
            asked_for = self.cycle is None or not self.cycle.waiting_for_100_continue
            return ("body", self._received) if asked_for and not self.flow.read_paused else None
        has_begun = self.cycle is None or not self._framing.is_between_requests
        return ("head", self._received) if self.is_idle() and has_begun else None

    def _read_on(self) -> None:
        """Read what is there, up to the end of the request that is to be answered next."""
        while self._ahead and not self._is_over and not self.transport.is_closing():
            if self._framing.is_between_requests and not self.is_idle():
                self.flow.pause_reading()
                return
            good, self._ahead = self._framing.feed(self._ahead)
            self._unset_keepalive_if_required()
            if good:
                super().data_received(good)
                self._wait_for_the_next()
            if self._framing.refusal is not None:
                self._refuse(self._framing.refusal)

    def _wait_for_the_next(self) -> None:
        """Wait as long as between two requests, if one that was answered before it had come whole now has."""
        if self.cycle is not None and self.is_idle() and self._framing.is_between_requests and not self._is_over:
            later = asyncio.get_running_loop().call_later
            self.timeout_keep_alive_task = later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _refuse(self, status: int) -> None:
        """Answer what is no request, or the body of none."""
        if self._framing.place != "head":  # the head was good
            if self.cycle.response_started:
                self.transport.close()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # Closed for writing only: what is still on its way would else break the connection before the answer.
        self._is_over = True
        self.transport.write(refusal(status))
        self.transport.write_eof()

    def shutdown(self) -> None:
        if self._is_over:
            self.transport.close()
        else:
            super().shutdown()


class SocketProtocol(WebSocketsSansIOProtocol):
    """A connection that carries a WebSocket."""

    _received = _resumed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(JoinedTransport, transport).go_through()
        super().connection_made(transport)
        self._connections.hand_over(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.drop(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if not self.handshake_initiated:  # the request came whole, but has longer lines than `websockets` reads
            self.transport.write(refusal(431))
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:  # uvicorn closes likewise, with a traceback in the log
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    async def send(self, message: Any) -> None:
        """Send, and return when the client has taken most of it."""
        await super().send(message)
        await self.writable.wait()

    def is_idle(self) -> bool:
        return False

    def waits_for(self) -> tuple[str, int] | None:
        if self.transport.is_closing() or not self.writable.is_set():
            return "taking", self._resumed * _ALL_TAKEN - self.transport.get_write_buffer_size()
        is_within_message = bool(self.frames or self.conn.reader.buffer)
        return ("body", self._received) if is_within_message and not self.read_paused else None

    @property
    def _connections(self) -> Connections:
        return cast(ServerConfig, self.config).connections


def server_config(
    app: ASGIApp,
    limits: ConnectionLimits | None = None,
    proxies: Sequence[str] = (),
    grace_seconds: int = GRACE_SECONDS,
) -> ServerConfig:
    """Return the settings of a server of DWNs.

    Parameters:
        grace_seconds: the time that requests under way have once the server is to end.
        proxies: addresses and networks of reverse proxies, whose `X-Forwarded-For` says who the client is; anybody
            else's says nothing.
    """
    connections = Connections(limits or ConnectionLimits())
    return ServerConfig(
        app,
        connections,
        Limits().message + HEADERS_BESIDE,
        port=0,
        http=HttpProtocol,
        ws=SocketProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        backlog=BATCH,
        timeout_keep_alive=connections.limits.idle,
        timeout_graceful_shutdown=grace_seconds,
        ws_max_size=LARGEST_TEXT,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
    )


class Server(uvicorn.Server):
    """A server that ends quietly on a signal, and accepts few connections at a time, to look at their limit between."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Unlike uvicorn's own, this does not raise the signal again at the end: the data is yet to be closed.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket for a server to listen on.

    Parameters:
        port: 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    # Not socket.create_server: it leaves the protocol open, and then asyncio does not turn Nagle's algorithm off,
    # which costs 40 ms a reply.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
