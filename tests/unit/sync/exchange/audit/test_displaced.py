"""A node that says it has a message, and what it shows then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dwn.persons import ENCRYPTION
from tests.unit.sync.world import HOST, Answer, World, cid_of, reply_of
from web5.dwn import compose
from web5.dwn.values.types import Message
from web5.sync import State

A = f"{HOST}/a"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path, ("/a",))


def shown(code: int, **entry: Any) -> Answer:
    reply = {"status": {"code": code, "detail": ""}} | ({"entry": entry} if entry else {})
    return Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": reply}}).encode())


def conflicts(world: World, message: Message, answer: Any) -> None:
    """Have the node say 409 to one message, and show what a test says for its record."""

    def fault(kind: str, sent: Message) -> Answer | None:
        if kind == "RecordsWrite" and cid_of(sent) == cid_of(message):
            return reply_of(409, "Conflict")
        return answer if kind == "RecordsRead" else None

    world.network.faults["/a"] = fault


async def test_what_the_node_shows_is_there(world: World) -> None:
    phone, signer, clock = await world.device(), world.alice.signer, world.clock
    for kind in ("same", "newer", "deleted"):
        message = await phone.write()
        newer = await compose.records_write(signer, clock, data=b"2", existing=message)
        delete = await compose.records_delete(signer, clock, record_id=message["recordId"])
        answer = {
            "same": shown(200, recordsWrite=message),
            "newer": shown(200, recordsWrite=newer, initialWrite=message),
            "deleted": shown(404, recordsDelete=delete, initialWrite=message),
        }[kind]
        conflicts(world, message, answer)
        held = world.held(phone.dwn)
        await phone.sync.now("push")
        assert world.held(phone.dwn) == held
        assert phone.sync.unsettled() == []


@pytest.mark.parametrize("kept", [{}, {"tags": {"a": [1, 2]}, "published": True}, {"encryption": ENCRYPTION}], ids=str)
async def test_a_record_that_it_does_not_show_is_written_anew_as_it_is(world: World, kept: dict[str, Any]) -> None:
    phone = await world.device()
    message = await phone.write(b"text", **kept)
    reply = await world.remotes["/a"].process_message(world.alice.did, message)
    assert reply["status"]["code"] == 204  # without its data
    assert (await phone.sync.now("push")).ok
    rows = phone.dwn.store.record(phone.dwn.store.tenant(world.alice.did), message["recordId"])
    newest = rows[-1].message
    assert len(rows) == 2 and rows[0].cid == cid_of(message)
    same = {**newest["descriptor"], "messageTimestamp": message["descriptor"]["messageTimestamp"]}
    assert same == message["descriptor"]
    assert newest.get("encryption") == message.get("encryption")
    assert (await world.contents(phone.dwn)) == {message["recordId"]: b"text"}
    assert phone.sync.unsettled() == []
    assert cid_of(newest) in world.held(world.remotes["/a"])


async def test_a_record_is_not_written_anew_again_and_again(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    record = message["recordId"]
    world.network.faults["/a"] = lambda kind, _: {
        "RecordsWrite": reply_of(409, "Conflict"),
        "RecordsRead": shown(404),
    }.get(kind)

    def timestamps() -> list[str]:
        rows = phone.dwn.store.record(phone.dwn.store.tenant(world.alice.did), record)
        return [row.message_timestamp for row in rows]

    for _ in range(5):
        await phone.sync.now()
    written = timestamps()
    assert len(written) == 2
    [row] = phone.sync.unsettled()
    assert (row.state, row.code, row.waits_for) == (State.DISPLACED, 409, f"record:{record}")
    assert "RecordDisplaced" in row.detail and "will be again" in row.detail
    [status] = phone.sync.status()
    assert (status.displaced, status.refused) == (1, 0)
    world.clock.ahead += 3600 * 1_000_000
    for _ in range(5):
        await phone.sync.now()
    assert timestamps()[0] == written[0] and timestamps()[1] > written[1]


async def test_an_attested_record_is_reported(world: World) -> None:
    """An update would lose what somebody else has signed."""
    phone = await world.device()
    message = await phone.write(attestation_signers=[(await world.identity("/a")).signer])
    conflicts(world, message, shown(404))
    await phone.sync.now()
    [row] = phone.sync.unsettled()
    assert row.state is State.DISPLACED and "only its author" in row.detail
    assert world.held(phone.dwn) == {cid_of(message)}


async def test_what_cannot_be_asked_is_not_known(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    conflicts(world, message, reply_of(500, "no"))
    await phone.sync.now()
    [row] = phone.sync.unsettled()
    assert (row.state, row.code) == (State.REFUSED, 500)


async def test_a_message_of_ours_that_the_node_lists_before_it_was_sent_is_looked_after(world: World) -> None:
    """Somebody else has brought it there; perhaps without its data."""
    phone = await world.device()
    message = await phone.write()
    reply = await world.remotes["/a"].process_message(world.alice.did, message)
    assert reply["status"]["code"] == 204
    assert (await phone.sync.now()).ok
    assert await world.contents(world.remotes["/a"]) == {message["recordId"]: b"text"}
    assert phone.sync.unsettled() == []


async def test_a_record_of_which_the_node_says_nothing_holds_up_no_other_and_is_asked_for_more_and_more_slowly(
    world: World,
) -> None:
    phone = await world.device()
    first, second = sorted([(await phone.write(b"%d" % number))["recordId"] for number in range(2)])
    await phone.sync.now()
    endpoint = phone.sync._ledger.endpoints(world.alice.did)[0].id
    phone.sync._context.suspects[endpoint] = {first, second}

    def fault(kind: str, sent: Message) -> Answer | None:
        is_first = kind == "RecordsRead" and sent["descriptor"]["filter"]["recordId"] == first
        return reply_of(500, "its data are lost") if is_first else None

    world.network.faults["/a"] = fault
    asked = []
    for seconds in (0, 0, 0, 31, 31, 31):
        world.clock.ahead += seconds * 1_000_000
        world.network.reset()
        await phone.sync.now()
        asked.append(world.network.counts["/a", "RecordsRead"])
    assert asked == [2, 0, 0, 1, 0, 1]
    assert phone.sync._context.suspects[endpoint] == {first}
