"""`web5.sync`: the agent's own records are part of what it says, and no node is given up with what it alone has."""

from __future__ import annotations

import pytest

from tests.unit.conftest import World
from web5 import Web5
from web5.errors import NodeNeeded


async def connected(world: World) -> Web5:
    agent = await world.device("laptop")
    web5, _ = await Web5.connect(agent=agent, dwn_endpoints=world.endpoints, sync="off")
    assert await agent.publish_all()
    return web5


async def test_the_agent_s_own_records_are_part_of_the_state(world: World) -> None:
    web5 = await connected(world)
    assert (await web5.sync.now()).complete
    own = web5.vault.agent_did
    assert [(one.tenant, one.endpoint) for one in web5.sync.status()] == [
        (did, endpoint) for did in (web5.connected_did, own) for endpoint in world.endpoints
    ]
    world.down.add("dwn1")
    other = await web5.identities.create("Other", dwn_endpoints=[])
    assert not (await web5.sync.now()).ok
    waiting = web5.sync.unsettled()
    assert {(one.tenant, one.endpoint) for one in waiting} == {(own, world.endpoints[1])}
    assert [(one.tenant, one.pending_out > 0) for one in web5.sync.status()] == [
        (web5.connected_did, False),
        (web5.connected_did, False),
        (own, False),
        (own, True),
    ]
    assert {one.tenant for one in await web5.sync.check()} == {web5.connected_did, own}
    world.down.clear()
    assert (await web5.sync.retry()).ok
    assert web5.sync.unsettled() == []
    assert not (await web5.sync.now()).complete, "the other identity is nowhere else"
    await web5.identities.delete(other.did)
    assert (await web5.sync.now()).complete


async def test_a_node_is_given_up_if_it_has_nothing_or_by_force(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.records.create("a note", schema="http://note.example")
    assert (await web5.sync.now()).complete
    did, own = web5.connected_did, web5.vault.agent_did or ""

    async def named(did: str) -> list[str]:
        return list((await web5.agent.keyring.portable_did(did)).document.dwn_endpoints)

    world.down.add("dwn1")
    with pytest.raises(NodeNeeded, match="dwn1 is down"):
        await web5.identities.set_dwn_endpoints(did, world.endpoints[:1])
    with pytest.raises(NodeNeeded, match="dwn1 is down"):
        await web5.vault.set_dwn_endpoints([])
    assert await named(did) == await named(own) == world.endpoints
    await web5.identities.set_dwn_endpoints(did, world.endpoints[:1], force=True)
    assert await named(did) == world.endpoints[:1]
    world.down.clear()
    await web5.vault.set_dwn_endpoints(world.endpoints[:1])
    assert await named(own) == world.endpoints[:1]
