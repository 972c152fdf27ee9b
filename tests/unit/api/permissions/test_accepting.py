"""A delegation is given, checked and accepted."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.api.permissions.delegates import DIARY, NOTE, NOTES, definition, delegate
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import ProtocolPermissions, Web5
from web5.dids import jwk
from web5.errors import DelegationError, IdentityError, InvalidArgument


async def test_an_app_may_bring_its_own_key(world: World) -> None:
    alice = await connected(world)
    agent = await world.device("app")
    keys = await jwk.create(agent.crypto)
    given = await alice.authorize(keys.uri, permissions=[ProtocolPermissions(definition(NOTES))])
    assert "delegatePortableDid" not in given
    with pytest.raises(DelegationError, match="private keys"):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    app, _ = await Web5.connect_as_delegate(given, keys=keys, agent=agent, sync="1 hour")
    await app.dwn.records.create("text", **NOTE)

    more = await alice.authorize(keys.uri, permissions=[ProtocolPermissions(definition(DIARY))])
    app, _ = await Web5.connect_as_delegate(more, agent=agent, sync="1 hour")
    await app.dwn.records.create("text", protocol=DIARY, protocol_path="note")
    registered = agent.sync.registered(alice.connected_did)
    assert registered is not None
    assert registered.protocols == (DIARY, NOTES)


async def test_what_is_granted_while_no_node_can_be_reached_is_brought_by_sync(world: World) -> None:
    alice = await connected(world)
    world.down.update(("dwn0", "dwn1"))
    given = await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))])
    app, _ = await Web5.connect_as_delegate(given, agent=await world.device("app"), sync="off")
    world.down.clear()
    assert (await alice.sync.retry()).ok
    assert (await app.sync.now()).ok
    await app.dwn.records.create("text", **NOTE)


def by_another_owner(given: dict[str, Any]) -> None:
    given["connectedDid"] = "did:dht:someoneelse"


def to_another_delegate(given: dict[str, Any]) -> None:
    given["delegateDid"] = "did:jwk:another"


def with_other_data(given: dict[str, Any]) -> None:
    given["delegateGrants"][0]["encodedData"] = given["delegateGrants"][1]["encodedData"]


def without_a_signature(given: dict[str, Any]) -> None:
    del given["delegateGrants"][0]["authorization"]


def with_a_wrong_signature(given: dict[str, Any]) -> None:
    entry = given["delegateGrants"][0]["authorization"]["signature"]["signatures"][0]
    entry["signature"] = "A" * 86


def without_grants(given: dict[str, Any]) -> None:
    given["delegateGrants"] = []


def with_a_broken_did(given: dict[str, Any]) -> None:
    given["delegatePortableDid"] = {"uri": 7}


@pytest.mark.parametrize(
    "spoil",
    [
        by_another_owner,
        to_another_delegate,
        with_other_data,
        without_a_signature,
        with_a_wrong_signature,
        without_grants,
        with_a_broken_did,
    ],
)
async def test_a_spoilt_delegation_is_refused_and_changes_nothing(world: World, spoil: Any) -> None:
    """Invariant 1 of `agent.delegating`."""
    alice = await connected(world)
    given = copy.deepcopy(await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))]))
    spoil(given)
    agent = await world.device("app")
    messages = "SELECT count(*) FROM dwn_message"
    before = agent.dwn.store.connection.execute(messages).fetchone()
    with pytest.raises(DelegationError):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    assert agent.identities.list() == []
    assert agent.sync.tenants() == [agent.vault.agent_did]
    assert agent.dwn.store.connection.execute(messages).fetchone() == before


@pytest.mark.parametrize(
    "nonsense", [None, [], "text", {"connectedDid": 1}, {"connectedDid": "x", "delegateGrants": 1}]
)
async def test_nonsense_is_no_delegation(world: World, nonsense: Any) -> None:
    with pytest.raises(DelegationError):
        await Web5.connect_as_delegate(nonsense, agent=await world.device("app"), sync="off")


async def test_a_delegation_that_cannot_be_verified_now_is_refused(world: World) -> None:
    alice = await connected(world)
    given = await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))])
    agent = await world.device("app")
    world.down.add("dht")
    with pytest.raises(DelegationError, match="cannot be verified"):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    assert agent.identities.list() == []


async def test_an_agent_has_one_delegate_of_an_owner_and_none_of_its_own_identities(world: World) -> None:
    alice = await connected(world)
    permissions = [ProtocolPermissions(definition(NOTES))]
    given, other = [await alice.authorize(permissions=permissions) for _ in range(2)]
    with pytest.raises(IdentityError, match="itself is on this agent"):
        await Web5.connect_as_delegate(given, agent=alice.agent, sync="off")
    app, _ = await Web5.connect_as_delegate(given, agent=await world.device("app"), sync="off")
    with pytest.raises(IdentityError, match="acts for"):
        await Web5.connect_as_delegate(other, agent=app.agent, sync="off")
    with pytest.raises(DelegationError, match="only the owner"):
        await app.authorize(permissions=permissions)


async def test_what_cannot_be_granted_is_told_before_anything_is_stored(world: World) -> None:
    alice = await connected(world)
    notes = definition(NOTES)
    for permissions, expires in (
        ([], timedelta(days=1)),
        ([ProtocolPermissions(notes, ["fly"])], timedelta(days=1)),  # type: ignore[list-item]
        ([ProtocolPermissions(notes)], timedelta(0)),
        ([ProtocolPermissions(notes)], datetime(2020, 1, 1, tzinfo=UTC)),
        ([ProtocolPermissions(notes)], datetime(2120, 1, 1)),
    ):
        with pytest.raises(InvalidArgument):
            await alice.authorize(permissions=permissions, expires=expires)
    assert await alice.dwn.protocols.query() == []
    assert await alice.dwn.permissions.query_grants() == []


async def test_an_exported_delegation_moves_to_another_device(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegation
    moved = await Web5.connect_as_delegate(
        await app.delegation.export(), agent=await world.device("second"), sync="off"
    )
    assert (moved.did, moved.delegate_did) == (alice.connected_did, app.delegate_did)
    assert (await moved.web5.sync.now("pull")).ok
    await moved.web5.dwn.records.create("from the second", **NOTE)
