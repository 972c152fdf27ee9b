"""IndexedDB for the adapters here: opening, transactions, requests and their errors.

A transaction commits by itself as soon as control returns to the browser with no request outstanding, and an awaiting
coroutine resumes too late to add one. So every request of a transaction is made in one go, and then awaited.

A browser closes connections when the site's data are cleared, and at other times of its own choosing; another tab may
ask for it. Whoever goes on opens the database again, and may find another, empty one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import js
from pyodide.ffi import JsException, create_proxy, to_js

from web5.browser.javascript.js_errors import STORAGE, translated
from web5.browser.storage.js_indexeddb import js_close, js_open, js_read, js_write
from web5.errors import StorageBusy, StorageError

T = TypeVar("T")

OPEN_SECONDS = 30.0
"""The time in which the browser has to open a database."""


class IndexedDb:
    """A database. Use `open_database`.

    All methods but `connect` raise StorageError while there is no connection.

    Attributes:
        on_interrupted: is called when somebody else has closed the connection.
    """

    def __init__(self, name: str, stores: Sequence[str], version: int) -> None:
        self.name = name
        self.on_interrupted: Callable[[], None] = _ignore
        self._stores = stores
        self._version = version
        self._js_database: Any = None
        self._why = StorageError(f"{name} is not open")
        self._closed = False
        self._opening = asyncio.Lock()
        self._proxies: list[Any] = []

    @property
    def is_connected(self) -> bool:
        return self._js_database is not None

    @property
    def is_closed(self) -> bool:
        """True once it was closed here."""
        return self._closed

    async def connect(self) -> bool:
        """Make sure that there is a connection; return True if the database was made for it, and is empty.

        Raises:
            StorageBusy: another tab has it open at another version.
            StorageBlocked: the browser lets this page store nothing.
            StorageError: the browser cannot open it, or it was closed here.
        """
        async with self._opening:
            if self._closed or self.is_connected:
                self.check_open()
                return False
            try:
                js_database, made = await js_open(
                    self.name, self._version, to_js(self._stores), int(OPEN_SECONDS * 1000)
                )
            except JsException as error:
                raise translated(STORAGE, error, f"opening {self.name}") from error
            self._js_database = js_database
            self._proxies = [create_proxy(self._on_version_change), create_proxy(self._on_close)]
            js_database.onversionchange, js_database.onclose = self._proxies
            if self._closed:
                self.close()
                self.check_open()
            return bool(made)

    async def again(self, action: Callable[[], Awaitable[T]]) -> T:
        """Connect and do something; do it once more where somebody closes the connection meanwhile."""
        await self.connect()
        try:
            return await action()
        except StorageError:
            if self.is_connected:
                raise
        await self.connect()
        return await action()

    def ask(self, store: str, *requests: tuple[Any, ...]) -> Any:
        """Begin to read; return a JavaScript promise of an array of results, for `result`.

        Parameters:
            requests: for each, the name of the object store's method and its JavaScript arguments.
        """
        self.check_open()
        return js_read(self._js_database, to_js([store]), to_js([(store, *request) for request in requests]))

    async def read(self, store: str, key: Any, doing: str) -> Any:
        """Return the JavaScript value under a key, or None.

        Parameters:
            doing: a short phrase for error messages, such as "reading pages".
        """
        (js_value,) = await result(self.ask(store, ("get", to_js(key))), doing)
        return js_value

    async def read_keys(self, store: str, doing: str) -> list[Any]:
        """Return all keys of a store, ascending."""
        (js_keys,) = await result(self.ask(store, ("getAllKeys",)), doing)
        keys: list[Any] = js_keys.to_py()
        return keys

    async def write(self, stores: Sequence[str], requests: Sequence[tuple[Any, ...]], doing: str) -> None:
        """Carry out the requests of a `WriteTransaction`."""
        self.check_open()
        try:
            await js_write(self._js_database, to_js(stores), to_js(requests))
        except JsException as error:
            raise translated(STORAGE, error, doing) from error

    def check_open(self) -> None:
        """Raise the reason why there is no connection, if there is none."""
        if not self.is_connected:
            raise self._why

    def close(self) -> None:
        """Close the database. Safe to call twice. Transactions under way still finish."""
        self._closed = True
        self._disconnect(StorageError(f"{self.name} is closed"))

    def _on_version_change(self, js_event: Any) -> None:
        self._disconnect(StorageBusy(f"another tab upgraded or removed {self.name}"))
        self.on_interrupted()

    def _on_close(self, js_event: Any) -> None:
        self._disconnect(StorageError(f"the browser closed {self.name}"))
        self.on_interrupted()

    def _disconnect(self, why: StorageError) -> None:
        self._why = why
        if self._js_database is not None:
            self._js_database.onversionchange = self._js_database.onclose = None
            js_close(self._js_database)
            self._js_database = None
            # One of the proxies may be what is running now.
            proxies, self._proxies = self._proxies, []
            asyncio.get_running_loop().call_soon(lambda: [proxy.destroy() for proxy in proxies])


def _ignore() -> None:
    return None


async def open_database(name: str, stores: Sequence[str], *, version: int = 1) -> IndexedDb:
    """Open a database, making it or what it lacks of these object stores (keys out of line).

    Parameters:
        version: a later one for each change of `stores`; what is stored stays.

    Raises as `IndexedDb.connect` does.
    """
    database = IndexedDb(name, stores, version)
    await database.connect()
    return database


class WriteTransaction:
    """Puts and deletes that are stored together or not at all. Nothing happens before `commit`.

    Parameters:
        doing: a short phrase for error messages, such as "writing pages".
        stores: the object stores that it may touch.
    """

    def __init__(self, database: IndexedDb, doing: str, *stores: str) -> None:
        self._database = database
        self._doing = doing
        self._stores = stores
        self._requests: list[tuple[Any, ...]] = []  # the object store, the name of its method, the arguments

    def put(self, store: str, key: Any, value: Any) -> None:
        """Store a copy of `value`: of bytes a Uint8Array, of lists an Array, a JavaScript object as it is."""
        self._requests.append((store, "put", value, key))

    def add(self, store: str, key: Any, value: Any) -> None:
        """Store as `put` does, but let `commit` raise StorageBusy if the key is there already."""
        self._requests.append((store, "add", value, key))

    def delete(self, store: str, *, key: Any) -> None:
        self._requests.append((store, "delete", key))

    def delete_range(self, store: str, first: Any, last: Any) -> None:
        """Delete all keys in a `key_range`."""
        self._requests.append((store, "delete", key_range(first, last)))

    async def commit(self) -> None:
        """Return when all of it is stored.

        Raises:
            StorageFull, StorageError: none of it is.
        """
        await self._database.write(self._stores, self._requests, self._doing)


def key_range(first: Any, last: Any = None) -> Any:
    """Make an IDBKeyRange with both ends in it; None as `last`: to the end."""
    if last is None:
        return js.IDBKeyRange.lowerBound(to_js(first))
    return js.IDBKeyRange.bound(to_js(first), to_js(last))


async def result(js_promise: Any, doing: str) -> Any:
    """Return what was read, for a promise that `ask` has given.

    Raises:
        StorageError: as the table of js_errors says.
    """
    try:
        return await js_promise
    except JsException as error:
        raise translated(STORAGE, error, doing) from error
