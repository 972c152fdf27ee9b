"""WebSockets: the browser's own, `websockets` on CPython."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class WebSocket(Protocol):
    """One open connection that carries texts both ways."""

    async def send(self, text: str) -> None:
        """Send a text; it may still be lost if the connection breaks.

        Raises:
            Unreachable: the connection has ended, by whomever.
        """

    def __aiter__(self) -> AsyncIterator[str]:
        """Iterate, once and by one reader, over the texts as they come in.

        Ends after `close`, whatever has come in and was not read yet.

        Raises:
            Unreachable: the other end closed the connection, sent what is no text, or the connection broke; the
                message says which. All texts that came before are given first.
        """

    async def close(self) -> None:
        """End the connection, and with it the iteration. Safe to call twice, and while texts come in."""


class WebSockets(Protocol):
    async def connect(self, url: str, *, timeout: float = 30.0) -> WebSocket:
        """Open a connection.

        Parameters:
            url: begins with `ws:` or `wss:`.
            timeout: seconds until it is open.

        Raises:
            NoWebSocket: a server answered that it offers none. A browser does not tell this from Unreachable.
            Unreachable: no connection, refused, not a URL, or the browser blocked it (mixed content).
            AskedToWait: a server answered 429, or 503 and when to come again. A browser does not tell that either.
            TimedOut: it was not open in time.
        """
