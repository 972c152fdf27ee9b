"""`web5.browser.page_log`: a log of writes comes to what the writes would have made one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.browser.page_log import PageLog
from web5.errors import StorageCorrupt

SIZE = 4
pages = st.dictionaries(st.integers(0, 7), st.binary(min_size=SIZE, max_size=SIZE))
writes = st.lists(st.tuples(pages, st.integers(0, 8)), max_size=8)


@given(below=pages, writes=writes)
def test_a_log_comes_to_what_its_writes_make_one_by_one(
    below: dict[int, bytes], writes: list[tuple[dict[int, bytes], int]]
) -> None:
    log, expected = PageLog(), below
    for changed, count in writes:
        log = log.followed_by(changed, count)
        expected = {number: page for number, page in {**expected, **changed}.items() if number < count}
    assert log.laid_over(below) == expected
    assert list(log.laid_over(below)) == sorted(expected)
    assert log.length == len(writes)


def test_a_stored_record_is_the_write_it_was_made_of() -> None:
    log = PageLog().followed_by_record([5, 2], b"fivetwo!", 9)
    assert log == PageLog().followed_by({5: b"five", 2: b"two!"}, 9)
    assert PageLog().followed_by_record([], b"", 3) == PageLog().followed_by({}, 3)


@pytest.mark.parametrize(("numbers", "data"), [([1, 2], b"three bytes"), ([], b"x")])
def test_bytes_that_cannot_be_shared_out_are_corrupt(numbers: list[int], data: bytes) -> None:
    with pytest.raises(StorageCorrupt, match="record of the log"):
        PageLog().followed_by_record(numbers, data, 9)
