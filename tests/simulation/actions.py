"""The actions of a person on a device. Each makes messages as an app does, and the local engine decides."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.simulation import protocols
from tests.simulation.device import Device
from tests.simulation.people import Person
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import DidError, StorageError, StorageFull

LARGE = (30_001, 120_000)
DAMAGED = "{"
"""What is left of a message that cannot be read any more."""


async def store(device: Device, person: Person, message: Message, data: bytes | None, what: str) -> bool:
    """Have the local engine take a message; True if it did."""
    world = device.world
    made = world.account.author(person.did, message, data)
    world.story.name(made.cid, f"{what}#{len(world.account.made)}")
    try:
        reply = await device.dwn.process_message(person.did, message, data)
    except StorageError as error:
        world.story.add(device.name, "cannot store {}: {}", made.cid, error)
        if isinstance(error, StorageFull) and made.kind == "RecordsDelete" and device.disk.reserve:
            world.fail(f"{device.name} found no room to delete something, and kept its reserve")
        return False
    code = reply["status"]["code"]
    if code == 202:
        world.account.acknowledged.add(made.cid)
    world.story.add(device.name, "{}: {} {}", made.cid, code, "" if code == 202 else reply["status"]["detail"])
    return bool(code == 202)


async def _write(device: Device, **options: Any) -> Message | None:
    person = device.random.choice(device.identities)
    return await _write_for(device, person, _text(device.random), **options)


async def _write_for(device: Device, person: Person, data: bytes, **options: Any) -> Message | None:
    options = {"data_format": "text/plain", **options}
    message = await compose.records_write(person.signer, device.clock, data=data, **options)
    number = len(device.world.account.made)
    what = f"{options.get('protocol_path', 'note').rpartition('/')[2]}{number}"
    device.world.story.name(message["recordId"], what)
    return message if await store(device, person, message, data, what) else None


async def note(device: Device) -> None:
    published = device.random.random() < 0.2 or None
    await _write(device, schema="https://notes.example", published=published)


async def large(device: Device) -> None:
    person = device.random.choice(device.identities)
    size = device.random.randint(*LARGE)
    await _write_for(device, person, device.random.randbytes(size))


async def thread(device: Device) -> None:
    await _write(device, protocol=protocols.URI, protocol_path="thread")


async def below(device: Device) -> None:
    await _below(device, {"thread": "reply", "thread/reply": "reaction"})


async def sketch(device: Device) -> None:
    await _below(device, {"thread": "sketch"})


async def _below(device: Device, kinds: dict[str, str]) -> None:
    person = device.random.choice(device.identities)
    parents = [one for one in records(device, person) if one["descriptor"].get("protocolPath") in kinds]
    if parents:
        parent = device.random.choice(parents)
        path = parent["descriptor"]["protocolPath"]
        await _write_for(
            device,
            person,
            _text(device.random),
            protocol=protocols.URI,
            protocol_path=f"{path}/{kinds[path]}",
            parent_context_id=parent["contextId"],
        )


async def edit(device: Device, *, moment: str | None = None, **options: Any) -> None:
    person = device.random.choice(device.identities)
    found = records(device, person)
    if not found:
        return
    existing = device.random.choice(found)
    if moment is not None:
        # The time at which another device edited the same record, if it is not over yet here.
        moment = device.world.moments.get(existing["recordId"])
        if moment is None or moment <= existing["descriptor"]["messageTimestamp"]:
            moment = None
    data = None if device.random.random() < 0.2 else _text(device.random)
    message = await compose.records_write(
        person.signer, device.clock, existing=existing, data=data, message_timestamp=moment, **options
    )
    device.world.moments[existing["recordId"]] = message["descriptor"]["messageTimestamp"]
    if data is None:
        data = await _data_of(device, person, existing)
    if data is not None:
        await store(device, person, message, data, f"edit of {device.world.story.called(existing['recordId'])}")


async def _data_of(device: Device, person: Person, message: Message) -> bytes | None:
    try:
        stored = await device.dwn.read_stored(person.did, message_cid(message))
        return None if stored is None or stored.data is None else await stored.data.read()
    except StorageError:
        return None


async def edit_at_the_same_moment(device: Device) -> None:
    await edit(device, moment="")


async def publish(device: Device) -> None:
    await edit(device, published=device.random.random() < 0.7)


async def delete(device: Device, *, prune: bool = False) -> None:
    person = device.random.choice(device.identities)
    found = records(device, person)
    if found:
        existing = device.random.choice(found)
        record_id, clock = existing["recordId"], compose.after(device.clock, existing["descriptor"]["messageTimestamp"])
        message = await compose.records_delete(person.signer, clock, record_id=record_id, prune=prune)
        what = f"{'prune' if prune else 'delete'} of {device.world.story.called(record_id)}"
        await store(device, person, message, None, what)


async def prune(device: Device) -> None:
    await delete(device, prune=True)


async def configure(device: Device, version: int = 1) -> None:
    person = device.random.choice(device.identities)
    message = await compose.protocols_configure(person.signer, device.clock, definition=protocols.definition(version))
    await store(device, person, message, None, f"configure v{version}")


async def extend(device: Device) -> None:
    await configure(device, version=2)


async def let_the_guest_in(device: Device) -> None:
    """Give the guest a role, or a grant; each only once, since a second role would be refused somewhere."""
    person, world = device.random.choice(device.identities), device.world
    guest = world.guest
    chore = device.random.choice(("role", "grant"))
    if f"{chore} of {person.did}" in world.chores:
        return
    if chore == "role":
        world.chores.add(f"{chore} of {person.did}")
        await _write_for(
            device, person, b"a friend", protocol=protocols.URI, protocol_path=protocols.ROLE, recipient=guest.did
        )
        return
    world.chores.add(f"{chore} of {person.did}")
    grant = await permission_grant(
        person.signer,
        device.clock,
        granted_to=guest.did,
        date_expires="2090-01-01T00:00:00.000000Z",
        scope={"interface": "Records", "method": "Write", "protocol": protocols.URI},
    )
    await store(device, person, *split_encoded_data(grant), "grant")


async def sync_now(device: Device) -> None:
    direction = device.random.choice((None, None, "push", "pull"))
    device.world.story.add(device.name, "syncs now: {}", direction or "both")
    await device.sync_now(direction)


async def send(device: Device) -> None:
    person = device.random.choice(device.identities)
    found = device.dwn.store.connection.execute(
        "SELECT cid FROM dwn_message WHERE tenant = ? ORDER BY seq", (device.dwn.store.tenant(person.did),)
    ).fetchall()
    if not found:
        return
    cid = device.random.choice(found)[0]
    device.world.story.add(device.name, "sends {}", cid)
    try:
        await device.send(person.did, cid)
    except (StorageError, DidError) as error:
        device.world.story.add(device.name, "could not send it: {}", error)


async def change_the_mode(device: Device) -> None:
    device.mode = device.random.choice(("off", "25s", "1m", "live"))
    device.world.story.add(device.name, "syncs in mode {}", device.mode)
    await device.sync.start(device.mode)


async def look(device: Device) -> None:
    """Open every record, as a person does who looks at all notes; what is damaged is found."""
    for person in device.identities:
        for _, cid in device.dwn.store.entries_after(person.did, 0, 1_000_000):
            await device.dwn.is_whole(person.did, cid)


async def rest(device: Device) -> None:
    return None


ACTIONS: dict[str, Callable[[Device], Awaitable[None]]] = {
    "write a note": note,
    "write a thread": thread,
    "write below": below,
    "edit": edit,
    "edit at the same moment": edit_at_the_same_moment,
    "delete": delete,
    "prune": prune,
    "publish": publish,
    "write large data": large,
    "configure": configure,
    "extend the protocol": extend,
    "write a sketch": sketch,
    "let the guest in": let_the_guest_in,
    "sync now": sync_now,
    "send": send,
    "change the mode": change_the_mode,
    "look at everything": look,
    "rest": rest,
}


def records(device: Device, person: Person) -> list[Message]:
    """Return the newest states of the records on a device that an app edits: neither roles nor grants."""
    store = device.dwn.store
    found = store.connection.execute(
        "SELECT message FROM dwn_message WHERE tenant = ? AND latest = 1 AND method = 'Write'"
        " AND (protocol IS NULL OR protocol = ?) AND protocol_path IS NOT ? ORDER BY seq",
        (store.tenant(person.did), protocols.URI, protocols.ROLE),
    )
    return [json.loads(body) for (body,) in found if body != DAMAGED]


def _text(random: Random) -> bytes:
    return b"text %d" % random.getrandbits(40) + b"." * random.choice((0, 10, 300))
