"""HTTP through the browser's fetch; uploads of streams through XMLHttpRequest.

Browsers do not stream a request's body over HTTP/1.1, and not at all with a Content-Length. So a stream goes chunk by
chunk into a Blob, which the browser keeps outside of Python's memory, and on disk if it is large; the Blob is sent. An
XMLHttpRequest sends it, because fetch does not tell how much of a body is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy, to_js

from web5.browser.js_errors import NETWORK, translated
from web5.chunks import reading
from web5.errors import BodyTooLarge, TimedOut, Unreachable
from web5.ports.http import BodyStream, HttpResponse

PART_BYTES = 4 << 20
"""Bytes of an upload that lie in the interpreter's heaps at a time, before the browser takes them over."""

UPLOAD_REPLY_BYTES = 1 << 20
"""Bytes that the reply to an upload, a status, may have: the browser holds all of it before it can be read."""


class FetchHttp:
    """An `Http` port. No cookies are sent (but see `_upload`), and the browser's HTTP cache is not used."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        if isinstance(body, BodyStream):
            return await _upload(method, url, headers=headers or {}, body=body, timeout=timeout)
        js_controller = js.AbortController.new()
        options: dict[str, Any] = {
            "method": method,
            "headers": dict(headers or {}),
            "credentials": "omit",
            # Only a GET could be answered from the cache. For a POST the mode would make the browser ask the server
            # before every single one whether it may (CORS), instead of every few seconds.
            "cache": "no-store" if method == "GET" else "default",
            "signal": js_controller.signal,
        }
        if body is not None:
            options["body"] = to_js(body)
        js_options = to_js(options, dict_converter=js.Object.fromEntries)
        wait = partial(_wait, f"{method} {url}", timeout, js_controller)
        return FetchResponse(await wait(js.fetch(url, js_options)), url, wait)


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
            while not (js_part := await self._wait(js_reader.read())).done:
                yield js_part.value.to_bytes()
            self._js_reader = None  # nothing is left to cancel
        finally:
            await self.close()

    async def close(self) -> None:
        self._started = True
        if self._js_reader is not None:
            js_reader, self._js_reader = self._js_reader, None
            with suppress(JsException):  # a body that broke earlier
                await js_reader.cancel()


async def _upload(
    method: str, url: str, *, headers: Mapping[str, str], body: BodyStream, timeout: float
) -> UploadResponse:
    # To the site's own origin the browser adds the site's cookies; an XMLHttpRequest cannot omit them there.
    js_blob = await _blob(body)
    js_xhr = js.XMLHttpRequest.new()
    label = f"{method} {url}"
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with _listening(js_xhr, answered, body.on_sent, label):
        try:
            js_xhr.open(method, url)
            js_xhr.responseType = "arraybuffer"
            for name, value in headers.items():
                js_xhr.setRequestHeader(name, value)
            js_xhr.send(js_blob)
        except JsException as error:
            raise translated(NETWORK, error, label) from error
        await _wait(label, timeout, js_xhr, answered)
    return UploadResponse(js_xhr, url)


class UploadResponse(HttpResponse):
    """The answer to an upload, which is here already."""

    def __init__(self, js_xhr: Any, url: str) -> None:
        self.url = url
        self.status = int(js_xhr.status)
        lines = (line.partition(": ") for line in str(js_xhr.getAllResponseHeaders()).split("\r\n"))
        self.headers = {name.lower(): value for name, colon, value in lines if colon}
        self._body: bytes = js_xhr.response.to_bytes() if js_xhr.response else b""

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._body:
            yield self._body

    async def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _listening(
    js_xhr: Any, answered: asyncio.Future[None], on_sent: Callable[[int], None] | None, label: str
) -> Iterator[None]:
    def succeed(js_event: Any) -> None:
        if not answered.done():
            answered.set_result(None)

    def fail(error: Exception) -> None:
        if not answered.done():
            answered.set_exception(error)

    def receive(js_event: Any) -> None:
        if js_event.loaded > UPLOAD_REPLY_BYTES:
            fail(BodyTooLarge(f"{label} was answered with more than {UPLOAD_REPLY_BYTES} bytes"))
            js_xhr.abort()

    unreachable = Unreachable(f"{label} failed: the connection was refused, broken or blocked")
    listeners = [
        (js_xhr, "onload", create_proxy(succeed)),
        (js_xhr, "onerror", create_proxy(lambda js_event: fail(unreachable))),
        (js_xhr, "onprogress", create_proxy(receive)),
    ]
    if on_sent is not None:
        listeners.append((js_xhr.upload, "onprogress", create_proxy(lambda js_event: on_sent(int(js_event.loaded)))))
    for js_target, event, proxy in listeners:
        setattr(js_target, event, proxy)
    try:
        yield
    finally:
        for js_target, event, proxy in listeners:
            setattr(js_target, event, None)
            proxy.destroy()


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
