"""One signed message of each kind, held by Alice's DWN or answered by it, and what must stay as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import ENCRYPTION, SteppingClock, our_engine, person
from web5.dwn import DataStream, compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.signatures.signing import sign_as_owner

Message = dict[str, Any]

URI = "https://example.com/notes"
NOTES: Message = {
    "protocol": URI,
    "published": False,
    "types": {"note": {}, "friend": {}, "reply": {}},
    "structure": {
        "friend": {"$role": True},
        "note": {"$actions": [{"role": "friend", "can": ["create", "read", "query", "subscribe"]}], "reply": {}},
    },
}
END = "2030-01-01T00:00:00.000000Z"


@dataclass
class Scene:
    """A message that Alice's DWN has taken.

    Parameters:
        data: that the message came with.
        record: whose record it is about; None where it is not about one.
    """

    world: World
    message: Message
    data: bytes | None = None
    record: str | None = None

    async def state(self) -> Any:
        """What Alice reads: the record with its data, her protocols, and the log."""
        world = self.world
        read = None
        if self.record is not None:
            read = await world.read(by=world.alice, recordId=self.record)
            if isinstance(read.get("entry", {}).get("data"), DataStream):
                read["entry"]["data"] = await read["entry"]["data"].read()
        protocols = await world.send(await compose.protocols_query(world.alice.signer, world.clock))
        return read, protocols["entries"], await world.log()


Maker = Callable[[World], Awaitable[Scene]]


async def start(curve: str) -> World:
    """All persons have a key of this curve; Alice has a protocol, in which Bob has a role."""
    clock = SteppingClock()
    people = [await person(curve) for _ in range(3)]
    world = World(await our_engine(clock), clock, *people)
    configured = await compose.protocols_configure(world.alice.signer, clock, definition=NOTES)
    assert (await world.send(configured))["status"]["code"] == 202
    await world.write(protocol=URI, protocol_path="friend", recipient=world.bob.did)
    return world


async def _held(world: World, message: Message, data: bytes | None, code: int = 202) -> Scene:
    reply = await world.send(message, data)
    assert reply["status"]["code"] == code, reply
    return Scene(world, message, data, message.get("recordId"))


async def _grant(world: World, method: str, *, interface: str = "Records", delegated: bool = True) -> Message:
    """Alice's grant to Bob, in her DWN."""
    scope = {"interface": interface, "method": method}
    if interface == "Records":
        scope["protocol"] = URI
    grant = await permission_grant(
        world.alice.signer,
        world.clock,
        granted_to=world.bob.did,
        date_expires=END,
        scope=scope,
        delegated=delegated,
    )
    assert (await world.send(*split_encoded_data(grant)))["status"]["code"] == 202
    return grant


async def private(world: World) -> Scene:
    return await _held(world, await world.compose(tags={"a": 1}), b"hello")


async def published(world: World) -> Scene:
    return await _held(world, await world.compose(published=True, schema="https://example.com/s"), b"hello")


async def large(world: World) -> Scene:
    data = b"0123456789" * 4000
    return await _held(world, await world.compose(data=data), data)


async def update(world: World) -> Scene:
    first = await world.write()
    return await _held(world, await world.compose(existing=first, data=b"newer"), b"newer")


async def note(world: World) -> Scene:
    return await _held(world, await world.compose(protocol=URI, protocol_path="note"), b"hello")


async def reply(world: World) -> Scene:
    above = await world.write(protocol=URI, protocol_path="note")
    message = await world.compose(protocol=URI, protocol_path="note/reply", parent_context_id=above["contextId"])
    return await _held(world, message, b"hello")


async def by_role(world: World) -> Scene:
    message = await world.compose(by=world.bob, protocol=URI, protocol_path="note", protocol_role="friend")
    return await _held(world, message, b"hello")


async def by_grant(world: World) -> Scene:
    grant = await _grant(world, "Write", delegated=False)
    message = await world.compose(
        by=world.bob, protocol=URI, protocol_path="note", permission_grant_id=grant["recordId"]
    )
    return await _held(world, message, b"hello")


async def by_delegate(world: World) -> Scene:
    grant = await _grant(world, "Write")
    message = await world.compose(by=world.bob, protocol=URI, protocol_path="note", delegated_grant=grant)
    return await _held(world, message, b"hello")


