"""Live sync. The numbers are the invariants of `web5.sync.schedule.live`."""

from pathlib import Path

import pytest

from tests.unit.sync.test_repair import CHAT, DIARY, give, grant, install
from tests.unit.sync.world import HOST, Device, World, cid_of, reply_of, unreachable
from tests.watch import Watch
from web5.sync import Activity, EndpointStatus, SyncEvent


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


def live(device: Device) -> bool:
    return all(status.activity is Activity.LIVE for status in device.sync.status())


async def test_a_write_is_at_every_node_and_every_device_at_once(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    watch = Watch(phone, laptop)
    for device in (phone, laptop):
        await device.sync.start("live")
    assert phone.sync.interval == "live"
    await watch.until(lambda: live(phone) and live(laptop))
    message = await phone.write(b"at once")
    await watch.until(lambda: cid_of(message) in world.held(laptop.dwn))
    assert await world.contents(laptop.dwn) == {message["recordId"]: b"at once"}
    await watch.until(lambda: not phone.sync.unsettled() and not laptop.sync.unsettled())
    assert world.held(world.remotes["/a"]) == world.held(world.remotes["/b"]) == {cid_of(message)}
    gone = await laptop.delete(message)
    await watch.until(lambda: cid_of(gone) in world.held(phone.dwn))
    for device in (phone, laptop):
        await device.sync.stop()


async def test_a_delegate_hears_at_once_of_what_it_was_granted(world: World) -> None:
    phone = await world.device("phone")
    for protocol in (CHAT, DIARY):
        await install(phone, protocol)
    helper = await world.identity()
    laptop = await world.device("laptop", helper)
    for method in ("Query", "Read", "Subscribe"):
        await give(laptop, helper, await grant(phone, helper, method, CHAT))
    await laptop.sync.register(world.alice.did, [CHAT], delegate=helper.did)
    await laptop.sync.unregister(helper.did)
    assert (await phone.sync.now()).ok
    watch = Watch(phone, laptop)
    for device in (phone, laptop):
        await device.sync.start("live")
    await watch.until(lambda: live(phone) and live(laptop))
    dear = await phone.write(b"dear", protocol=DIARY, protocol_path="note")
    hello = await phone.write(b"hello", protocol=CHAT, protocol_path="note")
    await watch.until(lambda: cid_of(hello) in world.held(laptop.dwn))
    assert cid_of(dear) not in world.held(laptop.dwn)
    for device in (phone, laptop):
        await device.sync.stop()


async def test_1_what_happened_in_a_gap_is_caught_up_when_the_connection_is_back(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: live(phone))
    for node in ("/a", "/b"):
        world.network.faults[node] = unreachable
        phone.remote.without.discard(node)
    await phone.remote.break_off("/a")
    await phone.remote.break_off("/b")
    await watch.until(lambda: not any(status.activity is Activity.LIVE for status in phone.sync.status()))
    world.network.faults.clear()
    message = await laptop.write(b"meanwhile")
    await laptop.sync.now()
    assert cid_of(message) not in world.held(phone.dwn)
    world.clock.wake()
    await watch.until(lambda: live(phone) and cid_of(message) in world.held(phone.dwn))
    await phone.sync.stop()


async def test_2_a_node_without_websocket_is_polled(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    phone.remote.without = {"/a", "/b"}
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: all(status.activity is Activity.IDLE for status in phone.sync.status()))
    message = await laptop.write()
    await laptop.sync.now()
    world.clock.wake()
    await watch.until(lambda: cid_of(message) in world.held(phone.dwn))
    assert 5 < max(world.clock.sleeping) <= 30
    assert phone.remote.asked == {"/a": 1, "/b": 1}
    mine = await phone.write()
    await watch.until(lambda: not phone.sync.unsettled())
    assert cid_of(mine) in world.held(world.remotes["/a"])
    await phone.sync.stop()


async def test_3_what_was_sent_from_here_is_not_asked_for_when_it_is_told_back(world: World) -> None:
    phone = await world.device()
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: live(phone))
    world.network.reset()
    await phone.write()
    await watch.until(lambda: not phone.sync.unsettled() and live(phone))
    assert world.network.counts == {("/a", "RecordsWrite"): 1, ("/b", "RecordsWrite"): 1}
    await phone.sync.stop()


