"""One endpoint of several that is never well again: the others end alike, it is let alone, and what it lacks is told.

Bounds, while it goes on like that:
1. What a device writes is at every other endpoint, and on every other device, within `SECONDS_TO_OTHERS`.
2. It is asked `A_MINUTE` times a minute at the most, by each device for each tenant, after what it gets at first.
3. What it lacks has a row on the device that has it, and a round in which it failed is no success; but for one that
   said that it took it, or lost it since, and cannot be asked.
What only such an endpoint has, nobody is to have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.simulation import actions
from tests.simulation.device import Device
from tests.simulation.faults import FAULTS
from tests.simulation.network import Endpoint, Spell
from tests.simulation.rules import expected
from tests.simulation.silence import is_distrusted, is_paused
from tests.simulation.world import World, held
from web5.sync import SyncReport
from web5.sync.states import Wanted

SHARE = 0.2
"""Of the scenarios."""

FAILING = ("never", "minutes", "never ends", "503", "garbage", "429", "503 for seconds", "429 for seconds", "-50429")
"""Habits with which nothing that is asked succeeds."""

HABITS = (
    *((one,) for one in FAILING),
    *(("just in time",), ("drips",), ("429 until a date",), ("401",), ("lost after",), ("half data", "endless data")),
    *(("forgets",), ("forgets", "lists what it forgot"), ("denies", "invented"), ("hides", "shuffles")),
    *(("endless list",), ("cursor goes back", "denies"), ("nothing", "same page"), ("endless list", "denies")),
)

SETTLING = 120.0
SECONDS_TO_OTHERS = 240.0
WINDOW = 600.0
A_MINUTE = 15
"""A poll every ten seconds, and after one that failed another in 1, 2, 4 s, until one succeeds."""

SOUND = 60.0
"""Seconds by which the clock of a device may be wrong whose notes every endpoint takes at once."""


async def begin(world: World) -> None:
    """Decide whether an endpoint stays bad; one does from now on, or from the end of the chaos on."""
    random = world.random("for good")
    if random.random() >= SHARE:
        return
    world.habit = random.choice(HABITS)
    if not any(_is_dispensable(world, one) for one in world.endpoints.values()):
        more = await world.endpoint(f"node{len(world.endpoints)}", web_sockets=random.random() < 0.5)
        await world.publish(world.people[0], [*world.documents[world.people[0].did], more])
    if random.random() < 0.5:
        take_up(world)


def take_up(world: World) -> None:
    """Have one endpoint that is not all that somebody has follow the habit from now on, if there is to be one."""
    can = [one for one in world.endpoints.values() if _is_dispensable(world, one)] if world.habit else []
    if world.for_good not in can:
        world.for_good = world.random("who is bad for good").choice(can) if can else None
    if world.for_good is not None:
        world.for_good.spells = [Spell(one, 1.0, float("inf")) for one in world.habit]
        world.for_good.lied = world.for_good.lied or any(FAULTS[one].lies for one in world.habit)
        world.story.add(world.for_good.name, "is, for good, one of which a request {}", " and ".join(world.habit))


def _is_dispensable(world: World, endpoint: Endpoint) -> bool:
    with_it = [endpoints for endpoints in world.documents.values() if endpoint in endpoints]
    return bool(with_it) and all(len(endpoints) > 1 for endpoints in with_it)


async def check(world: World) -> None:
    """Have the devices go on for some minutes with such an endpoint, if there is one, and see how they do."""
    endpoint = world.for_good
    if endpoint is None:
        return
    random = world.random("life with it")
    concerned = [one for one in world.devices if any(endpoint in world.documents[who.did] for who in one.identities)]
    for device in (one for one in world.devices if one.identities):  # also those that it does not concern
        await device.outside_of_it(device.sync.start(random.choice(("30s", "live"))))
    await asyncio.sleep(SETTLING)
    written = [(device, await device.outside_of_it(_note(device))) for device in concerned]
    hindered = {tenant for _, (tenant, cid) in written if cid and _is_hindered(world, tenant)}
    await asyncio.sleep(SECONDS_TO_OTHERS)
    for device, (tenant, cid) in written:
        for name in _without(world, tenant, cid) if cid and tenant not in hindered else ():
            world.fail(f"{name} does not have {world.story.called(cid)} of {device.name} after minutes")
    before = world.traffic.requests.copy()
    await asyncio.sleep(WINDOW)
    for device in concerned:
        cost = {key[2]: n for key, n in (world.traffic.requests - before).items() if key[:2] == _ends(device, endpoint)}
        tenants = sum(endpoint in world.documents[who.did] for who in device.identities)
        # It may be asked for everything once, and offered again what it does not list; it is asked what it has instead.
        offered = 3 * sum(len(held(device.dwn, who.did)) for who in device.identities)
        if sum(cost.values()) > A_MINUTE * tenants * WINDOW / 60 + offered:
            world.fail(f"{device.name} asks {endpoint.name} too much in {WINDOW:.0f} s: {cost}")
        for what in _untold(world, device, endpoint):
            world.fail(f"{device.name} {what}")


def _ends(device: Device, endpoint: Endpoint) -> tuple[str, str]:
    return device.name, endpoint.name


async def _note(device: Device) -> tuple[str, str]:
    """Write a note, if every endpoint is to take it now; return whose it is, and its CID, or ""."""
    if abs(device.clock.skew) > SOUND:
        return "", ""
    before = set(device.world.account.made)
    await actions.note(device)
    made = next(one for cid, one in device.world.account.made.items() if cid not in before)
    return made.tenant, made.cid if made.cid in device.world.account.acknowledged else ""


def _is_hindered(world: World, tenant: str) -> bool:
    """Return True if a device tells that another endpoint asked it for a pause or a registration, or is distrusted."""
    return any(
        is_paused(device, tenant, endpoint) or is_distrusted(device, tenant, endpoint)
        for device in world.devices_of(tenant)
        for endpoint in _others(world, tenant)
    )


def _others(world: World, tenant: str) -> list[Endpoint]:
    return [one for one in world.documents[tenant] if one is not world.for_good]


def _without(world: World, tenant: str, cid: str) -> Iterator[str]:
    if _is_hindered(world, tenant):
        return
    for other in _others(world, tenant):
        if cid not in held(other.dwn, tenant):
            yield other.name
    for one in world.devices_of(tenant):
        if cid not in held(one.dwn, tenant):
            yield one.name


def _untold(world: World, device: Device, endpoint: Endpoint) -> Iterator[str]:
    if endpoint.wiped or endpoint.lied:
        return
    for person in device.identities:
        if endpoint in world.documents[person.did]:
            lacks = expected(world.account.of(person.did)).cids & held(device.dwn, person.did)
            rows = device.sync.unsettled(person.did, Wanted(endpoint.url), limit=None)
            told = {row.message_cid for row in rows if row.direction == "push"}
            for cid in sorted(lacks - held(endpoint.dwn, person.did) - told):
                yield f"does not tell that {endpoint.name} lacks {world.story.called(cid)}"


def check_report(world: World, device: Device, report: SyncReport) -> None:
    """See that a round in which nothing at such an endpoint succeeded is no success."""
    endpoint = world.for_good
    if endpoint is not None and world.habit[0] in FAILING:
        of_it = [one for one in report.endpoints if one.endpoint == endpoint.url]
        if any(one.error is None for one in of_it) or (of_it and report.ok):
            world.fail(f"a round of {device.name} is well, though {endpoint.name} is not")
