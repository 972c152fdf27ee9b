"""Web Locks, by which one tab or worker of an origin excludes the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.scripts import js_function
from web5.errors import StorageBlocked, StorageBusy

# Resolves, once the lock is ours, to the function that releases it.
_js_request = js_function(
    """
    (name, signal) => new Promise((resolve, reject) => {
      const held = () => new Promise((release) => resolve(release));
      if (!navigator.locks) throw new DOMException("the page's address is not a secure one", "SecurityError");
      navigator.locks.request(name, { signal }, held).catch(reject);
    })
    """
)
_js_release = js_function("(requested) => { requested.then((release) => release(), () => {}); }")


async def hold(name: str, js_signal: Any = None) -> Callable[[], None]:
    """Wait until the lock is ours; it stays ours until the returned function is called or the worker ends.

    Parameters:
        name: the lock's name, one for the whole origin.
        js_signal: an AbortSignal that ends the waiting.

    Raises:
        StorageBusy: the signal ended the waiting.
        StorageBlocked: the browser gives this page no locks.
    """
    js_controller = js.AbortController.new()
    signals = [js_controller.signal] if js_signal is None else [js_controller.signal, js_signal]
    js_requested = _js_request(name, js.AbortSignal.any(to_js(signals)))
    try:
        release: Callable[[], None] = await js_requested
    except JsException as error:
        if error.name in ("AbortError", "TimeoutError"):
            raise StorageBusy(f"another tab holds {name}: {error}") from error
        raise StorageBlocked(f"this page gets no lock: {error}") from error
    except asyncio.CancelledError:
        js_controller.abort()
        _js_release(js_requested)
        raise
    return release


async def exclusive(name: str, patience: float = 2.0) -> Callable[[], None]:
    """Become the only user of the store `name` on this origin; call the returned function to end that.

    Parameters:
        patience: seconds to wait for a tab that is going away.

    Raises:
        StorageBusy: another tab or worker has it.
    """
    return await hold(f"{name}.store", js.AbortSignal.timeout(int(patience * 1000)))
