"""The pages of a SQLite file in memory, and the VFS by which SQLite has them as a file.

Invariants:
1. What commits have changed since pages were taken for storing can be undone, and so can what was taken.
2. The store holds `RESERVE` pages more than the file has. A change that makes room may grow into them; every other
   must find room for as many again, or it is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import apsw

from web5.errors import StorageCorrupt

RESERVE = 16
"""Pages. A delete takes one or two at the most, and frees others."""

_SECTOR = 4096
_MAGIC = b"SQLite format 3\x00"
_VERSION_AT, _VERSION_BYTES = 24, 16  # what SQLite looks at to know whether a file was changed by somebody else


@dataclass(slots=True)
class Changes:
    """The changes of all commits since some moment.

    Parameters:
        count: the pages that there were.
        before: what was in those that have changed, or gone.
        makes_room: every commit of them makes room.
    """

    count: int
    before: dict[int, bytes] = field(default_factory=dict)
    makes_room: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """Pages to store, and the count of pages that the store is to have then.

    Parameters:
        unsure: those of the pages that are stored for another reason than `changes`.
    """

    changes: Changes
    pages: Mapping[int, bytes]
    count: int
    unsure: frozenset[int]


class Image:
    """The file's pages.

    Parameters:
        stored: what a `PageStore` has loaded.

    Attributes:
        makes_room: what is committed now makes room.

    Raises:
        StorageCorrupt: these are not the pages of a SQLite database.
    """

    def __init__(self, page_size: int, stored: Mapping[int, bytes]) -> None:
        self.page_size = page_size
        self.pages = [stored[number] for number in range(len(stored))]
        self.makes_room = False
        self._blank = bytes(page_size)
        self._stored_count = len(stored)
        if self.pages:
            del self.pages[_page_count(self.pages[0], page_size, len(stored)) :]
        self._since = Changes(len(self.pages))
        self._unsure: set[int] = set()

    @property
    def changed(self) -> bool:
        since = self._since
        return bool(since.before) or since.count != len(self.pages) or bool(self._unsure)

    def take(self) -> Taken:
        """Return what the store has to be given; it counts as stored from now on (see `stored`, `undo`, `lose`)."""
        since, count = self._since, len(self.pages)
        unsure = frozenset(number for number in self._unsure if number < count)
        numbers = unsure.union(range(since.count, count), (number for number in since.before if number < count))
        room = count + RESERVE
        wanted = max(count, min(self._stored_count, room)) if since.makes_room else room
        pages = {number: self.pages[number] for number in sorted(numbers)}
        pages.update(dict.fromkeys(range(max(count, self._stored_count), wanted), self._blank))
        self._since, self._unsure = Changes(count), set()
        return Taken(since, pages, wanted, unsure)

    def stored(self, taken: Taken) -> None:
        """Record that the store has what was taken."""
        self._stored_count = taken.count

    def undo(self, taken: Taken, *, is_sure: bool) -> None:
        """Make the pages what they were before what was taken, and before all that was committed since.

        Parameters:
            is_sure: nothing of it is stored. Otherwise what was taken is stored anew, as it is now.
        """
        for changes in (self._since, taken.changes):
            del self.pages[changes.count :]
            for number, page in sorted(changes.before.items()):
                self.pages[number : number + 1] = [page]
        self._since = Changes(len(self.pages))
        self._unsure |= taken.unsure if is_sure else taken.pages.keys()
        if not is_sure:
            self._stored_count = min(self._stored_count, taken.count)

    def lose(self) -> None:
        """Record that the store has nothing at all: every page has to be stored anew, and nothing can be undone."""
        self._since = Changes(len(self.pages))
        self._unsure = set(range(len(self.pages)))
        self._stored_count = 0

    def write(self, data: bytes, offset: int) -> None:
        number, rest = divmod(offset, self.page_size)
        if rest or len(data) != self.page_size:
            raise apsw.IOError(f"SQLite wrote {len(data)} bytes at {offset}, which is not a page")
        if number >= len(self.pages):
            self.resize(number + 1)
        self._keep(number)
        self.pages[number] = data

    def resize(self, count: int) -> None:
        have = len(self.pages)
        for number in range(count, have):
            self._keep(number)
        del self.pages[count:]
        if count > have:
            self._since.makes_room &= self.makes_room
            self.pages.extend([self._blank] * (count - have))

    def _keep(self, number: int) -> None:
        since = self._since
        since.makes_room &= self.makes_room
        if number < since.count:
            since.before.setdefault(number, self.pages[number])


def _page_count(header: bytes, page_size: int, stored: int) -> int:
    # SQLite file format, section 1.3.
    size = int.from_bytes(header[16:18], "big")
    if header[:16] != _MAGIC or (65536 if size == 1 else size) != page_size:
        raise StorageCorrupt(f"the first page is not that of a SQLite database with {page_size}-byte pages")
    count = int.from_bytes(header[28:32], "big")
    if count > stored:
        raise StorageCorrupt(f"pages are missing: {stored} are stored, the database has {count}")
    return count or stored


class _ImageFile:
    """APSW calls these by name; it needs no base class. Locks mean nothing: there is one connection.

    Attributes:
        unlocks: how often SQLite has let go of the file altogether.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self.unlocks = 0

    def xRead(self, amount: int, offset: int) -> bytes:
        image = self._image
        if amount == _VERSION_BYTES and offset == _VERSION_AT:
            return b"\xff" * amount  # whenever SQLite takes the file up again, it was changed: see `forget`
        number, start = divmod(offset, image.page_size)
        if number >= len(image.pages):
            return b""
        page = image.pages[number]
        return page if amount == image.page_size and not start else page[start : start + amount]

    def xWrite(self, data: Any, offset: int) -> None:
        self._image.write(bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        self._image.resize(-(-size // self._image.page_size))

    def xFileSize(self) -> int:
        return len(self._image.pages) * self._image.page_size

    def xSync(self, flags: int) -> None: ...

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None:
        self.unlocks += level == apsw.SQLITE_LOCK_NONE

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xClose(self) -> None: ...


class ImageVfs(apsw.VFS):
    """Opens the one image; journals and temporary files stay in SQLite's own memory and never come here."""

    def __init__(self, name: str, image: Image) -> None:
        self.vfs_name = name
        self._file = _ImageFile(image)
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        if not flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            raise apsw.CantOpenError("only the database itself is kept in pages")
        flags[1] = flags[0]
        return self._file

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False

    def xDelete(self, filename: str, syncdir: bool) -> None: ...

    def xFullPathname(self, name: str) -> str:
        return name

    def forget(self, connection: apsw.Connection) -> bool:
        """Let SQLite forget what it has read of the image; return False if a statement of it is still going on."""
        before = self._file.unlocks
        for mode in ("NORMAL", "EXCLUSIVE"):
            connection.execute(f"PRAGMA locking_mode={mode}; SELECT count(*) FROM sqlite_schema").fetchall()
        return self._file.unlocks > before
