"""A device's disk: pages and blobs that survive a crash, take time to be written, and may have no room.

Invariants:
1. What a write was told to be done is there after a crash; what it was not told may be there or not, as a whole.
2. After `cut` nothing that the device still does changes the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from random import Random

from web5.dwn.store.paged import DEFAULT_PAGE_SIZE
from web5.errors import BlobMissing, StorageFull

FASTEST, SLOWEST = 0.001, 0.02
"""Seconds that one write takes."""


class Disk:
    """The durable state of a device.

    Attributes:
        full: True while nothing more can be written.
        fulls: how many writes found no room.
        troubled: True from such a write until the next that is done: meanwhile nothing is committed.
    """

    def __init__(self, random: Random) -> None:
        self.pages: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.full = False
        self.fulls = 0
        self.troubled = False
        self.random = random


class Mount:
    """A disk as one run of the device sees it; the ports `PageStore` and `Blobs` are over it.

    Parameters:
        step: awaited before and after each write that changes the disk; the device may crash there.
    """

    def __init__(self, disk: Disk, step: Callable[[str], Awaitable[None]]) -> None:
        self.disk = disk
        self._step = step
        self._cut = False

    def cut(self) -> None:
        """Crash: whatever the device does from now on leaves no trace."""
        self._cut = True

    async def change(self, what: str, apply: Callable[[], None], *, needs_room: bool = True) -> None:
        if self._cut:
            return
        await self._step(f"before {what}")
        await asyncio.sleep(self.disk.random.uniform(FASTEST, SLOWEST))
        if self._cut:
            return
        if self.disk.full and needs_room:
            self.disk.fulls += 1
            self.disk.troubled = True
            raise StorageFull("there is no room on the disk")
        apply()
        self.disk.troubled = False
        await self._step(f"after {what}")


class SimPages:
    """The `PageStore` port."""

    page_size = DEFAULT_PAGE_SIZE
    on_interrupted: Callable[[], None]

    def __init__(self, mount: Mount) -> None:
        self._mount = mount

    async def load(self) -> dict[int, bytes]:
        return dict(self._mount.disk.pages)

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        def apply() -> None:
            held = self._mount.disk.pages
            held.update(pages)
            for number in [number for number in held if number >= page_count]:
                del held[number]

        await self._mount.change("pages are stored", apply)

    async def erase(self) -> None:
        """There is only one version of each page."""

    async def close(self) -> None: ...


class SimBlobs:
    """The `Blobs` port."""

    def __init__(self, mount: Mount) -> None:
        self._mount = mount

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        data = b"".join([chunk async for chunk in chunks])

        def apply() -> None:
            self._mount.disk.blobs[key] = data

        await self._mount.change("a blob is stored", apply)
        return len(data)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        if key not in self._mount.disk.blobs:
            raise BlobMissing(f"no blob {key}")
        yield self._mount.disk.blobs[key]

    async def delete(self, keys: Iterable[str]) -> None:
        gone = list(keys)

        def apply() -> None:
            for key in gone:
                self._mount.disk.blobs.pop(key, None)

        if gone:
            await self._mount.change("blobs are deleted", apply, needs_room=False)

    async def keys(self) -> set[str]:
        return set(self._mount.disk.blobs)

    async def close(self) -> None: ...
