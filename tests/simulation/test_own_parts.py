"""The parts of the simulator that its outcomes hang on."""

import asyncio
import itertools
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulation.account import Authored
from tests.simulation.delegation_rules import not_allowed
from tests.simulation.manners import NOTED, Manners
from tests.simulation.quotas import Quota
from tests.simulation.rules import expected
from tests.simulation.storage import RESERVE, Disk, Mount, SimPages
from tests.simulation.virtual_time import EPOCH, SimClock, Stuck, run
from web5.crypto.encoding import b64url_encode
from web5.dwn import Dwn
from web5.dwn.store.database import open_memory
from web5.dwn.store.memory import MemoryBlobs
from web5.errors import StorageFull, StorageLost
from web5.sync.plan.policy import classify


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
        disk.reserve = 0
        disk.fill(0)
        with pytest.raises(StorageFull):
            await pages.write({0: b"c"}, 1)
        disk.capacity = None
        late = asyncio.ensure_future(pages.write({0: b"d"}, 1))
        await asyncio.sleep(0)
        before.cut()
        crashed.set()
        await late
        return disk.pages

    assert run(main) == {0: b"a", 1: b"b"}


async def _mounted(disk: Disk) -> SimPages:
    return SimPages(Mount(disk, lambda what: asyncio.sleep(0)))


def test_the_reserve_is_used_up_by_what_makes_room_and_nothing_else() -> None:
    async def main() -> None:
        disk = Disk(Random(1))
        pages = await _mounted(disk)
        await pages.write({0: b"a", 1: b"b"}, 2)
        assert disk.reserve == RESERVE
        disk.fill(0)
        with pytest.raises(StorageFull):
            await pages.write({0: b"c"}, 2)
        assert disk.reserve == RESERVE
        await pages.write({0: b"dd"}, 2, makes_room=True)
        assert (disk.pages, disk.reserve) == ({0: b"dd", 1: b"b"}, 0)
        with pytest.raises(StorageFull):
            await pages.write({0: b"e"}, 2)
        await pages.write({0: b""}, 1, makes_room=True)
        assert disk.reserve == RESERVE
        await pages.write({0: b"e"}, 1)
        assert disk.pages == {0: b"e"}

    run(main)


def test_nothing_is_written_into_another_storage_than_was_read() -> None:
    async def main() -> None:
        disk = Disk(Random(1))
        pages = await _mounted(disk)
        await pages.write({0: b"a"}, 1)
        disk.close()
        with pytest.raises(StorageLost):
            await pages.write({0: b"b"}, 1)
        assert disk.pages == {0: b"a"}
        disk.out_of_reach = False
        disk.clear()
        with pytest.raises(StorageLost):
            await pages.write({0: b"b"}, 1)
        assert disk.pages == {}
        await pages.write({0: b"b"}, 1)
        assert disk.pages == {0: b"b"}

    run(main)


@pytest.mark.parametrize(
    ("quota", "name"),
    [
        (Quota(messages=0), "quota is full"),
        (Quota(bytes=10), "quota is full"),
        (Quota(messages=0, words="507"), "quota is full"),
        (Quota(data=3), "too large for the node"),
        (Quota(data=3, words="507"), "too large for the node"),
        (Quota(messages=1, bytes=10_000, data=4), None),
    ],
)
def test_a_quota_is_told_as_sync_knows_it_and_a_delete_has_room(quota: Quota, name: str | None) -> None:
    dwn: Any = Dwn(database=open_memory(), blobs=MemoryBlobs(), resolver=Any, crypto=Any, clock=Any)
    run(dwn.open)
    write = {"descriptor": {"interface": "Records", "method": "Write"}}
    refusal = quota.refusal(dwn, "did:a", write, b"text")
    assert (None if refusal is None else classify(refusal, write).name) == name
    assert quota.refusal(dwn, "did:a", {"descriptor": {"interface": "Records", "method": "Delete"}}, None) is None


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


def test_below_what_is_disputed_all_is() -> None:
    parent, gone = message("Write", 0, "parent"), message("Delete", 1, "parent", prune=False)
    child = message("Write", 2, "child", parentId="parent")
    header = b64url_encode(b'{"kid": "did:guest#0"}')
    child.message["authorization"] = {"signature": {"signatures": [{"protected": header}]}}
    below = message("Write", 3, "below", parentId="child")
    assert set(expected([parent, gone, child, below]).disputed) == {"child", "below"}
    assert expected([parent, gone, child, below]).cids == {parent.cid, gone.cid}


def definition(at: int, structure: dict[str, Any]) -> Authored:
    described = {"interface": "Protocols", "method": "Configure", "messageTimestamp": str(at)}
    described |= {"definition": {"protocol": "p", "structure": structure}}
    return Authored("t", f"cid{next(_numbers):03d}", {"descriptor": described}, None)


def test_what_a_delegate_wrote_for_which_the_definition_of_its_date_has_no_place_is_disputed() -> None:
    made = [definition(0, {"list": {"item": {}}}), definition(5, {"list": {}})]
    for at, record in ((1, "in time"), (6, "late"), (7, "of the tenant")):
        one = message("Write", at, record, protocol="p", protocolPath="list/item")
        if record != "of the tenant":
            one.message["authorization"] = {"authorDelegatedGrant": {"recordId": "grant"}}
        made.append(one)
    assert not_allowed(made) == {"late"}


@pytest.mark.parametrize(("seconds_before_the_crash", "is_known"), [(1, False), (NOTED, True)])
def test_a_pause_binds_the_next_run_only_if_the_one_that_was_told_went_on(
    seconds_before_the_crash: float, is_known: bool
) -> None:
    async def main() -> list[str]:
        manners, node = Manners([]), SimpleNamespace(name="node", url="https://node.example")
        device = SimpleNamespace(name="device", runs=1, clock=SimpleNamespace(skew=0.0, put_back=0), tasks=())
        manners.asked_to_wait(device, node, 1000)  # type: ignore[arg-type]
        await asyncio.sleep(seconds_before_the_crash)
        elsewhere: Any = SimpleNamespace(name="another", url="https://another.example")
        for _ in range(2):
            with manners.request(device, elsewhere, "did:a", "MessagesRead"):  # type: ignore[arg-type]
                pass
            device.runs += 1
            await asyncio.sleep(NOTED)
        with manners.request(device, node, "did:a", "MessagesRead"):  # type: ignore[arg-type]
            pass
        return manners.violations

    assert bool(run(main)) == is_known
