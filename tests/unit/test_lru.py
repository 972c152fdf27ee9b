"""Caches that are bounded in number, weight and length."""

from __future__ import annotations

import json
import tracemalloc

from web5.lru import LruCache, footprint, remember_short


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


def test_the_weight_of_all_entries_has_an_end() -> None:
    cache: LruCache[str, int] = LruCache(10, 100)
    for key in "abc":
        cache.put(key, 1, 40)
    assert [cache.get(key) for key in "abc"] == [None, 1, 1]
    cache.put("b", 2, 60)
    assert [cache.get(key) for key in "bc"] == [2, 1]
    cache.put("d", 3, 101)
    assert [cache.get(key) for key in "bcd"] == [2, 1, None], "what is too heavy drives out nothing"
    cache.put("b", 4, 101)
    assert cache.get("b") is None, "and what it was to replace is not there any more"
    cache.put("e", 5, 60)
    assert [cache.get(key) for key in "ce"] == [1, 5]
    cache.drop("c")
    cache.put("f", 6, 40)
    assert [cache.get(key) for key in "ef"] == [5, 6]


def test_results_for_short_texts_are_remembered() -> None:
    called: list[str] = []

    @remember_short(2, longest=3)
    def upper(text: str) -> str:
        called.append(text)
        return text.upper()

    for text in ("abc", "abc", "long", "long"):
        assert upper(text) == text.upper()
    assert called == ["abc", "long", "long"]


def test_a_footprint_is_about_the_memory_that_a_value_takes() -> None:
    for text in ("[" + "[]," * 20_000 + "1]", json.dumps({f"k{n}": f"text {n}" * 5 for n in range(5_000)})):
        tracemalloc.start()
        value = json.loads(text)
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 0.7 * taken < footprint(value) < 1.5 * taken
