"""How subscriptions of RemoteDwn share sockets, with the other ends in the test's hands."""

import asyncio
import json

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.sync.wires import OK, SECONDS, Wires
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dwn.wire.rpc import encode_reply
from web5.errors import Unreachable
from web5.remote.dwn import RemoteDwn

ENDPOINT, URL = "http://dwn.example", "ws://dwn.example"
MESSAGE = {"descriptor": {"interface": "Messages", "method": "Subscribe"}}


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def remote(wires):
    return RemoteDwn(HttpxHttp(httpx.ASGITransport(Starlette())), wires, SECONDS)


def signed_by(did):
    protected = b64url_encode(json.dumps({"alg": "EdDSA", "kid": f"{did}#0"}).encode())
    return {**MESSAGE, "authorization": {"signature": {"payload": "", "signatures": [{"protected": protected}]}}}


def subscribe(remote, endpoint=ENDPOINT, message=MESSAGE):
    return asyncio.ensure_future(remote.subscribe(endpoint, "did:x:y", message, lambda event: None))


async def subscribed(remote, wires):
    subscribing = subscribe(remote)
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    return await subscribing, wire


async def test_those_who_subscribe_at_the_same_time_share_one_connect(remote, wires):
    wires.free.clear()
    subscribing = [subscribe(remote) for _ in range(3)]
    await wires.begun()
    wires.free.set()
    wire = await wires.wire()
    for _ in subscribing:
        wire.reply(await wire.heard(), OK)
    for subscription in await asyncio.gather(*subscribing):
        assert subscription.reply == OK
    assert wires.urls == [URL]


async def test_whoever_comes_later_uses_the_open_socket(remote, wires):
    _, wire = await subscribed(remote, wires)
    second = subscribe(remote)
    wire.reply(await wire.heard(), OK)
    await second
    assert wires.urls == [URL]


async def test_endpoints_have_sockets_of_their_own(remote, wires):
    for endpoint in (ENDPOINT, f"{ENDPOINT}/other"):
        subscribing = subscribe(remote, endpoint)
        wire = await wires.wire()
        wire.reply(await wire.heard(), OK)
        await subscribing
    assert wires.urls == [URL, f"{URL}/other"]


@pytest.mark.parametrize("shared", [False, True])
async def test_identities_have_sockets_of_their_own_unless_they_share_them(wires, shared):
    remote = RemoteDwn(HttpxHttp(httpx.ASGITransport(Starlette())), wires, SECONDS, share_sockets=shared)
    wire = None
    for did in ("did:x:one", "did:x:two", "did:x:one"):
        subscribing = subscribe(remote, message=signed_by(did))
        if did == "did:x:two" and not shared:
            first, wire = wire, await wires.wire()
        elif wire is None:
            wire = await wires.wire()
        elif not shared:
            wire = first
        wire.reply(await wire.heard(), OK)
        await subscribing
    assert wires.urls == ([URL] if shared else [URL, URL])


async def test_a_question_goes_over_the_socket_of_who_signed_it_only(wires):
    asked = []

    async def answer(request):
        asked.append(json.loads(request.headers["dwn-request"])["params"]["message"])
        return Response(encode_reply("1", OK))

    app = Starlette(routes=[Route("/", answer, methods=["POST"])])
    remote = RemoteDwn(HttpxHttp(httpx.ASGITransport(app)), wires, SECONDS)
    subscribing = subscribe(remote, message=signed_by("did:x:one"))
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    await subscribing
    query = {"descriptor": {"interface": "Records", "method": "Query"}}
    by = {did: signed_by(did) | query for did in ("did:x:one", "did:x:two")}
    assert await remote.process_message(ENDPOINT, "did:x:y", by["did:x:two"]) == OK
    assert await remote.process_message(ENDPOINT, "did:x:y", query) == OK
    assert asked == [by["did:x:two"], query]
    asking = asyncio.ensure_future(remote.process_message(ENDPOINT, "did:x:y", by["did:x:one"]))
    wire.reply(await wire.heard(), OK)
    assert await asking == OK


async def test_a_connect_that_fails_fails_for_all_and_is_tried_anew_by_the_next(remote, wires):
    wires.failure = Unreachable("nobody is there")
    results = await asyncio.gather(subscribe(remote), subscribe(remote), return_exceptions=True)
    assert [type(result) for result in results] == [Unreachable, Unreachable]
    wires.failure = None
    await subscribed(remote, wires)
    assert len(wires.urls) == 2


async def test_one_who_gives_up_does_not_stop_the_others(remote, wires):
    wires.free.clear()
    first, second = subscribe(remote), subscribe(remote)
    await wires.begun()
    first.cancel()
    wires.free.set()
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    assert (await second).reply == OK
    assert first.cancelled()


async def test_when_all_give_up_connecting_stops_and_the_next_connects_anew(remote, wires):
    wires.free.clear()
    first, second = subscribe(remote), subscribe(remote)
    await wires.begun()
    for one in (first, second):
        one.cancel()
    await asyncio.wait([first, second])
    third = subscribe(remote)
    await wires.begun()
    wires.free.set()
    wire = await wires.wire()
    wire.reply(await wire.heard(), OK)
    assert (await third).reply == OK
    assert wires.given_up == 1


async def test_a_socket_is_open_from_its_first_subscription_to_its_last(remote, wires):
    assert wires.urls == []
    first, wire = await subscribed(remote, wires)
    subscribing = subscribe(remote)
    wire.reply(await wire.heard(), OK)
    second = await subscribing
    await first.close()
    await wire.heard()
    assert not wire.closed.is_set()
    await second.close()
    async with asyncio.timeout(SECONDS):
        await wire.closed.wait()
    await subscribed(remote, wires)
    assert wires.urls == [URL, URL]


async def test_after_a_break_the_next_connects_anew(remote, wires):
    subscription, wire = await subscribed(remote, wires)
    wire.break_off()
    async with asyncio.timeout(SECONDS):
        await subscription.ended()
    await subscribed(remote, wires)
    assert len(wires.urls) == 2
