"""The JavaScript of `indexeddb`: opening, whole transactions and their turns, closing."""

from __future__ import annotations

from web5.browser.javascript.promises import JS_PLAIN_ERROR
from web5.browser.javascript.scripts import js_functions

JS_INDEXED_DB = (
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
          database.removeEventListener("close", lost);
          settle(value);
        };
        database.addEventListener("close", lost);
        try {
          work(end(resolve), end(reject));
        } catch (error) {
          end(reject)(plain(error));
        }
      });

      // WebKit never ends a write that waits behind other transactions of a worker while that is terminated, and lets
      // nobody read the store from then on. So a write is made once all before it have ended, a read once all writes.
      const turns = new WeakMap();
      const nothing = Promise.resolve();
      const inTurn = (database, isWrite, work) => {
        const { all, writes } = turns.get(database) ?? { all: nothing, writes: nothing };
        const done = (isWrite ? all : writes).then(() => whileOpen(database, work));
        const ended = Promise.allSettled([all, done]).then(() => {});  // it must not hold what was read
        turns.set(database, { all: ended, writes: isWrite ? ended : writes });
        return done;
      };

      const requested = (transaction, requests) =>
        requests.map(([store, method, ...args]) => transaction.objectStore(store)[method](...args));

      const settle = (transaction, resolve, reject) => {
        // Firefox says of a transaction that was to commit only that it was aborted, and at the request why.
        let first = null;
        transaction.onerror = ({ target }) => (first ??= target.error);
        const reason = () => first ?? transaction.error ?? new DOMException("no reason was given", "AbortError");
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(plain(reason()));
      };

      // One crossing from Python for a whole transaction.
      const read = (database, stores, requests) => inTurn(database, false, (resolve, reject) => {
        const transaction = database.transaction(stores, "readonly");
        const made = requested(transaction, requests);
        settle(transaction, () => resolve(made.map((request) => request.result)), reject);
      });

      // Resolved once all of it is stored, rejected if none is.
      const write = (database, stores, requests) => inTurn(database, true, (resolve, reject) => {
        const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
        settle(transaction, resolve, reject);
        try {
          // It commits by itself: one that was told to, WebKit never ends where its worker is terminated.
          requested(transaction, requests);
        } catch (error) {
          transaction.onabort = null;
          transaction.abort();
          throw error;
        }
      });

      // What is under way still finishes.
      const close = (database) => (turns.get(database)?.all ?? nothing).then(() => database.close());

      return { open, read, write, close };
    }
    """
)
"""JavaScript functions of IndexedDB, as `js_functions` takes them."""
js_open, js_read, js_write, js_close = js_functions(JS_INDEXED_DB, "open", "read", "write", "close")
