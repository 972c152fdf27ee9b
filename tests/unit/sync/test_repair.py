"""Endpoints that were wiped, scopes of protocols, checks, retries, and what comes first."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import HOST, Answer, Device, Identity, Message, World, cid_of, reply_of, unreachable
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import InvalidArgument
from web5.sync import State

A, B = f"{HOST}/a", f"{HOST}/b"
CHAT = "http://chat.example"
DIARY = "http://diary.example"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def install(device: Device, protocol: str) -> Message:
    """A protocol of notes with remarks below them."""
    alice, clock = device.world.alice, device.world.clock
    definition: dict[str, Any] = {
        "protocol": protocol,
        "published": True,
        "types": {"note": {}, "remark": {}},
        "structure": {"note": {"remark": {}}},
    }
    message = await compose.protocols_configure(alice.signer, clock, definition=definition)
    assert (await device.dwn.process_message(alice.did, message))["status"]["code"] == 202
    return message


# -- endpoints that were wiped


@pytest.mark.parametrize("count", [3, 50])
async def test_an_endpoint_that_was_wiped_is_noticed_and_filled_again(world: World, count: int) -> None:
    phone = await world.device()
    first = await phone.write(b"first")
    for number in range(count):
        await phone.write(b"%d" % number, existing=first) if number % 7 == 0 else await phone.write(b"%d" % number)
    assert (await phone.sync.now()).ok
    assert (await phone.sync.now()).ok
    seen: list[tuple[str, str, int]] = []
    phone.sync.listeners.append(lambda event: seen.append((event.kind, event.endpoint, event.total)))
    await world.replace("/a")
    held = world.held(phone.dwn)
    assert (await phone.sync.now()).ok
    assert world.held(world.remotes["/a"]) == world.held(world.remotes["/b"]) == held
    assert ("refilled", A, len(held)) in seen
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert world.network.counts == {("/a", "MessagesQuery"): 1, ("/b", "MessagesQuery"): 1}


async def test_an_endpoint_that_was_only_given_messages_is_noticed_to_have_lost_them(world: World) -> None:
    """Live, a device that is alone writes and is told nothing: it has never seen a message listed."""
    phone = await world.device("phone")
    await phone.sync.now()
    written = {cid_of(await phone.write(b"%d" % number)) for number in range(3)}
    assert (await phone.sync.now("push")).ok
    await world.replace("/a")
    assert (await phone.sync.now()).ok
    assert world.held(world.remotes["/a"]) == written
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert world.network.counts == {("/a", "MessagesQuery"): 1, ("/b", "MessagesQuery"): 1}


async def test_a_wiped_endpoint_is_noticed_by_a_first_sync_that_was_too_large_to_be_listed_again(world: World) -> None:
    """A new process asks once for the last message that was listed."""
    phone = await world.device("phone")
    for number in range(60):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    laptop = await world.device("laptop")
    await laptop.sync.now()
    await world.replace("/a")
    assert (await laptop.sync.now()).ok
    assert world.held(world.remotes["/a"]) == world.held(laptop.dwn)


async def wiped_where_the_last_message_is_replaced(world: World) -> Device:
    """A device of which an endpoint, wiped since, had listed last what is replaced here."""
    phone = await world.device("phone")
    await phone.write(b"kept")
    message = await phone.write(b"1")
    update = await phone.write(b"2", existing=message)
    for _ in range(2):
        await phone.sync.now()
    await phone.write(b"3", existing=update)
    await phone.sync.now("push")
    await world.replace("/a")
    return phone


async def test_a_wiped_endpoint_is_noticed_though_the_last_message_it_listed_is_replaced_here(world: World) -> None:
    """That one is gone from everywhere, which says nothing; so an older one is asked for."""
    phone = await wiped_where_the_last_message_is_replaced(world)
    assert (await phone.sync.now()).ok
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


@pytest.mark.parametrize("code", [500, 503])
async def test_an_endpoint_that_does_not_say_whether_it_was_wiped_is_asked_again(world: World, code: int) -> None:
    phone = await wiped_where_the_last_message_is_replaced(world)
    world.network.faults["/a"] = lambda kind, _: reply_of(code, "oops") if kind == "MessagesRead" else None
    await phone.sync.now()
    del world.network.faults["/a"]
    await phone.sync.now()
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


@pytest.mark.parametrize(("lists_before", "is_answered"), [(1, True), (0, True), (1, False)])
async def test_a_wiped_endpoint_is_noticed_though_another_device_filled_it_again_and_replaced_the_last_message(
    world: World, lists_before: int, is_answered: bool
) -> None:
    """What the other had not yet is lost there: so something that it did not just list is asked for."""
    world.set_endpoints("/a")
    phone, laptop = await world.device("phone"), await world.device("laptop")
    await phone.write(b"old")
    message = await phone.write(b"1")
    for device in (phone, laptop):
        await device.sync.now()
    lost = await phone.write(b"of the phone")
    await phone.write(b"2", existing=message)
    await phone.sync.now("push")
    for _ in range(lists_before):
        await phone.sync.now()
    await world.replace("/a")
    await laptop.write(b"3", existing=message)
    await laptop.sync.now()
    assert cid_of(lost) not in world.held(world.remotes["/a"])
    if not is_answered:
        held, did = phone.dwn.store, world.alice.did
        world.network.faults["/a"] = lambda kind, message: (
            reply_of(500, "oops")
            if kind == "MessagesRead" and held.has(did, message["descriptor"]["messageCid"])
            else None
        )
        await phone.sync.now()
        del world.network.faults["/a"]
    assert (await phone.sync.now()).ok
    assert cid_of(lost) in world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_a_wiped_endpoint_is_noticed_though_another_device_filled_it_again_with_the_last_message_first(
    world: World,
) -> None:
    """The log goes on as it did; only what it had listed long ago is listed anew."""
    world.set_endpoints("/a")
    phone, laptop = await world.device("phone"), await world.device("laptop")
    await phone.write(b"of both")
    for _ in range(2):
        await phone.sync.now()
    await laptop.write(b"the last")
    await laptop.sync.now("push")
    for device in (phone, laptop):
        await device.sync.now()
    lost = await phone.write(b"of the phone")
    await phone.sync.now("push")
    await world.replace("/a")
    await laptop.sync.now()
    assert cid_of(lost) not in world.held(world.remotes["/a"])
    assert (await phone.sync.now()).ok
    assert cid_of(lost) in world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_what_a_device_sent_is_listed_later_and_no_sign_of_a_loss(world: World) -> None:
    world.set_endpoints("/a")
    phone, laptop = await world.device("phone"), await world.device("laptop")
    await phone.sync.now()
    for device in (phone, laptop, phone, laptop):
        await device.write(b"news")
        await device.sync.now("push")
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert world.network.counts[("/a", "MessagesQuery")] == 1


async def test_a_wiped_endpoint_is_noticed_though_the_process_dies_just_after_it_has_seen_so(world: World) -> None:
    """The listing that shows it is the only one that ever does."""
    world.set_endpoints("/a")
    for dying in range(1, 7):  # listing, fetching, listing everything, sending
        phone, laptop = await world.device(f"phone{dying}"), await world.device(f"laptop{dying}")
        for number in range(3):
            await phone.write(b"%d" % number)
        for _ in range(2):
            await phone.sync.now()
        await world.replace("/a")
        await laptop.write(b"the first there now")
        await laptop.sync.now("push")
        assert not await world.crash(phone, dying)
        again = await world.device(f"phone{dying}")
        assert (await again.sync.now()).ok
        assert world.held(world.remotes["/a"]) == world.held(again.dwn)


async def test_a_dependency_that_an_endpoint_lost_is_sent_again(world: World) -> None:
    world.set_endpoints("/a")
    phone = await world.device()
    configure = await install(phone, CHAT)
    await phone.sync.now()
    node = world.remotes["/a"]
    with node.database.transaction() as db:
        db.execute("DELETE FROM dwn_message WHERE method = 'Configure'")
    note = await phone.write(b"note", protocol=CHAT, protocol_path="note")
    assert (await phone.sync.now("push")).ok
    assert {cid_of(configure), cid_of(note)} <= world.held(node)
    assert phone.sync.unsettled() == []


async def test_a_record_that_replaced_the_last_one_listed_is_no_loss(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    message = await phone.write(b"1")
    update = await phone.write(b"2", existing=message)
    for device in (phone, laptop, phone):
        await device.sync.now()
    await laptop.write(b"3", existing=update)
    await laptop.sync.now()
    world.network.reset()
    assert (await phone.sync.now()).pulled == 1
    assert world.network.counts["/a", "MessagesQuery"] == 1


async def test_everything_is_compared_once_a_day(world: World) -> None:
    phone = await world.device()
    lost, *_ = [await phone.write(b"%d" % number) for number in range(60)]
    for _ in range(2):
        await phone.sync.now()
    node = world.remotes["/a"]
    with node.database.transaction() as db:
        db.execute("DELETE FROM dwn_message WHERE cid = ?", (cid_of(lost),))
    await phone.sync.now()
    assert cid_of(lost) not in world.held(node)
    world.clock.ahead += 25 * 3600 * 1_000_000
    await phone.sync.now()
    assert cid_of(lost) in world.held(node)
    world.network.reset()
    await phone.sync.now()
    assert world.network.counts == {("/a", "MessagesQuery"): 1, ("/b", "MessagesQuery"): 1}


async def test_who_does_not_list_what_it_has_is_offered_it_less_and_less(world: World) -> None:
    """Ever another log, with few of the messages in it: what is missing is sent again, and is there."""
    world.set_endpoints("/a")
    phone = await world.device()
    for number in range(60):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    newest = [cid_of(await phone.write(b"new %d" % number)) for number in range(4)]
    for _ in range(2):
        await phone.sync.now()
    listings = 0

    def hide(kind: str, message: Message) -> Answer | None:
        nonlocal listings
        if kind != "MessagesQuery":
            return None
        listings += 1
        cursor = {"messageCid": newest[-1], "value": str(listings)}
        entries = {"status": {"code": 200, "detail": "OK"}, "entries": newest, "cursor": cursor}
        return Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": entries}}).encode())

    world.network.faults["/a"] = hide
    world.network.reset()
    for _ in range(6 * 30):  # of two minutes
        await phone.sync.now()
        world.clock.ahead += 120 * 1_000_000
    assert 60 < world.network.counts["/a", "RecordsWrite"] <= 60 * (3 + 6 * 2)
    assert phone.sync.unsettled() == []


# -- order


async def test_children_that_come_before_their_parents_are_held_and_not_fetched_twice(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    await install(phone, CHAT)
    notes = [await phone.write(b"note", protocol=CHAT, protocol_path="note") for _ in range(3)]
    for number in range(150):
        parent = notes[number % 3]["contextId"]
        await phone.write(b"%d" % number, protocol=CHAT, protocol_path="note/remark", parent_context_id=parent)
    assert (await phone.sync.now()).ok
    world.network.reset()
    report = await laptop.sync.now()
    assert report.ok and report.pulled == 154
    assert laptop.sync.unsettled() == []
    assert len(world.network.sent) <= 6


async def test_what_waits_at_one_endpoint_goes_on_when_another_brings_its_dependency(world: World) -> None:
    phone = await world.device("phone")
    world.set_endpoints("/a")
    configure = await install(phone, CHAT)
    note = await phone.write(b"note", protocol=CHAT, protocol_path="note")
    await phone.sync.now()
    laptop = await world.device("laptop")
    hidden = cid_of(configure)
    world.network.faults["/a"] = lambda kind, message: (
        reply_of(500, "oops") if message["descriptor"].get("messageCid") == hidden else None
    )
    await laptop.sync.now()
    rows = {row.message_cid: row for row in laptop.sync.unsettled()}
    assert rows[cid_of(note)].state is State.WAITING
    assert rows[cid_of(note)].waits_for == f"protocol:{CHAT}"
    assert (await laptop.dwn.process_message(world.alice.did, configure))["status"]["code"] == 202
    assert (await laptop.sync.now()).pulled == 1
    assert cid_of(note) in world.held(laptop.dwn)


async def test_what_somebody_looks_at_comes_first(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    world.set_endpoints("/a")
    wanted = [await phone.write(b"%d" % number, schema="http://looked.at") for number in range(5)]
    for number in range(150):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    laptop.sync.prioritize(world.alice.did, {"schema": "http://looked.at"})
    order: list[str] = []
    laptop.dwn.after_commit.append(lambda applied: order.append(applied.message_cid))
    assert (await laptop.sync.now()).pulled == 155
    assert set(order[:5]) == {cid_of(message) for message in wanted}


# -- scopes


async def test_a_scope_syncs_its_protocols_both_ways_and_nothing_else(world: World) -> None:
    phone = await world.device("phone")
    await phone.sync.register(world.alice.did, [CHAT])
    outside = await phone.write(b"outside")
    diary = [await install(phone, DIARY), await phone.write(b"x", protocol=DIARY, protocol_path="note")]
    chat = [await install(phone, CHAT), await phone.write(b"hello", protocol=CHAT, protocol_path="note")]
    assert [status.pending_out for status in phone.sync.status()] == [0]
    assert (await phone.sync.now()).ok
    inside = {cid_of(message) for message in chat}
    assert world.held(world.remotes["/a"]) == world.held(world.remotes["/b"]) == inside
    assert {status.pending_out for status in phone.sync.status()} == {0}

    laptop = await world.device("laptop")
    more = await laptop.write(b"more")
    await laptop.sync.now()
    answer = await laptop.write(b"answer", protocol=CHAT, protocol_path="note")
    await laptop.sync.now()
    await phone.sync.now()
    assert cid_of(answer) in world.held(phone.dwn) and cid_of(more) not in world.held(phone.dwn)
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert world.network.counts == {("/a", "MessagesQuery"): 1, ("/b", "MessagesQuery"): 1}

    await phone.sync.register(world.alice.did)
    assert (await phone.sync.now()).ok
    everything = {cid_of(message) for message in (outside, more, answer, *chat, *diary)}
    assert world.held(phone.dwn) == world.held(world.remotes["/a"]) == everything


async def test_a_first_sync_of_a_scope_comes_in_pages(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    await install(phone, CHAT)
    for number in range(120):
        await phone.write(b"%d" % number, protocol=CHAT, protocol_path="note")
        await phone.write(b"outside") if number % 10 == 0 else None
    await phone.sync.now()
    await laptop.sync.register(world.alice.did, [CHAT])
    world.network.reset()
    assert (await laptop.sync.now()).pulled == 121
    assert len(world.network.sent) <= 7


async def test_a_scope_of_nothing_is_refused(world: World) -> None:
    phone = await world.device()
    with pytest.raises(InvalidArgument):
        await phone.sync.register(world.alice.did, [])


async def test_a_delegate_syncs_what_its_grants_allow(world: World) -> None:
    phone = await world.device("phone")
    chat = [await install(phone, CHAT), await phone.write(b"hello", protocol=CHAT, protocol_path="note")]
    diary = [await install(phone, DIARY), await phone.write(b"dear", protocol=DIARY, protocol_path="note")]
    helper = await world.identity()
    grants = [await grant(phone, helper, method, CHAT) for method in ("Query", "Read")]
    assert (await phone.sync.now()).ok

    laptop = await world.device("laptop", helper)
    await laptop.sync.register(world.alice.did, [CHAT], delegate=helper.did)
    world.allowed = {helper.did}
    report = await laptop.sync.now(tenant=world.alice.did)
    assert "has no grant" in report.did_errors[world.alice.did]
    for record in grants:
        await give(laptop, helper, record)
    assert (await laptop.sync.now(tenant=world.alice.did)).ok
    held = world.held(laptop.dwn)
    assert {cid_of(message) for message in chat} <= held
    assert not held & {cid_of(message) for message in diary}
    world.clock.ahead += 400 * 86_400 * 1_000_000
    report = await laptop.sync.now(tenant=world.alice.did)
    assert "that holds now" in report.did_errors[world.alice.did]


async def test_a_grant_that_nodes_do_not_know_is_no_hindrance_where_there_is_another(world: World) -> None:
    phone, lost = await world.device("phone"), await world.device("lost")
    await install(phone, CHAT)
    await install(lost, CHAT)
    helper = await world.identity()
    grants = [await grant(phone, helper, method, CHAT) for method in ("Query", "Read")]
    grants += [await grant(lost, helper, method, CHAT) for method in ("Query", "Read")]  # they last longer
    note = await phone.write(b"hello", protocol=CHAT, protocol_path="note")
    await phone.sync.now()
    laptop = await world.device("laptop", helper)
    await laptop.sync.register(world.alice.did, [CHAT], delegate=helper.did)
    world.allowed = {helper.did}
    for record in grants:
        await give(laptop, helper, record)
    for _ in ("Query", "Read"):
        await laptop.sync.now(tenant=world.alice.did)
        world.clock.ahead += 3600 * 1_000_000
    assert (await laptop.sync.now(tenant=world.alice.did)).ok
    assert cid_of(note) in world.held(laptop.dwn)


async def test_grants_that_come_to_nodes_later_than_to_a_delegate_are_found_among_others_that_never_do(
    world: World,
) -> None:
    """None is known at first; each is invoked again in its turn."""
    phone, lost = await world.device("phone"), await world.device("lost")
    await install(phone, CHAT)
    await install(lost, CHAT)
    helper = await world.identity()
    grants = [await grant(phone, helper, method, CHAT) for method in ("Query", "Read")]
    grants += [await grant(lost, helper, method, CHAT) for method in ("Query", "Read")]
    note = await phone.write(b"hello", protocol=CHAT, protocol_path="note")
    laptop = await world.device("laptop", helper)
    await laptop.sync.register(world.alice.did, [CHAT], delegate=helper.did)
    for record in grants:
        await give(laptop, helper, record)
    for round in range(8):
        if round == 4:
            await phone.sync.now()
        await laptop.sync.now(tenant=world.alice.did)
        world.clock.ahead += 3600 * 1_000_000
    assert cid_of(note) in world.held(laptop.dwn)


async def test_what_a_delegate_wrote_goes_out_though_it_may_sync_no_more(world: World) -> None:
    _, laptop, note = await _barred_delegate(world)
    world.network.reset()
    report = await laptop.sync.now(tenant=world.alice.did)
    assert "that holds now" in report.did_errors[world.alice.did]
    assert {kind for _, kind, _ in world.network.sent} == {"RecordsWrite"}
    assert all(cid_of(note) in world.held(node) for node in world.remotes.values())
    world.network.reset()
    assert "that holds now" in (await laptop.sync.now(tenant=world.alice.did)).did_errors[world.alice.did]
    assert world.network.sent == []
    assert laptop.sync.unsettled(world.alice.did) == []


async def test_wiped_endpoints_get_again_what_a_delegate_wrote_that_may_not_ask_them(world: World) -> None:
    phone, laptop, note = await _barred_delegate(world)
    await laptop.sync.now(tenant=world.alice.did)
    for node in world.remotes:
        await world.replace(node)
    world.allowed = None
    await phone.sync.now()
    assert not any(cid_of(note) in world.held(node) for node in world.remotes.values())
    for _ in range(2):
        world.network.reset()
        world.clock.ahead += 25 * 3600 * 1_000_000
        await laptop.sync.now(tenant=world.alice.did)
        assert all(cid_of(note) in world.held(node) for node in world.remotes.values())
        assert laptop.sync.unsettled(world.alice.did) == []
    assert [kind for _, kind, _ in world.network.sent] == ["RecordsWrite", "RecordsWrite"]  # a question to each


async def _barred_delegate(world: World) -> tuple[Device, Device, Message]:
    """Alice's phone, the device of a delegate whose grants to sync have ended, and a note that it wrote before."""
    phone = await world.device("phone")
    await install(phone, CHAT)
    helper = await world.identity()
    to_sync = [await grant(phone, helper, method, CHAT) for method in ("Query", "Read")]
    to_write = await grant(phone, helper, "Write", CHAT, "Records")
    await phone.sync.now()
    laptop = await world.device("laptop", helper)
    await laptop.sync.register(world.alice.did, [CHAT], delegate=helper.did)
    world.allowed = {helper.did}
    for record in to_sync:
        await give(laptop, helper, record)
    await laptop.sync.now(tenant=world.alice.did)

    place = {"protocol": CHAT, "protocol_path": "note", "data_format": "text/plain"}
    note = await compose.records_write(helper.signer, world.clock, data=b"note", delegated_grant=to_write, **place)
    assert (await laptop.dwn.process_message(world.alice.did, note, b"note"))["status"]["code"] == 202
    for record in to_sync:
        revocation = await permission_revocation(world.alice.signer, world.clock, grant=record)
        await give(laptop, helper, revocation)
    return phone, laptop, note


