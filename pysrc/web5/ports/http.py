"""HTTP requests: fetch in the browser, httpx on CPython."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol


class HttpResponse(Protocol):
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. May be iterated once.

        Raises:
            Unreachable: the connection broke before the body's end.
            TimedOut: no byte came for the request's timeout.
        """

    async def read(self) -> bytes:
        """The whole body. Raises as `chunks` does."""

    async def close(self) -> None:
        """Drop what was not read. Safe to call twice."""


class Http(Protocol):
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        """Send one request; any status is a response.

        Parameters:
            timeout: seconds until the headers arrive, and between chunks of the body.

        Raises:
            Unreachable: no connection, refused, or the browser blocked it (CORS).
            TimedOut: nothing came in time.
        """
