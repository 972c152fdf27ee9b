"""The invariants of `web5.patience`."""

from __future__ import annotations

import asyncio

import pytest

from web5 import patience
from web5.patience import ALONE, BESIDE, NAP, Patience, wait_patiently


class Works:
    """Two works of whose progress a test tells."""

    def __init__(self) -> None:
        self.come = {"a": 0.0, "b": 0.0}
        self.patience = Patience[str](2, self.come.__getitem__)

    def naps(self, seconds: float, *busy: str, progress: float = 0.0) -> bool:
        """Let naps pass, in each of which every work makes some progress; True if the patience was over after one."""
        for _ in range(round(seconds / NAP)):
            for one in busy:
                self.come[one] += progress
            if self.patience.is_over(busy, napped=True):
                return True
        return False


def test_1_beside_one_that_has_ended_another_must_get_on() -> None:
    works = Works()
    assert not works.naps(1, "a", "b")
    assert not works.naps(BESIDE, "b")
    assert works.naps(NAP, "b")


def test_1_little_progress_is_too_little_and_enough_is_enough() -> None:
    works = Works()
    works.naps(NAP, "a", "b")
    assert not works.naps(100, "b", progress=NAP)
    assert works.naps(3 * BESIDE, "b", progress=NAP / 2)


def test_2_while_none_has_ended_any_progress_is_enough() -> None:
    works = Works()
    for _ in range(3):
        assert not works.naps(ALONE - NAP, "a", "b")
        assert not works.naps(NAP, "a", "b", progress=0.001)
    assert works.naps(ALONE, "a", "b")


def test_who_gets_on_has_all_waited_for() -> None:
    works = Works()
    works.patience = Patience[str](3, works.come.__getitem__)
    works.naps(NAP, "a", "b")
    for _ in range(20):
        works.come["a"] += NAP
        assert not works.naps(NAP, "a", "b")


def test_3_what_ends_between_is_no_nap() -> None:
    works = Works()
    works.naps(NAP, "a", "b")
    assert not any(works.patience.is_over(["b"], napped=False) for _ in range(1000))


def test_3_time_that_is_not_the_others_does_not_count() -> None:
    works, awaited = Works(), set("b")
    works.patience = Patience[str](2, works.come.__getitem__, awaited.__contains__)
    works.naps(NAP, "a", "b")
    awaited.clear()
    assert not works.naps(100, "b")
    awaited.add("b")
    assert works.naps(2 * BESIDE, "b")


async def test_who_is_slow_is_named_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BESIDE", NAP)
    ends = {name: asyncio.Event() for name in "abc"}
    tasks = {name: asyncio.ensure_future(end.wait()) for name, end in ends.items()}
    ends["a"].set()
    slow = await wait_patiently(lambda: {name: task for name, task in tasks.items() if not task.done()})
    assert slow == {"b", "c"}
    for end in ends.values():
        end.set()
    assert await wait_patiently(lambda: {name: task for name, task in tasks.items() if not task.done()}) == set()
    await asyncio.gather(*tasks.values())
