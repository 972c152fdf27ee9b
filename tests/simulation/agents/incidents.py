"""The faults and changes during the chaos."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation.agents import actions
from tests.simulation.agents.device import AgentDevice
from tests.simulation.agents.facts import Facts
from tests.simulation.agents.web import ON_THE_WAY, STATUSES, Server
from tests.simulation.agents.world import Gateway, Node, World
from tests.simulation.network import Spell
from web5.dids.dht.bep44 import encode
from web5.dids.dht.identity import identity_key

Incident = Callable[[World, Random], Awaitable[None]]

NODES_AT_MOST = 4


async def unreachable(world: World, random: Random) -> None:
    await _down(world, random, _node(world, random).server)


async def silent(world: World, random: Random) -> None:
    server = _node(world, random).server
    server.silent = True
    world.story.add(server.name, "never answers")
    await asyncio.sleep(random.uniform(5, 60))
    server.silent = False
    world.story.add(server.name, "answers again")


async def failing(world: World, random: Random) -> None:
    await _spell(world, random, _node(world, random).server)


async def wiped(world: World, random: Random) -> None:
    await world.wipe(_node(world, random))


async def wiped_alone(world: World, random: Random) -> None:
    """One node is empty, and nobody can ask another."""
    node = _node(world, random)
    await world.wipe(node)
    others = [one.server for one in world.nodes.values() if one is not node]
    await asyncio.gather(*(_down(world, random, server) for server in others))


async def gateway_down(world: World, random: Random) -> None:
    await _down(world, random, _gateway(world, random).server)


async def gateway_failing(world: World, random: Random) -> None:
    await _spell(world, random, _gateway(world, random).server)


async def gateway_forgets(world: World, random: Random) -> None:
    gateway = _gateway(world, random)
    if gateway.history:
        did = random.choice(sorted(gateway.history))
        gateway.database.connection.execute("DELETE FROM gateway_item WHERE key = ?", (identity_key(did),))
        del gateway.history[did]
        world.story.add(gateway.server.name, "forgets {}", did)


async def gateway_older(world: World, random: Random) -> None:
    gateway = _gateway(world, random)
    if several := sorted(did for did, items in gateway.history.items() if len(items) > 1):
        did = random.choice(several)
        _, older = random.choice(gateway.history[did][:-1])
        update = "UPDATE gateway_item SET payload = ? WHERE key = ?"
        gateway.database.connection.execute(update, (encode(older), identity_key(did)))
        gateway.history[did].append((asyncio.get_running_loop().time(), older))
        world.story.add(gateway.server.name, "has an older document of {} again: {}", did, older.seq)


async def crash(world: World, random: Random) -> None:
    random.choice(world.devices).crash_in = random.choice((1, 2, random.randint(1, 12), random.randint(1, 60)))


async def wrong_clock(world: World, random: Random) -> None:
    """As after a start before the network tells the time; it is put right while the device runs."""
    device = random.choice(world.devices)
    device.clock.skew += random.choice((7200.0, 3e7, -7200.0))
    world.story.add(device.name, "has a clock that is {} s ahead", round(device.clock.skew))
    await asyncio.sleep(random.uniform(5, 60))
    device.clock.put_right()
    world.story.add(device.name, "has a clock that is right again")


async def added(world: World, random: Random) -> None:
    if len(world.nodes) < NODES_AT_MOST:
        node = await world.node(random.choice(("", "", "terms", "work")))
        world.story.add(node.server.name, "is there")


async def two_change_nodes(world: World, random: Random) -> None:
    await _two(world, random, actions.add_endpoint, random.choice((actions.add_endpoint, actions.remove_endpoint)))


async def delete_and_rename(world: World, random: Random) -> None:
    await _two(world, random, actions.delete, actions.rename)


async def _two(world: World, random: Random, first: actions.Act, second: actions.Act) -> None:
    """Have something done to the same identity on two devices at the same moment."""
    both = [device for device in world.devices if device.ready]
    common = set.intersection(*(device.seen for device in both)) if len(both) > 1 else set()
    same = [did for did in world.facts if did in common]
    shared = [world.facts[did] for did in same if not world.facts[did].deleting]
    if shared:
        facts = random.choice(shared[1:] or shared)
        for device, act in zip(random.sample(both, 2), (first, second), strict=True):
            device.give(_to(facts, act))


def _to(facts: Facts, act: actions.Act) -> actions.Act:
    async def done(device: AgentDevice) -> None:
        if await actions.open_up(device) and any(one.did == facts.did for one in device.agent.identities.list()):
            await act(device, facts)  # type: ignore[call-arg]

    return done


INCIDENTS: dict[str, Incident] = {
    "a node is unreachable": unreachable,
    "a node is silent": silent,
    "requests to a node fail": failing,
    "a node is wiped": wiped,
    "a node is wiped while the others are down": wiped_alone,
    "the gateway is down": gateway_down,
    "requests to a gateway fail": gateway_failing,
    "a gateway forgets": gateway_forgets,
    "a gateway has an older document": gateway_older,
    "a device crashes": crash,
    "a clock is wrong for a while": wrong_clock,
    "a node is added": added,
    "two change the nodes": two_change_nodes,
    "one deletes and one renames": delete_and_rename,
}


def end_of_chaos(world: World) -> None:
    """From now on nothing goes wrong."""
    for server in world.net.servers.values():
        server.unreachable = server.silent = False
        server.spells.clear()
    for device in world.devices:
        device.crash_in = None


def _node(world: World, random: Random) -> Node:
    return random.choice(list(world.nodes.values()))


def _gateway(world: World, random: Random) -> Gateway:
    return random.choice(list(world.gateway_state.values()))


async def _down(world: World, random: Random, server: Server) -> None:
    server.unreachable = True
    world.story.add(server.name, "cannot be reached")
    await asyncio.sleep(random.uniform(5, 60))
    server.unreachable = False
    world.story.add(server.name, "can be reached again")


async def _spell(world: World, random: Random, server: Server) -> None:
    fault, share = random.choice((*ON_THE_WAY, *STATUSES)), random.choice((0.2, 0.5, 1.0))
    server.spells.append(Spell(fault, share, asyncio.get_running_loop().time() + random.uniform(5, 60)))
    world.story.add(server.name, "from now on, at {} of requests: {}", share, fault)
