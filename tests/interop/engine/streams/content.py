"""What records hold: their data and their tags."""

from __future__ import annotations

from typing import Any

from tests.interop.engine.streams.step import Message
from tests.interop.engine.streams.world import World
from web5.dwn.values.cid import data_cid

SIZES = {1: 2.0, 5: 3.0, 20: 8.0, 100: 3.0, 2000: 1.0, 30_000: 0.3, 30_001: 0.8, 40_000: 0.6}
"""Bytes of data. Not 0, see docs/differences.md."""
LABELS = ("", "a", "ab", "abc", "b", "ä", "a\U0001f600", "a\uffee", "Z")
FITTING_TAGS: dict[str, tuple[Any, ...]] = {
    "label": ("a", "ab", "abc"),
    "count": (0, 1, 1.5, -5, 1e21),
    "flag": (True, False),
    "labels": (["a"], ["a", "b"], ["a", "a"], ["ab", "a"]),
    "counts": ([1, 2], [1], [10, 11], [1, 2, 3]),
}
NUMBERS = (-5, 0, 1, 1.5, 2, 10, 1e21)


class Content:
    def __init__(self, world: World) -> None:
        self.world = world

    def blob(self, size: int | None = None) -> tuple[str, bytes]:
        data = self.world.rng.randbytes(size or self.world.weighted(SIZES))
        return data_cid(data), data

    def tags(self) -> Message | None:
        world = self.world
        every: Message = {
            "label": world.one(LABELS),
            "count": world.one(NUMBERS),
            "flag": world.maybe(0.5),
            "labels": world.rng.sample(LABELS, world.rng.randrange(1, 4)),
            "counts": world.rng.sample(NUMBERS, world.rng.randrange(1, 4)),
        }
        return {name: value for name, value in every.items() if world.maybe(0.4)} or None

    def fitting_tags(self, rules: Message) -> Message | None:
        """Tags that the rules of a path may well allow; anything where there are none."""
        world = self.world
        wanted = rules.get("$tags")
        if not isinstance(wanted, dict):
            return self.tags()
        made: Message = {}
        names = [name for name in wanted if not name.startswith("$") and world.maybe(0.8)]
        names += [name for name in wanted.get("$requiredTags", []) if world.maybe(0.8)]
        for name in names:
            # A tag of one name is of one type, or ranges would differ: see docs/differences.md.
            made[name] = world.one(FITTING_TAGS.get(name, FITTING_TAGS["label"]))
        return made or None

    def fitting_size(self, rules: Message) -> int | None:
        size = rules.get("$size")
        if not isinstance(size, dict) or not size:
            return None
        least, most = size.get("min", 1), size.get("max", 2000)
        return int(self.world.one((max(least, 1), most, (least + most) // 2)) or 1)