async def grant(device: Device, to: Identity, method: str, protocol: str, interface: str = "Messages") -> Message:
    """A grant of Alice's, stored in her DWN here."""
    alice, clock = device.world.alice, device.world.clock
    made = await permission_grant(
        alice.signer,
        clock,
        granted_to=to.did,
        date_expires=format_timestamp(clock.now() + 365 * 86_400 * 1_000_000),
        scope={"interface": interface, "method": method, "protocol": protocol},
        delegated=interface == "Records",
    )
    assert (await device.dwn.process_message(alice.did, *split_encoded_data(made)))["status"]["code"] == 202
    return made


async def give(device: Device, to: Identity, record: Message) -> None:
    """Keep a grant in the grantee's DWN, as its owner."""
    message, data = split_encoded_data(record)
    message = await sign_as_owner(message, to.signer)
    assert (await device.dwn.process_message(to.did, message, data))["status"]["code"] == 202


# -- checks and retries


async def test_a_check_says_what_is_where_and_has_the_difference_mended(world: World) -> None:
    phone = await world.device()
    both = await phone.write(b"both")
    await phone.sync.now()
    assert all(found.same and found.both == 1 for found in await phone.sync.check())
    mine = await phone.write(b"mine")
    known = {found.endpoint: found for found in await phone.sync.check()}
    assert known[A].only_here == (cid_of(mine),) and known[A].unexplained == ()
    await phone.sync.now()
    node = world.remotes["/a"]
    with node.database.transaction() as db:
        db.execute("DELETE FROM dwn_message WHERE cid = ?", (cid_of(both),))
    found = {one.endpoint: one for one in await phone.sync.check()}
    assert found[B].same
    assert found[A].only_here == found[A].unexplained == (cid_of(both),)
    assert (await phone.sync.now("push")).ok
    assert all(found.same for found in await phone.sync.check())


