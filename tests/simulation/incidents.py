"""The faults and changes during the chaos."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation import delegates, for_good, protocols, registrations
from tests.simulation.faults import FAULTS
from tests.simulation.incidents_of_storage import STORAGE_INCIDENTS, end_of_storage_trouble
from tests.simulation.liars import LIES
from tests.simulation.network import Endpoint, Spell
from tests.simulation.people import Person
from tests.simulation.world import World
from web5.dwn import compose
from web5.dwn.signatures.jws import message_signer
from web5.dwn.values.types import Message

HOSTILE = ("wrong message", "wrong data", "forged", "invented", "odd cursor", "no data", *LIES)
ENDPOINTS_AT_MOST = 4

Incident = Callable[[World, Random], Awaitable[None]]


def _until(random: Random) -> float:
    return asyncio.get_running_loop().time() + random.uniform(5, 60)


async def unreachable(world: World, random: Random) -> None:
    endpoint = _any(world, random)
    endpoint.unreachable = True
    endpoint.break_connections()
    world.story.add(endpoint.name, "cannot be reached")
    await asyncio.sleep(random.uniform(3, 40))
    endpoint.unreachable = False
    world.story.add(endpoint.name, "can be reached again")


async def failing(world: World, random: Random) -> None:
    await _spell(world, random, random.choice([name for name in FAULTS if name not in HOSTILE]))


async def hostile(world: World, random: Random) -> None:
    for fault in random.sample(HOSTILE, 2):
        await _spell(world, random, fault)


async def _spell(world: World, random: Random, fault: str) -> None:
    endpoint = _any(world, random)
    share = random.choice((0.2, 0.5, 1.0))
    endpoint.spells.append(Spell(fault, share, _until(random)))
    world.story.add(endpoint.name, "from now on, at {} of requests: {}", share, FAULTS[fault].says)


async def crash(world: World, random: Random) -> None:
    random.choice(world.devices).crash_in = random.choice((1, 2, random.randint(1, 12), random.randint(1, 60)))


async def gateway_down(world: World, random: Random) -> None:
    world.directory.gateway_down = True
    world.story.add("gateway", "is down")
    await asyncio.sleep(random.uniform(5, 50))
    world.directory.gateway_down = False
    world.story.add("gateway", "is up")


async def unresolvable(world: World, random: Random) -> None:
    person = random.choice([*world.people, world.guest])
    world.directory.unresolvable.add(person.did)
    world.story.add(person.name, "cannot be resolved")
    await asyncio.sleep(random.uniform(5, 50))
    world.directory.unresolvable.discard(person.did)
    world.story.add(person.name, "can be resolved")


async def connections_break(world: World, random: Random) -> None:
    _any(world, random).break_connections()


async def added(world: World, random: Random) -> None:
    person = random.choice(world.people)
    present = world.documents[person.did]
    others = [one for one in world.endpoints.values() if one not in present]
    if len(world.endpoints) < ENDPOINTS_AT_MOST and random.random() < 0.7:
        others = [await world.endpoint(f"node{len(world.endpoints)}", web_sockets=random.random() < 0.7)]
    if others:
        await world.publish(person, [*present, random.choice(others)])


async def removed(world: World, random: Random) -> None:
    person = random.choice(world.people)
    present = world.documents[person.did]
    if len(present) > 1:
        gone = random.choice(present)
        await world.publish(person, [one for one in present if one is not gone])


async def wiped(world: World, random: Random) -> None:
    await world.wipe(_any(world, random))


async def clock_jumps(world: World, random: Random) -> None:
    device = random.choice(world.devices)
    device.clock.skew += random.choice((60.0, 3600.0, 2e5))
    world.story.add(device.name, "has a clock that is {} s ahead", round(device.clock.skew))


async def clock_wrong_for_a_while(world: World, random: Random) -> None:
    """As after a start before the network tells the time; it is put right while the device runs, or is off."""
    device = random.choice(world.devices)
    device.clock.skew += random.choice((7200.0, 3e7))
    world.story.add(device.name, "has a clock that is {} s ahead", round(device.clock.skew))
    await asyncio.sleep(random.uniform(5, 60))
    if random.random() < 0.5:
        device.clock.put_right()
        world.story.add(device.name, "has a clock that is right again")
        return
    device.next_skew = 0.0
    device.crash_in = random.randint(1, 12)


async def guest_writes(world: World, random: Random) -> None:
    """Let the guest write into somebody's nodes: by a role or a grant, if a node there has one."""
    person = random.choice(world.people)
    nodes = list(world.documents[person.did])
    message, data = await _guests_message(world, random, person, random.choice(nodes))
    made = world.account.author(person.did, message, data)
    world.story.name(made.cid, f"guest's{len(world.account.made)}")
    world.story.name(message["recordId"], f"guest's{len(world.account.made)}")
    for endpoint in random.sample(nodes, random.randint(1, len(nodes))):
        reply = await endpoint.dwn.process_message(person.did, message, data)
        code, detail = reply["status"]["code"], reply["status"]["detail"]
        if code == 202:
            world.account.acknowledged.add(made.cid)
        world.story.add("guest", "writes {} at {}: {} {}", made.cid, endpoint.name, code, detail)
        await asyncio.sleep(random.uniform(0, 3))


