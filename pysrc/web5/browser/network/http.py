"""HTTP through the browser's fetch.

Browsers do not stream a request's body over HTTP/1.1, and not at all with a Content-Length. So a stream goes chunk by
chunk into a Blob, which the browser keeps outside of Python's memory, and on disk if it is large; the Blob is sent.
Fetch does not tell how much of it is sent; an XMLHttpRequest would, but follows any redirect with all that it sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.js_errors import NETWORK, translated
from web5.browser.javascript.promises import js_plainly
from web5.chunks import reading
from web5.errors import TimedOut, Unreachable
from web5.ports.http import BodyStream, HttpResponse

PART_BYTES = 4 << 20
"""Bytes of an upload that lie in the interpreter's heaps at a time, before the browser takes them over."""

MOST_BYTES = 1 << 20
"""Bytes of an answer that come into Python in one piece."""


class FetchHttp:
    """An `Http` port. No cookies are sent, and the browser's HTTP cache is not used."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> FetchResponse:
        js_controller = js.AbortController.new()
        options: dict[str, Any] = {
            "method": method,
            "headers": dict(headers or {}),
            "credentials": "omit",
            # Only a GET could be answered from the cache. For a POST the mode would make the browser ask the server
            # before every single one whether it may (CORS), instead of every few seconds.
            "cache": "no-store" if method == "GET" else "default",
            "redirect": "follow" if method == "GET" else "manual",
            "signal": js_controller.signal,
        }
        if body is not None:
            options["body"] = await _blob(body) if isinstance(body, BodyStream) else to_js(body)
        js_options = to_js(options, dict_converter=js.Object.fromEntries)
        wait = partial(_wait, f"{method} {url}", timeout, js_controller)
        js_response = await wait(js_plainly(js.globalThis, "fetch", url, js_options))
        if js_response.type == "opaqueredirect":
            raise Unreachable(f"{url} redirects a {method} to another address: use that, if it is the right one")
        if isinstance(body, BodyStream) and body.on_sent is not None:
            body.on_sent(body.size)
        return FetchResponse(js_response, url, wait)


async def _wait(label: str, timeout: float, js_abortable: Any, js_promise: Awaitable[Any]) -> Any:
    """Await a step of an exchange, which is aborted if that takes longer than `timeout` seconds or is cancelled."""
    try:
        async with asyncio.timeout(timeout):
            return await js_promise
    except TimeoutError as error:
        js_abortable.abort()
        raise TimedOut(f"{label}: nothing came for {timeout:g} s") from error
    except asyncio.CancelledError:
        js_abortable.abort()
        raise
    except JsException as error:
        raise translated(NETWORK, error, label) from error


class FetchResponse(HttpResponse):
    """An `HttpResponse` over a JavaScript Response."""

    def __init__(self, js_response: Any, url: str, wait: Callable[[Any], Awaitable[Any]]) -> None:
        self.url = url
        self.final_url = str(js_response.url)
        self.status = int(js_response.status)
        self.headers = dict(js.Object.fromEntries(js_response.headers).to_py())
        self._wait = wait
        self._js_reader = js_response.body.getReader() if js_response.body else None
        self._started = False

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._started:
            raise RuntimeError("the body of a response can be read once")
        self._started = True
        if (js_reader := self._js_reader) is None:
            return
        try:
            while not (js_part := await self._wait(js_plainly(js_reader, "read"))).done:
                # WebKit gives at once whatever has come meanwhile.
                for start in range(0, js_part.value.length, MOST_BYTES):
                    yield js_part.value.subarray(start, start + MOST_BYTES).to_bytes()
            self._js_reader = None  # nothing is left to cancel
        finally:
            await self.close()

    async def close(self) -> None:
        self._started = True
        if self._js_reader is not None:
            js_reader, self._js_reader = self._js_reader, None
            with suppress(JsException):  # a body that broke earlier
                await js_plainly(js_reader, "cancel")


async def _blob(chunks: AsyncIterable[bytes]) -> Any:
    js_parts, js_pieces, held = js.Array.new(), js.Array.new(), 0
    async with reading(chunks) as incoming:
        async for chunk in incoming:
            js_pieces.push(to_js(chunk))
            held += len(chunk)
            if held >= PART_BYTES:
                js_parts.push(js.Blob.new(js_pieces))
                js_pieces, held = js.Array.new(), 0
    js_parts.push(js.Blob.new(js_pieces))
    return js.Blob.new(js_parts)
