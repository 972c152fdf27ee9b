"""Uploads of streams, through a Blob and XMLHttpRequest.

Browsers do not stream a request's body over HTTP/1.1, and not at all with a Content-Length. So the stream goes chunk by
chunk into a Blob, which the browser keeps outside of Python's memory, and on disk if it is large; the Blob is sent. An
XMLHttpRequest sends it, because fetch does not tell how much of a body is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy, to_js

from web5.browser.exchange import Exchange
from web5.browser.js_errors import NETWORK, translated
from web5.chunks import reading
from web5.errors import Unreachable
from web5.ports.http import BodyStream

PART_BYTES = 4 << 20
"""So much lies in the interpreter's heaps at a time, before the browser takes it over."""


async def upload(
    method: str, url: str, *, headers: Mapping[str, str], body: BodyStream, timeout: float
) -> UploadResponse:
    """As `Http.request`. To the site's own origin the browser adds the site's cookies; an XMLHttpRequest cannot omit
    them there."""
    js_blob = await _blob(body)
    js_xhr = js.XMLHttpRequest.new()
    exchange = Exchange(f"{method} {url}", timeout, js_xhr)
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with _listening(js_xhr, answered, body, exchange.label):
        try:
            js_xhr.open(method, url)
            js_xhr.responseType = "arraybuffer"
            for name, value in headers.items():
                js_xhr.setRequestHeader(name, value)
            js_xhr.send(js_blob)
        except JsException as error:
            raise translated(NETWORK, error, exchange.label) from error
        await exchange.within_time(answered)
    return UploadResponse(js_xhr)


class UploadResponse:
    """An `HttpResponse` that is here already: the reply to an upload is small."""

    def __init__(self, js_xhr: Any) -> None:
        self.status = int(js_xhr.status)
        self.headers: Mapping[str, str] = dict(_header_lines(str(js_xhr.getAllResponseHeaders())))
        self._body: bytes = js_xhr.response.to_bytes() if js_xhr.response else b""

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._body:
            yield self._body

    async def read(self) -> bytes:
        return self._body

    async def close(self) -> None:
        """Nothing is held."""


def _header_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            yield name.lower(), value


@contextmanager
def _listening(js_xhr: Any, answered: asyncio.Future[None], body: BodyStream, label: str) -> Iterator[None]:
    def succeed(js_event: Any) -> None:
        if not answered.done():
            answered.set_result(None)

    def fail(js_event: Any) -> None:
        if not answered.done():
            answered.set_exception(Unreachable(f"{label} failed: the connection was refused, broken or blocked"))

    listeners = [
        (js_xhr, "onload", create_proxy(succeed)),
        (js_xhr, "onerror", create_proxy(fail)),
        (js_xhr.upload, "onprogress", create_proxy(lambda js_event: body.on_sent(int(js_event.loaded)))),
    ]
    for js_target, event, proxy in listeners:
        setattr(js_target, event, proxy)
    try:
        yield
    finally:
        for js_target, event, proxy in listeners:
            setattr(js_target, event, None)
            proxy.destroy()


async def _blob(chunks: AsyncIterable[bytes]) -> Any:
    """A JavaScript Blob of the chunks."""
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
