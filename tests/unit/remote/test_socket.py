"""DwnSocket, with the other end in the test's hands. Numbers are those of the module's invariants."""

import asyncio

import pytest

from tests.unit.sync.wires import OK, SECONDS, Wire
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.errors import BadReply, TimedOut, Unreachable
from web5.remote.socket import DwnSocket

MESSAGE = {"descriptor": {"interface": "Messages", "method": "Subscribe"}}


async def opened(wire: Wire) -> Wire:
    return wire


class Setting:
    """A socket that is kept open by a subscription, whose events are in `events`."""

    @classmethod
    async def make(cls, timeout=SECONDS):
        self = cls()
        self.wire = Wire("ws://dwn.example")
        self.socket = DwnSocket("http://dwn.example", opened(self.wire), timeout)
        self.events = []
        self.subscription, self.request = await self.subscribe(self.events.append)
        return self

    async def subscribe(self, on_event, reply=OK):
        """A subscription, and the request that made it."""
        subscribing = asyncio.ensure_future(self.socket.subscribe("did:x:y", MESSAGE, on_event))
        request = await self.wire.heard()
        self.wire.reply(request, reply)
        return await subscribing, request

    def ask(self, id="1"):
        return asyncio.ensure_future(self.socket.request(id, rpc.encode_request("did:x:y", {}, id)))

    async def everything_is_read(self) -> None:
        """Return once what the wire has said so far was taken."""
        asking = self.ask("the last")
        while (request := await self.wire.heard())["id"] != "the last":
            pass
        self.wire.reply(request)
        await asking


@pytest.fixture
async def setting():
    return await Setting.make()


async def soon(awaitable):
    async with asyncio.timeout(SECONDS):
        return await awaitable


async def test_1_replies_reach_their_requests_in_any_order(setting):
    asked = {id: setting.ask(id) for id in "abc"}
    requests = {(request := await setting.wire.heard())["id"]: request for _ in asked}
    for id in "cab":
        setting.wire.reply(requests[id], {**OK, "entries": [id]})
    for id, asking in asked.items():
        assert await soon(asking) == {**OK, "entries": [id]}


async def test_1_a_fault_is_a_reply_with_its_status(setting):
    asking = setting.ask("1")
    setting.wire.say(rpc.encode_fault(RpcFault(ErrorCode.INVALID_PARAMS, "why", "1")))
    assert await soon(asking) == {"status": {"code": 400, "detail": "why"}}


async def test_1_a_reply_that_is_none_fails_its_own_request_only(setting):
    first, second = setting.ask("1"), setting.ask("2")
    setting.wire.say('{"jsonrpc":"2.0","id":"1","result":{"reply":"what"}}')
    with pytest.raises(BadReply, match="what"):
        await soon(first)
    setting.wire.reply({"id": "2"})
    assert await soon(second) == OK


async def test_1_a_late_reply_is_passed_over():
    setting = await Setting.make(timeout=0.2)
    asking = setting.ask("1")
    await setting.wire.heard()
    setting.wire.tell(setting.request, some="sign of life")
    with pytest.raises(TimedOut, match=r"dwn\.example"):
        await soon(asking)
    setting.wire.reply({"id": "1"})
    again = setting.ask("2")
    await setting.wire.heard()
    setting.wire.reply({"id": "2"})
    assert await soon(again) == OK
    assert setting.socket.is_open


async def test_2_a_socket_on_which_nothing_comes_in_time_is_dead():
    setting = await Setting.make(timeout=0.2)
    with pytest.raises(TimedOut):
        await soon(setting.ask("1"))
    await soon(setting.subscription.ended())
    await soon(setting.wire.closed.wait())
    with pytest.raises(Unreachable):
        await setting.ask("2")


async def test_2_a_connection_that_breaks_ends_everything(setting):
    asked = [setting.ask(id) for id in "abc"]
    for _ in asked:
        await setting.wire.heard()
    setting.wire.break_off()
    for asking in asked:
        with pytest.raises(Unreachable, match=r"dwn\.example.*the wire broke"):
            await soon(asking)
    await soon(setting.subscription.ended())
    assert not setting.socket.is_open
    await setting.subscription.close()


async def test_2_what_is_no_dwn_is_a_bad_reply_and_left(setting):
    asking = setting.ask()
    setting.wire.say("welcome to the chat")
    with pytest.raises(BadReply, match="welcome to the chat"):
        await soon(asking)
    await soon(setting.subscription.ended())
    await soon(setting.wire.closed.wait())


