"""Devices whose clocks are wrong, and nodes whose clocks are: what is asked is dated by the node, messages wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.sync.world import Device, World, cid_of, reply_of, unreachable
from tests.watch import Watch, until
from web5.dwn import compose
from web5.dwn.values.timestamps import format_timestamp, microseconds, parse_timestamp
from web5.dwn.values.types import Message
from web5.errors import BadRequest, DwnError
from web5.node.registration import RegistrationSettings
from web5.sync import Activity, RegistrationState, State

HOUR = 3600 * 1_000_000
MINUTE = 60 * 1_000_000
WRITES = ("RecordsWrite", "RecordsDelete", "ProtocolsConfigure")


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path, ("/a",))


async def skewed(world: World, hours: float, name: str = "wrong") -> Device:
    device = await world.device(name)
    device.clock.ahead = int(hours * HOUR)
    return device


def date_of(message: Message) -> int:
    return parse_timestamp(message["descriptor"]["messageTimestamp"])


def questions(world: World) -> list[int]:
    """The dates of the questions that went out, from now."""
    return [date_of(message) - world.clock.now() for _, kind, message in world.network.sent if kind not in WRITES]


@pytest.mark.parametrize("hours", [-100_000, -30, -3, 3, 30, 100_000])
async def test_a_device_with_a_wrong_clock_fetches_all_the_same(world: World, hours: float) -> None:
    """Only its first question is refused. (Far behind, it may not believe the node: see below.)"""
    right, wrong = await world.device("right"), await skewed(world, hours)
    written = [await right.write(b"%d" % number) for number in range(15)]
    assert (await right.sync.now()).ok
    world.network.reset()
    report = await wrong.sync.now()
    if hours < -24:
        assert [end.error[0] for end in report.endpoints if end.error] == [401]
        return
    assert report.ok and report.pulled == 15
    assert set(await world.contents(wrong.dwn)) == {message["recordId"] for message in written}
    first, *later = questions(world)
    assert abs(first - hours * HOUR) < MINUTE
    assert later and all(abs(one) < MINUTE for one in later)


async def test_a_clock_that_is_hours_behind_sends_at_once(world: World) -> None:
    wrong, right = await skewed(world, -5), await world.device("right")
    first = await wrong.write(b"first")
    await wrong.write(b"second", existing=first)
    assert (await wrong.sync.now()).ok
    assert (await right.sync.now()).pulled > 0
    assert await world.contents(right.dwn) == {first["recordId"]: b"second"}
    assert wrong.sync.unsettled() == []


async def test_what_a_clock_that_is_hours_ahead_wrote_waits_until_then_and_says_so(world: World) -> None:
    wrong, right = await skewed(world, 3), await world.device("right")
    note = await wrong.write(b"of the future")
    gone = await wrong.delete(await wrong.write(b"deleted"))
    report = await wrong.sync.now()
    assert report.ok and report.pushed == 0
    rows = {row.message_cid: row for row in wrong.sync.unsettled()}
    row = rows[cid_of(note)]
    assert (row.state, row.code, row.waits_for) == (
        State.WAITING,
        400,
        f"time:{note['descriptor']['messageTimestamp']}",
    )
    assert row.detail.startswith("TimestampAhead: ")
    due = _us(row.next_try) - wrong.clock.now()
    assert abs(due - (3 * HOUR - 10 * MINUTE)) < MINUTE
    assert rows[cid_of(gone)].state is State.WAITING
    [status] = wrong.sync.status()
    assert (status.refused, status.last_error, status.activity) == (0, None, Activity.OFF)

    world.network.reset()
    assert (await wrong.sync.now()).ok
    assert {kind for _, kind, _ in world.network.sent} == {"MessagesQuery"}, "it is not sent before its time"
    assert world.network.counts["/a", "MessagesQuery"] == 1, "nor does the node count as one that has lost something"

    world.clock.ahead += 3 * HOUR - 9 * MINUTE
    assert (await wrong.sync.now()).pushed == 3
    assert wrong.sync.unsettled() == []
    await right.sync.now()
    assert await world.contents(right.dwn) == {note["recordId"]: b"of the future"}


async def test_what_follows_a_message_of_the_future_waits_for_it(world: World) -> None:
    """A protocol and its records, a parent and its child, a write and its update: in the end all is there."""
    wrong = await skewed(world, 2)
    uri = "https://example.com/threads"
    definition = {"protocol": uri, "published": False, "types": {"a": {}, "b": {}}, "structure": {"a": {"b": {}}}}
    configure = await compose.protocols_configure(world.alice.signer, wrong.clock, definition=definition)
    assert (await wrong.dwn.process_message(world.alice.did, configure))["status"]["code"] == 202
    above = await wrong.write(b"a", protocol=uri, protocol_path="a")
    below = await wrong.write(b"b", protocol=uri, protocol_path="a/b", parent_context_id=above["contextId"])
    await wrong.write(b"newer", existing=below)
    for _ in range(3):
        assert (await wrong.sync.now()).ok
        assert {row.state for row in wrong.sync.unsettled()} == {State.WAITING}
    world.clock.ahead += 2 * HOUR
    assert (await wrong.sync.now()).ok
    assert wrong.sync.unsettled() == []
    assert world.held(world.remotes["/a"]) == world.held(wrong.dwn)


async def test_a_clock_that_is_put_right_does_not_make_a_message_late(world: World) -> None:
    """Its due time was written by the wrong clock; the node's own decides."""
    wrong = await skewed(world, 5)
    note = await wrong.write(b"of the future")
    await wrong.sync.now()
    wrong.clock.ahead = 0
    world.network.reset()
    await wrong.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] == 1, "it is asked anew when its time comes"
    [row] = wrong.sync.unsettled()
    assert abs(_us(row.next_try) - wrong.clock.now() - (5 * HOUR - 10 * MINUTE)) < MINUTE
    await wrong.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] == 1
    world.clock.ahead += 5 * HOUR
    assert (await wrong.sync.now()).pushed == 1
    assert world.held(world.remotes["/a"]) == {cid_of(note)}


