"""What a client says on one connection, told apart: HTTP/1.1 requests, and after an upgrade WebSocket texts."""

from __future__ import annotations

from collections.abc import Callable

TEXT = 1
_MASK = 4


class ClientStream:
    """Feed it the bytes of one connection as they come.

    Parameters:
        asked: called with the method of each request, and with "TEXT" for each text frame. (A text in several frames,
            which browsers do not make of short ones, counts once.)
    """

    def __init__(self, asked: Callable[[str], None]) -> None:
        self._asked = asked
        self._buffer = b""
        self._body = 0
        self._next = self._request

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._buffer += piece
        while self._skip_body() and self._next():
            pass

    def _skip_body(self) -> bool:
        skipped = min(self._body, len(self._buffer))
        self._buffer, self._body = self._buffer[skipped:], self._body - skipped
        return not self._body

    def _request(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self._buffer = rest
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "transfer-encoding" in headers:
            raise ValueError(f"a body of unknown length cannot be counted: {first}")
        self._body = int(headers.get("content-length", 0))
        if headers.get("upgrade", "").lower() == "websocket":
            self._next = self._frame
        self._asked(first.partition(" ")[0])
        return True

    def _frame(self) -> bool:
        """A frame's head (RFC 6455, section 5.2); its payload is skipped like a body."""
        if len(self._buffer) < 2:
            return False
        kind, short = self._buffer[0] & 0x0F, self._buffer[1] & 0x7F
        extended = {126: 2, 127: 8}.get(short, 0)
        if len(self._buffer) < 2 + extended:
            return False
        size = int.from_bytes(self._buffer[2 : 2 + extended], "big") if extended else short
        self._buffer = self._buffer[2 + extended :]
        self._body = _MASK + size
        if kind == TEXT:
            self._asked("TEXT")
        return True
