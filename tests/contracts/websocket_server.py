"""The server that the WebSocket contract talks to: it echoes, floods, keeps silent and breaks off."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

_over = threading.Event()


def _echo(connection: ServerConnection, argument: str) -> None:
    for text in connection:
        connection.send(text)


def _count(connection: ServerConnection, argument: str) -> None:
    for number in range(int(argument)):
        connection.send(str(number))


def _flood(connection: ServerConnection, argument: str) -> None:
    while True:
        connection.send("x" * 1000)
        time.sleep(0.0002)  # a worker of WebKit is not let do anything else while more than it can hear comes in


def _large(connection: ServerConnection, argument: str) -> None:
    connection.send("é" * int(argument))
    connection.recv()


def _close(connection: ServerConnection, argument: str) -> None:
    connection.send("last words")
    connection.close(int(argument), "because")


def _break_off(connection: ServerConnection, argument: str) -> None:
    connection.recv()  # Firefox takes a connection that breaks at once for one that never was
    connection.send("last words")
    connection.socket.shutdown(socket.SHUT_RDWR)


def _bytes(connection: ServerConnection, argument: str) -> None:
    connection.send("a text")
    connection.send(b"bytes")
    connection.recv()


ROUTES: dict[str, Callable[[ServerConnection, str], None]] = {
    "echo": _echo,
    "count": _count,
    "flood": _flood,
    "large": _large,
    "close": _close,
    "break-off": _break_off,
    "bytes": _bytes,
}


def _handle(connection: ServerConnection) -> None:
    assert connection.request is not None
    name, _, argument = connection.request.path.removeprefix("/").partition("/")
    with suppress(ConnectionClosed):  # clients here go away on purpose
        ROUTES[name](connection, argument)


def _before(connection: ServerConnection, request: Request) -> Response | None:
    name, _, argument = request.path.removeprefix("/").partition("/")
    if name == "silent":
        _over.wait(30)
    if name == "status":
        return connection.respond(HTTPStatus(int(argument)), "no WebSocket here")
    return None


@contextmanager
def websocket_server() -> Iterator[str]:
    """Run the server; gives its address."""
    quiet = logging.getLogger("tests.websocket_server")
    quiet.setLevel(logging.CRITICAL)
    _over.clear()
    with serve(_handle, "127.0.0.1", 0, process_request=_before, compression=None, logger=quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            _over.set()
            server.shutdown()
