"""An endpoint that answers, and takes or gives nothing: no visit to it is a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, Device, Fault, World, cid_of, reply_of, timing_out, unreachable
from web5.dwn.values.types import Message
from web5.errors import StorageFull
from web5.sync import Activity, EndpointStatus

A = f"{HOST}/a"
HOUR = 3_600_000_000


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path, ("/a",))


def only(method: str, answer: Answer | Fault) -> Fault:
    """Answer this to one method, and let everything else through."""

    def fault(kind: str, message: Message) -> Answer | None:
        if kind != method:
            return None
        return answer if isinstance(answer, Answer) else answer(kind, message)

    return fault


def status_of(device: Device) -> EndpointStatus:
    [status] = device.sync.status()
    return status


@pytest.mark.parametrize("notes", [1, 4])
@pytest.mark.parametrize(
    ("answer", "code", "activity"),
    [
        (reply_of(507, "quota is full"), 507, Activity.BLOCKED),
        (reply_of(429, "later"), 429, Activity.FAILING),
        (reply_of(503, "busy"), 503, Activity.FAILING),
        (timing_out, 0, Activity.FAILING),
    ],
)
async def test_where_nothing_is_taken_no_visit_is_a_success(
    world: World, answer: Answer | Fault, code: int, activity: Activity, notes: int
) -> None:
    phone = await world.device()
    for _ in range(notes):
        await phone.write()
    world.network.faults["/a"] = only("RecordsWrite", answer)
    for _ in range(6):  # the later ones have nothing that is due
        report = await phone.sync.now()
        status = status_of(phone)
        assert not report.ok and not report.complete
        assert [end.error and end.error[0] for end in report.endpoints] == [code]
        assert status.last_error is not None and status.last_error[0] == code
        assert (status.last_success, status.pending_out, status.activity) == (None, notes, activity)
    assert world.network.counts["/a", "RecordsWrite"] < 2 * notes + 6
    world.network.faults.clear()
    world.clock.ahead += HOUR
    report = await phone.sync.now()
    status = status_of(phone)
    assert report.ok and report.complete and report.pushed == notes
    assert status.last_success and (status.last_error, status.pending_out) == (None, 0)


async def test_nor_after_a_break_in_the_connection_or_a_restart(world: World) -> None:
    phone = await world.device()
    await phone.write()
    full = only("RecordsWrite", reply_of(507, "quota is full"))
    for fault in (full, unreachable, full):
        world.network.faults["/a"] = fault
        assert not (await phone.sync.now()).ok
    assert status_of(phone).last_error == (507, "quota is full")
    await phone.sync.close()
    await phone.database.close()
    again = await world.device()
    assert not (await again.sync.now()).ok
    assert status_of(again).last_error == (507, "quota is full")
    assert status_of(again).activity is Activity.BLOCKED


async def test_what_is_there_comes_from_a_node_that_is_full(world: World) -> None:
    """It is woken and fetched from as ever, though it takes nothing."""
    laptop, phone = await world.device("laptop"), await world.device()
    await phone.write()
    world.network.faults["/a"] = only("RecordsWrite", reply_of(507, "quota is full"))
    await phone.sync.now()
    world.network.faults.clear()
    message = await laptop.write(b"room was made for this")
    assert (await laptop.sync.now()).ok
    world.network.faults["/a"] = only("RecordsWrite", reply_of(507, "quota is full"))
    report = await phone.sync.now()
    assert report.pulled == 1 and cid_of(message) in world.held(phone.dwn)
    assert not report.ok and status_of(phone).last_error == (507, "quota is full")


async def test_a_node_that_lists_and_gives_nothing(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device()
    await laptop.write()
    assert (await laptop.sync.now()).ok
    world.network.faults["/a"] = only("MessagesRead", reply_of(429, "later"))
    for _ in range(3):
        assert not (await phone.sync.now()).ok
        assert (status_of(phone).last_error or (0, ""))[0] == 429
        assert status_of(phone).last_success is None


async def test_every_message_may_be_refused_as_not_allowed(world: World) -> None:
    phone = await world.device()
    for _ in range(4):
        await phone.write()
    world.network.faults["/a"] = only("RecordsWrite", reply_of(401, "no"))
    for _ in range(4):
        assert not (await phone.sync.now()).ok
    assert status_of(phone).last_error == (401, "no")


async def test_what_one_message_is_refused_for_is_no_fault_of_the_node(world: World) -> None:
    phone = await world.device()
    refused = await phone.write(b"the one")

    def fault(kind: str, message: Message) -> Answer | None:
        return reply_of(400, "odd") if message.get("recordId") == refused["recordId"] else None

    world.network.faults["/a"] = fault
    for _ in range(3):
        await phone.write()
        report = await phone.sync.now()
        status = status_of(phone)
        assert not report.ok, "a message is nowhere else"
        assert (report.pushed, status.last_error, status.refused, status.activity) == (1, None, 1, Activity.OFF)
        assert status.last_success


async def test_a_node_without_room_for_one_message_takes_the_others(world: World) -> None:
    phone = await world.device()
    large = await phone.write(b"large")

    def fault(kind: str, message: Message) -> Answer | None:
        return reply_of(507, "quota is full") if message.get("recordId") == large["recordId"] else None

    world.network.faults["/a"] = fault
    await phone.sync.now()
    await phone.write(b"small")
    for pushed in (1, 0):
        report = await phone.sync.now()
        assert (report.pushed, report.ok, status_of(phone).last_error) == (pushed, False, None)
    assert status_of(phone).refused == 1


async def test_a_failure_of_this_side_says_nothing_of_the_node(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = await world.device()
    assert (await phone.sync.now()).ok
    laptop = await world.device("laptop")
    await laptop.write()
    assert (await laptop.sync.now()).ok

    async def full(*_: object, **__: object) -> None:
        raise StorageFull("no room")

    monkeypatch.setattr(phone.dwn, "store_writes", full)
    assert not (await phone.sync.now()).ok
    status = status_of(phone)
    assert status.reachable is True
    assert status.last_error == (0, "StorageFull: no room")


async def test_whoever_has_no_node_is_not_said_to_be_synced(world: World) -> None:
    phone = await world.device("phone", await world.identity())
    [tenant] = phone.sync.tenants()
    report = await phone.sync.now()
    assert report.ok, "nothing failed"
    assert (report.without_endpoints, report.complete) == ([tenant], False)
    status = status_of(phone)
    assert (status.endpoint, status.last_success, status.activity) == ("", None, Activity.NOWHERE)
