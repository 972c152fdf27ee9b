"""One HTTP exchange of the browser's: what it is called, its timeout, and how to stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from pyodide.ffi import JsException

from web5.browser.js_errors import NETWORK, translated
from web5.errors import TimedOut


class Exchange:
    """
    Parameters:
        label: method and URL, for error messages.
        timeout: seconds that each wait may take.
        js_stoppable: has the method `abort`, which stops it.
    """

    def __init__(self, label: str, timeout: float, js_stoppable: Any) -> None:
        self.label = label
        self._timeout = timeout
        self._js_stoppable = js_stoppable

    async def within_time(self, js_promise: Awaitable[Any]) -> Any:
        """What the promise gives.

        Raises:
            TimedOut, Unreachable: the exchange is stopped.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await js_promise
        except TimeoutError as error:
            self._js_stoppable.abort()
            raise TimedOut(f"{self.label}: nothing came for {self._timeout:g} s") from error
        except asyncio.CancelledError:
            self._js_stoppable.abort()
            raise
        except JsException as error:
            raise translated(NETWORK, error, self.label) from error