async def test_a_burst_costs_far_fewer_requests_than_messages(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    watch = Watch(phone, laptop)
    for device in (phone, laptop):
        await device.sync.start("live")
    await watch.until(lambda: live(phone) and live(laptop))
    await laptop.sync.stop()
    for number in range(60):
        await phone.write(b"%d" % number)
    await watch.until(lambda: not phone.sync.unsettled())
    world.network.reset()
    await laptop.sync.start("live")
    await watch.until(lambda: live(laptop) and world.held(laptop.dwn) == world.held(phone.dwn))
    assert len(world.network.sent) < 15
    for device in (phone, laptop):
        await device.sync.stop()


async def test_a_node_that_is_down_is_asked_ever_more_rarely_and_then_filled(world: World) -> None:
    phone = await world.device()
    watch = Watch(phone)
    world.network.faults["/a"] = unreachable
    await phone.sync.start("live")
    await watch.until(lambda: by_url(phone, "/a").activity is Activity.FAILING)
    for _ in range(20):
        await phone.write()
    await watch.until(lambda: by_url(phone, "/b").pending_out == 0)
    assert world.network.total("/a") <= 3
    status = by_url(phone, "/a")
    assert status.next_try
    world.network.faults.clear()
    world.clock.wake()
    await watch.until(lambda: not phone.sync.unsettled())
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)
    await phone.sync.stop()


async def test_a_node_that_refuses_the_subscription_is_polled(world: World) -> None:
    phone = await world.device()
    watch = Watch(phone)
    world.network.faults["/a"] = lambda kind, _: reply_of(401, "no") if kind == "MessagesSubscribe" else None
    await phone.sync.start("live")
    await watch.until(lambda: by_url(phone, "/b").activity is Activity.LIVE and by_url(phone, "/a").last_success)
    assert by_url(phone, "/a").activity is Activity.IDLE
    await phone.sync.stop()


async def test_a_node_that_is_added_becomes_live_and_one_that_goes_is_let_go(world: World) -> None:
    phone = await world.device()
    world.set_endpoints("/a")
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: live(phone))
    message = await phone.write()
    world.set_endpoints("/b")
    phone.sync.wake()
    await watch.until(lambda: [status.endpoint for status in phone.sync.status()] == [f"{HOST}/b"] and live(phone))
    await watch.until(lambda: cid_of(message) in world.held(world.remotes["/b"]))
    await phone.sync.stop()


async def test_stop_unsubscribes_and_nothing_happens_by_itself_any_more(world: World) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: live(phone))
    await phone.sync.stop()
    assert world.clock.sleepers == 0
    world.network.reset()
    await phone.write()
    assert {status.activity for status in phone.sync.status()} == {Activity.OFF}  # a visit would begin with the write
    await laptop.write()
    await laptop.sync.now()
    assert {status.activity for status in phone.sync.status()} == {Activity.OFF}
    assert {node for node, kind, _ in world.network.sent if kind == "RecordsWrite"} == {"/a", "/b"}
    assert len(world.network.sent) == 4
    assert len(world.held(phone.dwn)) == 1


async def test_after_a_sleep_of_the_device_everything_is_connected_anew(world: World) -> None:
    phone = await world.device()
    watch = Watch(phone)
    await phone.sync.start("live")
    await watch.until(lambda: live(phone))
    finished: list[SyncEvent] = []
    phone.sync.listeners.append(lambda event: finished.append(event) if event.kind == "finished" else None)
    world.clock.ahead += 3600 * 1_000_000
    world.clock.wake()
    await watch.until(lambda: finished and live(phone) and phone.remote.asked == {"/a": 2, "/b": 2})
    await phone.sync.stop()


def by_url(device: Device, node: str) -> EndpointStatus:
    nothing = EndpointStatus("", "", None, False, None, None, 0, 0, 0)
    return next((status for status in device.sync.status() if status.endpoint == f"{HOST}{node}"), nothing)


async def test_a_subscription_that_a_node_ends_again_and_again_is_asked_for_ever_more_rarely(world: World) -> None:
    phone = await world.device()
    watch = Watch(phone)
    await phone.sync.start("live")
    waits: list[float] = []
    for turn in range(1, 6):
        await watch.until(lambda: live(phone))
        assert phone.remote.asked["/a"] == turn
        world.clock.sleeping.clear()
        await phone.remote.break_off("/a")
        await watch.until(lambda: world.clock.sleeping)
        assert phone.remote.asked["/a"] == turn
        waits.append(world.clock.sleeping[0])
        world.clock.wake()
    assert waits[-1] >= 5 * waits[0] > 0
    await phone.sync.stop()