async def _guests_message(world: World, random: Random, person: Person, at: Endpoint) -> tuple[Message, bytes]:
    data = b"guest %d" % random.getrandbits(40)
    found = at.dwn.store.connection.execute(
        "SELECT record_id FROM dwn_message WHERE tenant = ? AND latest = 1 AND protocol_path = 'grant'",
        (at.dwn.store.tenant(person.did),),
    ).fetchall()
    options: Message = {"protocol_role": protocols.ROLE}
    if found and random.random() < 0.6:
        options = {"permission_grant_id": found[0][0]}
    rows = at.dwn.store.connection.execute(
        "SELECT message FROM dwn_message WHERE tenant = ? AND latest = 1 AND method = 'Write' AND protocol = ?"
        " AND protocol_path = 'thread' ORDER BY seq",
        (at.dwn.store.tenant(person.did), protocols.URI),
    ).fetchall()
    threads = [json.loads(body) for (body,) in rows]
    parent = random.choice(threads) if threads and random.random() < 0.6 else None
    own = [one for one in threads if one["authorization"]["signature"]["signatures"] and _by(world.guest, one)]
    if own and random.random() < 0.3:
        return await compose.records_write(
            world.guest.signer, world.clock, existing=random.choice(own), data=data, **options
        ), data
    return await compose.records_write(
        world.guest.signer,
        world.clock,
        data=data,
        data_format="text/plain",
        protocol=protocols.URI,
        protocol_path="thread" if parent is None else "thread/reply",
        parent_context_id=None if parent is None else parent["contextId"],
        **options,
    ), data


def _by(person: Person, message: Message) -> bool:
    return message_signer(message) == person.did


INCIDENTS: dict[str, Incident] = {
    "an endpoint is unreachable": unreachable,
    "requests fail": failing,
    "a hostile endpoint": hostile,
    "a device crashes": crash,
    "the gateway is down": gateway_down,
    "a DID cannot be resolved": unresolvable,
    "connections break": connections_break,
    "an endpoint is added": added,
    "an endpoint is removed": removed,
    "an endpoint is wiped": wiped,
    "a clock jumps": clock_jumps,
    "a clock is wrong for a while": clock_wrong_for_a_while,
    "the guest writes": guest_writes,
    **delegates.INCIDENTS,
    **registrations.INCIDENTS,
    **STORAGE_INCIDENTS,
}


def end_of_chaos(world: World) -> None:
    """From now on nothing goes wrong."""
    world.directory.gateway_down = False
    world.directory.unresolvable.clear()
    for endpoint in world.endpoints.values():
        endpoint.unreachable = False
        endpoint.spells.clear()
    for_good.take_up(world)
    for device in world.devices:
        device.crash_in = None
    end_of_storage_trouble(world)


def _any(world: World, random: Random) -> Endpoint:
    return random.choice(list(world.endpoints.values()))
