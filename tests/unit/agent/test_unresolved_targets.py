"""Messages to DIDs whose DWNs are not known, or not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import Web5
from web5.errors import DidError, InvalidArgument, Unreachable

SCHEMA = "http://note.example"


async def person(world: World, name: str) -> Web5:
    agent = await world.device(name)
    identity = await agent.create_identity(name, world.endpoints)
    assert await agent.publish_all()
    return Web5(agent, identity.did)


REQUESTS: list[Callable[[Web5, str], Awaitable[Any]]] = [
    lambda web5, did: web5.dwn.records.query(from_=did, schema=SCHEMA),
    lambda web5, did: web5.dwn.records.read("bafyreiaaaa", from_=did),
    lambda web5, did: web5.dwn.records.delete("bafyreiaaaa", from_=did),
    lambda web5, did: web5.dwn.protocols.query(from_=did),
    lambda web5, did: web5.dwn.permissions.query_requests(from_=did),
]


@pytest.mark.parametrize("request_of", REQUESTS)
async def test_a_did_that_cannot_be_resolved_is_not_said_to_name_no_dwn(
    world: World, request_of: Callable[[Web5, str], Awaitable[Any]]
) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    world.down.add("dht")
    with pytest.raises(DidError) as down:
        await request_of(bob, alice.connected_did)
    assert down.value.code != "notFound" and "names no DWN" not in str(down.value) and "down" in str(down.value)


@pytest.mark.parametrize(
    ("did", "code"),
    [
        ("did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y", "notFound"),
        ("did:nobody:knows", "methodNotSupported"),
    ],
)
async def test_a_did_that_is_nobody_s_says_so(world: World, did: str, code: str) -> None:
    bob = await person(world, "bob")
    record = await bob.dwn.records.create("hi", schema=SCHEMA)
    for request in (bob.dwn.records.query(from_=did, schema=SCHEMA), record.send(did)):
        with pytest.raises(DidError) as refused:
            await request
        assert refused.value.code == code


@pytest.mark.parametrize("did", ["no DID", "", "did:", "did:dht", "\ud800", 7])
async def test_what_is_no_did_is_refused_by_its_name(world: World, did: Any) -> None:
    bob = await person(world, "bob")
    record = await bob.dwn.records.create("hi", schema=SCHEMA)
    for request_of in REQUESTS:
        with pytest.raises(InvalidArgument, match="from_="):
            await request_of(bob, did)
    with pytest.raises(InvalidArgument, match="target="):
        await record.send(did)


@pytest.mark.parametrize("rest", ["#0", "#dwn", "?service=dwn", "/path"])
async def test_a_part_of_a_did_has_no_dwn_of_its_own(world: World, rest: str) -> None:
    """Its DWN would hold a tenant of that name, who does not exist, and answer that there is nothing."""
    alice, bob = await person(world, "alice"), await person(world, "bob")
    record = await bob.dwn.records.create("hi", schema=SCHEMA)
    part = alice.connected_did + rest
    for request_of in (*REQUESTS, lambda _, did: record.send(did)):
        with pytest.raises(InvalidArgument, match=f"is a DID URL; leave out what follows {alice.connected_did}"):
            await request_of(bob, part)


async def test_nodes_that_are_down_are_another_matter(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    world.down.update(("dwn0", "dwn1"))
    with pytest.raises(Unreachable, match=r"dwn0 is down.*dwn1 is down"):
        await bob.dwn.records.query(from_=alice.connected_did, schema=SCHEMA)
