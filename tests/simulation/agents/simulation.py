"""One seed from its beginning to its end: a first launch, chaos, quiescence, then the invariants, and the words."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections import Counter
from typing import Any

from tests.simulation import virtual_time
from tests.simulation.agents import actions, invariants
from tests.simulation.agents.chance import seeded
from tests.simulation.agents.device import AgentDevice
from tests.simulation.agents.facts import Facts
from tests.simulation.agents.incidents import INCIDENTS, end_of_chaos
from tests.simulation.agents.plan import plan
from tests.simulation.agents.world import World
from tests.simulation.phases import all_done, chaos, let_pass
from tests.simulation.simulation import Outcome

HOUR = 3600.0
ROUNDS_AT_MOST = 12
GIVEN_UP = 12 * HOUR
"""Seconds after which what is still to be done on devices is not waited for."""
TRIES = 20
"""Recoveries that may fail in peace, some minutes apart: a gateway that forgot the agent is told again every hour."""


def simulate(seed: int) -> Outcome:
    """Run one seed."""
    gc.disable()  # so that what is collected when does not depend on what ran before
    with seeded(seed):
        world = World(plan(seed))
        try:
            virtual_time.run(lambda: _main(world))
        except Exception as error:  # a story that ends with a bug is a story too
            world.failures.append("".join(traceback.format_exception(error)))
        finally:
            gc.enable()
            gc.collect()
    story = world.story
    return Outcome(seed, list(dict.fromkeys(world.failures)), story.lines(), story.digest(), _counts(world))


async def _main(world: World) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: _unhandled(world, context))
    lives = await _beginning(world)
    days = (_day(world, number) for number in range(len(world.devices)))
    await chaos(world, lives, days, INCIDENTS, end_of_chaos, GIVEN_UP)
    await _quiescence(world, lives)
    await invariants.check(world)
    await _last_device(world, lives)
    await invariants.check(world)


def _unhandled(world: World, context: dict[str, Any]) -> None:
    error = context.get("exception")
    said = "".join(traceback.format_exception(error)) if error else ""
    world.failures.append(f"nobody took an error: {context['message']}\n{said}")


async def _beginning(world: World) -> list[asyncio.Task[None]]:
    scenario = world.plan
    for _ in range(scenario.gateways):
        await world.gateway()
    for demands in scenario.demands:
        await world.node(demands)
    lives = []
    for number, mode in enumerate(scenario.modes):
        device, life = await _device(world, f"device{number}", mode, scenario.skews[number])
        lives.append(life)
        if number == 0:
            await device.outside_of_it(_first_launch(device))
        elif scenario.launched[number]:
            device.give(lambda one: one.connect())
    return lives


async def _device(world: World, name: str, mode: str, skew: float) -> tuple[AgentDevice, asyncio.Task[None]]:
    device = AgentDevice(world, name, mode, skew)
    device.checks = world.look
    world.devices.append(device)
    world.story.add(name, "is there, in mode {}, {} s ahead", mode, round(skew))
    life = asyncio.create_task(device.live())
    while not device.up:
        await let_pass(0.1, [life])
    return device, life


async def _first_launch(device: AgentDevice) -> None:
    world, agent = device.world, device.agent
    connection = await device.connect()
    world.words = connection.recovery_phrase
    portable = await agent.vault.portable_did()
    world.agent = Facts(portable.uri, list(portable.private_keys or ()), list(portable.document.dwn_endpoints), [])
    world.story.name(portable.uri, "the agent")
    if world.random("beginning").random() < 0.5:
        await agent.create_identity("Work", world.endpoints_for(device))
    await agent.publish_all()
    for _ in range(3):
        await agent.sync.now()
        await actions.agree(device)


async def _day(world: World, number: int) -> None:
    """Have the person do everything that is planned on a device, spread over the chaos; but first the words."""
    device = world.devices[number]
    random = world.random(f"day of {device.name}")
    names = world.plan.actions[number]
    if number:
        await asyncio.sleep(random.uniform(0, world.plan.seconds / 2))
        device.give(actions.recover)
    for name in names:
        await asyncio.sleep(random.expovariate(len(names) / world.plan.seconds))
        device.give(actions.ACTIONS[name])


async def _quiescence(world: World, lives: list[asyncio.Task[None]]) -> None:
    await all_done(world, lives, GIVEN_UP)
    await let_pass(60, lives)
    for device in world.devices:
        await _back(device, lives)
        await device.outside_of_it(device.agent.sync.start("off"))
    await _settle(world, lives)


async def _back(device: AgentDevice, lives: list[asyncio.Task[None]]) -> None:
    """Have the device be the agent's, and open."""
    for _ in range(TRIES):
        if device.agent.vault.agent_did == device.world.agent.did:
            break
        await device.outside_of_it(actions.recover_in_peace(device))
        await let_pass(300, lives)
    else:
        device.world.fail(f"{device.name} cannot recover, though all is at peace")
    await device.outside_of_it(actions.open_up(device))


async def _settle(world: World, lives: list[asyncio.Task[None]]) -> None:
    before: Any = None
    for number in range(ROUNDS_AT_MOST):
        await let_pass(1.5 * HOUR, lives)
        for device in world.devices:
            await device.outside_of_it(_round(device))
        now = _state(world)
        if now == before:
            world.story.add("world", "has changed no more since round {}", number)
            return
        before = now
    world.fail(f"after {ROUNDS_AT_MOST} rounds in peace something still changes")


async def _round(device: AgentDevice) -> None:
    agent = device.agent
    await actions.agree(device)
    await agent.sync.retry()
    report = await agent.sync.now()
    device.story.add(device.name, "has synced: {} pulled, {} pushed", report.pulled, report.pushed)
    for end in report.endpoints:
        if end.error is not None:
            device.story.add(device.name, "at {}: {} {}", end.endpoint, *end.error)


def _state(world: World) -> list[Any]:
    devices = [
        (
            [(one.did, one.name) for one in device.agent.identities.list()],
            [device.agent.publications.get(did).state for did in device.agent.keyring.dids()],
            [(one.endpoint, one.pending_in, one.pending_out, one.refused) for one in device.agent.sync.status()],
        )
        for device in world.devices
    ]
    count = "SELECT count(*) FROM dwn_message"
    held = [node.dwn.store.connection.execute(count).fetchall() for node in world.nodes.values()]
    return [world.published(), devices, held]


async def _last_device(world: World, lives: list[asyncio.Task[None]]) -> None:
    """Have everything come back from the twelve words on a new device."""
    device, life = await _device(world, "last", "off", 0.0)
    lives.append(life)
    await _back(device, lives)
    for status in device.agent.sync.status():
        if status.pending_in:
            world.fail(
                f"{device.name} has recovered, and {status.pending_in} messages of {status.endpoint} are missing"
            )
    await device.outside_of_it(_round(device))


def _counts(world: World) -> Counter[str]:
    counts = Counter({"identities": len(world.facts)})
    counts["notes"] = sum(len(facts.notes) for facts in world.facts.values())
    counts["requests"] = world.counts["requests"]
    counts["crashes"] = sum(device.crashes for device in world.devices)
    return counts
