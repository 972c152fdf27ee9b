"""The server that the Http contract talks to: it echoes, streams, keeps silent and breaks off."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ALLOWED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "*",
}

PIECE = 1 << 16


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.go_on = threading.Event()
        self.arrived: set[str] = set()
        """What uploads to `/sink/NAME` arrived whole."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients here go away on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def answer(self) -> None:
        name, _, argument = self.path.removeprefix("/").partition("/")
        if self.command == "OPTIONS":
            self.reply(b"")
        else:
            ROUTES[name](self, argument)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def head(self, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def reply(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        length = {} if status == 204 else {"Content-Length": str(len(body))}
        self.head({**ALLOWED, **length, **(headers or {})}, status)
        if status != 204:
            self.wfile.write(body)

    def piece(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def _echo(handler: _Handler, argument: str) -> None:
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    seen = {"method": handler.command, "headers": {name.lower(): value for name, value in handler.headers.items()}}
    handler.reply(body, headers={"X-Seen": json.dumps(seen)})


def _sink(handler: _Handler, argument: str) -> None:
    """Take an upload in pieces, and tell what came."""
    length = int(handler.headers.get("Content-Length") or 0)
    left, digest = length, hashlib.sha256()
    while left and (piece := handler.rfile.read(min(left, PIECE))):
        digest.update(piece)
        left -= len(piece)
    if left:
        handler.close_connection = True
        return
    handler.server.arrived.add(argument)
    encoding = handler.headers.get("Transfer-Encoding")
    seen = {"length": length, "transfer-encoding": encoding, "sha256": digest.hexdigest()}
    handler.reply(json.dumps(seen).encode())


def _arrived(handler: _Handler, argument: str) -> None:
    handler.reply(json.dumps(argument in handler.server.arrived).encode())


def _too_large(handler: _Handler, argument: str) -> None:
    """Refuse an upload before reading it, as proxies do: answer, then discard what still comes."""
    handler.reply(b"too large", 413, {"Connection": "close"})
    handler.connection.shutdown(socket.SHUT_WR)
    while handler.connection.recv(PIECE):
        pass


def _slammed(handler: _Handler, argument: str) -> None:
    """Refuse an upload and close with its bytes unread, so that the client's system drops the connection."""
    handler.reply(b"too large", 413, {"Connection": "close"})


def _elsewhere(handler: _Handler, argument: str) -> None:
    """Send an upload on to `/sink/NAME`, unread."""
    handler.reply(b"", 307, {"Location": f"/sink/{argument}", "Connection": "close"})
    handler.connection.shutdown(socket.SHUT_WR)
    while handler.connection.recv(PIECE):
        pass


def _status(handler: _Handler, argument: str) -> None:
    handler.reply(argument.encode(), int(argument))


def _first_then_wait(handler: _Handler, argument: str) -> None:
    handler.server.go_on.clear()
    handler.head({**ALLOWED, "Transfer-Encoding": "chunked"})
    handler.piece(b"first")
    handler.server.go_on.wait(30)
    handler.piece(b" and the rest")
    handler.piece(b"")


def _go_on(handler: _Handler, argument: str) -> None:
    handler.server.go_on.set()
    handler.reply(b"")


def _large(handler: _Handler, argument: str) -> None:
    handler.reply(bytes(range(250)) * 12_000)


def _mebibytes(handler: _Handler, argument: str) -> None:
    handler.head({**ALLOWED, "Content-Length": str(int(argument) << 20)})
    for number in range(int(argument)):
        handler.wfile.write(bytes([number]) * (1 << 20))


def _packed(handler: _Handler, argument: str) -> None:
    """A small body that stands for so many MiB."""
    pack, piece = zlib.compressobj(wbits=zlib.MAX_WBITS | 16), bytes(1 << 20)
    packed = b"".join([*(pack.compress(piece) for _ in range(int(argument))), pack.flush()])
    handler.reply(packed, headers={"Content-Encoding": "gzip"})


def _silent(handler: _Handler, argument: str) -> None:
    handler.server.over.wait()


def _silent_body(handler: _Handler, argument: str) -> None:
    handler.head({**ALLOWED, "Transfer-Encoding": "chunked"})
    handler.piece(b"first")
    handler.server.over.wait()


def _break_off(handler: _Handler, argument: str) -> None:
    handler.head({**ALLOWED, "Content-Length": "1000"})
    handler.wfile.write(b"only this")
    handler.close_connection = True


def _redirect(handler: _Handler, argument: str) -> None:
    handler.reply(b"", 302, {"Location": "/status/200"})


def _info(handler: _Handler, argument: str) -> None:
    handler.reply(b'{"registrationRequirements": [], "webSocketSupport": false}')


def _no_cors(handler: _Handler, argument: str) -> None:
    handler.head({"Content-Length": "0"})


ROUTES: dict[str, Callable[[_Handler, str], None]] = {
    "echo": _echo,
    "sink": _sink,
    "arrived": _arrived,
    "too-large": _too_large,
    "slammed": _slammed,
    "elsewhere": _elsewhere,
    "status": _status,
    "first-then-wait": _first_then_wait,
    "go-on": _go_on,
    "large": _large,
    "mebibytes": _mebibytes,
    "packed": _packed,
    "silent": _silent,
    "silent-body": _silent_body,
    "break-off": _break_off,
    "redirect": _redirect,
    "no-cors": _no_cors,
    "info": _info,
}


@contextmanager
def http_server() -> Iterator[str]:
    """Run the server; gives its address."""
    server = _Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
