"""HTTP requests: fetch in the browser, httpx on CPython."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from web5.chunks import in_time, reading
from web5.errors import BodyTooLarge, InvalidArgument, TimedOut


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
            BadReply: it came in an encoding for transfer that was not asked for.
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
    """A way to the network.

    A *guarded* one is for URLs that strangers choose. It requests nothing that has a `fault_of_strangers_url`, on the
    way of redirects neither; on CPython it connects to addresses of the public internet alone, which a browser does not
    let us see.
    """

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


async def get_document(
    http: Http, url: str, *, limit: int, seconds: float, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Fetch a document from anybody: its status and its body, which is left unread unless the status is 200.

    Parameters:
        http: a guarded one, if a stranger chose the URL.
        limit: the bytes that it may have.
        seconds: for all of it: a body that drips in would otherwise never end.

    Raises:
        Unreachable, TimedOut, BodyTooLarge: as `Http.request` and `HttpResponse.read`.
    """
    try:
        async with asyncio.timeout(seconds):
            response = await http.request("GET", url, headers=headers, timeout=seconds)
            try:
                return response.status, await response.read(limit, seconds) if response.status == 200 else b""
            finally:
                await response.close()
    except TimeoutError as error:
        raise TimedOut(f"{url} took more than {seconds:g} seconds") from error


def fault_of_strangers_url(scheme: str, userinfo: str, port: int | None) -> str | None:
    """Return why a URL that a stranger chose is not requested, or None. These are its parts, as the adapter reads it.

    Ports below 1024 other than that of HTTPS belong to other services, which are not to be knocked at.
    """
    if scheme != "https":
        return "it is not https"
    if userinfo:
        return "it has a name or password in it"
    return f"port {port} is not one of websites" if port not in (None, 443) and port < 1024 else None
