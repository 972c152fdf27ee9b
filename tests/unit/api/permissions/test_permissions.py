"""Requests, grants and revocations between two people."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.unit.api.permissions.delegates import NOTE, NOTES, definition, later
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5.api.permissions.permission_records import PermissionGrant, PermissionRequest
from web5.dwn.permissions import protocol as permissions
from web5.errors import BadRequest, Conflict, InvalidArgument, Unauthorized
from web5.node.limits import Usage

SCOPE = {"interface": "Records", "method": "Read", "protocol": NOTES}


async def test_what_bob_asks_for_alice_grants_and_takes_back(world: World) -> None:
    alice, bob = await connected(world), await connected(world, "bob")
    request = await bob.dwn.permissions.request(
        scope=SCOPE, description="to read along", conditions={"publication": "Required"}
    )
    assert (request.requester, request.scope, request.delegated) == (bob.connected_did, SCOPE, False)
    assert len((await request.send(alice.connected_did)).delivered) == 2
    assert await bob.dwn.permissions.query_requests() == []

    assert (await alice.sync.now("pull")).ok
    [asked] = await alice.dwn.permissions.query_requests(protocol=NOTES)
    assert asked.to_json() == request.to_json()
    assert await alice.dwn.permissions.query_requests(protocol="https://example.org/other") == []
    grant = await asked.grant(later(days=1))
    assert (grant.grantor, grant.grantee) == (alice.connected_did, bob.connected_did)
    assert (grant.request_id, grant.conditions) == (request.id, {"publication": "Required"})
    assert (await alice.sync.now("push")).ok

    [given] = await bob.dwn.permissions.query_grants(from_=alice.connected_did)
    assert given.to_json() == grant.to_json()
    await given.store(import_=True)
    with pytest.raises(Conflict):
        await given.store()
    [kept] = await bob.dwn.permissions.query_grants(grantor=alice.connected_did, grantee=bob.connected_did)
    assert kept.id == grant.id
    assert not await kept.is_revoked(remote=True)

    revocation = await grant.revoke()
    assert revocation.author == alice.connected_did
    await revocation.send()
    assert await kept.is_revoked(remote=True)
    assert await bob.dwn.permissions.query_grants(from_=alice.connected_did, check_revoked=True) == []


async def test_a_grant_lets_its_grantee_read(world: World) -> None:
    alice, bob = await connected(world), await connected(world, "bob")
    await alice.dwn.protocols.configure(definition(NOTES))
    note = await alice.dwn.records.create("text", **NOTE)
    assert (await alice.sync.now("push")).ok
    with pytest.raises(Unauthorized):
        await bob.dwn.records.read(note.id, from_=alice.connected_did)
    grant = await alice.dwn.permissions.grant(granted_to=bob.connected_did, scope=SCOPE, date_expires=later(days=1))
    assert (await alice.sync.now("push")).ok
    read = await bob.dwn.records.read(note.id, from_=alice.connected_did, permission_grant_id=grant.id)
    assert await read.data.text() == "text"


async def test_a_grant_that_is_not_stored_can_be_sent_and_not_revoked_here(world: World) -> None:
    alice = await connected(world)
    grant = await alice.dwn.permissions.grant(
        granted_to="did:example:bob", scope=SCOPE, date_expires=later(days=1), store=False
    )
    assert await alice.dwn.permissions.query_grants() == []
    with pytest.raises(BadRequest):
        await grant.revoke()
    assert len((await grant.send()).delivered) == 2
    assert (await alice.sync.now("pull")).ok
    [found] = await alice.dwn.permissions.query_grants(grantee="did:example:bob")
    assert found.raw_message == grant.raw_message


async def test_a_scope_for_records_needs_a_protocol(world: World) -> None:
    alice = await connected(world)
    scope = {"interface": "Records", "method": "Read"}
    with pytest.raises(BadRequest, match="protocol"):
        await alice.dwn.permissions.request(scope=scope)
    with pytest.raises(BadRequest, match="protocol"):
        await alice.dwn.permissions.grant(granted_to="did:example:bob", scope=scope, date_expires=later(days=1))
    assert await alice.dwn.records.query(protocol=permissions.URI) == []


async def test_all_grants_are_found_at_a_node_that_gives_few_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await connected(world)
    given = {
        (await alice.dwn.permissions.grant(scope=SCOPE, granted_to="did:x:bob", date_expires=later(days=1))).id
        for _ in range(5)
    }
    assert (await alice.sync.now("push")).ok
    monkeypatch.setattr(Usage, "room", lambda self, address: 1)
    found = await alice.dwn.permissions.query_grants(from_=alice.connected_did)
    assert len(found) == 5
    assert {grant.id for grant in found} == given


async def test_what_came_as_json_is_a_permission_again(world: World) -> None:
    alice, bob = await connected(world), await connected(world, "bob")
    grant = await alice.dwn.permissions.grant(
        granted_to=bob.connected_did, scope=SCOPE, date_expires=timedelta(days=1), store=False
    )
    assert abs(grant.date_expires - grant.date_granted - timedelta(days=1)) < timedelta(minutes=1)
    parsed = bob.dwn.permissions.parse(json.loads(json.dumps(grant.raw_message)))
    assert isinstance(parsed, PermissionGrant)
    assert (parsed.id, parsed.scope, parsed.grantor) == (grant.id, SCOPE, alice.connected_did)
    await parsed.store(import_=True)
    assert [one.id for one in await bob.dwn.permissions.query_grants(grantor=alice.connected_did)] == [grant.id]
    request = await bob.dwn.permissions.request(scope=SCOPE)
    assert isinstance(alice.dwn.permissions.parse(request.raw_message), PermissionRequest)
    note = await alice.dwn.records.create("x")
    for wrong in (note.raw_message, {}, [], {**grant.raw_message, "encodedData": "!"}):
        with pytest.raises((InvalidArgument, BadRequest)):
            bob.dwn.permissions.parse(wrong)  # type: ignore[arg-type]


async def test_what_is_no_end_of_a_grant_says_so(world: World) -> None:
    alice = await connected(world)
    for wrong, said in ((datetime(2030, 1, 1), "no time zone"), ("tomorrow", "is no date"), (None, "is missing")):
        with pytest.raises(InvalidArgument, match=f"date_expires.*{said}"):
            await alice.dwn.permissions.grant(granted_to="did:x:bob", scope=SCOPE, date_expires=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="granted_to='bob' is no DID"):
        await alice.dwn.permissions.grant(granted_to="bob", scope=SCOPE, date_expires=timedelta(days=1))
