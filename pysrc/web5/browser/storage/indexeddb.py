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
from web5.browser.javascript.promises import JS_PLAIN_ERROR
from web5.browser.javascript.scripts import js_functions
from web5.errors import StorageBusy, StorageError

T = TypeVar("T")

_js_open, _js_result, _js_write = js_functions(
    f"const plain = {JS_PLAIN_ERROR};"
    """
    () => {
      // A request that is blocked, or not answered, stays queued. Should it open the database after all, nobody is
      // there to use it.
      const open = (name, version, stores, milliseconds) => new Promise((resolve, reject) => {
        let left = false, made = false;
        const leave = (message, reason) => {
          left = true;
          reject(new DOMException(message, reason));
        };
        if (!globalThis.indexedDB) return leave("this browser has no IndexedDB here", "SecurityError");
        const timer = setTimeout(() => leave("the browser's storage does not answer", "TimeoutError"), milliseconds);
        try {
          const request = indexedDB.open(name, version);
          request.onupgradeneeded = ({ oldVersion }) => {
            made = oldVersion === 0;
            const present = request.result.objectStoreNames;
            for (const store of stores) if (!present.contains(store)) request.result.createObjectStore(store);
          };
          request.onblocked = () => leave("another tab has it open at another version", "BlockedError");
          request.onerror = () => reject(plain(request.error));
          request.onsuccess = () => {
            clearTimeout(timer);
            left ? request.result.close() : resolve([request.result, made]);
          };
        } catch (error) {
          reject(plain(error));
        }
      });

      // Chromium closes the connection when the data are cleared, and may forget to end what is under way on it.
      const whileOpen = (database, work) => new Promise((resolve, reject) => {
        const lost = () => reject(new DOMException("the browser closed the connection", "AbortError"));
        const end = (settle) => (value) => {
          database?.removeEventListener("close", lost);
          settle(value);
        };
        database?.addEventListener("close", lost);
        try {
          work(end(resolve), end(reject));
        } catch (error) {
          end(reject)(plain(error));
        }
      });

      const result = (request) => whileOpen(request.transaction?.db, (resolve, reject) => {
        const settle = () => request.error ? reject(plain(request.error)) : resolve(request.result);
        request.readyState === "done" ? settle() : (request.onsuccess = request.onerror = settle);
      });

      // One crossing from Python for a whole transaction: resolved once all of it is stored, rejected if none is.
      const write = (database, stores, requests) => whileOpen(database, (resolve, reject) => {
        const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
        // Firefox says of a transaction that was to commit only that it was aborted, and at the request why.
        let first = null;
        transaction.onerror = ({ target }) => (first ??= target.error);
        const reason = () => first ?? transaction.error ?? new DOMException("no reason was given", "AbortError");
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(plain(reason()));
        try {
          // It commits by itself: one that was told to, WebKit never ends where its worker is terminated, and then it
          // lets nobody read the store.
          for (const [store, method, ...args] of requests) transaction.objectStore(store)[method](...args);
        } catch (error) {
          transaction.onabort = null;
          transaction.abort();
          throw error;
        }
      });

      return { open, result, write };
    }
    """,
    "open",
    "result",
    "write",
)


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
                js_database, made = await _js_open(
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

    def js_store(self, store: str) -> Any:
        """Return a JavaScript IDBObjectStore to read from."""
        self.check_open()
        try:
            return self._js_database.transaction(store, "readonly").objectStore(store)
        except JsException as error:
            raise translated(STORAGE, error, f"opening {self.name}") from error

    async def read(self, store: str, key: Any, doing: str) -> Any:
        """Return the JavaScript value under a key, or None.

        Parameters:
            doing: a short phrase for error messages, such as "reading pages".
        """
        return await result(self.js_store(store).get(to_js(key)), doing)

    async def read_keys(self, store: str, doing: str) -> list[Any]:
        """Return all keys of a store, ascending."""
        keys: list[Any] = (await result(self.js_store(store).getAllKeys(), doing)).to_py()
        return keys

    async def write(self, stores: Sequence[str], requests: Sequence[tuple[Any, ...]], doing: str) -> None:
        """Carry out the requests of a `WriteTransaction`."""
        self.check_open()
        try:
            await _js_write(self._js_database, to_js(stores), to_js(requests))
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
            self._js_database.close()
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


async def result(js_request: Any, doing: str) -> Any:
    """Return the result of an IDBRequest, which may have been answered already.

    Raises:
        StorageError: as the table of js_errors says.
    """
    try:
        return await _js_result(js_request)
    except JsException as error:
        raise translated(STORAGE, error, doing) from error