async def test_2_an_event_that_is_none_ends_the_socket(setting):
    setting.wire.say(rpc.encode(setting.request["subscription"]["id"], result={"event": 1}))
    await soon(setting.subscription.ended())
    await soon(setting.wire.closed.wait())


async def test_3_events_come_in_order_even_before_the_reply(setting):
    told = []
    subscribing = asyncio.ensure_future(setting.socket.subscribe("did:x:y", MESSAGE, told.append))
    request = await setting.wire.heard()
    for number in range(5):
        setting.wire.tell(request, number=number)
    setting.wire.reply(request)
    await soon(subscribing)
    setting.wire.tell(request, number=5)
    await setting.everything_is_read()
    assert told == [{"message": {"number": number}} for number in range(6)]
    assert setting.events == []


async def test_3_nothing_is_told_after_a_close(setting):
    other, request = await setting.subscribe(lambda event: None)
    await other.close()
    await other.close()
    await soon(other.ended())
    goodbye = await setting.wire.heard()
    assert (goodbye["method"], goodbye["subscription"]) == ("rpc.subscribe.close", request["subscription"])
    assert setting.wire.heard_nothing_more()
    await setting.subscription.close()
    setting.wire.tell(setting.request, too="late")
    await soon(setting.wire.closed.wait())
    assert setting.events == []


async def test_3_an_error_ends_its_own_subscription_only(setting):
    events = []
    other, request = await setting.subscribe(events.append)
    setting.wire.say(rpc.encode_fault(RpcFault(ErrorCode.UNAUTHORIZED, "revoked", request["subscription"]["id"])))
    await soon(other.ended())
    setting.wire.tell(request, number=1)
    setting.wire.tell(setting.request, number=2)
    await setting.everything_is_read()
    assert events == []
    assert [event["message"]["number"] for event in setting.events] == [2]
    assert setting.socket.is_open


async def test_4_it_closes_when_the_dwn_has_ended_its_last_subscription(setting):
    setting.wire.say(rpc.encode_fault(RpcFault(ErrorCode.UNAUTHORIZED, "x", setting.request["subscription"]["id"])))
    await soon(setting.subscription.ended())
    assert setting.socket.has_ended


async def test_3_a_handler_may_close_its_own_subscription(setting):
    told = []

    def once(event):
        told.append(event)
        closing.append(asyncio.ensure_future(subscription.close()))

    closing = []
    subscription, request = await setting.subscribe(once)
    setting.wire.tell(request, number=1)
    await soon(subscription.ended())
    setting.wire.tell(request, number=2)
    await setting.everything_is_read()
    assert len(told) == 1


async def test_3_a_handler_that_raises_is_told_the_next_event_all_the_same(setting):
    reports, told = [], []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context["exception"]))

    def failing(event):
        told.append(event)
        raise ValueError("mine")

    _, request = await setting.subscribe(failing)
    setting.wire.tell(request, number=1)
    setting.wire.tell(request, number=2)
    await setting.everything_is_read()
    assert len(told) == 2
    assert [str(error) for error in reports] == ["mine", "mine"]


async def test_4_it_closes_with_its_last_subscription(setting):
    other, _ = await setting.subscribe(lambda event: None)
    await setting.subscription.close()
    assert setting.socket.is_open
    await other.close()
    assert not setting.socket.is_open
    await soon(setting.wire.closed.wait())


async def test_4_it_closes_if_its_only_subscription_is_refused():
    wire = Wire("ws://dwn.example")
    socket = DwnSocket("http://dwn.example", opened(wire), SECONDS)
    subscribing = asyncio.ensure_future(socket.subscribe("did:x:y", MESSAGE, lambda event: None))
    refusal = {"status": {"code": 401, "detail": "no"}}
    wire.reply(await wire.heard(), refusal)
    subscription = await soon(subscribing)
    assert subscription.reply == refusal
    await soon(subscription.ended())
    await soon(wire.closed.wait())


async def test_4_a_request_under_way_keeps_it_open(setting):
    asking = setting.ask()
    request = await setting.wire.heard()
    await setting.subscription.close()
    setting.wire.reply(request)
    assert await soon(asking) == OK
    await soon(setting.wire.closed.wait())


async def test_a_subscribe_that_is_given_up_is_undone(setting):
    subscribing = asyncio.ensure_future(setting.socket.subscribe("did:x:y", MESSAGE, lambda event: None))
    request = await setting.wire.heard()
    subscribing.cancel()
    goodbye = await setting.wire.heard()
    assert goodbye["subscription"] == request["subscription"]
    assert goodbye["method"] == "rpc.subscribe.close"
