"""Requests, grants and revocations as records: what they must say, and who may write and see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import END, NOTES, grant, make_grant, record_of, revoke, send_record
from web5.dwn import compose
from web5.dwn.permissions import protocol
from web5.dwn.permissions.compose import permission_request, permission_revocation
from web5.dwn.permissions.grants import split_encoded_data

WRITE = {"interface": "Records", "method": "Write", "protocol": NOTES}
TAGGED = {"tags": {"protocol": NOTES}}
MISSING_TAG = "PermissionsProtocolValidateScopeMissingProtocolTag"
OTHER_TAG = "PermissionsProtocolValidateScopeProtocolMismatch"
FAILURE = "SchemaValidatorFailure"
EXTRA = "SchemaValidatorAdditionalPropertyNotAllowed"


async def test_anybody_may_ask(world: World) -> None:
    request = await permission_request(
        world.bob.signer,
        world.clock,
        scope=WRITE,
        delegated=True,
        description="to help",
        conditions={"publication": "Required"},
    )
    assert await send_record(world, request) == (202, "Accepted")
    assert await world.query(by=world.alice, protocolPath="request") == [request["recordId"]]


async def test_only_the_tenant_grants_and_revokes(world: World) -> None:
    by_bob = await make_grant(world, "Records.Write", by=world.bob, to=world.carol)
    assert await send_record(world, by_bob) == (401, "ProtocolAuthorizationActionNotAllowed")
    granted = await make_grant(world, "Records.Write")
    assert await send_record(world, granted) == (202, "Accepted")
    revocation = await permission_revocation(world.bob.signer, world.clock, grant=granted)
    assert await send_record(world, revocation) == (401, "ProtocolAuthorizationActionNotAllowed")


async def test_the_grantee_sees_the_grant_and_everybody_its_revocation(world: World) -> None:
    granted = await make_grant(world, "Records.Write")
    await send_record(world, granted)
    revocation = await revoke(world, granted)
    grant_id = granted["recordId"]
    assert (await world.read(by=world.bob, recordId=grant_id))["status"]["code"] == 200
    assert (await world.read(by=world.carol, recordId=grant_id))["status"]["code"] == 401
    assert (await world.read(by=None, recordId=revocation["recordId"]))["status"]["code"] == 200


@pytest.mark.parametrize(
    ("says", "descriptor", "code"),
    [
        (b"nonsense", {}, "the data are not JSON"),
        (b"[]", {}, FAILURE),
        ({}, {}, FAILURE),
        ({"delegated": True}, {}, FAILURE),
        ({"scope": WRITE}, TAGGED, FAILURE),
        ({"delegated": "no", "scope": WRITE}, TAGGED, FAILURE),
        ({"delegated": True, "scope": WRITE, "more": 1}, TAGGED, EXTRA),
        ({"delegated": True, "scope": WRITE, "conditions": {"publication": "Perhaps"}}, TAGGED, FAILURE),
        ({"delegated": True, "scope": WRITE, "conditions": {"more": 1}}, TAGGED, EXTRA),
        ({"delegated": True, "scope": {}}, {}, FAILURE),
        ({"delegated": True, "scope": {"interface": "Messages", "method": "Write"}}, {}, FAILURE),
        ({"delegated": True, "scope": {"interface": "Protocols", "method": "Read"}}, {}, FAILURE),
        ({"delegated": True, "scope": {"interface": "Records", "method": "Read", "protocol": 1}}, {}, FAILURE),
        # What fits no scope has the faults of the first one, the scope of MessagesQuery.
        ({"delegated": True, "scope": {"interface": "Messages", "method": "Read", "contextId": "x"}}, {}, EXTRA),
        ({"delegated": True, "scope": {**WRITE, "protocol": "Example.com/"}}, {}, "UrlProtocolNotNormalized"),
        ({"delegated": True, "scope": WRITE}, {}, MISSING_TAG),
        ({"delegated": True, "scope": WRITE}, {"tags": {"other": NOTES}}, MISSING_TAG),
        ({"delegated": True, "scope": WRITE}, {"tags": {"protocol": "urn:other"}}, OTHER_TAG),
        ({"delegated": True, "scope": WRITE}, {"tags": {"protocol": [NOTES]}}, OTHER_TAG),
        (
            {"delegated": True, "scope": {**WRITE, "contextId": "x", "protocolPath": "note"}},
            TAGGED,
            "PermissionsProtocolValidateScopeContextIdProhibitedProperties",
        ),
    ],
)
async def test_bad_requests(world: World, says: Any, descriptor: dict[str, Any], code: str) -> None:
    assert await send_record(world, await record_of(world, protocol.REQUEST, says, **descriptor)) == (400, code)
    assert await world.log() == []


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ({"scope": WRITE}, FAILURE),
        ({"dateExpires": "2030", "scope": WRITE}, FAILURE),
        ({"dateExpires": "2030-02-30T00:00:00.000000Z", "scope": WRITE}, "TimestampInvalid"),
        ({"dateExpires": END, "scope": WRITE, "requestId": 1}, FAILURE),
        ({"dateExpires": END, "scope": WRITE, "delegated": None}, FAILURE),
        ({"dateExpires": END, "scope": WRITE, "grantedTo": "did:x:y"}, EXTRA),
    ],
)
async def test_bad_grants(world: World, says: Any, code: str) -> None:
    record = await record_of(world, protocol.GRANT, says, recipient=world.bob.did, **TAGGED)
    assert await send_record(world, record) == (400, code)


@pytest.mark.parametrize(
    ("says", "code"), [({"description": 1}, FAILURE), ({"more": 1}, EXTRA), (b"", "the data are not JSON")]
)
async def test_bad_revocations(world: World, says: Any, code: str) -> None:
    grant_id = await grant(world, "Records.Write")
    record = await record_of(world, protocol.REVOCATION, says, parent_context_id=grant_id, **TAGGED)
    assert await send_record(world, record) == (400, code)


@pytest.mark.parametrize("tags", [None, {"other": NOTES}, {"protocol": "urn:other"}])
async def test_a_revocation_has_the_protocol_of_its_grant(world: World, tags: Any) -> None:
    grant_id = await grant(world, "Records.Write")
    record = await record_of(world, protocol.REVOCATION, {}, parent_context_id=grant_id, tags=tags)
    mismatch = (400, "PermissionsProtocolValidateRevocationProtocolTagMismatch")
    assert await send_record(world, record) == mismatch
    # A grant for every protocol is revoked without a protocol.
    grant_id = await grant(world, "Messages.Query", protocol=None)
    record = await record_of(world, protocol.REVOCATION, {}, parent_context_id=grant_id, tags=tags)
    assert await send_record(world, record) == (mismatch if tags == {"protocol": "urn:other"} else (202, "Accepted"))


async def test_permission_records_are_small_json(world: World) -> None:
    long = {"description": "x" * 10_000, "delegated": True, "scope": WRITE}
    record = await record_of(world, protocol.REQUEST, long, **TAGGED)
    assert await send_record(world, record) == (400, "ProtocolAuthorizationMaxSizeInvalid")
    nowhere = await record_of(world, "revocation", {})
    assert (await send_record(world, nowhere))[0] == 400


async def test_a_grant_without_data_is_kept_but_grants_nothing(world: World) -> None:
    granted, _ = split_encoded_data(await make_grant(world, "Messages.Query", protocol=None))
    assert await world.status(granted) == (204, "No Content")
    query = await compose.messages_query(world.bob.signer, world.clock, permission_grant_id=granted["recordId"])
    assert await world.status(query) == (401, "GrantAuthorizationGrantMissing")


async def test_the_log_of_a_protocol_has_its_permissions(world: World) -> None:
    """Also those that were replaced since: the log keeps what a message was found by when it came."""
    granted = await make_grant(world, "Records.Write")
    await send_record(world, granted)
    await grant(world, "Records.Write", protocol="urn:other")
    _, data = split_encoded_data(granted)
    newer = await world.compose(existing=granted, data=data, **TAGGED)
    assert await world.status(newer, data) == (202, "Accepted")
    await revoke(world, granted)
    query = await compose.messages_query(world.alice.signer, world.clock, filters=[{"protocol": NOTES}])
    assert len((await world.send(query))["entries"]) == 3


async def test_the_log_of_a_protocol_has_permissions_that_came_without_their_data(world: World) -> None:
    """As where a node is filled again: of what was replaced, nobody has the data."""
    granted = await make_grant(world, "Records.Write")
    bare, data = split_encoded_data(granted)
    assert await world.status(bare) == (204, "No Content")
    newer = await world.compose(existing=granted, data=data, **TAGGED)
    assert await world.status(newer, data) == (202, "Accepted")
    query = await compose.messages_query(world.alice.signer, world.clock, filters=[{"protocol": NOTES}])
    assert len((await world.send(query))["entries"]) == 2
