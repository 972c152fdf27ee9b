"""What was allowed at its own time reaches every device and node of the tenant, whatever has ended since."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import Device, Identity, World, cid_of, reply_of
from web5.dwn import Dwn, compose
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.types import Message
from web5.sync import State

CHAT = "https://chat.example"
READ = ["read", "query", "subscribe"]
MEMBERS = [{"role": "friend", "can": ["create", "update", "delete", *READ]}]
DAY = 86_400 * 1_000_000


def chat(format: str = "text/plain", actions: list[dict[str, Any]] = MEMBERS) -> dict[str, Any]:
    return {
        "protocol": CHAT,
        "published": False,
        "types": {"friend": {}, "thread": {"dataFormats": [format]}, "reply": {}},
        "structure": {"friend": {"$role": True}, "thread": {"$actions": actions, "reply": {"$actions": actions}}},
    }


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


class Story:
    """What Alice and her guest do; `all_sync` until nothing moves any more."""

    def __init__(self, world: World, device: Device, guest: Identity) -> None:
        self.world, self.device, self.guest = world, device, guest

    @classmethod
    async def begin(cls, world: World) -> Story:
        return cls(world, await world.device("laptop"), await world.identity())

    async def configure(self, definition: dict[str, Any], device: Device | None = None) -> Message:
        device = device or self.device
        message = await compose.protocols_configure(self.world.alice.signer, device.clock, definition=definition)
        assert await status(self.world, device.dwn, message) == 202
        return message

    async def write(self, data: bytes, path: str = "thread", **more: Any) -> Message:
        return await self.device.write(data, protocol=CHAT, protocol_path=path, **more)

    async def befriend(self, data: bytes = b"") -> Message:
        return await self.write(data, "friend", recipient=self.guest.did)

    async def by_guest(self, dwn: Dwn, data: bytes = b"by the guest", **more: Any) -> Message:
        """Write as the guest, at a node."""
        options = {"data_format": "text/plain", "protocol": CHAT, "protocol_path": "thread", "protocol_role": "friend"}
        message = await compose.records_write(self.guest.signer, self.world.clock, data=data, **options | more)
        assert await status(self.world, dwn, message, data) == 202
        return message

    async def grant(self) -> Message:
        scope = {"interface": "Records", "method": "Write", "protocol": CHAT}
        expires = "2090-01-01T00:00:00.000000Z"
        granted = {"granted_to": self.guest.did, "date_expires": expires, "scope": scope}
        grant = await permission_grant(self.world.alice.signer, self.device.clock, **granted)
        assert await status(self.world, self.device.dwn, *split_encoded_data(grant)) == 202
        return grant


async def status(world: World, dwn: Dwn, message: Message, data: bytes | None = None) -> int:
    reply = await dwn.process_message(world.alice.did, message, data)
    code: int = reply["status"]["code"]
    return code


async def all_sync(world: World, *devices: Device, rounds: int = 4) -> None:
    for _ in range(rounds):
        for device in devices:
            await device.sync.now()
        world.clock.ahead += DAY // 2


async def alike(world: World, *devices: Device) -> set[str]:
    """Check that all devices and nodes hold the same, and nothing is left to do; return the CIDs."""
    everywhere = [*(device.dwn for device in devices), *world.remotes.values()]
    held = [world.held(dwn) for dwn in everywhere]
    assert all(one == held[0] for one in held), [len(one) for one in held]
    contents = [await world.contents(dwn) for dwn in everywhere]
    assert all(one == contents[0] for one in contents)
    for device in devices:
        assert device.sync.unsettled() == []
        assert all(found.same for found in await device.sync.check())
    return held[0]


async def test_what_was_written_under_earlier_definitions_reaches_new_devices_and_nodes(world: World) -> None:
    world.set_endpoints("/a")
    story = await Story.begin(world)
    anyone = [{"who": "anyone", "can": ["create", "read"]}]
    formats = ["text/plain", "text/markdown", "text/html"]
    for format in formats:
        await story.configure(chat(format, anyone if format == "text/markdown" else MEMBERS))
        for number in range(4):
            await story.write(b"%d" % number, data_format=format)
        await story.device.sync.now()
        if format == "text/markdown":
            more = {"data_format": format, "protocol_role": None}
            guests = [await story.by_guest(world.remotes["/a"], b"%d" % number, **more) for number in range(15)]
            await story.device.sync.now()
    phone = await world.device("phone")
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []
    assert len(await world.contents(phone.dwn)) == 27
    world.set_endpoints("/a", "/b")
    tablet = await world.device("tablet")
    await all_sync(world, phone, story.device, tablet, rounds=2)
    assert {cid_of(one) for one in guests} <= await alike(world, story.device, phone, tablet)


@pytest.mark.parametrize("data", [b"", b"a role with data"])
async def test_what_a_role_allowed_reaches_new_devices_and_nodes_once_it_is_taken_back(
    world: World, data: bytes
) -> None:
    world.set_endpoints("/a")
    story = await Story.begin(world)
    await story.configure(chat())
    role = await story.befriend(data)
    await story.device.sync.now()
    thread = await story.by_guest(world.remotes["/a"])
    context = {"protocol_path": "thread/reply", "parent_context_id": thread["contextId"]}
    reply = await story.by_guest(world.remotes["/a"], b"reply", **context)
    edited = await story.by_guest(world.remotes["/a"], b"edited", existing=reply)
    await story.device.sync.now()
    await story.device.delete(role)
    await story.device.sync.now()
    again = await story.befriend()
    await story.device.sync.now()
    phone = await world.device("phone")
    await phone.sync.now()
    assert phone.sync.unsettled() == []
    world.set_endpoints("/b")  # what was at the other node comes to it from a device
    await all_sync(world, phone, rounds=2)
    world.set_endpoints("/a", "/b")
    await all_sync(world, phone, story.device)
    assert {cid_of(one) for one in (thread, reply, edited, again)} <= await alike(world, story.device, phone)


@pytest.mark.parametrize("how", ["revoked", "deleted", "revoked and deleted"])
@pytest.mark.parametrize("seen", [True, False])
async def test_what_a_grant_allowed_reaches_new_devices_and_nodes_once_it_ended(
    world: World, how: str, seen: bool
) -> None:
    world.set_endpoints("/a")
    story = await Story.begin(world)
    await story.configure(chat())
    phone = await world.device("phone")
    await all_sync(world, story.device, phone, rounds=1)
    grant = await story.grant()
    await story.device.sync.now()
    invoking = {"protocol_role": None, "permission_grant_id": grant["recordId"]}
    written = await story.by_guest(world.remotes["/a"], **invoking)
    await story.device.sync.now()
    if seen:
        await phone.sync.now()
    if "revoked" in how:
        revocation = await permission_revocation(world.alice.signer, world.clock, grant=grant)
        assert await status(world, story.device.dwn, *split_encoded_data(revocation)) == 202
    if "deleted" in how:
        await story.device.delete(grant)
    await all_sync(world, story.device, phone, rounds=2)
    tablet = await world.device("tablet")
    world.set_endpoints("/a", "/b")
    await all_sync(world, phone, tablet, story.device)
    assert cid_of(written) in await alike(world, story.device, phone, tablet)


async def test_what_was_written_below_a_record_that_was_deleted_reaches_new_devices_and_nodes(world: World) -> None:
    world.set_endpoints("/a")
    story = await Story.begin(world)
    await story.configure(chat())
    await story.befriend()
    thread = await story.write(b"thread")
    mine = await story.write(b"mine", "thread/reply", parent_context_id=thread["contextId"])
    await story.device.sync.now()
    theirs = await story.by_guest(
        world.remotes["/a"], protocol_path="thread/reply", parent_context_id=thread["contextId"]
    )
    await story.device.sync.now()
    await story.device.delete(thread)
    world.set_endpoints("/a", "/b")
    phone = await world.device("phone")
    await all_sync(world, phone, story.device)
    assert {cid_of(mine), cid_of(theirs)} <= await alike(world, story.device, phone)


async def test_below_a_record_that_was_pruned_nothing_comes_back(world: World) -> None:
    story = await Story.begin(world)
    await story.configure(chat())
    thread = await story.write(b"thread")
    await story.write(b"reply", "thread/reply", parent_context_id=thread["contextId"])
    phone = await world.device("phone")
    await all_sync(world, story.device, phone, rounds=1)
    prune = await compose.records_delete(world.alice.signer, world.clock, record_id=thread["recordId"], prune=True)
    assert await status(world, story.device.dwn, prune) == 202
    late = await phone.write(
        b"late", protocol=CHAT, protocol_path="thread/reply", parent_context_id=thread["contextId"]
    )
    await all_sync(world, phone, story.device)
    assert cid_of(late) not in await alike(world, story.device, phone)
    assert await world.contents(phone.dwn) == {}


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_whoever_syncs_first_all_devices_and_nodes_end_alike(world: World, order: Sequence[int]) -> None:
    """Three devices that change the same things apart from each other."""
    story = await Story.begin(world)
    laptop, phone, tablet = devices = [story.device, await world.device("phone"), await world.device("tablet")]
    await story.configure(chat())
    role, note, thread = await story.befriend(), await laptop.write(b"note"), await story.write(b"thread")
    twice = await laptop.write(b"twice")
    await all_sync(world, *devices, rounds=1)
    guests = [await story.by_guest(dwn) for dwn in world.remotes.values()]

    await laptop.delete(role)
    await laptop.delete(note)
    await story.configure(chat("text/markdown"))
    await laptop.delete(twice)
    await phone.write(b"edited later", existing=note)
    below = {"protocol": CHAT, "protocol_path": "thread/reply", "parent_context_id": thread["contextId"]}
    replied = await phone.write(b"reply", **below)
    await phone.write(b"under the first definition", protocol=CHAT, protocol_path="thread")
    await phone.delete(twice)
    await tablet.delete(thread)
    other = await world.identity()
    for device in (laptop, tablet):
        await device.write(b"for the same", protocol=CHAT, protocol_path="friend", recipient=other.did)

    await all_sync(world, *(devices[place] for place in order))
    held = await alike(world, *devices)
    assert {cid_of(one) for one in (*guests, replied)} <= held
    assert {note["recordId"], twice["recordId"], thread["recordId"]}.isdisjoint(await world.contents(phone.dwn))


@pytest.mark.parametrize("late", ["laptop", "phone"])
async def test_a_delete_ends_a_record_whatever_was_written_later(world: World, late: str) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    note = await laptop.write(b"note")
    await all_sync(world, laptop, phone, rounds=1)
    await laptop.delete(note)
    await phone.write(b"edited", existing=note)
    order = (phone, laptop) if late == "laptop" else (laptop, phone)
    await all_sync(world, *order, rounds=3)
    await alike(world, laptop, phone)
    assert await world.contents(phone.dwn) == {}


async def test_a_write_that_comes_when_its_record_was_deleted_waits_for_the_delete(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    note = await laptop.write(b"note")
    await all_sync(world, laptop, phone, rounds=1)
    await laptop.delete(note)
    await laptop.sync.now()
    edit = await phone.write(b"edited", existing=note)
    await phone.sync.now("push")
    for row in phone.sync.unsettled():
        waiting = cid_of(edit), State.WAITING, f"record:{note['recordId']}"
        assert (row.message_cid, row.state, row.waits_for) == waiting
    assert len(phone.sync.unsettled()) == 2
    await phone.sync.now()
    await alike(world, laptop, phone)


# -- nodes that keep no history, as the reference's


def forgetful(world: World, *nodes: str) -> None:
    """Have nodes answer as those that know no messages from the past."""

    def fault(kind: str, message: Message) -> Any:
        unknown = kind in ("MessagesHistory", "MessagesReplicate")
        return reply_of(400, f"SchemaValidatorSchemaNotFound: schema for {kind} not found.") if unknown else None

    for node in nodes:
        world.network.faults[node] = fault


async def test_from_a_node_without_history_comes_what_the_tenant_signed_and_the_rest_waits(world: World) -> None:
    forgetful(world, "/a")
    world.set_endpoints("/a")
    story = await Story.begin(world)
    await story.configure(chat())
    await story.befriend()
    mine = [await story.write(b"%d" % number) for number in range(12)]
    await story.device.sync.now()
    theirs = await story.by_guest(world.remotes["/a"])
    await story.device.sync.now()
    second = await story.configure(chat("text/markdown"))
    await story.device.sync.now()
    phone = await world.device("phone")
    await all_sync(world, phone, rounds=2)
    assert {cid_of(one) for one in (*mine, second)} <= world.held(phone.dwn)
    (row,) = phone.sync.unsettled()
    assert (row.message_cid, row.direction, row.state) == (cid_of(theirs), "pull", State.WAITING)
    assert row.waits_for == f"protocol:{CHAT}"
    assert row.detail.startswith("ProtocolAuthorizationIncorrectDataFormat")
    # The laptop still knows; a node of ours takes it from there, and gives it to the phone.
    world.set_endpoints("/a", "/b")
    await all_sync(world, story.device, phone, rounds=2)
    assert cid_of(theirs) in world.held(phone.dwn) & world.held(world.remotes["/b"])
    assert phone.sync.unsettled() == []


async def test_a_node_without_history_is_filled_in_the_order_of_dates(world: World) -> None:
    """A device that got all of it in another order, from a node of ours, fills one that judges by what it has now."""
    world.set_endpoints("/a")
    story = await Story.begin(world)
    await story.configure(chat())
    grant, mine = await story.grant(), [await story.write(b"%d" % number) for number in range(12)]
    await story.device.sync.now()
    invoking = {"protocol_role": None, "permission_grant_id": grant["recordId"]}
    theirs = [await story.by_guest(world.remotes["/a"], b"%d" % number, **invoking) for number in range(12)]
    await story.device.sync.now()
    await story.device.delete(grant)
    await story.configure(chat("text/markdown"))
    await story.device.sync.now()
    phone = await world.device("phone")
    await all_sync(world, phone, rounds=2)
    forgetful(world, "/b")
    world.set_endpoints("/b")
    await all_sync(world, phone, rounds=2)
    assert phone.sync.unsettled() == []
    assert {cid_of(one) for one in (*mine, *theirs)} <= world.held(world.remotes["/b"])


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_delete_is_made_anew_for_a_node_without_history_that_has_a_later_write(
    world: World, order: Sequence[int]
) -> None:
    forgetful(world, "/a", "/b")
    devices = [await world.device(name) for name in ("laptop", "phone", "tablet")]
    note = await devices[0].write(b"note")
    await all_sync(world, *devices, rounds=1)
    for device, node in zip(devices, ("/a", "/b", "/b"), strict=True):
        world.set_endpoints(node)
        await (device.delete(note) if node == "/a" else device.write(b"edited", existing=note))
        await device.sync.now()
    world.set_endpoints("/a", "/b")
    await all_sync(world, *(devices[place] for place in order))
    for dwn in (*(device.dwn for device in devices), *world.remotes.values()):
        assert await world.contents(dwn) == {}
    for device in devices:
        assert device.sync.unsettled() == []
