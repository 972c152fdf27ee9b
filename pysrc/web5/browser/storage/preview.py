"""A text that a page wants to show before its node is up, in an IndexedDB database of its own.

It is kept in the clear, so nobody keeps one where a password guards the vault, and whoever opens an agent here has it
erased before a password is set, another vault takes this one's place, or an identity goes.
"""

from __future__ import annotations

from collections.abc import Callable

from web5.browser.storage.indexeddb import WriteTransaction, open_database

_STORE = "texts"
_KEY = "newest"


class PreviewStore:
    """The text, in the database `<name>.preview`; it is opened for each call, so that no tab holds it."""

    def __init__(self, name: str) -> None:
        self._name = f"{name}.preview"

    async def keep(self, text: str, still: Callable[[], bool]) -> None:
        """Keep a text in the place of the one before.

        Parameters:
            still: says, at the last moment, whether it is to be kept.

        Raises:
            StorageError: it could not be stored.
        """
        database = await open_database(self._name, [_STORE])
        try:
            write = WriteTransaction(database, "keeping what a page shows first", _STORE)
            write.put(_STORE, _KEY, text)
            if still():
                await write.commit()
        finally:
            database.close()

    async def erase(self) -> None:
        """Erase the text; durable on return.

        Raises:
            StorageError: it could not be erased.
        """
        database = await open_database(self._name, [_STORE])
        try:
            write = WriteTransaction(database, "erasing what a page shows first", _STORE)
            write.delete(_STORE, key=_KEY)
            await write.commit()
        finally:
            database.close()
