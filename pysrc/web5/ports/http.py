"""HTTP requests: fetch in the browser, httpx on CPython."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from web5.chunks import in_time, reading
from web5.errors import BodyTooLarge, InvalidArgument


@dataclass(frozen=True, slots=True)
class BodyStream:
    """The body of a request that may be larger than memory: it is read while it is sent.

    Parameters:
        chunks: the bytes.
        size: how many bytes they are.
        on_sent: called with the number of bytes sent so far, from time to time, or, as browsers do not tell, once all
            are sent; it must not raise.
    """

    chunks: AsyncIterable[bytes]
    size: int
    on_sent: Callable[[int], None] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the chunks.

        Raises:
            InvalidArgument: they are not `size` bytes.
            Whatever `chunks` raises.
        """
        passed = 0
        async with reading(self.chunks) as chunks:
            async for chunk in chunks:
                passed += len(chunk)
                if passed > self.size:
                    raise InvalidArgument(f"the body has more than the {self.size} bytes that it was said to have")
                yield chunk
        if passed < self.size:
            raise InvalidArgument(f"the body ended after {passed} of {self.size} bytes")


class HttpResponse(Protocol):
    """The answer to a request, its body not read yet. Adapters inherit `read`."""

    url: str
    """The URL that was requested."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Iterate, once, over the body as it arrives; an iteration that is closed early drops the rest.

        Raises:
            Unreachable: the connection broke before the body's end.
            TimedOut: no byte came for the request's timeout.
        """

    async def close(self) -> None:
        """Drop what was not read. Safe to call twice."""

    async def read(self, limit: int, seconds: float = 30.0) -> bytes:
        """Return the whole body; nothing is left to close then.

        Parameters:
            limit: the bytes that it may have: whoever answers is not trusted to be brief.
            seconds: the time for which a slow one is waited for, see `chunks.in_time`.

        Raises:
            BodyTooLarge: it has more; they are not kept, and the connection is closed.
            Unreachable, TimedOut: as `chunks` and `in_time` do.
        """
        body = bytearray()
        async with reading(in_time(self.chunks(), seconds)) as chunks:
            async for chunk in chunks:
                if len(body) + len(chunk) > limit:
                    raise BodyTooLarge(f"{self.url} answered with more than {limit} bytes")
                body += chunk
        return bytes(body)


class Http(Protocol):
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        """Send one request; any status is a response, also one that comes before all of the body is sent.

        Only a GET follows redirects: whatever else is sent is meant for whom it was given to, and for nobody whom that
        one names.

        Parameters:
            body: a stream goes out with its size as Content-Length, a few chunks of it in memory at a time.
            timeout: seconds until the headers arrive, and between chunks of the body.

        Raises:
            Unreachable: no connection, refused, redirected, or the browser blocked it (CORS).
            TimedOut: nothing came in time.
            Whatever reading a `BodyStream` raises; the request is broken off.
        """
