"""The parts of the simulator that its outcomes hang on."""

import asyncio
import itertools
from random import Random
from typing import Any

import pytest

from tests.simulation.account import Authored
from tests.simulation.rules import expected
from tests.simulation.storage import Disk, Mount, SimPages
from tests.simulation.virtual_time import EPOCH, SimClock, Stuck, run
from web5.errors import StorageFull


def test_time_passes_only_by_timers_and_in_order() -> None:
    seen: list[tuple[float, str]] = []

    async def wait(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        seen.append((asyncio.get_running_loop().time(), name))

    async def main() -> None:
        await asyncio.gather(wait(86_400, "a day"), wait(1, "a second"), wait(0, "nothing"))

    run(main)
    assert [(round(time, 3), name) for time, name in seen] == [(0, "nothing"), (1, "a second"), (86_400, "a day")]


def test_a_loop_in_which_nothing_can_happen_is_stuck() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(main)


def test_a_clock_never_tells_the_same_twice() -> None:
    async def main() -> list[int]:
        clock = SimClock(skew=10)
        return [clock.now(), clock.now()]

    assert run(main) == [EPOCH + 10_000_000, EPOCH + 10_000_001]


def test_what_is_on_the_disk_at_a_crash_is_whole_and_stays() -> None:
    async def main() -> dict[int, bytes]:
        disk, crashed = Disk(Random(1)), asyncio.Event()
        before = Mount(disk, lambda what: asyncio.sleep(0))
        pages = SimPages(before)
        await pages.write({0: b"a", 1: b"b"}, 2)
        disk.full = True
        with pytest.raises(StorageFull):
            await pages.write({0: b"c"}, 1)
        disk.full = False
        late = asyncio.ensure_future(pages.write({0: b"d"}, 1))
        await asyncio.sleep(0)
        before.cut()
        crashed.set()
        await late
        return await SimPages(Mount(disk, lambda what: asyncio.sleep(0))).load()

    assert run(main) == {0: b"a", 1: b"b"}


# -- what nodes hold by the rules of the DWN

_numbers = itertools.count()


def message(method: str, at: int, record: str = "r", **more: Any) -> Authored:
    descriptor = {"interface": "Records", "method": method, "messageTimestamp": str(at), "dateCreated": "0", **more}
    return Authored("t", f"cid{next(_numbers):03d}", {"recordId": record, "descriptor": descriptor}, None)


@pytest.mark.parametrize(
    ("methods", "last"),
    [
        *(("w", 0), ("ww", 1), ("wwd", 2), ("wdw", 1), ("wdd", 2)),
        *(("wwp", 2), ("wdp", 2), ("wdwp", 3), ("wpd", 1), ("wpp", 2)),
    ],
)
def test_a_delete_ends_a_record_and_a_prune_counts_first(methods: str, last: int) -> None:
    kinds = {"w": ("Write", False), "d": ("Delete", False), "p": ("Delete", True)}
    made = [message(kinds[one][0], at, prune=kinds[one][1]) for at, one in enumerate(methods)]
    found = expected(made)
    assert found.disputed == {}
    assert found.cids == {made[0].cid, made[last].cid}


def test_below_what_was_deleted_is_what_there_was_and_below_what_was_pruned_nothing() -> None:
    parent, gone = message("Write", 0, "parent"), message("Delete", 3, "parent", prune=False)
    child, below = message("Write", 0, "child", parentId="parent"), message("Write", 0, "below", parentId="child")
    assert expected([parent, child, below, gone]).cids == {one.cid for one in (parent, child, below, gone)}
    pruned = message("Delete", 2, "parent", prune=True)
    assert expected([parent, child, below, gone, pruned]).cids == {parent.cid, pruned.cid}
    assert set(expected([child, below]).disputed) == {"child", "below"}