async def test_a_clock_that_is_put_right_is_noticed_by_the_next_question(world: World) -> None:
    wrong, right = await skewed(world, 5), await world.device("right")
    assert (await wrong.sync.now()).ok
    wrong.clock.ahead = 0
    await right.write(b"note")
    await right.sync.now()
    assert (await wrong.sync.now()).pulled == 1


async def test_a_message_of_the_year_9999_is_tried_once_a_day_and_holds_up_nothing(world: World) -> None:
    phone = await world.device()
    far = "9999-12-31T23:59:59.999999Z"
    frozen = await phone.write(b"frozen", date_created=far, message_timestamp=far)
    other = await phone.write(b"other")
    for _ in range(3):
        assert (await phone.sync.now()).ok
    assert world.network.counts["/a", "RecordsWrite"] == 2
    assert world.held(world.remotes["/a"]) == {cid_of(other)}
    [row] = phone.sync.unsettled()
    assert (row.message_cid, row.state, row.waits_for) == (cid_of(frozen), State.WAITING, f"time:{far}")
    assert abs(_us(row.next_try) - phone.clock.now() - 24 * HOUR) < MINUTE
    world.clock.ahead += 24 * HOUR
    assert (await phone.sync.now()).ok
    assert world.network.counts["/a", "RecordsWrite"] == 3


async def test_a_record_is_not_frozen_by_a_device_whose_clock_was_ahead(world: World) -> None:
    """The other devices hear of its update when its time has come; until then they go on with the record."""
    wrong, right = await world.device("wrong"), await world.device("right")
    note = await wrong.write(b"note")
    await wrong.sync.now()
    await right.sync.now()
    wrong.clock.ahead = 24 * HOUR
    await wrong.write(b"of tomorrow", existing=note)
    await wrong.sync.now()
    await right.sync.now()
    await right.write(b"of today", existing=note)
    assert (await right.sync.now()).pushed == 1
    assert await world.contents(world.remotes["/a"]) == {note["recordId"]: b"of today"}


async def test_sending_a_message_of_the_future_says_why_it_is_not_taken(world: World) -> None:
    wrong = await skewed(world, 3)
    note = await wrong.write(b"note")
    [sent] = await wrong.sync.send(world.alice.did, cid_of(note))
    assert (sent.accepted, sent.code, sent.detail[:14]) == (False, 400, "TimestampAhead")
    assert [row.state for row in wrong.sync.unsettled()] == [State.WAITING]
    assert isinstance(DwnError.from_status(sent.code, sent.detail), BadRequest)


@pytest.mark.parametrize("hours", [-20, 20])
async def test_live_a_device_with_a_wrong_clock_is_subscribed(world: World, hours: float) -> None:
    right, wrong = await world.device("right"), await skewed(world, hours)
    watch = Watch(right, wrong)
    await wrong.sync.start("live")
    await watch.until(lambda: all(status.activity is Activity.LIVE for status in wrong.sync.status()))
    assert wrong.remote.asked["/a"] == 2, "the first was refused"
    note = await right.write(b"note")
    await right.sync.now()
    await watch.until(lambda: cid_of(note) in world.held(wrong.dwn))
    await wrong.sync.stop()


