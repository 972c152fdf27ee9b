"""A strict reading of how HTTP/1.1 requests follow each other, before the parser sees their bytes.

A parser forgives much that clients in the wild send; where a proxy in front of it reads the same bytes otherwise, a
request can hide in another one (RFC 9112, 11.2). What is ambiguous is refused here, and nothing after it is read: line
ends without CR, folded lines, blanks around names, a length that is given twice or beside a transfer coding, codings
other than "chunked", chunk extensions and trailers, bodies of upgrades, hosts that are none, targets that are no path.
"""

from __future__ import annotations

import re

_TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_HEAD = re.compile(
    rb"(?P<method>%b) /[!\"$-~]* HTTP/1\.(?P<minor>[01])\r\n" % _TOKEN
    + rb"(?P<fields>(?:%b:[\t -~\x80-\xff]*\r\n)*)\r\n" % _TOKEN
)
_METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"}
"""The methods of RFC 9110, but for CONNECT, which a proxy is asked for."""

_HOST = re.compile(rb"(?:[0-9A-Za-z._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_LENGTH = re.compile(rb"[0-9]{1,15}")

_LINES = {
    "chunk": re.compile(rb"[0-9A-Fa-f]{1,15}\r\n"),
    "chunk's end": re.compile(rb"\r\n"),
    "body's end": re.compile(rb"\r\n"),
}
"""The lines in a chunked body, by where it is read; the bytes of chunks and of other bodies are "bytes"."""

_LONGEST_LINE = 17
MOST_FIELDS = 100
"""Header fields of a request. Browsers send about 20."""


class Framing:
    """Reads the requests of one connection.

    Parameters:
        most_head: the bytes that the head of a request may have.

    Attributes:
        place: what is read: "head", "bytes", or a line of `_LINES`.
        refusal: once it is set, with a status, what came last is no request, and nothing more is taken.
    """

    def __init__(self, most_head: int) -> None:
        self.place = "head"
        self.refusal: int | None = None
        self._most_head = most_head
        self._held = bytearray()  # an incomplete head or line
        self._missing = 0  # of a body or a chunk
        self._chunked = False

    @property
    def is_between_requests(self) -> bool:
        return self.place == "head" and not self._held

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes up to the end of a request.

        Returns:
            Those that are good and complete, to be read as they are, and those that come after the request.
        """
        good, start = bytearray(), 0
        while start < len(data) and self.refusal is None:
            if self.place == "bytes":
                taken = data[start : start + self._missing]
                good += taken
                self._missing -= len(taken)
                start += len(taken)
                if not self._missing:
                    self.place = "chunk's end" if self._chunked else "head"
            else:
                start = self._read_held(data, start, good)
            if self.is_between_requests:
                return bytes(good), data[start:]
        return bytes(good), b""

    def _read_held(self, data: bytes, start: int, good: bytearray) -> int:
        end_mark, most = (b"\r\n\r\n", self._most_head) if self.place == "head" else (b"\n", _LONGEST_LINE)
        searched = max(0, len(self._held) - len(end_mark) + 1)
        before = len(self._held)
        self._held += data[start : start + most + 1 - before]
        found = self._held.find(end_mark, searched)
        if found < 0 and len(self._held) <= most:
            return len(data)
        end = found + len(end_mark)
        if found < 0 or end > most:
            self.refusal = 431 if self.place == "head" else 400
            return len(data)
        held, self._held = bytes(self._held[:end]), bytearray()
        if self.place == "head":
            self.refusal = self._read_head(held)
        else:
            self._read_line(held)
        if self.refusal is None:
            good += held
        return start + end - before

    def _read_line(self, line: bytes) -> None:
        if not _LINES[self.place].fullmatch(line):
            self.refusal = 400
        elif self.place == "chunk":
            self._missing = int(line, 16)
            self.place = "bytes" if self._missing else "body's end"
        else:
            self.place = "chunk" if self.place == "chunk's end" else "head"

    def _read_head(self, head: bytes) -> int | None:
        """Begin the body that a head announces; return the status of a refusal, or None."""
        if not (match := _HEAD.fullmatch(head)):
            return 400
        if match["method"] not in _METHODS:
            return 501
        lines = match["fields"].split(b"\r\n")[:-1]
        if len(lines) > MOST_FIELDS:
            return 431
        values: dict[bytes, list[bytes]] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            values.setdefault(name.lower(), []).append(value.strip(b" \t"))
        hosts, is_new = values.get(b"host", []), match["minor"] == b"1"
        lengths, codings = values.get(b"content-length", []), values.get(b"transfer-encoding", [])
        if len(hosts) > 1 or len(hosts) < is_new or not all(map(_HOST.fullmatch, hosts)):
            return 400
        if len(lengths) + len(codings) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            return 400
        if codings and (not is_new or codings[0].lower() != b"chunked"):
            return 400
        self._chunked, self._missing = bool(codings), int(lengths[0]) if lengths else 0
        if b"upgrade" in values and (self._chunked or self._missing):
            return 400
        self.place = "chunk" if self._chunked else "bytes" if self._missing else "head"
        return None
