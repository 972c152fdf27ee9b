"""A remote node takes signed questions of its time only, and no messages of the future."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.clocks import ManualClock
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person, our_dwn, person
from web5.dwn import Delivery, Dwn, compose
from web5.dwn.time_window import WINDOW_SECONDS, seconds_ahead, told_time
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message

NOW = 1_714_521_600_000_000
MINUTE = 60_000_000
FILTER = {"dataFormat": "text/plain"}
FAR = "9999-12-31T23:59:59.999999Z"

QUESTIONS: dict[str, Any] = {
    "RecordsRead": lambda signer, clock: compose.records_read(signer, clock, filter=FILTER),
    "RecordsQuery": lambda signer, clock: compose.records_query(signer, clock, filter=FILTER),
    "RecordsSubscribe": lambda signer, clock: compose.records_subscribe(signer, clock, filter=FILTER),
    "ProtocolsQuery": lambda signer, clock: compose.protocols_query(signer, clock),
    "MessagesQuery": lambda signer, clock: compose.messages_query(signer, clock),
    "MessagesSubscribe": lambda signer, clock: compose.messages_subscribe(signer, clock),
}
UNSIGNED = ("RecordsRead", "RecordsQuery", "RecordsSubscribe", "ProtocolsQuery")


class Node:
    """Alice's node, whose clock stands still."""

    def __init__(self, dwn: Dwn, clock: ManualClock, alice: Person) -> None:
        self.dwn, self.clock, self.alice = dwn, clock, alice

    async def status(self, message: Message, data: bytes | None = None) -> tuple[int, str]:
        handler = (lambda event: None) if message["descriptor"]["method"] == "Subscribe" else None
        status = (await self.dwn.process_message(self.alice.did, message, data, handler))["status"]
        return status["code"], status["detail"]

    async def write(self, minutes: float = 0, **more: Any) -> Message:
        clock = ManualClock(NOW + int(minutes * MINUTE))
        return await compose.records_write(self.alice.signer, clock, data=b"x", data_format="text/plain", **more)


@pytest.fixture
async def node() -> Node:
    clock = ManualClock(NOW)
    dwn = our_dwn(clock, window_seconds=WINDOW_SECONDS)
    await dwn.open()
    found = Node(dwn, clock, await person())
    assert (await found.status(await found.write(), b"x"))[0] == 202
    return found


@pytest.mark.parametrize("kind", [*QUESTIONS, "MessagesRead"])
async def test_a_signed_question_is_answered_within_ten_minutes_either_way(node: Node, kind: str) -> None:
    make = QUESTIONS.get(kind)
    if make is None:
        held = message_cid(await node.write())
        make = lambda signer, clock: compose.messages_read(signer, clock, message_cid=held)  # noqa: E731
    for minutes, expected in ((-10.1, 401), (-9.9, 200), (0, 200), (9.9, 200), (10.1, 401), (4_000_000, 401)):
        code, detail = await node.status(await make(node.alice.signer, ManualClock(NOW + int(minutes * MINUTE))))
        assert code == expected, (minutes, detail)
        if code == 401:
            assert detail.startswith("TimestampOutsideWindow: ")
            assert format_timestamp(NOW) in detail
            assert told_time(detail) == NOW


@pytest.mark.parametrize("kind", UNSIGNED)
async def test_what_anybody_could_make_anew_may_have_any_date(node: Node, kind: str) -> None:
    code, detail = await node.status(await QUESTIONS[kind](None, ManualClock(0)))
    assert (code, detail) in ((200, "OK"), (404, "Not Found"))


@pytest.mark.parametrize("kind", ["RecordsSubscribe", "MessagesSubscribe"])
async def test_a_signed_subscription_ends_after_a_day(node: Node, kind: str) -> None:
    events: list[Any] = []
    opened = [QUESTIONS[kind](node.alice.signer, node.clock)]
    opened += [QUESTIONS[kind](None, node.clock)] if kind in UNSIGNED else []
    ended: list[int] = []
    for number, message in enumerate(opened):
        reply = await node.dwn.process_message(node.alice.did, await message, subscription_handler=events.append)
        reply["subscription"].on_end = partial(ended.append, number)
    node.clock.us += 24 * 60 * MINUTE - 1
    await node.dwn.review_subscriptions()
    assert ended == []
    assert await node.status(await node.write(published=True), b"x") == (202, "Accepted")
    assert len(events) == len(opened)
    node.clock.us += 1
    assert await node.status(await node.write(1, published=True), b"x") == (202, "Accepted")
    assert ended == [0]
    assert len(events) == 2 * len(opened) - 1


async def test_it_is_asked_before_who_signed_and_what_is_there(node: Node) -> None:
    """So a refusal costs no verification, and tells nothing."""
    stranger = await person()
    answers = set()
    for by, record in ((node.alice, (await node.write())["recordId"]), (stranger, "bafyreihere")):
        late = await compose.records_read(by.signer, ManualClock(0), filter={"recordId": record})
        answers.add(await node.status(late))
        late["authorization"]["signature"]["signatures"][0]["signature"] = "AAAA"
        answers.add(await node.status(late))
    assert len(answers) == 1


