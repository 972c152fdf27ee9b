"""The last settings of this origin's sites, in an IndexedDB database of their own."""

from __future__ import annotations

from web5.browser.storage.indexeddb import WriteTransaction, open_database

_DATABASE = "web5.settings"
_STORE = "files"


class SettingsMemory:
    """A `Memory` of `site_settings`; it opens the database for each call, as there are two in the life of a page."""

    async def load(self, url: str) -> bytes | None:
        database = await open_database(_DATABASE, [_STORE])
        try:
            js_found = await database.read(_STORE, url, "reading the settings")
        finally:
            database.close()
        return None if js_found is None else bytes(js_found.to_bytes())

    async def keep(self, url: str, body: bytes) -> None:
        database = await open_database(_DATABASE, [_STORE])
        try:
            write = WriteTransaction(database, "storing the settings", _STORE)
            write.put(_STORE, url, body)
            await write.commit()
        finally:
            database.close()
