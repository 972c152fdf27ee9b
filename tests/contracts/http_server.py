"""The server that the Http contract talks to: it echoes, streams, keeps silent and breaks off."""

from __future__ import annotations

import json
import threading
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.go_on = threading.Event()

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
    "status": _status,
    "first-then-wait": _first_then_wait,
    "go-on": _go_on,
    "large": _large,
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
