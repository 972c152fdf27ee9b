"""Devices and remote nodes, all real, joined through ASGI."""

from collections import Counter
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, World, cid_of, reply_of
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def test_a_note_written_on_one_device_appears_on_another(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    message = await phone.write(b"hello")
    report = await phone.sync.now()
    assert report.ok and report.pushed == 2
    assert world.held(world.remotes["/a"]) == world.held(world.remotes["/b"]) == {cid_of(message)}
    report = await laptop.sync.now()
    assert report.ok and report.pulled == 1
    assert await world.contents(laptop.dwn) == {message["recordId"]: b"hello"}


async def test_an_idle_round_costs_one_request_an_endpoint(world: World) -> None:
    phone = await world.device()
    await phone.write()
    await phone.sync.now()
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert world.network.counts == {("/a", "MessagesQuery"): 1, ("/b", "MessagesQuery"): 1}


async def test_no_echo_in_either_direction(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    for number in range(5):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    world.network.reset()
    assert (await laptop.sync.now()).pulled == 5
    assert not [kind for _, kind, _ in world.network.sent if kind == "RecordsWrite"]
    world.network.reset()
    await phone.sync.now()
    await laptop.sync.now()
    assert {kind for _, kind, _ in world.network.sent} == {"MessagesQuery"}


async def test_what_one_endpoint_has_is_given_to_the_other_only(world: World) -> None:
    phone = await world.device("phone")
    world.set_endpoints("/a")
    message = await phone.write()
    await phone.sync.now()
    world.set_endpoints("/a", "/b")
    laptop = await world.device("laptop")
    world.network.reset()
    assert (await laptop.sync.now()).ok
    writes = [(node, cid_of(sent)) for node, kind, sent in world.network.sent if kind == "RecordsWrite"]
    assert writes == [("/b", cid_of(message))]


async def test_an_edit_and_a_delete_travel_back(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    edited, deleted = await phone.write(b"one"), await phone.write(b"two")
    await phone.sync.now()
    await laptop.sync.now()
    update = await laptop.write(b"ONE", existing=edited)
    await laptop.delete(deleted)
    assert (await laptop.sync.now()).ok
    assert (await phone.sync.now()).ok
    expected = {edited["recordId"]: b"ONE"}
    for dwn in (phone.dwn, laptop.dwn, *world.remotes.values()):
        assert await world.contents(dwn) == expected
        assert world.held(dwn) == world.held(phone.dwn)
        assert cid_of(update) in world.held(dwn)
    assert phone.sync.unsettled() == laptop.sync.unsettled() == []


async def test_a_record_edited_and_deleted_before_the_first_sync_arrives_in_order(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    first = await phone.write(b"1")
    second = await phone.write(b"2", existing=first)
    await phone.write(b"3", existing=second)
    gone = await phone.write(b"x")
    await phone.delete(gone)
    assert (await phone.sync.now()).ok
    sent = [kind for node, kind, _ in world.network.sent if node == "/a" and kind != "MessagesQuery"]
    assert sorted(sent) == ["RecordsDelete", "RecordsWrite", "RecordsWrite", "RecordsWrite"]
    assert (await laptop.sync.now()).ok
    assert await world.contents(laptop.dwn) == {first["recordId"]: b"3"}
    assert world.held(laptop.dwn) == world.held(phone.dwn)


@pytest.mark.parametrize("size", [0, 1, 30_000, 30_001, 1_000_000])
async def test_data_of_every_size_goes_both_ways(world: World, size: int) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    data = bytes(i * 7 & 255 for i in range(size))
    message = await phone.write(data)
    assert (await phone.sync.now()).ok
    assert (await laptop.sync.now()).ok
    assert await world.contents(laptop.dwn) == {message["recordId"]: data}
    await laptop.write(data + b"!", existing=message)
    assert (await laptop.sync.now()).ok
    assert (await phone.sync.now()).ok
    assert await world.contents(phone.dwn) == {message["recordId"]: data + b"!"}


async def test_a_node_that_gives_no_long_pages_is_asked_for_short_ones(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    for number in range(230):
        await phone.write(b"note %d" % number)
    assert (await phone.sync.now()).ok
    asked: list[int] = []

    def refuse_long(method: str, message: Message) -> Answer | None:
        asked.extend([message["descriptor"]["pagination"]["limit"]] if method == "RecordsQuery" else [])
        return reply_of(500) if method == "RecordsQuery" and asked[-1] > 100 else None

    world.network.faults["/a"] = refuse_long
    report = await laptop.sync.now()
    assert report.ok and report.pulled == 230
    assert asked == [100, 130, 100, 100]


async def test_a_first_sync_reads_pages_and_not_messages(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    written = [await phone.write(b"note %d" % number) for number in range(230)]
    update = await phone.write(b"edited", existing=written[3])
    large = await phone.write(bytes(40_000))
    assert (await phone.sync.now()).ok
    world.network.reset()
    report = await laptop.sync.now()
    assert report.ok and report.pulled == 232
    reads = Counter(kind for _, kind, _ in world.network.sent)
    assert reads == {"MessagesQuery": 2, "ProtocolsQuery": 1, "RecordsQuery": 2, "MessagesRead": 1}
    assert world.held(laptop.dwn) == world.held(phone.dwn)
    contents = await world.contents(laptop.dwn)
    assert contents[written[3]["recordId"]] == b"edited"
    assert contents[large["recordId"]] == bytes(40_000)
    assert cid_of(update) in world.held(laptop.dwn)


async def test_a_burst_of_edits_of_old_records_comes_in_pages_too(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    written = [await phone.write(b"note %d" % number) for number in range(120)]
    await phone.sync.now()
    await laptop.sync.now()
    world.clock.ahead += 3600 * 1_000_000
    await laptop.sync.now()
    world.clock.ahead += 3600 * 1_000_000
    for message in written[:40]:
        await phone.write(b"edited", existing=message)
    await phone.sync.now()
    world.network.reset()
    assert (await laptop.sync.now()).pulled == 40
    assert {kind for _, kind in world.network.counts} == {"MessagesQuery", "RecordsQuery"}
    assert world.network.total("/a") + world.network.total("/b") <= 4


async def test_records_are_sent_six_at_a_time(world: World) -> None:
    phone = await world.device()
    for _ in range(40):
        await phone.write()
    assert (await phone.sync.now()).ok
    assert world.network.most_in_flight["/a"] == 6
    assert world.network.counts["/a", "RecordsWrite"] == 40


async def test_a_node_that_is_added_is_filled_and_one_that_is_removed_is_dropped(world: World) -> None:
    phone = await world.device()
    world.set_endpoints("/a")
    for number in range(5):
        await phone.write(b"%d" % number)
    await phone.sync.now()
    assert [status.endpoint for status in phone.sync.status()] == [f"{HOST}/a"]
    seen = []
    phone.sync.listeners.append(seen.append)
    world.set_endpoints("/b")
    assert (await phone.sync.now()).pushed == 5
    assert world.held(world.remotes["/b"]) == world.held(phone.dwn)
    assert [status.endpoint for status in phone.sync.status()] == [f"{HOST}/b"]
    assert [(event.endpoint) for event in seen if event.kind == "removed"] == [f"{HOST}/a"]


async def test_endpoints_are_normalised_and_taken_from_text_or_list(world: World) -> None:
    phone = await world.device()
    world.set_endpoints("/a/", "/a", "/b")
    await phone.sync.now()
    assert [status.endpoint for status in phone.sync.status()] == [f"{HOST}/a", f"{HOST}/b"]
    world.set_endpoints("/a")
    document = world.directory.documents[world.alice.did]
    assert document.service
    document.service[0].service_endpoint = f"{HOST}/b/"
    await phone.sync.now()
    assert [status.endpoint for status in phone.sync.status()] == [f"{HOST}/b"]


async def test_several_identities_keep_to_their_own_nodes(world: World) -> None:
    bob = await world.identity("/b")
    phone = await world.device("phone", world.alice, bob)
    hers, his = await phone.write(b"hers"), await phone.write(b"his", bob)
    assert (await phone.sync.now()).ok
    assert world.held(world.remotes["/a"]) == {cid_of(hers)}
    assert world.held(world.remotes["/a"], bob) == set()
    assert world.held(world.remotes["/b"], bob) == {cid_of(his)}
    assert {status.tenant for status in phone.sync.status()} == {world.alice.did, bob.did}
    assert {status.tenant for status in phone.sync.status(bob.did)} == {bob.did}


async def test_direction_and_tenant_limit_a_round(world: World) -> None:
    phone = await world.device()
    await phone.write()
    assert (await phone.sync.now("pull")).pushed == 0
    assert {kind for _, kind in world.network.counts} == {"MessagesQuery"}
    world.network.reset()
    assert (await phone.sync.now("push", world.alice.did)).pushed == 2
    assert {kind for _, kind in world.network.counts} == {"RecordsWrite"}
    with pytest.raises(InvalidArgument):
        await phone.sync.now("sideways")
    with pytest.raises(InvalidArgument):
        await phone.sync.now(tenant="did:dht:nobody")


async def test_an_unregistered_tenant_is_left_alone_and_can_come_back(world: World) -> None:
    phone = await world.device()
    await phone.write()
    await phone.sync.unregister(world.alice.did)
    assert (await phone.sync.now()).endpoints == []
    assert phone.sync.status() == []
    await phone.sync.register(world.alice.did)
    assert (await phone.sync.now()).pushed == 2


async def test_pending_is_counted_from_the_commit_on_and_survives_a_restart(world: World) -> None:
    phone = await world.device()
    await phone.sync.now()
    await phone.write()
    assert [status.pending_out for status in phone.sync.status()] == [1, 1]
    phone.database.connection.close()
    again = await world.device()
    assert [status.pending_out for status in again.sync.status()] == [1, 1]
    assert len(again.sync.unsettled()) == 2
    assert (await again.sync.now()).pushed == 2
    assert again.sync.unsettled() == []


async def test_events_tell_of_progress_and_of_the_end(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    for _ in range(30):
        await phone.write()
    await phone.sync.now()
    seen = []
    laptop.sync.listeners.append(seen.append)
    report = await laptop.sync.now()
    assert (seen[0].kind, seen[-1].kind, seen[-1].report) == ("started", "finished", report)
    progress = [event for event in seen if event.kind == "progress" and event.direction == "pull"]
    assert (progress[-1].done, progress[-1].total) == (30, 30)
    assert {event.endpoint for event in seen if event.kind == "endpoint"} == {f"{HOST}/a", f"{HOST}/b"}


async def test_progress_stays_true_where_two_nodes_hold_different_parts(world: World) -> None:
    """A message that one brings leaves the other's list too, and must not count there beyond what that one fetches."""
    world.set_endpoints("/b")
    phone, laptop = await world.device("phone"), await world.device("laptop")
    messages = [await phone.write() for _ in range(60)]
    await phone.sync.now()
    for message in messages[:40]:
        write = (message, b"text")
        assert (await world.remotes["/a"].process_message(world.alice.did, *write))["status"]["code"] == 202
    world.set_endpoints("/a", "/b")
    seen = []
    laptop.sync.listeners.append(seen.append)
    assert (await laptop.sync.now()).pulled == 60
    progress = [event for event in seen if event.kind == "progress" and event.direction == "pull"]
    assert [event for event in progress if not 0 <= event.done <= event.total] == []
    ends = {event.endpoint: event for event in progress}
    assert [event.done for event in ends.values()] == [event.total for event in ends.values()]
    assert sum(event.total for event in ends.values()) == 60


async def test_an_endpoint_is_own_if_a_tenant_here_has_chosen_it_and_not_one_for_whom_a_delegate_is_here(
    world: World,
) -> None:
    phone, bob = await world.device(), await world.identity("/c")
    await phone.sync.register(bob.did, delegate="did:example:delegate")
    await phone.sync.now(tenant=world.alice.did)
    assert phone.sync.is_own(world.alice.did, "http://anywhere")
    assert phone.sync.is_own("did:example:somebody", f"{HOST}/a"), "alice keeps records there"
    assert not phone.sync.is_own("did:example:somebody", f"{HOST}/c")
    assert not phone.sync.is_own(bob.did, f"{HOST}/c")
    assert phone.sync.is_own(bob.did, f"{HOST}/a")
