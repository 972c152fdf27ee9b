"""The faults of storage: no room, or a quota; data that are lost or other than they were; a storage that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.simulation.actions import DAMAGED, look
from tests.simulation.device import Device
from tests.simulation.people import Person
from tests.simulation.quotas import NO_QUOTA, Quota, stored
from tests.simulation.world import World
from web5.dwn import Dwn
from web5.dwn.store.durable.flusher import RETRY_SECONDS
from web5.errors import StorageError

RECOVERY = RETRY_SECONDS[1] + 5
"""Seconds within which a storage that can be reached again has everything."""

ENDLESS = 0.25
"""Of what has little room, the share that has it until peace comes."""


# -- no room


async def disk_full(world: World, random: Random) -> None:
    """Let a disk have little room, for a while or until peace comes."""
    device = random.choice(world.devices)
    device.disk.fill(random.choice((0, random.randrange(20_000), random.randrange(200_000))))
    world.story.add(device.name, "has little room on its disk")
    if random.random() > ENDLESS:
        await asyncio.sleep(random.uniform(2, 60))
        device.disk.capacity = None
        world.story.add(device.name, "has room again")


async def quota_full(world: World, random: Random) -> None:
    """Let an endpoint give its tenants little room, for a while or until peace comes."""
    endpoint = random.choice(list(world.endpoints.values()))
    found = [stored(endpoint.dwn, person.did) for person in world.people]
    count, size = (max(values) for values in zip(*found, strict=True))
    words = random.choice(("507", "code", "code"))
    endpoint.quota = random.choice(
        (
            Quota(bytes=size + random.choice((0, random.randrange(100_000))), words=words),
            Quota(messages=count + random.randrange(8), words=words),
            Quota(data=random.choice((100, 40_000)), words=words),
        )
    )
    world.story.add(endpoint.name, "has a quota: {}", endpoint.quota)
    if random.random() > ENDLESS:
        await asyncio.sleep(random.uniform(5, 90))
        endpoint.quota = NO_QUOTA
        world.story.add(endpoint.name, "has no quota any more")


# -- lost and unreadable


async def lost_on_a_device(world: World, random: Random) -> None:
    """Damage a record on a device; mostly somebody looks at it then."""
    is_seen = random.random() < 0.7

    async def lose(device: Device) -> None:
        person = random.choice(device.identities)
        what = await _damage(random, device.dwn, person, device.disk.blobs, bodies=True)
        if what is not None:
            world.story.add(device.name, "has lost something: {} {}", *what)
            device.suspicious = True
            if is_seen:
                await look(device)

    random.choice(_owners(world)).give(lose)


async def lost_at_an_endpoint(world: World, random: Random) -> None:
    endpoint = random.choice(list(world.endpoints.values()))
    person = random.choice(world.people)
    blobs = endpoint.dwn._services.blobs._blobs  # type: ignore[attr-defined]
    what = await _damage(random, endpoint.dwn, person, blobs, bodies=False)
    if what is not None:
        endpoint.damaged.add(what[1])
        world.story.add(endpoint.name, "has lost something: {} {}", *what)


async def _damage(
    random: Random, dwn: Dwn, person: Person, blobs: dict[str, bytes], *, bodies: bool
) -> tuple[str, str] | None:
    """Damage a message or its data; return how, and the message's CID."""
    db, tenant = dwn.database.connection, dwn.store.tenant(person.did)
    large = db.execute(
        "SELECT key, cid FROM dwn_blob JOIN dwn_message USING (tenant, record_id) WHERE tenant = ? AND latest = 1"
        " AND method = 'Write' AND key IN (SELECT key FROM dwn_blob) ORDER BY seq",
        (tenant,),
    ).fetchall()
    small = db.execute(
        "SELECT seq, cid FROM dwn_message WHERE tenant = ? AND latest = 1 AND method = 'Write' AND data NOT NULL"
        " AND (protocol_path IS NULL OR protocol_path NOT IN ('grant', 'friend')) ORDER BY seq",
        (tenant,),
    ).fetchall()
    if large and random.random() < 0.7:
        key, cid = random.choice(large)
        if key not in blobs:
            return None
        return _spoil(random, blobs, key), cid
    if not small:
        return None
    seq, cid = random.choice(small)
    change = random.choice(("data = NULL", "data = x'00'", f"message = '{DAMAGED}'") if bodies else ("data = NULL",))
    try:
        with dwn.database.transaction():
            db.execute(f"UPDATE dwn_message SET {change} WHERE seq = ?", (seq,))
        await dwn.database.flush()
    except StorageError:
        return None
    return change, cid


def _spoil(random: Random, blobs: dict[str, bytes], key: str) -> str:
    data = blobs[key]
    how = random.choice(("missing", "cut", "longer", "changed"))
    if how == "missing":
        del blobs[key]
    elif how == "cut":
        blobs[key] = data[: random.randrange(len(data))]
    elif how == "longer":
        blobs[key] = data + b"x"
    else:
        blobs[key] = bytes([data[0] ^ 1]) + data[1:]
    return f"a blob is {how}"


def _owners(world: World) -> list[Device]:
    """Return the devices that keep what they have: a delegate's may lose what it cannot vouch for any more."""
    return [device for device in world.devices if device.identities]


# -- gone or closed


async def storage_cleared(world: World, random: Random) -> None:
    """Let a device lose all that it stored while it runs; or nobody gets at it for a while too."""
    await _gone(world, random, clear=True)


async def storage_closed(world: World, random: Random) -> None:
    await _gone(world, random, clear=False)


async def _gone(world: World, random: Random, *, clear: bool) -> None:
    device = random.choice(_owners(world))
    if not device.up:
        return
    disk, run = device.disk, device.runs
    if clear:
        disk.clear()
        world.story.add(device.name, "has its storage cleared")
    if not clear or random.random() < 0.3:
        disk.close()
        world.story.add(device.name, "does not get at its storage")
    device.on_device(_interrupted(device))
    if disk.out_of_reach:
        await asyncio.sleep(random.uniform(1, 60))
        disk.out_of_reach = False
        world.story.add(device.name, "gets at its storage again")
    before = disk.troubles, disk.fulls
    await asyncio.sleep(RECOVERY)
    undisturbed = device.up and device.runs == run and not disk.out_of_reach and disk.capacity is None
    if undisturbed and disk.behind and (disk.troubles, disk.fulls) == before:
        world.fail(f"{device.name} has not stored again what it has in memory, {RECOVERY:.0f} s after it could")


async def _interrupted(device: Device) -> None:
    device.pages.on_interrupted()


STORAGE_INCIDENTS: dict[str, Callable[[World, Random], Awaitable[None]]] = {
    "a disk is full": disk_full,
    "a quota is full": quota_full,
    "a device loses data": lost_on_a_device,
    "an endpoint loses data": lost_at_an_endpoint,
    "a storage is cleared": storage_cleared,
    "a storage is closed": storage_closed,
}


def end_of_storage_trouble(world: World) -> None:
    """Let there be room and storage from now on; on every device somebody looks at everything."""
    for endpoint in world.endpoints.values():
        endpoint.quota = NO_QUOTA
    for device in world.devices:
        device.disk.capacity = None
        device.disk.out_of_reach = False
        device.give(look)
