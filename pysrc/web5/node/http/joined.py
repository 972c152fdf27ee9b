"""A connection's way out, on which what is written of an answer in one turn of the loop goes together.

Head and body are written one after the other: as two packets they would cost the system, and the client, twice.
"""

from __future__ import annotations

import asyncio
from typing import Any

from web5.node.limits import KIB

TOGETHER = 64 * KIB
"""Bytes from which on what was written goes at once."""


class JoinedTransport:
    """A transport in whose place this one is; it has all else that it has."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = bytearray()
        self._later: asyncio.Handle | None = None
        self._joins = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write now, with what was held, or hold it for what follows."""
        if not self._joins:
            self._transport.write(data)
            return
        self._held += data
        if len(self._held) >= TOGETHER:
            self.go()
        elif self._held and self._later is None:
            self._later = asyncio.get_running_loop().call_soon(self.go)

    def go(self) -> None:
        """Write what is held."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._held:
            held, self._held = self._held, bytearray()
            self._transport.write(held)

    def go_through(self) -> None:
        """Hold nothing any more."""
        self.go()
        self._joins = False

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() + len(self._held)

    def write_eof(self) -> None:
        self.go()
        self._transport.write_eof()

    def close(self) -> None:
        self.go()
        self._transport.close()

    def abort(self) -> None:
        self._held.clear()
        self.go()
        self._transport.abort()
