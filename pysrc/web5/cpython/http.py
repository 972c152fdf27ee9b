"""HTTP requests through httpx."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager
from functools import cache

import httpx

from web5.chunks import reading
from web5.errors import BadReply, TimedOut, Unreachable
from web5.ports.http import BodyStream, HttpResponse

# Node's servers drop an idle connection after 5 seconds; to leave it sooner avoids losing a request to that.
IDLE_SECONDS = 4.0

REDIRECTS = 5


@cache
def certificate_authorities() -> ssl.SSLContext:
    """Return those that httpx trusts, read once: to read them takes some 30 ms."""
    return httpx.create_ssl_context()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TimeoutException, TimeoutError) as error:
        raise TimedOut(f"{url} did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unreachable(f"{url} cannot be reached: {error or type(error).__name__}") from error


class HttpxResponse(HttpResponse):
    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self.url = url
        self.status = response.status_code
        self.headers = _latin1(response.headers.raw)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            if (encoding := self.headers.get("content-encoding", "identity")) != "identity":
                # A few bytes may stand for very many, and httpx unpacks what has come all at once.
                raise BadReply(f"{self.url} answered in {encoding[:40]!r}, which nobody asked for")
            with _translated(self.url):
                async for chunk in self._response.aiter_bytes():
                    yield chunk
        finally:
            await self._response.aclose()

    async def close(self) -> None:
        await self._response.aclose()


class HttpxHttp:
    """The `Http` port over httpx.

    Parameters:
        transport: where requests go instead of the network, such as `httpx.ASGITransport(app)`; with a
            `GuardedTransport`, it is guarded.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS)
        headers = {"accept-encoding": "identity"}
        verify = certificate_authorities()
        self._client = httpx.AsyncClient(transport=transport, verify=verify, limits=limits, headers=headers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpxResponse:
        headers = dict(headers or {})
        content: bytes | AsyncGenerator[bytes] | None = None if isinstance(body, BodyStream) else body
        async with AsyncExitStack() as stack:
            stack.enter_context(_translated(url))
            if isinstance(body, BodyStream):
                headers["content-length"] = str(body.size)  # without it httpx would send it chunked
                content = await stack.enter_async_context(aclosing(_upload(body)))
            async with asyncio.timeout(timeout):
                request = self._client.build_request(method, url, headers=headers, content=content, timeout=timeout)
                response = await (self._follow(request) if method == "GET" else self._client.send(request, stream=True))
            if response.has_redirect_location:
                await response.aclose()
                raise Unreachable(f"{url} redirects a {method} to another address: use that, if it is the right one")
            return HttpxResponse(response, url)

    async def _follow(self, request: httpx.Request) -> httpx.Response:
        """Follow redirects; httpx itself would read the body of each, however long."""
        for _ in range(REDIRECTS + 1):
            response = await self._client.send(request, stream=True)
            if response.next_request is None:
                return response
            request = response.next_request
            await response.aclose()
        raise Unreachable(f"{request.url} is one redirect too many")

    async def close(self) -> None:
        """Close idle connections. Safe to call twice."""
        await self._client.aclose()


async def _upload(body: BodyStream) -> AsyncGenerator[bytes]:
    sent = 0
    async with reading(body) as chunks:
        async for chunk in chunks:
            yield chunk
            sent += len(chunk)
            if body.on_sent is not None:
                body.on_sent(sent)


def _latin1(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header values as fetch gives them: each byte a character, repeated ones joined."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