async def test_an_offset_does_not_get_around_it(node: Node) -> None:
    """The schema of MessagesSubscribe takes other forms of timestamps."""
    late = await compose.messages_subscribe(node.alice.signer, ManualClock(0))
    for form in ("1970-01-01T00:00Z", "1970-01-01 00:00:00+00:00", "19700101T000000Z", "9999-01-01T00:00:00+14:00"):
        late["descriptor"]["messageTimestamp"] = form
        assert (await node.status(late))[1].startswith("TimestampOutsideWindow")


@pytest.mark.parametrize("odd", [None, 5, "", "now", {}, []])
async def test_what_is_no_timestamp_is_left_to_the_schema_or_refused(node: Node, odd: Any) -> None:
    for make in QUESTIONS.values():
        message = await make(node.alice.signer, node.clock)
        message["descriptor"]["messageTimestamp"] = odd
        code, detail = await node.status(message)
        assert code in (400, 401)
        assert detail.startswith(("SchemaValidator", "TimestampOutsideWindow"))


@pytest.mark.parametrize("method", ["Write", "Delete", "Configure"])
async def test_a_message_is_stored_up_to_ten_minutes_ahead_however_old_it_is(node: Node, method: str) -> None:
    definition = {"protocol": "https://example.com", "published": True, "types": {}, "structure": {}}
    for minutes, accepted in ((-50_000, True), (1, True), (9.9, True), (10.1, False), (4_000_000, False)):
        signer, clock = node.alice.signer, ManualClock(NOW + int(minutes * MINUTE))
        old = await node.write(-100_000 - abs(minutes))
        data = None
        if method == "Write":
            message, data = await node.write(minutes), b"x"
        elif method == "Delete":
            await node.status(old, b"x")
            message = await compose.records_delete(signer, clock, record_id=old["recordId"])
        else:
            message = await compose.protocols_configure(signer, clock, definition=definition)
        before = await node.dwn.read_stored(node.alice.did, message_cid(message))
        code, detail = await node.status(message, data)
        if accepted:
            assert code == 202, detail
        else:
            assert code == 400
            assert detail.startswith("TimestampAhead: ")
            assert before is await node.dwn.read_stored(node.alice.did, message_cid(message)) is None
            assert told_time(detail) == NOW
            assert seconds_ahead(message, detail) == pytest.approx((minutes - 10) * 60)
            node.clock.us = clock.us - 10 * MINUTE
            assert (await node.status(message, data))[0] == 202
            node.clock.us = NOW


async def test_an_update_of_the_year_9999_does_not_freeze_a_record(node: Node) -> None:
    first = await node.write(-1)
    await node.status(first, b"x")
    frozen = await compose.records_write(
        node.alice.signer, node.clock, existing=first, data=b"x", message_timestamp=FAR
    )
    assert (await node.status(frozen, b"x"))[1].startswith("TimestampAhead")
    update = await compose.records_write(node.alice.signer, node.clock, existing=first, data=b"x")
    assert (await node.status(update, b"x"))[0] == 202


async def test_several_at_once_are_looked_at_one_by_one(node: Node) -> None:
    writes = [await node.write(1), await node.write(11)]
    replies = await node.dwn.process_writes(node.alice.did, [Delivery(one, b"x", message_cid(one)) for one in writes])
    assert [reply["status"]["code"] for reply in replies] == [202, 400]


async def test_without_a_window_every_date_is_taken(world: World) -> None:
    message = await world.compose(message_timestamp=FAR, date_created=FAR)
    assert (await world.status(message, b"hello"))[0] == 202
    subscribe = await compose.records_subscribe(world.alice.signer, world.clock, filter=FILTER)
    events: list[Any] = []
    assert (await world.send(subscribe, subscription_handler=events.append))["status"]["code"] == 200
    world.clock.us += 30 * 24 * 60 * MINUTE
    await world.dwn.review_subscriptions()
    await world.write()
    assert len(events) == 1
    late = await compose.records_query(world.alice.signer, ManualClock(0), filter=FILTER)
    assert len((await world.send(late))["entries"]) == 2


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "TimestampOutsideWindow: no time",
        "TimestampOutsideWindow: this node's clock says 2026-13-41T00:00:00.000000Z; or so",
        "TimestampAhead: this node's clock says aaaaaaaaaaaaaaaaaaaaaaaaaaa; a message is dated"
        " bbbbbbbbbbbbbbbbbbbbbbbbbbb at the latest",
        "x TimestampOutsideWindow: this node's clock says 2026-01-01T00:00:00.000000Z;",
    ],
)
def test_what_tells_no_time_teaches_nothing(detail: str) -> None:
    assert told_time(detail) is None
    assert seconds_ahead({"descriptor": {"messageTimestamp": FAR}}, detail) is None
