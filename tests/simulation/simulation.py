"""One seed from its beginning to its end: chaos, then quiescence, then the invariants."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import delegates, for_good, invariants, ledger_checks, older_tab, registrations, virtual_time
from tests.simulation.actions import ACTIONS
from tests.simulation.delegation_rules import held
from tests.simulation.device import Device
from tests.simulation.incidents import INCIDENTS, end_of_chaos
from tests.simulation.machine import Action
from tests.simulation.phases import all_done, chaos, let_pass
from tests.simulation.plan import plan
from tests.simulation.silence import check_that_nobody_sleeps, check_that_nothing_is_silent, has_doubts
from tests.simulation.world import World
from web5.dwn.values.timestamps import microseconds
from web5.errors import StorageError
from web5.sync import State

DAY = 86_400.0
PATIENCE = 25 * 3600.0
"""Seconds from one round of the quiescence to the next: longer than any backoff."""

MINUTES, MORE, DOUBTS = 3, 4, 12
"""Rounds, a minute apart, after which whatever still differs is told; more of them, while they move anything; and as
many as it takes until a device may ask an endpoint for everything again that it has often asked (`AUDITS`)."""

LONGEST_ROUND = 25.0
"""Seconds that a round takes in peace, though an endpoint be slow."""

ROUNDS_AT_MOST = 14
LEFT = "blobs that no message names are left"
GIVEN_UP = 3 * DAY
"""Seconds after which what is still to be done on devices is not waited for."""


@dataclass(slots=True)
class Outcome:
    """The outcome of a seed."""

    seed: int
    failures: list[str]
    story: list[str]
    digest: str
    counts: Counter[str] = field(default_factory=Counter)


def simulate(seed: int) -> Outcome:
    """Run one seed."""
    gc.disable()  # so that what is collected when does not depend on what ran before
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
    await _people(world)
    await for_good.begin(world)
    lives = [asyncio.create_task(device.live()) for device in world.devices]
    days = (_day(world, device) for device in world.devices)
    await chaos(world, lives, days, INCIDENTS, end_of_chaos, GIVEN_UP)
    await _quiescence(world, lives)
    await invariants.check(world)
    await _idle(world)
    await older_tab.check(world)


def _unhandled(world: World, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, StorageError) and context["message"] == "sending a message failed":
        return  # `send` came back without a slow endpoint; what it was to be told of stays pending, for want of room
    if isinstance(error, StorageError) and context["message"] == LEFT:
        return  # nobody gets at the storage just now; the next opening deletes them
    said = "".join(traceback.format_exception(error)) if error else ""
    world.failures.append(f"nobody took an error: {context['message']}\n{said}")


async def _people(world: World) -> None:
    scenario = world.plan
    world.people = [await world.person(name) for name in ("Alice", "Anna")[: scenario.identities]]
    world.guest = await world.person("Bob")
    random = world.random("beginning")
    endpoints = [
        await world.endpoint(f"node{number}", web_sockets=random.random() < 0.7) for number in range(scenario.endpoints)
    ]
    await world.publish(world.guest, [])
    for person in world.people:
        await world.publish(person, random.sample(endpoints, random.randint(1, len(endpoints))))
    for number, mode in enumerate(scenario.modes):
        owners = world.people if number == 0 or random.random() < 0.7 else [random.choice(world.people)]
        device = Device(world, f"device{number}", owners, mode, scenario.skews[number], scenario.lags[number])
        device.names = scenario.actions[number]
        world.devices.append(device)
        whose = " and ".join(one.name for one in owners)
        world.story.add(device.name, "is {}'s, in mode {}, {} s ahead", whose, mode, round(device.clock.skew))
    if scenario.delegate is not None:
        await delegates.arrive(world, scenario.delegate)
    for device in world.devices:
        device.checks = ledger_checks.check


async def _day(world: World, device: Device) -> None:
    """Have the person do everything that is planned on a device, spread over the chaos."""
    random = world.random(f"day of {device.name}")
    for name in device.names:
        await asyncio.sleep(random.expovariate(len(device.names) / world.plan.seconds))
        device.give(_told(name))


def _told(name: str) -> Action:
    async def act(device: Device) -> None:
        await (delegates.ACTIONS | ACTIONS)[name](device)

    return act


async def _quiescence(world: World, lives: list[asyncio.Task[None]]) -> None:
    delegates.at_peace(world)
    await all_done(world, lives, GIVEN_UP)
    await for_good.check(world)
    for device in world.devices:
        await device.outside_of_it(device.sync.stop())
    for number in range(1, MINUTES + MORE + DOUBTS + 1):
        await let_pass(60, lives)
        moved = 0
        for device in world.devices:
            moved += await _round(device)
            check_that_nobody_sleeps(device)
        if number >= MINUTES and (number >= MINUTES + MORE or not moved) and not any(map(has_doubts, world.devices)):
            break
    await world.give_up(world.for_good)
    check_that_nothing_is_silent(world)
    await registrations.check_told(world)
    await let_pass((world.account.latest() - world.clock.now()) / 1_000_000, lives)
    before: list[Any] = []
    for number in range(ROUNDS_AT_MOST):
        await let_pass(PATIENCE, lives)
        await registrations.accept_everywhere(world)
        for device in world.devices:
            await _round(device)
            ledger_checks.check(device)
        now = _state(world)
        if now == before:
            await world.give_up(world.for_good)
            for endpoint in world.endpoints.values():
                endpoint.was_doubtful |= endpoint.wiped or endpoint.lied
                endpoint.wiped = endpoint.lied = endpoint is world.for_good  # all the others were asked for everything
            world.story.add("world", "has changed no more since round {}", number)
            return
        before = now
    world.failures.append(f"after {ROUNDS_AT_MOST} rounds in peace the nodes still change")


async def _round(device: Device) -> int:
    """Have a device sync once; return how many messages that moved."""
    began = asyncio.get_running_loop().time()
    report = await device.outside_of_it(device.sync_now())
    if (took := asyncio.get_running_loop().time() - began) > LONGEST_ROUND:
        device.world.fail(f"a round of {device.name} takes {took:.0f} s in peace")
    if report is None:
        return 0
    for_good.check_report(device.world, device, report)
    device.world.story.add(device.name, "has synced: {} pulled, {} pushed", report.pulled, report.pushed)
    for end in report.endpoints:
        if end.error is not None:
            device.world.story.add(device.name, "at {}: {} {}", end.endpoint, *end.error)
    return report.pulled + report.pushed


def _state(world: World) -> list[Any]:
    found: list[Any] = [
        held(node.dwn, person.did) for person in world.people for node in invariants.nodes(world, person)
    ]
    return found + [
        sorted(
            (row.endpoint, row.direction, row.message_cid, row.state)
            for row in device.sync.unsettled(limit=None)
            if row.state is State.DAMAGED or world.endpoints[row.endpoint] is not world.for_good
        )
        for device in world.devices
    ]


async def _idle(world: World) -> None:
    """Check that an idle run costs one request for each tenant and endpoint; but the first may look closer.

    So may the one after that, if the first asked for everything: it sees whether the end of that is still there.
    """
    for device in world.devices:
        audits = world.traffic.audits.total()
        await _round(device)
        if world.traffic.audits.total() > audits:
            await _round(device)
        well = [one for one in world.endpoints.values() if one is not world.for_good]
        rows = [row for row in device.sync.unsettled(limit=None) if row.state is not State.DAMAGED]
        due = [row for row in rows if row.next_try is None or microseconds(row.next_try) <= device.clock.now()]
        before = world.traffic.requests.copy()
        await _round(device)
        names = {one.name for one in well}
        cost = Counter({key: n for key, n in (world.traffic.requests - before).items() if key[1] in names})
        if not due and (
            cost.total() != device.idle_requests(well) or {kind for _, _, kind in cost} - {"MessagesQuery"}
        ):
            world.failures.append(f"an idle round of {device.name} costs {dict(cost)}")


def _counts(world: World) -> Counter[str]:
    counts = Counter({"messages": len(world.account.made), "acknowledged": len(world.account.acknowledged)})
    counts["requests"] = world.traffic.requests.total()
    counts["crashes"] = sum(device.crashes for device in world.devices)
    return counts
