"""Grants for protocols: to configure them, and to see those that are not published."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import configure
from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import DEFINITION, NOTES, grant, make_grant, with_notes, with_other_data
from web5.dwn import compose

ACCEPTED = (202, "Accepted")


async def test_configure(world: World) -> None:
    for protocol, expected in (
        (None, ACCEPTED),
        (NOTES, ACCEPTED),
        ("urn:other", (401, "ProtocolsGrantAuthorizationScopeProtocolMismatch")),
    ):
        grant_id = await grant(world, "Protocols.Configure", protocol=protocol)
        message = await configure(world, DEFINITION, by=world.bob, permission_grant_id=grant_id)
        assert await world.status(message) == expected, protocol
    grant_id = await grant(world, "Protocols.Query")
    message = await configure(world, DEFINITION, by=world.bob, permission_grant_id=grant_id)
    assert await world.status(message) == (401, "GrantAuthorizationMethodMismatch")
    assert await world.status(await configure(world, DEFINITION, by=world.bob)) == (
        401,
        "ProtocolsConfigureAuthorizationFailed",
    )


async def query(world: World, grant_id: str | None, **options: Any) -> Any:
    return await world.send(
        await compose.protocols_query(world.bob.signer, world.clock, permission_grant_id=grant_id, **options)
    )


async def test_query(world: World) -> None:
    await with_notes(world)
    assert (await query(world, None))["entries"] == []
    for protocol in (None, NOTES):
        grant_id = await grant(world, "Protocols.Query", protocol=protocol)
        assert len((await query(world, grant_id, protocol=NOTES))["entries"]) == 1
    # Outside the scope of a grant, what is published is still there for everybody.
    reply = await query(world, await grant(world, "Protocols.Query", protocol="urn:other"))
    assert (reply["status"]["code"], reply["entries"]) == (200, [])
    reply = await query(world, await grant(world, "Protocols.Configure"))
    assert reply["status"]["detail"].startswith("GrantAuthorizationMethodMismatch: ")


@pytest.fixture
async def delegate(world: World) -> Any:
    return await make_grant(world, "Protocols.Configure", delegated=True)


async def test_a_delegate_configures_for_the_tenant(world: World, delegate: Any) -> None:
    message = await configure(world, DEFINITION, by=world.bob, delegated_grant=delegate)
    assert await world.status(message) == ACCEPTED
    other = await configure(world, {**DEFINITION, "protocol": "urn:other"}, by=world.bob, delegated_grant=delegate)
    assert await world.status(other) == (401, "ProtocolsGrantAuthorizationScopeProtocolMismatch")
    stolen = await configure(world, DEFINITION, by=world.carol, delegated_grant=delegate)
    assert await world.status(stolen) == (401, "GrantAuthorizationNotGrantedToAuthor")


async def test_a_delegate_configures_under_a_delegated_grant_only(world: World, delegate: Any) -> None:
    """The reference takes any grant here, and any data beside the grantor's signature."""
    plain = await make_grant(world, "Protocols.Configure")
    message = await configure(world, DEFINITION, by=world.bob, delegated_grant=plain)
    assert await world.status(message) == (401, "RecordsAuthorDelegatedGrantNotADelegatedGrant")
    wider = with_other_data(
        delegate,
        {
            "dateExpires": "2031-01-01T00:00:00.000000Z",
            "delegated": True,
            "scope": {"interface": "Protocols", "method": "Configure"},
        },
    )
    message = await configure(world, {**DEFINITION, "protocol": "urn:other"}, by=world.bob, delegated_grant=wider)
    assert await world.status(message) == (401, "RecordsAuthorDelegatedGrantCidMismatch")
