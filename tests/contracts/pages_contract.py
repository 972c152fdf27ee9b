"""What every PageStore promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a function that opens a store by name; the same name is the same store opened again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.contracts.expect import expect
from web5.errors import StorageCorrupt, StorageError
from web5.ports.pages import PageStore

Open = Callable[[str], Awaitable[PageStore]]
Case = Callable[[Open], Awaitable[None]]


def _page(store: PageStore, fill: int) -> bytes:
    return bytes([fill]) * store.page_size


async def case_a_new_store_is_empty(open_store: Open) -> None:
    store = await open_store("a")
    assert await store.load() == {}
    await store.close()


async def case_what_was_written_is_there_when_opened_again(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    every_byte = (bytes(range(256)) * store.page_size)[: store.page_size]
    await store.write({0: _page(store, 1), 1: every_byte}, 2)
    await store.close()
    again = await open_store("a")
    assert await again.load() == {0: _page(store, 1), 1: every_byte}
    await again.close()


async def case_a_write_replaces_only_its_own_pages(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.write({number: _page(store, number) for number in range(3)}, 3)
    await store.write({1: _page(store, 9), 3: _page(store, 8)}, 4)
    assert await store.load() == {number: _page(store, fill) for number, fill in enumerate((0, 9, 2, 8))}
    await store.close()


async def case_pages_from_the_count_on_are_dropped(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.write({number: _page(store, number) for number in range(5)}, 5)
    await store.write({0: _page(store, 7)}, 2)
    assert await store.load() == {0: _page(store, 7), 1: _page(store, 1)}
    await store.write({2: _page(store, 6)}, 3)
    await store.write({}, 1)
    await store.close()
    again = await open_store("a")
    assert await again.load() == {0: _page(store, 7)}
    await again.close()


async def case_erasing_leaves_what_is_stored_as_it_is(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.erase()
    await store.write({number: _page(store, number) for number in range(5)}, 5)
    await store.write({0: _page(store, 7)}, 2)
    await store.write({2: _page(store, 6)}, 3)
    await store.erase()
    await store.erase()
    expected = {0: _page(store, 7), 1: _page(store, 1), 2: _page(store, 6)}
    assert await store.load() == expected
    await store.write({1: _page(store, 9)}, 3)
    await store.close()
    again = await open_store("a")
    await again.erase()
    assert await again.load() == {**expected, 1: _page(again, 9)}
    await again.close()


async def case_pages_beyond_a_shrunk_count_are_dropped_though_the_store_was_never_loaded(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.write({number: _page(store, number) for number in range(4)}, 4)
    await store.close()
    again = await open_store("a")
    await again.write({}, 2)
    assert sorted(await again.load()) == [0, 1]
    await again.close()


async def case_hundreds_of_pages_come_back_in_order(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    pages = {number: number.to_bytes(4, "big") * (store.page_size // 4) for number in range(700)}
    await store.write(pages, 700)
    await store.close()
    again = await open_store("a")
    loaded = await again.load()
    assert list(loaded) == list(range(700))
    assert loaded == pages
    await again.close()


async def case_any_number_of_small_writes_comes_to_what_the_last_ones_say(open_store: Open) -> None:
    store = await open_store("a")
    expected = await store.load()
    for step in range(150):
        count = len(expected)
        if step % 20 == 19:  # shrink, and grow again with the next ones
            count -= 3
            changed = {0: _page(store, step)}
        elif step % 50 == 30:  # larger than the others
            changed = {number: _page(store, step) for number in range(count + 40)}
        else:
            changed = {step % (count + 1): _page(store, step), count: _page(store, 255 - step)}
        count = max([count - 1, *changed]) + 1
        await store.write(changed, count)
        expected = {number: page for number, page in {**expected, **changed}.items() if number < count}
        if step % 7 == 6:
            await store.close()
            store = await open_store("a")
            if step % 2:  # a store may be written before it is read
                assert await store.load() == expected
    assert await store.load() == expected
    await store.close()


async def case_stores_with_different_names_do_not_meet(open_store: Open) -> None:
    one, other = await open_store("a"), await open_store("b")
    await one.load()
    await other.load()
    await one.write({0: _page(one, 1)}, 1)
    assert await other.load() == {}
    await one.close()
    await other.close()


async def case_a_gap_is_corrupt(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.write({0: _page(store, 1), 2: _page(store, 2)}, 3)
    await expect(StorageCorrupt, store.load())
    await store.close()


async def case_a_page_of_the_wrong_length_is_corrupt(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.write({0: b"short"}, 1)
    await expect(StorageCorrupt, store.load())
    await store.close()


async def case_a_closed_store_takes_nothing(open_store: Open) -> None:
    store = await open_store("a")
    await store.load()
    await store.close()
    await store.close()
    await expect(StorageError, store.write({0: _page(store, 1)}, 1))
    await expect(StorageError, store.erase())
    again = await open_store("a")
    assert await again.load() == {}
    await again.close()


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
