"""What is missing or cannot be read here is that record's trouble alone; it comes back from whoever has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import HOST, Answer, Device, World, cid_of, unreachable
from web5.dwn.values.types import Message
from web5.errors import BlobMissing, MessageDamaged, StorageCorrupt, StorageError, StorageFull
from web5.ports.http import BodyStream
from web5.sync import State, Unsettled
from web5.sync.exchange import pull

A, B = f"{HOST}/a", f"{HOST}/b"
LARGE = b"x" * 100_000


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return honest(await World.make(tmp_path))


def honest(world: World) -> World:
    """Have bodies read on this side, as over a network: in ASGI what a body raises would be raised at the node."""
    real = world.network.request

    async def request(
        method: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None, timeout: float = 30.0
    ) -> Any:
        if isinstance(body, BodyStream):
            body = b"".join([chunk async for chunk in body])
        return await real(method, url, headers=headers, body=body, timeout=timeout)

    world.network.request = request  # type: ignore[method-assign]
    return world


def blob_files(device: Device) -> list[Path]:
    return list((device.folder / "blobs" / "whole").iterdir())


def lose(device: Device, message: Message) -> None:
    for file in blob_files(device):
        file.unlink()


def cut(device: Device, message: Message) -> None:
    for file in blob_files(device):
        file.write_bytes(LARGE[:-1])


def lengthen(device: Device, message: Message) -> None:
    for file in blob_files(device):
        file.write_bytes(LARGE + b"x")


def alter(device: Device, message: Message) -> None:
    for file in blob_files(device):
        file.write_bytes(b"y" + LARGE[1:])


def lose_row_of_blob(device: Device, message: Message) -> None:
    with device.database.transaction() as db:
        db.execute("DELETE FROM dwn_blob")


def cannot_be_read(device: Device, message: Message) -> None:
    async def broken(key: str, start: int = 0) -> AsyncIterator[bytes]:
        raise StorageCorrupt("reading blob failed: NotReadableError")
        yield b""

    device.dwn._services.blobs.get = broken  # type: ignore[method-assign]


def spoil_message(device: Device, message: Message) -> None:
    with device.database.transaction() as db:
        db.execute("UPDATE dwn_message SET message = substr(message, 1, 100) WHERE cid = ?", (cid_of(message),))


def alter_message(device: Device, message: Message) -> None:
    with device.database.transaction() as db:
        db.execute(
            "UPDATE dwn_message SET message = replace(message, 'text/plain', 'text/plane') WHERE cid = ?",
            (cid_of(message),),
        )


Damage = Callable[[Device, Message], None]
DAMAGES: list[Damage] = [lose, cut, lengthen, alter, lose_row_of_blob, spoil_message, alter_message]


def damaged(device: Device) -> list[Unsettled]:
    return [entry for entry in device.sync.unsettled() if entry.state is State.DAMAGED]


@pytest.mark.parametrize("damage", [*DAMAGES, cannot_be_read], ids=lambda damage: damage.__name__)
async def test_what_cannot_be_read_holds_up_nothing_and_is_told(world: World, damage: Damage) -> None:
    phone = await world.device()
    large = await phone.write(LARGE)
    others = [await phone.write(b"small %d" % number) for number in range(5)]
    damage(phone, large)
    for _ in range(3):
        report = await phone.sync.now()
        assert all(end.error is None for end in report.endpoints)
    for node in world.remotes.values():
        assert world.held(node) == {cid_of(message) for message in others}
    (told,) = damaged(phone)
    assert (told.message_cid, told.endpoint) == (cid_of(large), "")
    assert told.detail.endswith("; no node that is known has it")
    waiting = [entry for entry in phone.sync.unsettled() if entry.direction == "push"]
    assert {(entry.endpoint, entry.state) for entry in waiting} == {(A, State.WAITING), (B, State.WAITING)}
    assert all(entry.waits_for == f"data:{cid_of(large)}" for entry in waiting)
    assert world.network.counts["/a", "MessagesRead"] == 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_it_is_fetched_from_who_has_it_and_then_sent(world: World, damage: Damage) -> None:
    phone = await world.device()
    world.network.faults["/b"] = unreachable
    large = await phone.write(LARGE)
    await phone.sync.now()
    damage(phone, large)
    events: list[str] = []
    phone.sync.listeners.append(lambda event: events.append(event.kind))
    del world.network.faults["/b"]
    assert (await phone.sync.now()).ok
    assert [kind for kind in events if kind in ("damaged", "mended")] == ["damaged", "mended"]
    assert phone.sync.unsettled() == []
    assert all(found.same for found in await phone.sync.check())
    for dwn in (phone.dwn, *world.remotes.values()):
        assert await world.contents(dwn) == {large["recordId"]: LARGE}
    await phone.dwn.open()  # which drops what nothing names
    assert len(blob_files(phone)) == 1


async def test_small_data_come_back_too(world: World) -> None:
    phone = await world.device()
    small = await phone.write(b"small")
    await phone.sync.now()
    with phone.database.transaction() as db:
        db.execute("UPDATE dwn_message SET data = NULL")
    with pytest.raises(MessageDamaged):
        await world.contents(phone.dwn)
    assert (await phone.sync.now()).ok
    assert await world.contents(phone.dwn) == {small["recordId"]: b"small"}
    assert phone.sync.unsettled() == []


@pytest.mark.parametrize("damage", [lose, cut, lengthen, lose_row_of_blob], ids=lambda damage: damage.__name__)
async def test_whoever_reads_it_here_has_it_fetched(world: World, damage: Damage) -> None:
    phone = await world.device()
    large = await phone.write(LARGE)
    await phone.sync.now()
    damage(phone, large)
    assert damaged(phone) == []
    with pytest.raises(MessageDamaged, match=cid_of(large)):
        await world.contents(phone.dwn)
    (told,) = damaged(phone)
    assert "no node" not in told.detail
    assert (await phone.sync.now()).ok
    assert await world.contents(phone.dwn) == {large["recordId"]: LARGE}
    assert damaged(phone) == []


async def test_an_unreadable_message_is_left_out_of_queries_and_fetched(world: World) -> None:
    phone = await world.device()
    bad, good = await phone.write(b"bad"), await phone.write(b"good")
    await phone.sync.now()
    spoil_message(phone, bad)
    assert await world.contents(phone.dwn) == {good["recordId"]: b"good"}
    assert [entry.message_cid for entry in damaged(phone)] == [cid_of(bad)]
    assert (await phone.sync.now()).ok
    assert await world.contents(phone.dwn) == {bad["recordId"]: b"bad", good["recordId"]: b"good"}


async def test_a_node_that_has_lost_the_data_too_is_no_help_and_another_is(world: World) -> None:
    phone = await world.device()
    large = await phone.write(LARGE)
    await phone.sync.now()
    node = world.remotes["/a"]
    with node.database.transaction() as db:
        db.execute("DELETE FROM dwn_blob")
        db.execute("UPDATE dwn_message SET latest = 0")  # as the reference, which gives the message without its data
    lose(phone, large)
    with pytest.raises(MessageDamaged):
        await world.contents(phone.dwn)
    world.network.faults["/b"] = unreachable
    await phone.sync.now()
    assert [entry.state for entry in phone.sync.unsettled() if entry.endpoint == A] == [State.REFUSED]
    assert damaged(phone)
    del world.network.faults["/b"]
    await phone.sync.now()
    assert phone.sync.unsettled() == []
    assert await world.contents(phone.dwn) == {large["recordId"]: LARGE}


async def test_where_nobody_has_it_a_node_that_gets_it_is_asked(world: World) -> None:
    phone, laptop = await world.device(), await world.device("laptop")
    world.set_endpoints("/a")
    large = await phone.write(LARGE)
    await phone.sync.now()
    await laptop.sync.now()
    await world.replace("/a")
    lose(phone, large)
    with pytest.raises(MessageDamaged):
        await world.contents(phone.dwn)
    await phone.sync.now()
    (told,) = damaged(phone)
    assert told.detail.endswith("no node that is known has it")
    await laptop.sync.now()
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []
    assert await world.contents(phone.dwn) == {large["recordId"]: LARGE}


async def test_what_was_replaced_or_deleted_is_not_damaged_any_more(world: World) -> None:
    phone = await world.device()
    first, second = await phone.write(LARGE), await phone.write(LARGE + b"y")
    lose(phone, first)
    await phone.sync.now()
    assert len(damaged(phone)) == 2
    await phone.write(b"new", existing=first)
    await phone.delete(second)
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_what_cannot_be_read_and_nobody_has_is_replaced_by_what_is_newer(world: World) -> None:
    phone, laptop = await world.device(), await world.device("laptop")
    note = await phone.write(b"first")
    await phone.sync.now()
    await laptop.sync.now()
    lost = await phone.write(b"lost", existing=note)
    spoil_message(phone, lost)
    await phone.sync.now()
    assert [entry.message_cid for entry in damaged(phone)] == [cid_of(lost)]
    await laptop.write(b"newer", existing=note)
    await laptop.sync.now()
    assert (await phone.sync.now()).ok
    assert await world.contents(phone.dwn) == {note["recordId"]: b"newer"}
    assert phone.sync.unsettled() == []


async def test_what_is_older_than_what_cannot_be_read_is_not_wanted(world: World) -> None:
    phone, laptop = await world.device(), await world.device("laptop")
    note = await phone.write(b"first")
    await phone.sync.now()
    await laptop.sync.now()
    await laptop.write(b"older", existing=note)
    lost = await phone.write(b"lost", existing=note)
    spoil_message(phone, lost)
    await laptop.sync.now()
    for _ in range(2):
        assert all(end.error is None for end in (await phone.sync.now()).endpoints)
    assert {entry.message_cid for entry in phone.sync.unsettled()} == {cid_of(lost)}


async def test_it_is_known_after_a_restart(world: World) -> None:
    phone = await world.device()
    large = await phone.write(LARGE)
    world.network.faults.update({"/a": unreachable, "/b": unreachable})
    lose(phone, large)
    with pytest.raises(MessageDamaged):
        await world.contents(phone.dwn)
    await phone.database.flush()
    await phone.database.close()
    again = await world.device()
    assert [entry.message_cid for entry in damaged(again)] == [cid_of(large)]


# -- what does not fit here


def full_for(device: Device, size: int) -> None:
    """Let data of so many bytes and more have no room on a device."""
    blobs = device.dwn._services.blobs
    real = blobs.put

    async def put(key: str, chunks: Any) -> int:
        stored = 0

        async def passed() -> AsyncIterator[bytes]:
            nonlocal stored
            async for chunk in chunks:
                stored += len(chunk)
                if stored >= size:
                    raise StorageFull("no room on this device")
                yield chunk

        return await real(key, passed())

    blobs.put = put  # type: ignore[method-assign]


async def test_what_has_no_room_here_holds_up_nothing_in_either_direction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull, "WIDTH", 1)
    laptop = await world.device("laptop")
    videos = [await laptop.write(bytes([number]) * 200_000) for number in range(8)]
    for number in range(5):
        await laptop.write(b"note %d" % number)
    fits = await laptop.write(b"z" * 50_000)
    await laptop.sync.now()
    world.set_endpoints("/a")
    phone = await world.device("phone")
    full_for(phone, 100_000)
    own = await phone.write(b"made on the phone")
    report = await phone.sync.now()
    assert report.endpoints[0].bytes_in < 2 * 200_000  # how much has no room is known after the first
    assert cid_of(own) in world.held(world.remotes["/a"])
    lacking = world.held(laptop.dwn) - world.held(phone.dwn)
    assert lacking == {cid_of(video) for video in videos} and cid_of(fits) in world.held(phone.dwn)
    unsettled = phone.sync.unsettled()
    assert {(entry.direction, entry.state, entry.code) for entry in unsettled} == {("pull", State.BLOCKED, 0)}
    assert all(entry.detail.startswith("StorageFull: ") and entry.next_try for entry in unsettled)


@pytest.mark.parametrize("error", [StorageFull("no room"), StorageError("disk I/O error"), KeyError("a bug")])
@pytest.mark.parametrize("number", [3, 20])  # one by one, and in pages
async def test_a_message_that_fails_here_holds_up_no_other(world: World, error: Exception, number: int) -> None:
    laptop = await world.device("laptop")
    messages = [await laptop.write(b"%d" % one) for one in range(number)]
    await laptop.sync.now()
    phone = await world.device("phone")
    own = await phone.write(b"made on the phone")
    poison = cid_of(messages[1])

    def fail(applied: Any) -> None:
        if applied.message_cid == poison:
            raise error

    phone.dwn.in_transaction.append(fail)
    await phone.sync.now()
    assert world.held(phone.dwn) == {cid_of(message) for message in messages} - {poison} | {cid_of(own)}
    assert all(cid_of(own) in world.held(node) for node in world.remotes.values())
    unsettled = phone.sync.unsettled()
    assert {entry.message_cid for entry in unsettled} == {poison}
    assert all(type(error).__name__ in entry.detail for entry in unsettled if entry.attempts)
    phone.dwn.in_transaction.remove(fail)
    assert (await phone.sync.retry()).ok
    assert world.held(phone.dwn) == world.held(world.remotes["/a"])


async def test_where_there_is_no_room_at_all_own_messages_go_out(world: World) -> None:
    laptop = await world.device("laptop")
    for number in range(40):
        await laptop.write(b"%d" % number)
    await laptop.sync.now()
    world.set_endpoints("/a")
    phone = await world.device("phone")
    own = await phone.write(b"made on the phone")
    tried: list[str] = []

    def full(applied: Any) -> None:
        tried.append(applied.message_cid)
        raise StorageFull("no room")

    phone.dwn.in_transaction.append(full)
    report = await phone.sync.now()
    assert cid_of(own) in world.held(world.remotes["/a"])
    assert report.endpoints[0].error == (0, "StorageFull: no room")
    assert len(tried) < 10


async def test_a_message_by_which_this_program_fails_is_sent_last(world: World) -> None:
    world.set_endpoints("/a")
    phone = await world.device()
    poison, good = await phone.write(b"poison"), await phone.write(b"good")

    def fault(kind: str, message: Message) -> Answer | None:
        if message.get("recordId") == poison["recordId"]:
            raise KeyError("a bug")
        return None

    world.network.faults["/a"] = fault
    for _ in range(2):
        with pytest.raises(KeyError):
            await phone.sync.now()
    assert world.held(world.remotes["/a"]) == {cid_of(good)}
    world.network.faults.clear()
    assert (await phone.sync.now()).ok


async def test_a_message_by_which_fetching_fails_holds_up_no_other(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    messages = [await laptop.write(b"%d" % number) for number in range(4)]
    await laptop.sync.now()
    world.set_endpoints("/a")
    own = await phone.write(b"own")
    poison = cid_of(messages[0])

    def fault(kind: str, message: Message) -> Answer | None:
        if message["descriptor"].get("messageCid") == poison:
            raise KeyError("a bug")
        return None

    world.network.faults["/a"] = fault
    with pytest.raises(ExceptionGroup):
        await phone.sync.now()
    assert world.held(phone.dwn) == {cid_of(message) for message in messages[1:]} | {cid_of(own)}
    assert cid_of(own) in world.held(world.remotes["/a"])


async def test_data_that_were_replaced_while_they_were_read_are_not_damaged(world: World) -> None:
    phone = await world.device()
    large = await phone.write(LARGE)
    stored = await phone.dwn.read_stored(world.alice.did, cid_of(large))
    assert stored is not None and stored.data is not None
    await phone.write(LARGE + b"new", existing=large)
    with pytest.raises(BlobMissing):
        await stored.data.read()
    assert damaged(phone) == []
