"""HTTP through the browser's fetch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.js_errors import NETWORK, translated
from web5.errors import TimedOut


class FetchHttp:
    """An `Http` port. No cookies are sent, and the browser's HTTP cache is not used."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> FetchResponse:
        js_controller = js.AbortController.new()
        options: dict[str, Any] = {
            "method": method,
            "headers": dict(headers or {}),
            "credentials": "omit",
            "cache": "no-store",
            "signal": js_controller.signal,
        }
        if body is not None:
            options["body"] = to_js(body)
        js_options = to_js(options, dict_converter=js.Object.fromEntries)
        exchange = _Exchange(f"{method} {url}", timeout, js_controller)
        return FetchResponse(await exchange.within_time(js.fetch(url, js_options)), exchange)


class FetchResponse:
    """An `HttpResponse` over a JavaScript Response."""

    def __init__(self, js_response: Any, exchange: _Exchange) -> None:
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


class _Exchange:
    """One request and its response: what it is called, its timeout, and how to stop it."""

    def __init__(self, label: str, timeout: float, js_controller: Any) -> None:
        self._label = label
        self._timeout = timeout
        self._js_controller = js_controller

    async def within_time(self, js_promise: Awaitable[Any]) -> Any:
        """What the promise gives.

        Raises:
            TimedOut, Unreachable: the exchange is stopped.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await js_promise
        except TimeoutError as error:
            self._js_controller.abort()
            raise TimedOut(f"{self._label}: nothing came for {self._timeout:g} s") from error
        except asyncio.CancelledError:
            self._js_controller.abort()
            raise
        except JsException as error:
            raise translated(NETWORK, error, self._label) from error
