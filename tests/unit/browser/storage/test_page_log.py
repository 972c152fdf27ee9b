"""`web5.browser.storage.page_log`: records come to what their writes made, whatever is tidied up between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.browser.storage import page_log
from web5.browser.storage.page_log import PageLog, decode, encode
from web5.errors import StorageCorrupt

SIZE = 4


class Stored:
    """What a browser keeps of the records, written as `web5.browser.storage.pages` does."""

    def __init__(self) -> None:
        self.log = PageLog()
        self.records: dict[int, bytes] = {}

    def write(self, pages: dict[int, bytes], count: int, tidied: list[int]) -> int:
        """Add a write; return how many pages went along with it."""
        log = self.log
        moved = {
            number: page
            for key in tidied
            for number, page in decode(self.records[key]).pages(SIZE)
            if number in log.live(key) and number not in pages and number < count
        }
        for key in tidied:
            del self.records[key]
        for key, part in enumerate(page_log.parts({**pages, **moved}), log.next_key):
            self.records[key] = encode(count, part)
            log.append(key, part, count)
        log.drop(tidied)
        return len(moved)

    def load(self) -> tuple[PageLog, dict[int, bytes]]:
        log, pages = PageLog(), dict[int, bytes]()
        for key, data in sorted(self.records.items()):
            record = decode(data)
            log.append(key, record.numbers, record.page_count)
            pages.update(record.pages(SIZE))
        return log, {number: page for number, page in pages.items() if number < log.count}


def _page(fill: int) -> bytes:
    return fill.to_bytes(SIZE, "big")


steps = st.lists(
    st.tuples(st.sets(st.integers(0, 11), max_size=5), st.integers(0, 12), st.sampled_from(["", "tidy", "erase"])),
    max_size=40,
)


@given(steps=steps)
def test_records_come_to_what_their_writes_make_one_by_one(steps: list[tuple[set[int], int, str]]) -> None:
    stored, expected = Stored(), dict[int, bytes]()
    for step, (numbers, count, how) in enumerate(steps):
        grown = {*numbers, *range(len(expected), count)}  # invariant 1
        changed = {number: _page(step) for number in sorted(grown) if number < count}
        records = list(stored.records)
        stored.write(changed, count, records[step % 3 :: 3] if how == "tidy" else [])
        expected = {number: page for number, page in {**expected, **changed}.items() if number < count}
        while how == "erase" and (wasteful := stored.log.wasteful(3)):
            stored.write({}, stored.log.count, wasteful)
        log, pages = stored.load()
        assert pages == expected
        assert (log.count, log.next_key, len(log)) == (count, stored.log.next_key, len(stored.records))
        assert [log.live(key) for key in stored.records] == [stored.log.live(key) for key in stored.records]
        if how == "erase":
            assert sum(len(decode(data).numbers) for data in stored.records.values()) == len(expected)


@pytest.mark.parametrize("at_a_time", [3, 90])
def test_what_is_replaced_and_the_number_of_records_stay_within_bounds(at_a_time: int) -> None:
    stored, count, moved, written = Stored(), 2000, 0, 0
    stored.write({number: _page(0) for number in range(count)}, count, [])
    for step in range(1, 6000 // at_a_time):
        changed = {(step * 619 + at * 97) % count: _page(step) for at in range(at_a_time)}
        room = max(page_log.MOVED_PAGES, 2 * len(changed))
        went_along = stored.write(changed, count, stored.log.to_tidy(room))
        assert went_along <= room
        moved, written = moved + went_along, written + len(changed)
        held = sum(len(decode(data).numbers) for data in stored.records.values())
        assert held <= (1 + page_log.WASTE) * count + page_log.SPARE + at_a_time
        assert len(stored.records) <= page_log.RECORDS + count // page_log.PAGES_A_RECORD + 1
    assert moved < 2 * written
    log, pages = stored.load()
    assert len(pages) == log.count == count


def test_a_log_with_little_that_is_replaced_is_left_alone() -> None:
    stored = Stored()
    for step in range(page_log.RECORDS):
        stored.write({0: _page(step), 1: _page(step)}, 2, stored.log.to_tidy(page_log.MOVED_PAGES))
    assert len(stored.records) == page_log.RECORDS


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0\0\0\0\xff\xff\xff\xff", b"\1\0\0\0\2\0\0\0\0\0\0\0"])
def test_a_record_that_is_cut_off_is_corrupt(data: bytes) -> None:
    with pytest.raises(StorageCorrupt, match="record of the log"):
        decode(data)


@pytest.mark.parametrize("page", [b"short"[: SIZE - 1], b"longer"])
def test_pages_of_another_size_are_corrupt(page: bytes) -> None:
    record = decode(encode(2, {0: _page(1), 1: page}))
    with pytest.raises(StorageCorrupt, match="a record of 2 pages has"):
        list(record.pages(SIZE))
