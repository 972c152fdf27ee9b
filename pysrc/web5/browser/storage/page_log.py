"""A log of page writes: its records, and what of each is still of use.

A record holds pages, and the count of pages that there were after its write. What is stored is every page as the last
record has it, up to the count of the last record of all. A record that newer ones have replaced for a good part is
tidied up: what is still of use of it is written anew, and it is dropped.

Invariants:
1. Whoever makes the count grow writes the pages that it grows by, so that no page of an older record comes back.
2. What is replaced stays within `WASTE` of what is of use and `SPARE` pages, and the number of records within bounds;
   what is beyond is tidied up by the next writes, each of which moves not much more than it has itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from struct import Struct

from web5.errors import StorageCorrupt

RECORD_PAGES = 256
"""Pages in a record at the most: a browser reads few large records faster than many small ones."""

WASTE = 0.5
"""Replaced pages for each that is of use; half of that is left when it was tidied up."""
SPARE = 512
"""Replaced pages that are left in any case."""
RECORDS = 64
"""Records that are left in any case, however small."""
PAGES_A_RECORD = 32
"""With more pages, there may be a record for so many."""
MOVED_PAGES = 256
"""The pages that a small write moves at the most; a larger one moves up to twice as many as it has."""

_OVERHEAD = 8
"""The cost of a record beside its pages when the store opens, in pages."""

_HEAD = Struct("<II")
_NUMBER = Struct("<I")


def encode(page_count: int, pages: Mapping[int, bytes]) -> bytes:
    """Return a record as it is stored: the counts of all pages and of these, their numbers, and the pages."""
    numbers = b"".join(map(_NUMBER.pack, pages))
    return b"".join((_HEAD.pack(page_count, len(pages)), numbers, *pages.values()))


def parts(pages: Mapping[int, bytes]) -> Iterator[dict[int, bytes]]:
    """Share pages out to records; at least one, which may be empty."""
    rest = iter(pages.items())
    part = dict(islice(rest, RECORD_PAGES))
    yield part
    while part := dict(islice(rest, RECORD_PAGES)):
        yield part


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record.

    Parameters:
        page_count: the pages that there were after its write.
        numbers: those of its pages, in the order in which they lie in `data` from `begin` on.
    """

    page_count: int
    numbers: tuple[int, ...]
    data: bytes
    begin: int

    def pages(self, page_size: int) -> Iterator[tuple[int, bytes]]:
        """Give the pages with their numbers.

        Raises:
            StorageCorrupt: they do not have this size.
        """
        if len(self.data) - self.begin != len(self.numbers) * page_size:
            raise StorageCorrupt(f"a record of {len(self.numbers)} pages has {len(self.data) - self.begin} bytes")
        for at, number in enumerate(self.numbers):
            begin = self.begin + at * page_size
            yield number, self.data[begin : begin + page_size]


def decode(data: bytes) -> Record:
    """Read a record.

    Raises:
        StorageCorrupt: it is too short to be one.
    """
    page_count, held = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else (0, len(data))
    begin = _HEAD.size + held * _NUMBER.size
    if len(data) < begin:
        raise StorageCorrupt(f"a record of the log has {len(data)} bytes, too few for the numbers of its pages")
    return Record(page_count, Struct(f"<{held}I").unpack_from(data, _HEAD.size), data, begin)


@dataclass(slots=True)
class _Use:
    """Of a record: how many pages it has, and the numbers of those that are of use."""

    held: int
    live: set[int]

    @property
    def waste(self) -> int:
        return self.held - len(self.live)


class PageLog:
    """The records that are stored, as far as their pages are of use.

    Attributes:
        count: of the pages.
        next_key: of the record that is stored next.
    """

    def __init__(self) -> None:
        self.count = 0
        self.next_key = 0
        self._uses: dict[int, _Use] = {}
        self._holders: dict[int, int] = {}
        self._held = 0

    def __len__(self) -> int:
        return len(self._uses)

    def append(self, key: int, numbers: Collection[int], page_count: int) -> None:
        """Take over the record that is the last by now.

        Parameters:
            numbers: those of its pages.
        """
        live = {number for number in numbers if number < page_count}
        for number in live:
            self._replace(number)
            self._holders[number] = key
        for number in range(page_count, self.count):
            self._replace(number)
            self._holders.pop(number, None)
        self._uses[key] = _Use(len(numbers), live)
        self._held += len(numbers)
        self.count, self.next_key = page_count, key + 1

    def _replace(self, number: int) -> None:
        holder = self._holders.get(number)
        if holder is not None and holder in self._uses:
            self._uses[holder].live.discard(number)

    def drop(self, keys: Iterable[int]) -> None:
        """Forget records that are dropped, and of which nothing is of use any more."""
        for key in keys:
            self._held -= self._uses.pop(key).held

    def live(self, key: int) -> frozenset[int]:
        """Return the numbers of a record's pages that are of use."""
        return frozenset(self._uses[key].live)

    def to_tidy(self, room: int) -> list[int]:
        """Return the keys of the records to tidy up now: none, unless there is too much of what is replaced.

        Parameters:
            room: the pages to be moved at the most.
        """
        used = len(self._holders)
        waste, records = self._held - used, len(self._uses)
        most_records = RECORDS + used // PAGES_A_RECORD
        if waste <= WASTE * used + SPARE and records <= most_records:
            return []
        chosen = []
        for key, use in sorted(self._uses.items(), key=_cost):
            if waste <= (WASTE * used + SPARE) / 2 and records <= most_records / 2:
                break
            if len(use.live) <= room:
                room -= len(use.live)
                waste -= use.waste
                records -= 1
                chosen.append(key)
        return chosen

    def wasteful(self, room: int) -> list[int]:
        """Return the keys of records of which a page is replaced, with few enough others to be moved; one at least."""
        chosen: list[int] = []
        for key, use in self._uses.items():
            if use.waste and (not chosen or len(use.live) <= room):
                room -= len(use.live)
                chosen.append(key)
        return chosen


def _cost(item: tuple[int, _Use]) -> float:
    """Return the pages to be moved for each that is gained."""
    _, use = item
    return len(use.live) / (use.waste + _OVERHEAD)
