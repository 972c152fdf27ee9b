"""HTTP through the browser's fetch; uploads of streams through XMLHttpRequest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.exchange import Exchange
from web5.browser.upload import upload
from web5.ports.http import BodyStream, HttpResponse


class FetchHttp:
    """An `Http` port. No cookies are sent (but see `upload`), and the browser's HTTP cache is not used."""

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
            return await upload(method, url, headers=headers or {}, body=body, timeout=timeout)
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
        exchange = Exchange(f"{method} {url}", timeout, js_controller)
        return FetchResponse(await exchange.within_time(js.fetch(url, js_options)), exchange)


class FetchResponse:
    """An `HttpResponse` over a JavaScript Response."""

    def __init__(self, js_response: Any, exchange: Exchange) -> None:
        self.status = int(js_response.status)
        self.headers: Mapping[str, str] = dict(js.Object.fromEntries(js_response.headers).to_py())
        self._exchange = exchange
        self._js_reader = js_response.body.getReader() if js_response.body else None
        self._started = False

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._started:
            raise RuntimeError("the body of a response can be read once")
        self._started = True
        if self._js_reader is None:
            return
        while not (js_part := await self._exchange.within_time(self._js_reader.read())).done:
            yield js_part.value.to_bytes()

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def close(self) -> None:
        self._started = True
        if self._js_reader is not None:
            js_reader, self._js_reader = self._js_reader, None
            with suppress(JsException):  # a body that broke earlier
                await js_reader.cancel()
