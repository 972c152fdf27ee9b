"""Web Locks, by which one tab or worker of an origin excludes the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.scripts import js_function
from web5.browser.tabs.tab_channel import VERSION
from web5.browser.tabs.tab_keys import NAME
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
# The key, version and reign of the leader that serves, or nothing.
_js_leader = js_function(
    """
    async (name) => {
      const { held } = await navigator.locks.query();
      const owner = held.find((lock) => lock.name === `${name}.leader`)?.clientId;
      const prefix = `${name}.leader.`;
      const shown = held.find((lock) => lock.clientId === owner && lock.name.startsWith(prefix));
      return shown?.name.slice(prefix.length) ?? "";
    }
    """
)
# Whether the next who gets the lead is the owner of the lock `<name>.tab.<tab>`.
_js_is_next = js_function(
    """
    async (name, tab) => {
      const { held, pending } = await navigator.locks.query();
      const next = pending.find((lock) => lock.name === `${name}.leader`)?.clientId;
      return held.some((lock) => lock.name === `${name}.tab.${tab}` && lock.clientId === next);
    }
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


@dataclass(frozen=True)
class Leader:
    """A tab that serves, as its lock `<name>.leader.<key>.<version>.<reign>` shows it."""

    key: str
    version: int
    reign: int

    @classmethod
    def parse(cls, text: str) -> Leader | None:
        """Read what a lock shows; None if it is no leader's."""
        key, version, reign = (*text.split(".", 2), "", "")[:3]
        if NAME.fullmatch(key) and VERSION.fullmatch(version) and VERSION.fullmatch(reign):
            return cls(key, int(version), int(reign))
        return None

    def __str__(self) -> str:
        return f"{self.key}.{self.version}.{self.reign}"


async def shown_leader(name: str) -> Leader | None:
    """Return the tab that serves as the node, as the browser shows it (`tabs`, invariant 5); None if none does."""
    return Leader.parse(str(await _js_leader(name)))


async def is_next(name: str, tab: str) -> bool:
    """Return whether that tab leads when the present leader's lock is free, as the browser shows it."""
    return bool(await _js_is_next(name, tab))
