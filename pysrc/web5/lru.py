"""Caches that are bounded: in their number of entries, in bytes, in the length of what they remember."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, wraps
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """A mapping in which a new entry takes the place of those least recently used.

    Threads may share it: whatever it does to the mapping is one step of the interpreter.

    Parameters:
        size: the largest number of entries.
        weight: the largest sum of the entries' weights, such as bytes.
    """

    def __init__(self, size: int, weight: int = 0) -> None:
        self._size = size
        self._limit = weight
        self._weight = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of a key, which counts as a use, or None."""
        if (entry := self._entries.get(key)) is None:
            return None
        with suppress(KeyError):  # another thread has dropped it meanwhile
            self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, weight: int = 0) -> None:
        """Store a value, which counts as a use; one that is heavier than all may be is not kept."""
        self.drop(key)
        if weight > self._limit:
            return
        self._entries[key] = value, weight
        self._weight += weight
        with suppress(KeyError):  # another thread has made room
            while len(self._entries) > self._size or self._weight > self._limit:
                self._weight -= self._entries.popitem(last=False)[1][1]

    def drop(self, key: K) -> None:
        """Remove an entry, if there is one."""
        if (entry := self._entries.pop(key, None)) is not None:
            self._weight -= entry[1]


def remember_short(size: int, longest: int = 1024) -> Callable[[Callable[[str], V]], Callable[[str], V]]:
    """Decorate a function of one text, so that its results are remembered.

    Parameters:
        size: the largest number of results.
        longest: characters of a text; the results of longer ones, which may be a stranger's, are not remembered.
    """

    def decorate(function: Callable[[str], V]) -> Callable[[str], V]:
        remembered = lru_cache(size)(function)

        @wraps(function)
        def call(text: str) -> V:
            return remembered(text) if isinstance(text, str) and len(text) <= longest else function(text)

        return call

    return decorate


def footprint(value: Any) -> int:
    """Estimate the bytes of memory that a JSON value takes: a text of 3 bytes such as `[],` can take 64."""
    total, rest = 0, [value]
    while rest:
        one = rest.pop()
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            rest += one
            rest += one.values()
        elif isinstance(one, list):
            rest += one
    return total
