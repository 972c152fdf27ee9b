"""The cache of a bounded number of entries."""

from __future__ import annotations

from web5.lru import LruCache


def test_an_entry_is_what_was_stored_last() -> None:
    cache: LruCache[str, int] = LruCache(2)
    assert cache.get("a") is None
    cache.put("a", 1)
    cache.put("a", 2)
    assert cache.get("a") == 2
    cache.drop("a")
    cache.drop("a")
    assert cache.get("a") is None


def test_a_new_entry_takes_the_place_of_the_one_least_recently_used() -> None:
    cache: LruCache[str, int] = LruCache(3)
    for number, key in enumerate("abc"):
        cache.put(key, number)
    cache.get("a")
    cache.put("b", 7)
    cache.put("d", 3)
    assert [cache.get(key) for key in "abcd"] == [0, 7, None, 3]
    cache.put("e", 4)
    assert [cache.get(key) for key in "abde"] == [None, 7, 3, 4]
