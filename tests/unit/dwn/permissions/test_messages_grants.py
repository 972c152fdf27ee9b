"""Grants for the messages of a DWN: the log, single messages, and what is told to subscribers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import configure
from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import (
    DEFINITION,
    NOTES,
    grant,
    make_grant,
    note,
    revoke,
    send_record,
    with_notes,
)
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_request
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.cid import message_cid

OK = (200, "OK")
OTHER_PROTOCOL = (401, "EventsGrantAuthorizationMismatchedProtocol")
UNSEEN = (404, "Not Found")
"""Of a message that the grant does not show; the reference says 401, and so that it is there."""


@pytest.fixture
async def world(world: World) -> World:
    return await with_notes(world)


async def query(world: World, grant_id: str, *filters: dict[str, Any]) -> Any:
    return await world.send(
        await compose.messages_query(world.bob.signer, world.clock, filters=filters, permission_grant_id=grant_id)
    )


async def read(world: World, grant_id: str, message: Any) -> tuple[int, str]:
    return await world.status(
        await compose.messages_read(
            world.bob.signer, world.clock, message_cid=message_cid(message), permission_grant_id=grant_id
        )
    )


def status(reply: Any) -> tuple[int, str]:
    return reply["status"]["code"], reply["status"]["detail"].partition(":")[0]


async def test_a_grant_for_the_whole_log(world: World) -> None:
    write = await note(world)
    grant_id = await grant(world, "Messages.Query", protocol=None)
    assert message_cid(write) in (await query(world, grant_id))["entries"]
    assert status(await query(world, grant_id, {"protocol": "urn:other"})) == OK


async def test_a_grant_for_the_log_of_a_protocol(world: World) -> None:
    write = await note(world)
    grant_id = await grant(world, "Messages.Query")
    assert message_cid(write) in (await query(world, grant_id, {"protocol": NOTES}))["entries"]
    assert status(await query(world, grant_id, {"protocol": NOTES}, {"method": "Write"})) == OTHER_PROTOCOL
    assert status(await query(world, grant_id, {"protocol": "urn:other"})) == OTHER_PROTOCOL


async def test_no_filter_is_no_way_round_the_protocol(world: World) -> None:
    """The reference gives the whole log here."""
    assert status(await query(world, await grant(world, "Messages.Query"))) == OTHER_PROTOCOL
    grant_id = await grant(world, "Messages.Subscribe")
    subscribe = await compose.messages_subscribe(world.bob.signer, world.clock, permission_grant_id=grant_id)
    reply = await world.send(subscribe, subscription_handler=lambda event: None)
    assert status(reply) == OTHER_PROTOCOL


async def test_a_subscription_under_a_grant(world: World) -> None:
    told: list[Any] = []
    grant_id = await grant(world, "Messages.Subscribe")
    subscribe = await compose.messages_subscribe(
        world.bob.signer, world.clock, filters=[{"protocol": NOTES}], permission_grant_id=grant_id
    )
    assert status(await world.send(subscribe, subscription_handler=told.append)) == OK
    write = await note(world)
    assert [event["message"]["recordId"] for event in told] == [write["recordId"]]


async def test_any_message_is_read_under_a_grant_without_a_protocol(world: World) -> None:
    grant_id = await grant(world, "Messages.Read", protocol=None)
    flat = await world.write()
    assert await read(world, grant_id, flat) == OK
    assert await read(world, await grant(world, "Messages.Read"), flat) == UNSEEN


async def test_the_messages_of_a_protocol_are_its_records_and_its_definition(world: World) -> None:
    grant_id = await grant(world, "Messages.Read")
    first = await note(world)
    newer = await world.write(existing=first, data=b"newer")
    delete = await world.delete(first)
    await world.send(delete)
    newest_definition = await configure(world, DEFINITION)
    await world.send(newest_definition)
    for message in (first, delete, newest_definition):
        assert await read(world, grant_id, message) == OK
    other = await configure(world, {**DEFINITION, "protocol": "urn:other"})
    await world.send(other)
    assert await read(world, grant_id, other) == UNSEEN
    assert await read(world, grant_id, newer) == (404, "Not Found")


async def test_the_permissions_of_a_protocol_belong_to_it(world: World) -> None:
    grant_id = await grant(world, "Messages.Read")
    for protocol, expected in ((NOTES, OK), ("urn:other", UNSEEN), (None, UNSEEN)):
        scope = {"interface": "Messages", "method": "Read"} | ({} if protocol is None else {"protocol": protocol})
        asked = await permission_request(world.carol.signer, world.clock, scope=scope)
        granted = await make_grant(world, "Messages.Read", to=world.carol, protocol=protocol)
        for record in (asked, granted):
            assert await send_record(world, record) == (202, "Accepted")
            assert await read(world, grant_id, record) == expected
        assert await read(world, grant_id, await revoke(world, granted)) == expected


async def test_the_first_state_of_a_permission_that_was_written_anew_belongs_to_its_protocol_too(world: World) -> None:
    grant_id = await grant(world, "Messages.Read")
    for protocol, expected in ((NOTES, OK), ("urn:other", UNSEEN)):
        granted = await make_grant(world, "Messages.Read", to=world.carol, protocol=protocol)
        assert await send_record(world, granted) == (202, "Accepted")
        message, data = split_encoded_data(granted)
        anew = await world.compose(existing=message, data=data, tags=message["descriptor"]["tags"])
        assert await world.status(anew, data) == (202, "Accepted")
        assert [await read(world, grant_id, state) for state in (message, anew)] == [expected, expected]


async def test_what_a_permission_was_for_is_not_known_without_its_data(world: World) -> None:
    grant_id = await grant(world, "Messages.Read")
    granted = await make_grant(world, "Messages.Read", to=world.carol)
    await send_record(world, granted)
    revocation = await revoke(world, granted)
    await world.send(await world.delete(granted))
    assert await read(world, grant_id, granted) == UNSEEN
    assert await read(world, grant_id, revocation) == UNSEEN


async def test_a_grant_that_does_not_hold_is_said_to_whatever_is_there(world: World) -> None:
    for write in (await world.compose(), await world.write()):
        assert await read(world, "nothing", write) == (401, "GrantAuthorizationGrantMissing")
