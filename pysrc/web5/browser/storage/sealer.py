"""The Sealer port in the browser: an AES key that this browser profile keeps and no script can read."""

from __future__ import annotations

import os
from typing import Any

import js
from pyodide.ffi import to_js

from web5.browser.javascript.webcrypto import cipher, crypto_errors, gcm, js_object
from web5.browser.storage.indexeddb import IndexedDb, WriteTransaction, open_database
from web5.errors import CryptoError, StorageBusy

_STORE = "keys"
_KEY = "device"
_NONCE = 12  # bytes, NIST SP 800-38D section 8.2
_TAG = 16  # bytes


class DeviceSealer:
    """A `Sealer` whose key is a non-extractable CryptoKey in the IndexedDB database `<db_name>.device`.

    The key is made at the first use. Whoever can run script on this origin can use it, but not copy it away; clearing
    the site's data destroys it.
    """

    def __init__(self, db_name: str) -> None:
        self._db_name = f"{db_name}.device"
        self._js_key: Any = None

    async def seal(self, plaintext: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + await cipher("encrypt", gcm(nonce), await self._key(), plaintext, "sealing failed")

    async def open(self, sealed: bytes) -> bytes:
        if len(sealed) < _NONCE + _TAG:
            raise CryptoError("sealed data is too short to be any")
        refused = "this was not sealed on this device, or was changed since"
        return await cipher("decrypt", gcm(sealed[:_NONCE]), await self._key(), sealed[_NONCE:], refused)

    async def restore(self) -> None:
        """Store the key again, if it was used and is not there any more."""
        if self._js_key is not None:
            database = await open_database(self._db_name, [_STORE])
            try:
                if await _stored_key(database) is None:
                    await _store(database, self._js_key)
            finally:
                database.close()

    async def _key(self) -> Any:
        if self._js_key is None:
            database = await open_database(self._db_name, [_STORE])
            try:
                self._js_key = await _stored_key(database) or await _new_key(database)
            finally:
                database.close()
        return self._js_key


async def _stored_key(database: IndexedDb) -> Any:
    return await database.read(_STORE, _KEY, "reading the device key")


async def _new_key(database: IndexedDb) -> Any:
    js_usages = to_js(["encrypt", "decrypt"])
    with crypto_errors("making the device key failed"):
        js_key = await js.crypto.subtle.generateKey(js_object(name="AES-GCM", length=256), False, js_usages)
    try:
        await _store(database, js_key)
    except StorageBusy:
        return await _stored_key(database)
    return js_key


async def _store(database: IndexedDb, js_key: Any) -> None:
    write = WriteTransaction(database, "storing the device key", _STORE)
    write.add(_STORE, _KEY, js_key)
    await write.commit()
