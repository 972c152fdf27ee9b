"""Web Locks: who among an origin's tabs and workers may do a thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException, create_once_callable, to_js

from web5.errors import StorageBusy


async def hold(name: str, js_signal: Any = None) -> Callable[[], None]:
    """Wait until the lock is ours; it stays ours until the returned function is called or the worker ends.

    Parameters:
        name: the lock's name, one for the whole origin.
        js_signal: an AbortSignal that ends the waiting.

    Raises:
        StorageBusy: the signal ended the waiting.
    """
    js_controller = js.AbortController.new()
    signals = [js_controller.signal] if js_signal is None else [js_controller.signal, js_signal]
    options = {"signal": js.AbortSignal.any(to_js(signals))}
    ours: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def release() -> None:
        if not over.done():
            over.set_result(None)

    async def granted() -> None:
        if not ours.done():
            ours.set_result(None)
        await over

    js_promise = js.navigator.locks.request(
        name,
        to_js(options, dict_converter=js.Object.fromEntries),
        create_once_callable(lambda js_lock: asyncio.ensure_future(granted())),
    )
    request = asyncio.ensure_future(_quiet(js_promise))
    either: list[asyncio.Future[Any]] = [ours, request]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        js_controller.abort()
        release()
        raise
    if not ours.done():
        raise StorageBusy(f"another tab holds {name}: {request.result()}")
    return release


async def exclusive(name: str, patience: float = 2.0) -> Callable[[], None]:
    """Become the only user of the store `name` on this origin; call what is returned to end that.

    Parameters:
        patience: seconds to wait for a tab that is going away.

    Raises:
        StorageBusy: another tab or worker has it.
    """
    return await hold(f"{name}.store", js.AbortSignal.timeout(int(patience * 1000)))


async def _quiet(js_promise: Any) -> str:
    """Await it to its end; its error as text, because nobody may be left to take it."""
    try:
        await js_promise
    except JsException as error:
        return str(error)
    return ""