async def test_live_a_message_of_the_future_goes_out_by_itself_when_its_time_has_come(world: World) -> None:
    wrong = await skewed(world, 1)
    watch = Watch(wrong)
    await wrong.sync.start("live")
    await watch.until(lambda: all(status.activity is Activity.LIVE for status in wrong.sync.status()))
    note = await wrong.write(b"note")
    await watch.until(lambda: any(row.state is State.WAITING for row in wrong.sync.unsettled()))
    await until(lambda: any(49 * 60 < seconds < 50 * 60 + 1 for seconds in world.clock.sleeping))
    world.clock.ahead += HOUR
    world.clock.wake()
    await watch.until(lambda: cid_of(note) in world.held(world.remotes["/a"]))
    await wrong.sync.stop()


# -- clocks that are put right


@pytest.mark.parametrize("direction", ["push", "pull"])
async def test_waits_that_a_clock_ahead_began_do_not_last_until_it_is_as_late_again(
    world: World, direction: str
) -> None:
    right, phone = await world.device("right"), await skewed(world, 3)
    note = await right.write(b"note")
    assert (await right.sync.now()).ok
    if direction == "push":
        await phone.sync.now()
        phone.clock.ahead = 0
        note = await phone.write(b"mine")
        phone.clock.ahead = 3 * HOUR
    kind = "RecordsWrite" if direction == "push" else "MessagesRead"
    world.network.faults["/a"] = lambda one, _: reply_of(503, "busy") if one == kind else None
    await phone.sync.now()
    [row] = phone.sync.unsettled()
    assert (row.direction, row.code, row.attempts) == (direction, 503, 1)
    world.network.faults.clear()
    phone.clock.ahead = 0
    await phone.sync.now()
    assert phone.sync.unsettled() == []
    assert cid_of(note) in world.held(phone.dwn) & world.held(world.remotes["/a"])


async def test_backoffs_hold_after_a_clock_was_put_right(world: World) -> None:
    phone = await skewed(world, 3)
    await phone.write()
    world.network.faults["/a"] = lambda kind, _: reply_of(503, "busy") if kind == "RecordsWrite" else None
    await phone.sync.now()
    phone.clock.ahead = 0
    for _ in range(3):
        await phone.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] == 2


async def test_a_registration_that_a_clock_ahead_put_off_is_not_late(world: World) -> None:
    world.demand("/a", RegistrationSettings("\n"))
    phone = await skewed(world, 3)
    world.network.faults["/a"] = lambda *_: reply_of(401, "Agreed terms-of-service is outdated.")
    await phone.sync.now()
    world.demand("/a", RegistrationSettings("\n"))
    world.network.faults.clear()
    await phone.sync.now()
    assert world.network.counts["/a/registration", "POST"] == 1
    phone.clock.ahead = 0
    await phone.sync.now()
    assert world.network.counts["/a/registration", "POST"] == 2
    [status] = phone.sync.status()
    assert status.registration.state is RegistrationState.DONE


async def test_attempts_to_register_are_forgotten_after_a_clock_was_put_right(world: World) -> None:
    world.demand("/a", RegistrationSettings("\n"))
    phone = await skewed(world, 24 * 365)
    assert (await phone.sync.now()).ok
    phone.clock.ahead = 0
    await phone.sync.now()
    [status] = phone.sync.status()
    assert (status.registration.state, status.registration.attempts) == (RegistrationState.DONE, 0)


async def test_pages_are_asked_for_again_after_a_clock_was_put_right(world: World) -> None:
    right, phone = await world.device("right"), await skewed(world, 30)
    assert (await phone.sync.now()).ok
    phone.clock.ahead = 0
    for number in range(15):
        await right.write(b"%d" % number)
    await right.sync.now()
    world.network.reset()
    assert (await phone.sync.now()).pulled == 15
    assert world.network.counts["/a", "RecordsQuery"] > 0
    assert world.network.counts["/a", "MessagesRead"] == 0


async def test_the_next_try_that_is_told_moves_with_the_clock(world: World) -> None:
    phone = await skewed(world, 3)
    watch = Watch(phone)
    world.network.faults["/a"] = unreachable
    await phone.sync.start("live")
    await watch.until(lambda: any(status.next_try for status in phone.sync.status()))
    for phone.clock.ahead in (3 * HOUR, 0, -3 * HOUR):
        [status] = phone.sync.status()
        assert 0 < _us(status.next_try) - phone.clock.now() <= 2 * MINUTE
    await phone.sync.stop()


@pytest.mark.parametrize("minutes", [-200_000, -65, -2, -0.5, 0.5, 2, 65, 200_000])
async def test_a_device_is_told_how_far_its_clock_is_from_its_nodes(world: World, minutes: float) -> None:
    phone = await skewed(world, minutes / 60)
    [status] = phone.sync.status()
    assert (status.clock_ahead, status.clock_is_off) == (None, False)
    await phone.sync.now()
    [status] = phone.sync.status()
    assert status.clock_ahead is not None
    assert abs(status.clock_ahead - timedelta(minutes=minutes)) < timedelta(seconds=2)
    assert status.clock_is_off is (abs(minutes) > 1)
    phone.clock.ahead = 0
    await phone.sync.now()
    [status] = phone.sync.status()
    assert not status.clock_is_off