async def owned(world: World) -> Scene:
    message = await world.compose(by=world.bob, published=True)
    return await _held(world, await sign_as_owner(message, world.alice.signer), b"hello")


async def owned_by_delegate(world: World) -> Scene:
    grant = await _grant(world, "Write")
    message = await world.compose(by=world.carol, protocol=URI, protocol_path="note")
    return await _held(world, await sign_as_owner(message, world.bob.signer, grant), b"hello")


async def attested(world: World) -> Scene:
    return await _held(world, await world.compose(attestation_signers=[world.bob.signer]), b"hello")


async def encrypted(world: World) -> Scene:
    return await _held(world, await world.compose(encryption=ENCRYPTION), b"hello")


async def without_data(world: World) -> Scene:
    return await _held(world, await world.compose(), None, 204)


async def grant(world: World) -> Scene:
    message, data = split_encoded_data(await _grant(world, "Write"))
    return Scene(world, message, data, message["recordId"])


async def delete(world: World) -> Scene:
    first = await world.write()
    message = await world.delete(first)
    return await _held(world, {**message}, None)


async def delete_by_delegate(world: World) -> Scene:
    first = await world.write(protocol=URI, protocol_path="note")
    given = await _grant(world, "Delete")
    return await _held(world, await world.delete(first, by=world.bob, delegated_grant=given, prune=True), None)


async def configure(world: World) -> Scene:
    message = await compose.protocols_configure(world.alice.signer, world.clock, definition=NOTES)
    return await _held(world, message, None)


async def configure_by_grant(world: World) -> Scene:
    given = await _grant(world, "Configure", interface="Protocols", delegated=False)
    message = await compose.protocols_configure(
        world.bob.signer, world.clock, definition=NOTES, permission_grant_id=given["recordId"]
    )
    return await _held(world, message, None)


STORED: tuple[Maker, ...] = (
    *(private, published, large, update, note, reply, by_role, by_grant, by_delegate, owned, owned_by_delegate),
    *(attested, encrypted, without_data, grant, delete, delete_by_delegate, configure, configure_by_grant),
)


async def query(world: World) -> Scene:
    first = await world.write()
    message = await compose.records_query(
        world.alice.signer, world.clock, filter={"dataFormat": "text/plain"}, pagination={"limit": 3}
    )
    return Scene(world, message, None, first["recordId"])


async def query_by_delegate(world: World) -> Scene:
    await world.write(protocol=URI, protocol_path="note")
    given = await _grant(world, "Query")
    message = await compose.records_query(
        world.bob.signer, world.clock, filter={"protocol": URI}, delegated_grant=given
    )
    return Scene(world, message)


async def read(world: World) -> Scene:
    first = await world.write()
    message = await compose.records_read(world.alice.signer, world.clock, filter={"recordId": first["recordId"]})
    return Scene(world, message, None, first["recordId"])


async def read_by_role(world: World) -> Scene:
    first = await world.write(protocol=URI, protocol_path="note")
    message = await compose.records_read(
        world.bob.signer, world.clock, filter={"recordId": first["recordId"]}, protocol_role="friend"
    )
    return Scene(world, message, None, first["recordId"])


async def subscribe(world: World) -> Scene:
    message = await compose.records_subscribe(world.alice.signer, world.clock, filter={"dataFormat": "text/plain"})
    return Scene(world, message)


async def protocols_query(world: World) -> Scene:
    return Scene(world, await compose.protocols_query(world.alice.signer, world.clock, protocol=URI))


async def messages_query(world: World) -> Scene:
    return Scene(world, await compose.messages_query(world.alice.signer, world.clock))


async def messages_read(world: World) -> Scene:
    given = await _grant(world, "Read", interface="Messages", delegated=False)
    [cid, *_] = await world.log()
    message = await compose.messages_read(
        world.bob.signer, world.clock, message_cid=cid, permission_grant_id=given["recordId"]
    )
    return Scene(world, message)


async def messages_subscribe(world: World) -> Scene:
    return Scene(world, await compose.messages_subscribe(world.alice.signer, world.clock))


ASKED: tuple[Maker, ...] = (
    *(query, query_by_delegate, read, read_by_role, subscribe, protocols_query),
    *(messages_query, messages_read, messages_subscribe),
)
"""Questions for what only those who are allowed to may see."""
