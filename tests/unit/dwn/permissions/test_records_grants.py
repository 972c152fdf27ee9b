"""Grants for records: what a scope and conditions let be written and read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import NOTES, grant, note, with_notes
from web5.dwn import compose

ACCEPTED = (202, "Accepted")


@pytest.fixture
async def world(world: World) -> World:
    """With a protocol under which only the tenant may do anything."""
    return await with_notes(world)


async def write(world: World, grant_id: str | None, path: str = "note", **options: Any) -> tuple[int, str]:
    """The status of a write of Bob's under a grant."""
    message = await world.compose(
        by=world.bob, permission_grant_id=grant_id, protocol=NOTES, protocol_path=path, **options
    )
    return await world.status(message, b"hello")


async def read(world: World, grant_id: str | None, record: dict[str, Any]) -> tuple[int, str]:
    return await world.status(
        await compose.records_read(
            world.bob.signer,
            world.clock,
            filter={"recordId": record["recordId"]},
            permission_grant_id=grant_id,
        )
    )


async def test_without_a_grant_nothing_is_let(world: World) -> None:
    assert await write(world, None) == (401, "ProtocolAuthorizationActionRulesNotFound")
    assert await read(world, None, await note(world)) == (401, "ProtocolAuthorizationActionRulesNotFound")


async def test_a_write_in_the_protocol_of_the_scope(world: World) -> None:
    assert await write(world, await grant(world, "Records.Write")) == ACCEPTED
    other = await grant(world, "Records.Write", protocol="urn:other")
    assert await write(world, other) == (401, "RecordsGrantAuthorizationScopeProtocolMismatch")
    flat = await world.compose(by=world.bob, permission_grant_id=await grant(world, "Records.Write"))
    assert await world.status(flat, b"hello") == (401, "RecordsGrantAuthorizationScopeProtocolMismatch")


async def test_a_write_at_the_path_of_the_scope(world: World) -> None:
    parent = await note(world)
    grant_id = await grant(world, "Records.Write", narrower={"protocolPath": "note/reply"})
    assert await write(world, grant_id, "note/reply", parent_context_id=parent["contextId"]) == ACCEPTED
    assert await write(world, grant_id) == (401, "RecordsGrantAuthorizationScopeProtocolPathMismatch")


async def test_a_write_in_the_context_of_the_scope(world: World) -> None:
    parent, other = await note(world), await note(world)
    grant_id = await grant(world, "Records.Write", narrower={"contextId": parent["contextId"]})
    assert await write(world, grant_id, "note/reply", parent_context_id=parent["contextId"]) == ACCEPTED
    outside = (401, "RecordsGrantAuthorizationScopeContextIdMismatch")
    assert await write(world, grant_id, "note/reply", parent_context_id=other["contextId"]) == outside
    assert await write(world, grant_id) == outside


@pytest.mark.parametrize(
    ("publication", "published", "status"),
    [
        ("Required", True, ACCEPTED),
        ("Required", False, (401, "RecordsGrantAuthorizationConditionPublicationRequired")),
        ("Required", None, (401, "RecordsGrantAuthorizationConditionPublicationRequired")),
        ("Prohibited", True, (401, "RecordsGrantAuthorizationConditionPublicationProhibited")),
        ("Prohibited", False, ACCEPTED),
        ("Prohibited", None, ACCEPTED),
        (None, True, ACCEPTED),
        (None, None, ACCEPTED),
    ],
)
async def test_publication(world: World, publication: Any, published: Any, status: Any) -> None:
    conditions = {} if publication is None else {"publication": publication}
    grant_id = await grant(world, "Records.Write", conditions=conditions)
    assert await write(world, grant_id, published=published) == status


async def test_what_may_be_written_may_be_updated(world: World) -> None:
    """The grantee may update the tenant's record too: a grant asks for no author."""
    first, grant_id = await note(world), await grant(world, "Records.Write")
    newer = await world.compose(by=world.bob, existing=first, data=b"newer", permission_grant_id=grant_id)
    assert await world.status(newer, b"newer") == ACCEPTED


async def test_reads(world: World) -> None:
    parent = await note(world)
    for what, narrower, code in (
        ("Records.Read", {}, None),
        ("Records.Read", {"protocolPath": "note"}, None),
        ("Records.Read", {"contextId": parent["contextId"]}, None),
        ("Records.Read", {"protocolPath": "note/reply"}, "RecordsGrantAuthorizationScopeProtocolPathMismatch"),
        ("Records.Read", {"contextId": "other"}, "RecordsGrantAuthorizationScopeContextIdMismatch"),
        ("Records.Read", {"protocol": "urn:other"}, "RecordsGrantAuthorizationScopeProtocolMismatch"),
        ("Records.Write", {}, "GrantAuthorizationMethodMismatch"),
    ):
        scope: dict[str, Any] = dict(narrower)
        protocol = scope.pop("protocol", NOTES)
        grant_id = await grant(world, what, protocol=protocol, narrower=scope)
        assert await read(world, grant_id, parent) == ((200, "OK") if code is None else (401, code)), (what, narrower)


async def test_a_grant_is_not_looked_at_where_none_is_needed(world: World) -> None:
    published = await note(world, published=True)
    assert await read(world, "nothing", published) == (200, "OK")


async def test_queries_and_deletes_take_no_grant(world: World) -> None:
    """As in the reference: for these a grant must be a delegated one."""
    record = await note(world)
    query = await compose.records_query(world.bob.signer, world.clock, filter={"protocol": NOTES})
    assert (await world.send(query))["entries"] == []
    delete = await world.delete(record, by=world.bob)
    assert await world.status(delete) == (401, "ProtocolAuthorizationActionRulesNotFound")
