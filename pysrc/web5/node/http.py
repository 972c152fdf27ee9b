"""HTTP requests through httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

import httpx

from web5.errors import TimedOut, Unreachable

# Node's servers drop an idle connection after 5 seconds; to leave it sooner avoids losing a request to that.
IDLE_SECONDS = 4.0


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TimeoutException, TimeoutError) as error:
        raise TimedOut(f"{url} did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unreachable(f"{url} cannot be reached: {error or type(error).__name__}") from error


class HttpxResponse:
    """An answer whose body has not been read yet; see `HttpResponse`."""

    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self._url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = _latin1(response.headers.raw)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            with _translated(self._url):
                async for chunk in self._response.aiter_bytes():
                    yield chunk
        finally:
            await self._response.aclose()

    async def read(self) -> bytes:
        with _translated(self._url):
            return await self._response.aread()

    async def close(self) -> None:
        await self._response.aclose()


class HttpxHttp:
    """The `Http` port over httpx; follows redirects, as fetch does.

    Parameters:
        transport: where requests go instead of the network, such as `httpx.ASGITransport(app)`.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS)
        self._client = httpx.AsyncClient(transport=transport, limits=limits, follow_redirects=True)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> HttpxResponse:
        with _translated(url):
            request = self._client.build_request(method, url, headers=headers, content=body, timeout=timeout)
            async with asyncio.timeout(timeout):
                response = await self._client.send(request, stream=True)
        return HttpxResponse(response, url)

    async def close(self) -> None:
        """Close idle connections. Safe to call twice."""
        await self._client.aclose()


def _latin1(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header values as fetch gives them: each byte a character, repeated ones joined."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
