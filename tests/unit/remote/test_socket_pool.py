"""The sockets to all endpoints, with the other ends in the test's hands."""

import asyncio

import pytest

from tests.unit.sync.wires import OK, SECONDS, Wires
from web5.errors import Unreachable
from web5.remote.socket import SocketPool

ENDPOINT = "http://dwn.example"
MESSAGE = {"descriptor": {"interface": "Messages", "method": "Subscribe"}}


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def sockets(wires):
    return SocketPool(wires.connect, SECONDS)


def subscribe(sockets, endpoint=ENDPOINT):
    return asyncio.ensure_future(sockets.subscribe(endpoint, "did:x:y", MESSAGE, lambda event: None))


async def subscribed(sockets, wires):
    subscribing = subscribe(sockets)
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    return await subscribing, wire


async def test_those_who_subscribe_at_the_same_time_share_one_connect(sockets, wires):
    wires.free.clear()
    subscribing = [subscribe(sockets) for _ in range(3)]
    await wires.begun()
    wires.free.set()
    wire = await wires.wire()
    for _ in subscribing:
        wire.reply(await wire.heard(), OK)
    for subscription in await asyncio.gather(*subscribing):
        assert subscription.reply == OK
    assert wires.urls == [ENDPOINT]


async def test_whoever_comes_later_uses_the_open_socket(sockets, wires):
    _, wire = await subscribed(sockets, wires)
    second = subscribe(sockets)
    wire.reply(await wire.heard(), OK)
    await second
    assert wires.urls == [ENDPOINT]


async def test_endpoints_have_sockets_of_their_own(sockets, wires):
    for endpoint in (ENDPOINT, f"{ENDPOINT}/other"):
        subscribing = subscribe(sockets, endpoint)
        wire = await wires.wire()
        wire.reply(await wire.heard(), OK)
        await subscribing
    assert wires.urls == [ENDPOINT, f"{ENDPOINT}/other"]


async def test_a_connect_that_fails_fails_for_all_and_is_tried_anew_by_the_next(sockets, wires):
    wires.failure = Unreachable("nobody is there")
    results = await asyncio.gather(subscribe(sockets), subscribe(sockets), return_exceptions=True)
    assert [type(result) for result in results] == [Unreachable, Unreachable]
    wires.failure = None
    await subscribed(sockets, wires)
    assert len(wires.urls) == 2


async def test_one_who_gives_up_does_not_stop_the_others(sockets, wires):
    wires.free.clear()
    first, second = subscribe(sockets), subscribe(sockets)
    await wires.begun()
    first.cancel()
    wires.free.set()
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    assert (await second).reply == OK
    assert first.cancelled()


async def test_when_all_give_up_connecting_stops_and_the_next_connects_anew(sockets, wires):
    wires.free.clear()
    first, second = subscribe(sockets), subscribe(sockets)
    await wires.begun()
    for one in (first, second):
        one.cancel()
    await asyncio.wait([first, second])
    third = subscribe(sockets)
    await wires.begun()
    wires.free.set()
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    assert (await third).reply == OK
    assert wires.given_up == 1


async def test_a_socket_is_open_from_its_first_subscription_to_its_last(sockets, wires):
    assert sockets.open_to(ENDPOINT) is None
    subscription, wire = await subscribed(sockets, wires)
    assert sockets.open_to(ENDPOINT) is not None
    assert sockets.open_to(f"{ENDPOINT}/other") is None
    await subscription.close()
    assert sockets.open_to(ENDPOINT) is None
    async with asyncio.timeout(SECONDS):
        await wire.closed.wait()


async def test_after_a_break_the_next_connects_anew(sockets, wires):
    subscription, wire = await subscribed(sockets, wires)
    wire.break_off()
    async with asyncio.timeout(SECONDS):
        await subscription.ended()
    assert sockets.open_to(ENDPOINT) is None
    await subscribed(sockets, wires)
    assert len(wires.urls) == 2
