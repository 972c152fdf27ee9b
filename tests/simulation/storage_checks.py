"""The checks of what is stored at the end: everything can be read again that anybody had, and nothing else is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from tests.simulation.account import Authored
from tests.simulation.device import Device
from tests.simulation.people import Person
from tests.simulation.world import World, held
from web5.dwn import Dwn
from web5.errors import StorageError


@dataclass(slots=True)
class Losses:
    """What cannot be read of a person's messages, where.

    Attributes:
        damaged: by the name of a node: CIDs of those that it holds and cannot give as they were.
        given: CIDs of those that some endpoint gives as they were, with their data, to whoever asks.
        records: IDs of the records of which no endpoint gives a message that somebody lost, and of those below them.
    """

    damaged: dict[str, set[str]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)


async def losses(world: World, person: Person) -> Losses:
    """Read everything that there is of a person."""
    found = Losses()
    endpoints = [one for one in world.documents[person.did] if one is not world.for_good]
    nodes = [(one.name, one.dwn) for one in (*world.devices_of(person.did), *endpoints)]
    for name, dwn in nodes:
        cids = held(dwn, person.did)
        whole = {cid for cid in cids if cid in world.account.made and await _is_whole(dwn, world.account.made[cid])}
        found.damaged[name] = cids - whole - world.account.forged
        if any(one.name == name for one in endpoints):
            found.given |= {cid for cid in whole if _has_data(dwn, person.did, cid)}
    lost = set().union(*found.damaged.values()) - found.given
    found.records = {world.account.made[cid].record_id for cid in lost}
    below = [one for one in world.account.made.values() if one.is_initial and "parentId" in one.descriptor]
    while more := {one.record_id for one in below if one.descriptor["parentId"] in found.records} - found.records:
        found.records |= more
    return found


def _has_data(dwn: Dwn, tenant: str, cid: str) -> bool:
    """Return False for a write that a node holds without its data, because it has a later one of the record."""
    row = dwn.store.message(dwn.store.tenant(tenant), cid)
    return row is not None and (row.method != "Write" or row.latest)


async def _is_whole(dwn: Dwn, made: Authored) -> bool:
    row = dwn.store.message(dwn.store.tenant(made.tenant), made.cid)
    if row is None:
        return True
    try:
        if row.message != made.message:
            return False
        stored = await dwn.read_stored(made.tenant, made.cid) if row.method == "Write" and row.latest else None
        return stored is None or (stored.data is not None and await stored.data.read() == made.data)
    except StorageError:
        return False


def unmended(world: World, person: Person, lost: Losses) -> Iterator[str]:
    """Give what could be as it was, and is not; and what is not, and nobody says so."""
    for device in world.devices_of(person.did):
        told = device.damaged(person.did)
        for cid in sorted(lost.damaged[device.name]):
            name = f"{world.story.called(cid)} of {person.name}"
            if cid in lost.given:
                yield f"{device.name} has not fetched {name}, which it cannot read, from an endpoint that has it"
            elif cid not in told:
                yield f"{device.name} does not say that it cannot read {name}"
        for cid in sorted(told - lost.damaged[device.name]):
            yield f"{device.name} says that it cannot read {world.story.called(cid)} of {person.name}, but it can"
    for endpoint in world.documents[person.did]:
        for cid in sorted(lost.damaged.get(endpoint.name, set()) - _with_their_data(world, endpoint.damaged)):
            yield f"{endpoint.name} has other data, or none, for {world.story.called(cid)} of {person.name}"


def _with_their_data(world: World, cids: set[str]) -> set[str]:
    """Return these messages, and those of the same records with the same data, which a node takes from the first."""
    made = world.account.made
    data = {(made[cid].record_id, made[cid].descriptor.get("dataCid")) for cid in cids if cid in made}
    return {cid for cid, one in made.items() if (one.record_id, one.descriptor.get("dataCid")) in data}


async def stored(world: World) -> AsyncIterator[str]:
    """Give what is on disks and is not to be, or is not there and is to be."""
    for device in world.devices:
        trouble = device.dwn.database.health.trouble
        if trouble is not None:
            yield f"{device.name} says that its storage is {trouble.kind}, which it is not"
        for person in device.identities:
            if await device.on_disk(person.did) != held(device.dwn, person.did):
                yield f"{device.name} has on its disk other messages of {person.name} than in memory"
        if left := _left(device):
            yield f"{device.name} keeps {len(left)} blobs that no message names"
    for endpoint in world.endpoints.values():
        blobs = await endpoint.dwn._services.blobs.keys()
        if left := blobs - endpoint.dwn.store.blob_keys():
            yield f"{endpoint.name} keeps {len(left)} blobs that no message names"


def _left(device: Device) -> set[str]:
    return device.disk.blobs.keys() - device.dwn.store.blob_keys() - device.blobs.left
