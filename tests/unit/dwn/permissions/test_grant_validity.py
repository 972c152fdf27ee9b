"""When a grant counts at all: for whom, from whom, from when until when, and for what kind of message."""

from __future__ import annotations

from typing import Any

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import grant, make_grant, revoke, send_record
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp

OK = (200, "OK")


async def query(world: World, grant_id: Any, *, by: Person | None = None) -> tuple[int, str]:
    """The status of a MessagesQuery under a grant."""
    signer = (by or world.bob).signer
    return await world.status(await compose.messages_query(signer, world.clock, permission_grant_id=grant_id))


async def query_at(world: World, grant_id: Any, us: int) -> tuple[int, str]:
    """The same, made at a time of one's own choice."""
    now, world.clock.us = world.clock.us, us - 1000
    try:
        return await query(world, grant_id)
    finally:
        world.clock.us = now


async def test_a_grant_lets_its_grantee(world: World) -> None:
    grant_id = await grant(world, "Messages.Query", protocol=None)
    assert await query(world, grant_id) == OK
    assert await query(world, grant_id, by=world.carol) == (401, "GrantAuthorizationNotGrantedToAuthor")


async def test_a_grant_must_be_there_and_be_a_grant(world: World) -> None:
    note = await world.write()
    for grant_id in ("nothing", "", note["recordId"]):
        assert await query(world, grant_id) == (401, "GrantAuthorizationGrantMissing")


async def test_a_deleted_grant_is_none(world: World) -> None:
    record = await make_grant(world, "Messages.Query", protocol=None)
    await send_record(world, record)
    assert await world.status(await world.delete(record)) == (202, "Accepted")
    assert await query(world, record["recordId"]) == (401, "GrantAuthorizationGrantMissing")


async def test_a_grant_is_from_the_tenant(world: World) -> None:
    """Bob's DWN holds a grant of Carol's, because Bob keeps it: it grants nothing there."""
    record = await make_grant(world, "Messages.Query", protocol=None, by=world.carol, to=world.alice)
    message, data = split_encoded_data(record)
    kept = await sign_as_owner(message, world.bob.signer)
    assert await world.status(kept, data, tenant=world.bob) == (202, "Accepted")
    message = await compose.messages_query(world.alice.signer, world.clock, permission_grant_id=record["recordId"])
    assert await world.status(message, tenant=world.bob) == (401, "GrantAuthorizationNotGrantedForTenant")


async def test_a_grant_holds_from_its_date_until_its_end(world: World) -> None:
    end = parse_timestamp("2024-06-01T00:00:00.000000Z")
    record = await make_grant(world, "Messages.Query", protocol=None, date_expires=format_timestamp(end))
    await send_record(world, record)
    grant_id, start = record["recordId"], parse_timestamp(record["descriptor"]["dateCreated"])
    assert await query_at(world, grant_id, start - 1) == (401, "GrantAuthorizationGrantNotYetActive")
    assert await query_at(world, grant_id, start) == OK
    assert await query_at(world, grant_id, end - 2000) == OK  # the clock goes on until the node looks at it
    assert await query_at(world, grant_id, end) == (401, "GrantAuthorizationGrantExpired")


async def test_a_revocation_ends_a_grant_from_its_own_time_on(world: World) -> None:
    record = await make_grant(world, "Messages.Query", protocol=None)
    await send_record(world, record)
    grant_id = record["recordId"]
    world.clock.us += 10_000
    at = parse_timestamp((await revoke(world, record))["descriptor"]["messageTimestamp"])
    assert await query_at(world, grant_id, at - 2000) == OK
    assert await query_at(world, grant_id, at) == (401, "GrantAuthorizationGrantRevoked")
    # The first one counts.
    await revoke(world, record)
    assert await query_at(world, grant_id, at) == (401, "GrantAuthorizationGrantRevoked")


async def test_a_question_with_an_old_date_is_judged_by_the_nodes_clock(world: World) -> None:
    """The reference believes the date, so that a grant lasts for ever."""
    ended = await make_grant(world, "Messages.Query", protocol=None, date_expires="2024-05-01T00:00:01.000000Z")
    revoked = await make_grant(world, "Messages.Query", protocol=None)
    for record in (ended, revoked):
        await send_record(world, record)
    old = [
        await compose.messages_query(world.bob.signer, world.clock, permission_grant_id=record["recordId"])
        for record in (ended, revoked)
    ]
    assert [await world.status(message) for message in old] == [OK, OK]
    await revoke(world, revoked)
    world.clock.us += 1_000_000
    assert [await world.status(message) for message in old] == [
        (401, "GrantAuthorizationGrantExpired"),
        (401, "GrantAuthorizationGrantRevoked"),
    ]


async def test_a_revocation_that_was_deleted_still_revokes(world: World) -> None:
    record = await make_grant(world, "Messages.Query", protocol=None)
    await send_record(world, record)
    revocation = await revoke(world, record)
    assert await world.status(await world.delete(revocation)) == (202, "Accepted")
    assert await query(world, record["recordId"]) == (401, "GrantAuthorizationGrantRevoked")


async def test_a_grant_is_for_one_interface_and_one_method(world: World) -> None:
    other_interface = await grant(world, "Records.Query")
    assert await query(world, other_interface) == (401, "GrantAuthorizationInterfaceMismatch")
    other_method = await grant(world, "Messages.Read", protocol=None)
    assert await query(world, other_method) == (401, "GrantAuthorizationMethodMismatch")


async def test_the_first_fault_in_the_order_of_the_reference_is_named(world: World) -> None:
    """A grant for another person, that has ended, for another method: it is for another person."""
    record = await make_grant(world, "Records.Write", to=world.carol, date_expires=format_timestamp(world.clock.now()))
    await send_record(world, record)
    assert await query(world, record["recordId"]) == (401, "GrantAuthorizationNotGrantedToAuthor")