# -- nodes that lie


async def test_a_node_of_the_far_future_gets_no_question_for_then(world: World) -> None:
    phone = await world.device()
    for days in (1.1, 400, 2_000_000):
        told = format_timestamp(world.clock.now() + int(days * 24) * HOUR)
        detail = (
            f"TimestampOutsideWindow: this node's clock says {told}; a signed question is dated within 600 s of that"
        )
        world.network.faults["/a"] = lambda *_, detail=detail: reply_of(401, detail)
        world.network.reset()
        report = await phone.sync.now()
        assert [end.error for end in report.endpoints] == [(401, detail)]
        assert len(questions(world)) == 1
        assert all(abs(one) < MINUTE for one in questions(world))
        [status] = phone.sync.status()
        assert (status.activity, status.last_error) == (Activity.BLOCKED, (401, detail))


async def test_a_node_of_tomorrow_is_asked_for_tomorrow_alone_and_for_no_record_that_comes_later(
    tmp_path: Path,
) -> None:
    world = await World.make(tmp_path)
    phone, laptop = await world.device("phone"), await world.device("laptop")
    for number in range(15):
        await phone.write(b"%d" % number)
    assert (await phone.sync.now()).ok
    told = format_timestamp(world.clock.now() + 23 * HOUR)
    detail = f"TimestampOutsideWindow: this node's clock says {told}; or so"

    def lying(kind: str, message: Message) -> object:
        asks = kind not in WRITES
        return reply_of(401, detail) if asks and abs(date_of(message) - parse_timestamp(told)) > HOUR else None

    # The node behind it has no window, as the reference has none.
    world.remotes["/a"]._services.window_seconds = None
    world.network.faults["/a"] = lying
    world.network.reset()
    assert (await laptop.sync.now()).pulled == 15
    dates = {node: [] for node in ("/a", "/b")}
    for node, kind, message in world.network.sent:
        dates[node].append(date_of(message) - world.clock.now())
        if kind == "RecordsQuery":
            until = parse_timestamp(message["descriptor"]["filter"]["dateUpdated"]["to"])
            assert until < world.clock.now() + MINUTE
    assert max(dates["/a"]) > 22 * HOUR
    assert max(map(abs, dates["/b"])) < MINUTE


async def test_a_node_that_refuses_every_date_is_asked_twice_a_visit(world: World) -> None:
    phone = await world.device()

    def contrary(kind: str, message: Message) -> object:
        told = format_timestamp(date_of(message) - HOUR)
        return reply_of(401, f"TimestampOutsideWindow: this node's clock says {told}; or so")

    world.network.faults["/a"] = contrary
    assert not (await phone.sync.now()).ok
    assert world.network.total("/a") == 2


async def test_a_node_that_puts_a_message_off_for_ever_is_asked_more_and_more_rarely(world: World) -> None:
    phone = await world.device()
    message = await phone.write()

    def putting_off(kind: str, asked: Message) -> object:
        if kind != "RecordsWrite":
            return None
        now = format_timestamp(date_of(message) - MINUTE)
        return reply_of(400, f"TimestampAhead: this node's clock says {now}; a message is dated {now} at the latest")

    world.network.faults["/a"] = putting_off
    for _ in range(24 * 6):
        assert (await phone.sync.now()).ok
        world.clock.ahead += 10 * MINUTE
    assert world.network.counts["/a", "RecordsWrite"] <= 55
    world.network.faults.clear()
    world.clock.ahead += HOUR
    assert (await phone.sync.now()).pushed == 1


async def test_pages_name_no_record_that_changes_later(world: World) -> None:
    """Whoever has seen such a question learns of nothing new by it, also while it has its time."""
    phone, laptop = await world.device("phone"), await world.device("laptop")
    for number in range(15):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    assert (await laptop.sync.now()).pulled == 15
    [page] = [message for _, kind, message in world.network.sent if kind == "RecordsQuery"]
    world.clock.ahead += 2 * MINUTE
    later = await phone.write(b"later")
    await phone.sync.now()
    assert cid_of(later) in world.held(world.remotes["/a"])
    reply = await world.remotes["/a"].process_message(world.alice.did, page)
    assert len(reply["entries"]) == 15
    assert later["recordId"] not in {entry["recordId"] for entry in reply["entries"]}


def _us(moment: datetime | None) -> int:
    return 0 if moment is None else microseconds(moment)