async def test_what_an_endpoint_holds_but_does_not_list_is_told_apart(world: World) -> None:
    """A dwn-server that was killed between storing a message and its event."""
    world.set_endpoints("/a")
    phone = await world.device()
    message = await phone.write()
    await phone.sync.now()
    nothing = {
        "jsonrpc": "2.0",
        "id": "1",
        "result": {"reply": {"status": {"code": 200, "detail": "OK"}, "entries": []}},
    }
    world.network.faults["/a"] = lambda kind, _: (
        Answer(200, json.dumps(nothing).encode()) if kind == "MessagesQuery" else None
    )
    (found,) = await phone.sync.check()
    assert found.same and found.unlisted == (cid_of(message),) and found.both == 1
    assert phone.sync.unsettled() == []


async def test_a_check_of_an_endpoint_that_is_down_says_so(world: World) -> None:
    phone = await world.device()
    await phone.write()
    await phone.sync.now()
    world.network.faults["/a"] = unreachable
    found = {one.endpoint: one for one in await phone.sync.check()}
    assert found[A].error == (0, "Unreachable: connection refused") and not found[A].same
    assert found[B].same


async def test_a_check_for_which_nothing_can_be_signed_says_so(world: World) -> None:
    phone = await world.device()
    await phone.sync.now()
    world.allowed = set()
    found = await phone.sync.check()
    assert [one.error for one in found] == [(0, f"IdentityError: {world.alice.did} is not here")] * 2
    assert not any(one.same for one in found)


async def test_retry_tries_at_once_what_was_put_off(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    world.network.faults["/a"] = lambda kind, _: reply_of(400, "no") if kind == "RecordsWrite" else None
    await phone.sync.now()
    (row,) = phone.sync.unsettled()
    assert row.next_try and row.since
    del world.network.faults["/a"]
    assert (await phone.sync.now()).pushed == 0
    assert (await phone.sync.retry(endpoint=B)).pushed == 0
    assert (await phone.sync.retry(message_cid=cid_of(message))).pushed == 1
    assert phone.sync.unsettled() == []


async def test_what_is_under_way_is_in_flight(world: World) -> None:
    phone = await world.device()
    await phone.write()
    seen: list[set[str]] = []

    async def look(node: str, kind: str) -> None:
        if kind == "RecordsWrite":
            seen.append({row.state for row in phone.sync.unsettled() if row.endpoint == f"{HOST}{node}"})

    world.network.on_request = look
    await phone.sync.now()
    assert seen == [{State.IN_FLIGHT}] * 2
