"""Requests, grants and revocations as we make them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import END, NOTES, make_grant
from web5.crypto.encoding import b64url_decode
from web5.dwn.permissions.compose import permission_grant, permission_request, permission_revocation
from web5.dwn.permissions.grants import permission_data
from web5.dwn.permissions.protocol import URI
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import BadRequest


def scope(**more: Any) -> dict[str, Any]:
    return {"interface": "Records", "method": "Read", **more}


async def test_a_request_says_what_is_asked_for(world: World) -> None:
    request = await permission_request(world.bob.signer, world.clock, scope=scope(protocol="Example.com/notes/"))
    descriptor = request["descriptor"]
    assert (descriptor["protocol"], descriptor["protocolPath"]) == (URI, "request")
    assert descriptor["dateCreated"] == descriptor["messageTimestamp"] == format_timestamp(world.clock.us)
    assert descriptor["tags"] == {"protocol": "http://example.com/notes"}
    assert permission_data(request) == {"delegated": False, "scope": scope(protocol="http://example.com/notes")}


async def test_a_grant_says_what_is_granted(world: World) -> None:
    grant = await permission_grant(
        world.alice.signer,
        world.clock,
        granted_to=world.bob.did,
        date_expires=END,
        scope=scope(protocol=NOTES),
        delegated=True,
        description="for a while",
        request_id="x",
        conditions={"publication": "Prohibited"},
    )
    descriptor = grant["descriptor"]
    assert (descriptor["recipient"], descriptor["dateCreated"]) == (world.bob.did, format_timestamp(world.clock.us))
    assert descriptor["dataSize"] == len(b64url_decode(grant["encodedData"]))
    assert permission_data(grant) == {
        "dateExpires": END,
        "requestId": "x",
        "description": "for a while",
        "delegated": True,
        "scope": scope(protocol=NOTES),
        "conditions": {"publication": "Prohibited"},
    }


@pytest.mark.parametrize("protocol", [NOTES, None])
async def test_a_revocation_is_a_child_of_its_grant(world: World, protocol: str | None) -> None:
    grant = await make_grant(world, "Messages.Read", protocol=protocol)
    revocation = await permission_revocation(world.alice.signer, world.clock, grant=grant, description="enough")
    descriptor = revocation["descriptor"]
    assert descriptor["parentId"] == grant["recordId"]
    assert revocation["contextId"] == f"{grant['recordId']}/{revocation['recordId']}"
    assert descriptor.get("tags") == (None if protocol is None else {"protocol": protocol})
    assert permission_data(revocation) == {"description": "enough"}


async def test_a_scope_for_records_has_a_protocol(world: World) -> None:
    with pytest.raises(BadRequest, match="PermissionsProtocolCreateRequestRecordsScopeMissingProtocol"):
        await permission_request(world.bob.signer, world.clock, scope=scope())
    with pytest.raises(BadRequest, match="PermissionsProtocolCreateGrantRecordsScopeMissingProtocol"):
        await permission_grant(
            world.alice.signer, world.clock, granted_to=world.bob.did, date_expires=END, scope=scope()
        )
    with pytest.raises(BadRequest, match="UrlProtocolNotNormalizable"):
        await permission_request(world.bob.signer, world.clock, scope=scope(protocol="http://["))
