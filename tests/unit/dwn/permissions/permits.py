"""A protocol under which nobody but the tenant may do anything, and short ways to grant more."""

from __future__ import annotations

from typing import Any

from tests.unit.dwn.chat import install
from tests.unit.dwn.conftest import Status, World
from tests.unit.dwn.persons import Person, signed_write
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.permissions.grants import split_encoded_data, with_encoded_data
from web5.dwn.signatures.signing import as_json
from web5.dwn.values.types import Message

NOTES = "https://example.com/notes"
DEFINITION: Message = {
    "protocol": NOTES,
    "published": False,
    "types": {"note": {}, "reply": {}},
    "structure": {"note": {"reply": {}}},
}
END = "2030-01-01T00:00:00.000000Z"


async def with_notes(world: World) -> World:
    await install(world, DEFINITION)
    return world


async def note(world: World, **options: Any) -> Message:
    """A note of Alice's, in her DWN."""
    return await world.write(protocol=NOTES, protocol_path="note", **options)


async def send_record(world: World, record: Message, *, tenant: Person | None = None) -> Status:
    return await world.status(*split_encoded_data(record), tenant=tenant)


async def make_grant(
    world: World,
    what: str,
    *,
    by: Person | None = None,
    to: Person | None = None,
    protocol: str | None = NOTES,
    narrower: Message | None = None,
    **options: Any,
) -> Message:
    """A grant of Alice's to Bob, that was not sent yet.

    Parameters:
        what: the interface and the method, such as "Records.Write".
        narrower: more of the scope.
    """
    interface, method = what.split(".")
    scope = {"interface": interface, "method": method, **(narrower or {})}
    if protocol is not None:
        scope["protocol"] = protocol
    options.setdefault("date_expires", END)
    return await permission_grant(
        (by or world.alice).signer, world.clock, granted_to=(to or world.bob).did, scope=scope, **options
    )


async def grant(world: World, what: str, **options: Any) -> str:
    """The same in Alice's DWN; its ID, by which Bob invokes it."""
    record = await make_grant(world, what, **options)
    assert await send_record(world, record) == (202, "Accepted")
    return str(record["recordId"])


async def revoke(world: World, record: Message) -> Message:
    """The revocation of a grant, in the DWN of its grantor, Alice."""
    revocation = await permission_revocation(world.alice.signer, world.clock, grant=record)
    assert await send_record(world, revocation) == (202, "Accepted")
    return revocation


async def record_of(world: World, path: str, says: Any, *, by: Person | None = None, **descriptor: Any) -> Message:
    """A permission record that says anything at all, signed as it is."""
    data = says if isinstance(says, bytes) else as_json(says)
    signer = (by or world.alice).signer
    write = await world.compose(
        by=by,
        data=data,
        data_format="application/json",
        protocol="https://tbd.website/dwn/permissions",
        protocol_path=path,
        **descriptor,
    )
    return with_encoded_data(await signed_write(signer, write), data)


def with_other_data(record: Message, says: Message) -> Message:
    """A grant as a delegate would like to have it: the grantor's signature, with other data beside it."""
    return with_encoded_data(record, as_json(says))
