"""A device's disk: pages and blobs that survive a crash, take time to be written, and may find no room, or be gone.

Invariants:
1. What a write was told to be done is there after a crash; what it was not told may be there or not, as a whole.
2. After `cut` nothing that the device still does changes the disk.
3. Room is taken and given back by what is really stored. What replaces something wants room beside it first, as in a
   browser; a `reserve` is kept for what makes room, and used up by nothing else
   (`web5.browser.storage.pages`, invariant 4).
4. Nothing is written into a store that is not the one that was read: it is StorageLost first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from random import Random
from typing import NoReturn

from web5.dwn.store.durable.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import BlobMissing, StorageCorrupt, StorageError, StorageFull, StorageLost

FASTEST, SLOWEST = 0.001, 0.02
"""Seconds that one write takes."""

RESERVE = 48 * DEFAULT_PAGE_SIZE
"""Bytes. What makes room replaces some pages in each of several trees, and for several messages in one write."""


class Disk:
    """The durable state of a device.

    Attributes:
        reserve: bytes that are kept for what makes room.
        used_up: True from when it needed them until they are kept again: meanwhile nothing else is stored.
        capacity: bytes that pages, blobs and the reserve may have; None: as many as they need.
        version: another number whenever what was stored is gone.
        out_of_reach: True while nobody gets at it.
        behind: True while memory is all there is of something that was acknowledged.
        fulls: how many writes found no room.
        troubles: how often all was lost, or out of reach.
        troubled: True from such a write until the next that is done: meanwhile nothing is committed.
    """

    def __init__(self, random: Random) -> None:
        self.pages: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.reserve = 0
        self.used_up = False
        self.capacity: int | None = None
        self.version = 0
        self.out_of_reach = False
        self.behind = False
        self.fulls = 0
        self.troubles = 0
        self.troubled = False
        self.random = random

    @property
    def used(self) -> int:
        return sum(map(len, self.pages.values())) + sum(map(len, self.blobs.values())) + self.reserve

    def fill(self, room: int) -> None:
        """Let there be so much room, and no more."""
        self.capacity = self.used + room

    def clear(self) -> None:
        """Lose everything, as a browser does whose person clears the site's data."""
        self.behind = self.behind or bool(self.pages)
        self.pages, self.blobs, self.reserve, self.used_up = {}, {}, 0, False
        self.version += 1
        self.troubles += 1

    def close(self) -> None:
        """Let nobody get at it."""
        self.out_of_reach = True
        self.troubles += 1

    def check_room(self, size: int, *, makes_room: bool = False) -> None:
        """Raise StorageFull where there is no room for so many bytes more; what makes room may use the reserve up."""
        if self.used_up and not makes_room and not self.keeps_reserve():
            self._find_full()
        if self._has_room(size):
            return
        if makes_room:
            self.used_up = self.used_up or bool(self.reserve)
            self.reserve = 0
        if not makes_room or not self._has_room(size):
            self._find_full()

    def _find_full(self) -> NoReturn:
        self.fulls += 1
        self.troubled = True
        raise StorageFull("there is no room on the disk")

    def keeps_reserve(self) -> bool:
        """Keep room (again), if there is any; return True if it is kept."""
        if not self.reserve and self._has_room(RESERVE):
            self.reserve, self.used_up = RESERVE, False
        return bool(self.reserve)

    def _has_room(self, size: int) -> bool:
        return self.capacity is None or self.used + size <= self.capacity


class Mount:
    """A disk as one run of the device sees it; the ports `PageStore` and `Blobs` are over it.

    Parameters:
        step: awaited before and after each write that changes the disk; the device may crash there.
    """

    def __init__(self, disk: Disk, step: Callable[[str], Awaitable[None]]) -> None:
        self.disk = disk
        self._step = step
        self.is_cut = False

    def cut(self) -> None:
        """Crash: whatever the device does from now on leaves no trace."""
        self.is_cut = True

    async def change(self, what: str, apply: Callable[[], None]) -> None:
        """Change the disk; what `apply` raises changes nothing."""
        if self.is_cut:
            return
        await self._step(f"before {what}")
        await asyncio.sleep(self.disk.random.uniform(FASTEST, SLOWEST))
        if self.is_cut:
            return
        apply()
        await self._step(f"after {what}")


class _Connection:
    """The connection of one store to a disk, which is made anew where it was closed."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._version = disk.version

    def connect(self) -> bool:
        """Return True if what was stored is gone.

        Raises:
            StorageError: nobody gets at it.
        """
        if self._disk.out_of_reach:
            raise StorageError("the store cannot be opened")
        before, self._version = self._version, self._disk.version
        return before != self._version


class SimPages:
    """The `PageStore` port."""

    page_size = DEFAULT_PAGE_SIZE

    def __init__(self, mount: Mount) -> None:
        self.on_interrupted: Callable[[], None] = lambda: None
        self._mount = mount
        self._connection = _Connection(mount.disk)

    async def load(self) -> dict[int, bytes]:
        self._connection.connect()
        pages = dict(self._mount.disk.pages)
        try:
            check_numbers(pages)
            check_lengths(pages, self.page_size)
        except StorageCorrupt as error:
            raise AssertionError("half a database was stored") from error
        return pages

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        await self._mount.change("pages are stored", lambda: self._store(pages, page_count, makes_room))

    def _store(self, pages: Mapping[int, bytes], page_count: int, makes_room: bool) -> None:
        disk = self._mount.disk
        try:
            if self._connection.connect():
                raise StorageLost("the store was empty when it was opened again")
        except StorageError as error:
            disk.behind = True
            raise error if isinstance(error, StorageLost) else StorageLost(str(error)) from error
        disk.check_room(sum(map(len, pages.values())), makes_room=makes_room)
        disk.pages.update(pages)
        for number in [number for number in disk.pages if number >= page_count]:
            del disk.pages[number]
        disk.keeps_reserve()
        disk.behind = disk.troubled = False

    async def erase(self) -> None:
        """There is only one version of each page."""

    async def close(self) -> None: ...


class SimBlobs:
    """The `Blobs` port.

    Attributes:
        left: keys of blobs that could not be deleted; the next opening does it.
    """

    def __init__(self, mount: Mount) -> None:
        self.left: set[str] = set()
        self._mount = mount
        self._connection = _Connection(mount.disk)

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        data = b"".join([chunk async for chunk in chunks])
        disk = self._mount.disk

        def apply() -> None:
            self._connection.connect()
            disk.check_room(len(data))
            disk.blobs[key] = data
            disk.troubled = False

        try:
            await self._mount.change("a blob is stored", apply)
        except asyncio.CancelledError:
            if not self._mount.is_cut:
                disk.blobs.pop(key, None)
            raise
        return len(data)

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        self._connection.connect()
        if key not in self._mount.disk.blobs:
            raise BlobMissing(f"no blob {key}")
        yield self._mount.disk.blobs[key][start:]

    async def delete(self, keys: Iterable[str]) -> None:
        gone = list(keys)

        def apply() -> None:
            self._connection.connect()
            for key in gone:
                self._mount.disk.blobs.pop(key, None)

        if gone:
            self.left.update(gone)
            await self._mount.change("blobs are deleted", apply)
            self.left.difference_update(gone)

    async def keys(self) -> set[str]:
        self._connection.connect()
        return set(self._mount.disk.blobs)

    async def close(self) -> None: ...
