"""IndexedDB for the adapters here: opening, transactions, requests and their errors.

A transaction commits by itself as soon as control returns to the browser with no request outstanding, and an awaiting
coroutine resumes too late to add one. So every request of a transaction is made in one go, and then awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import js
from pyodide.code import run_js
from pyodide.ffi import JsException, create_once_callable, create_proxy, to_js

from web5.browser.js_errors import STORAGE, translated
from web5.errors import StorageBusy, StorageError

Durability = Literal["strict", "relaxed"]
"""When a transaction counts as committed: once the disk has it, or once the operating system has it."""

# One crossing from Python for a whole transaction. `done` is called once: with nothing when all of it is stored, with
# the reason when none of it is. What throws has stored nothing either, and calls nobody.
_js_write = run_js(
    """
    (database, stores, options, requests, done) => {
      const transaction = database.transaction(stores, "readwrite", options);
      transaction.oncomplete = () => done();
      transaction.onabort = () => done(transaction.error ?? new DOMException("no reason was given", "AbortError"));
      try {
        for (const [store, method, ...args] of requests) transaction.objectStore(store)[method](...args);
        transaction.commit();
      } catch (error) {
        transaction.onabort = null;
        transaction.abort();
        throw error;
      }
    }
    """
)

Request = tuple[Any, ...]
"""A write of a transaction: object store, name of its method, arguments."""


class IndexedDb:
    """A connection to one database. Use `open_database`."""

    def __init__(self, name: str, js_database: Any, durability: Durability) -> None:
        self.name = name
        self._js_database = js_database
        self._js_options = to_js({"durability": durability}, dict_converter=js.Object.fromEntries)
        self._lost: StorageError | None = None
        self._proxies = [create_proxy(self._on_version_change), create_proxy(self._on_close)]
        js_database.onversionchange, js_database.onclose = self._proxies

    def js_store(self, store: str) -> Any:
        """A JavaScript IDBObjectStore to read from.

        Raises:
            StorageError: the connection is closed, by us, by another tab's upgrade, or by the browser.
        """
        self._check_open()
        try:
            return self._js_database.transaction(store, "readonly").objectStore(store)
        except JsException as error:
            raise translated(STORAGE, error, f"opening {self.name}") from error

    async def write(self, stores: Sequence[str], requests: Sequence[Request], doing: str) -> None:
        """Carry out requests in one transaction over these stores; return when all of it is stored.

        Raises:
            StorageFull, StorageError: none of it is.
        """
        self._check_open()
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(js_error: Any = None) -> None:
            if stored.done():  # its waiter was cancelled
                return
            if js_error is None:
                stored.set_result(None)
            else:
                stored.set_exception(translated(STORAGE, js_error, doing))

        js_done = create_once_callable(done)
        try:
            _js_write(self._js_database, to_js(stores), self._js_options, to_js(requests), js_done)
        except JsException as error:
            js_done.destroy()
            raise translated(STORAGE, error, doing) from error
        await stored

    def _check_open(self) -> None:
        if self._lost is not None:
            raise self._lost

    def close(self) -> None:
        """Safe to call twice. Transactions under way still finish."""
        self._give_up(StorageError(f"{self.name} is closed"))

    def _on_version_change(self, js_event: Any) -> None:
        self._give_up(StorageBusy(f"another tab upgraded or removed {self.name}; reload this one"))

    def _on_close(self, js_event: Any) -> None:
        self._give_up(StorageError(f"the browser closed {self.name}; was the site's data cleared?"))

    def _give_up(self, reason: StorageError) -> None:
        if self._lost is None:
            self._lost = reason
            self._js_database.onversionchange = self._js_database.onclose = None
            self._js_database.close()
            # One of the proxies may be what is running now.
            asyncio.get_running_loop().call_soon(lambda: [proxy.destroy() for proxy in self._proxies])


async def open_database(
    name: str, stores: Sequence[str], durability: Durability = "strict", *, version: int = 1
) -> IndexedDb:
    """Open a database, making it or what it lacks of these object stores (keys out of line).

    Parameters:
        version: a later one for each change of `stores`; what is stored stays.

    Raises:
        StorageBusy: another tab has it open at another version.
        StorageError: the browser cannot open it.
    """
    js_request = js.indexedDB.open(name, version)

    def upgrade(js_event: Any) -> None:
        js_database = js_event.target.result
        for store in stores:
            if not js_database.objectStoreNames.contains(store):
                js_database.createObjectStore(store)

    js_request.onupgradeneeded = create_once_callable(upgrade)
    try:
        return IndexedDb(name, await _opened(js_request, f"opening {name}"), durability)
    finally:
        js_request.onupgradeneeded = None


async def delete_database(name: str) -> None:
    """Remove a database with all it holds; one that does not exist is no error.

    Raises:
        StorageBusy: a tab has it open and does not close it.
    """
    await _opened(js.indexedDB.deleteDatabase(name), f"deleting {name}")


class WriteTransaction:
    """Puts and deletes that are stored together or not at all. Nothing happens before `commit`.

    Parameters:
        database: where.
        doing: a short phrase for error messages, such as "writing pages".
        stores: the object stores that it may touch.
    """

    def __init__(self, database: IndexedDb, doing: str, *stores: str) -> None:
        self._database = database
        self._doing = doing
        self._stores = stores
        self._requests: list[Request] = []

    def put(self, store: str, key: Any, value: Any) -> None:
        """`value` is copied: bytes become a Uint8Array, lists an Array; a JavaScript object is kept as it is."""
        self._requests.append((store, "put", value, key))

    def add(self, store: str, key: Any, value: Any) -> None:
        """As `put`, but `commit` raises StorageBusy if the key is there already."""
        self._requests.append((store, "add", value, key))

    def delete(self, store: str, *, key: Any) -> None:
        self._requests.append((store, "delete", key))

    def delete_range(self, store: str, first: Any, last: Any) -> None:
        """Both ends included. None as `last`: to the end."""
        self._requests.append((store, "delete", key_range(first, last)))

    async def commit(self) -> None:
        """Return when all of it is stored.

        Raises:
            StorageFull, StorageError: none of it is.
        """
        await self._database.write(self._stores, self._requests, self._doing)


def key_range(first: Any, last: Any = None) -> Any:
    """An IDBKeyRange with both ends in it; None as `last`: to the end."""
    if last is None:
        return js.IDBKeyRange.lowerBound(to_js(first))
    return js.IDBKeyRange.bound(to_js(first), to_js(last))


async def read(database: IndexedDb, store: str, key: Any, doing: str) -> Any:
    """The JavaScript value under a key, or None.

    Raises:
        StorageError: as the table of js_errors says.
    """
    return await result(database.js_store(store).get(to_js(key)), doing)


async def read_keys(database: IndexedDb, store: str, doing: str) -> list[Any]:
    """All keys of a store, ascending.

    Raises:
        StorageError: as the table of js_errors says.
    """
    js_keys = await result(database.js_store(store).getAllKeys(), doing)
    keys: list[Any] = js_keys.to_py()
    return keys


async def result(js_request: Any, doing: str) -> Any:
    """What an IDBRequest gives; it may have been answered already.

    Raises:
        StorageError: as the table of js_errors says.
    """
    if js_request.readyState == "pending":
        await _settled(js_request, "onsuccess", "onerror", doing)
    elif js_request.error:
        raise translated(STORAGE, js_request.error, doing)
    return js_request.result


async def _opened(js_request: Any, doing: str) -> Any:
    try:
        await _settled(js_request, "onsuccess", "onerror", doing, blocked="onblocked")
    except StorageBusy:
        # The request stays queued. Should it open the database after all, nobody is there to use it.
        js_request.onsuccess = create_once_callable(lambda event: event.target.result and event.target.result.close())
        raise
    return js_request.result


async def _settled(js_target: Any, good: str, bad: str, doing: str, blocked: str | None = None) -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(error: Exception | None) -> None:
        if done.done():  # its waiter was cancelled
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    listeners = {
        good: create_proxy(lambda event: settle(None)),
        bad: create_proxy(lambda event: settle(translated(STORAGE, js_target.error, doing))),
    }
    if blocked is not None:
        listeners[blocked] = create_proxy(lambda event: settle(StorageBusy(f"{doing} waits for another tab")))
    for event, proxy in listeners.items():
        setattr(js_target, event, proxy)
    try:
        await done
    finally:
        for event, proxy in listeners.items():
            setattr(js_target, event, None)
            proxy.destroy()
