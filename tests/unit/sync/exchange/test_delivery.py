"""Deliveries to somebody else's nodes: kept, retried, moved, replaced, withdrawn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.sync.world import HOST, Answer, Device, Identity, World, cid_of, reply_of, unreachable
from tests.watch import until
from web5.dids.models import DidResolutionResult
from web5.dwn import compose
from web5.dwn.values.types import Message
from web5.errors import DidError, InvalidArgument, TooManyUndelivered, Unreachable
from web5.sync import SendResult, State, SyncEvent, Unsettled
from web5.sync.exchange.delivery import deliveries
from web5.sync.states import Wanted

A, B, C = f"{HOST}/a", f"{HOST}/b", f"{HOST}/c"
URI = "https://talk.example"
TALK = {
    "protocol": URI,
    "published": True,
    "types": {"line": {}, "answer": {}},
    "structure": {
        "line": {
            "$actions": [{"who": "anyone", "can": ["create", "update", "delete"]}],
            "answer": {"$actions": [{"who": "anyone", "can": ["create", "update", "delete"]}]},
        }
    },
}


class Two:
    """Alice, whose node is /a, and Bob, whose nodes are /b and /c; both have the protocol, Bob only at his nodes."""

    def __init__(self, world: World, bob: Identity, phone: Device) -> None:
        self.world, self.bob, self.phone = world, bob, phone

    @property
    def alice(self) -> Identity:
        return self.world.alice

    async def teach(self, node: str, who: Identity | None = None, definition: Any = TALK) -> None:
        who = who or self.bob
        message = await compose.protocols_configure(who.signer, self.world.clock, definition=definition)
        dwn = self.phone.dwn if node == "phone" else self.world.remotes[node]
        assert (await dwn.process_message(who.did, message))["status"]["code"] == 202

    async def line(self, text: bytes = b"text", path: str = "line", **more: Any) -> Message:
        if "existing" not in more:
            more |= {"protocol": URI, "protocol_path": path, "data_format": "text/plain"}
        return await self.phone.write(text, **more)

    async def made(self, data: bytes, **more: Any) -> Message:
        """Make a message that is not stored here."""
        more = more or {"protocol": URI, "protocol_path": "line", "data_format": "text/plain"}
        return await compose.records_write(self.alice.signer, self.world.clock, data=data, **more)

    async def send(self, message: Message) -> list[SendResult]:
        return await self.phone.sync.send(self.alice.did, cid_of(message), self.bob.did)

    def down(self, *nodes: str) -> None:
        self.world.network.faults.update(dict.fromkeys(nodes, unreachable))

    def up(self) -> None:
        self.world.network.faults.clear()

    def left(self, phone: Device | None = None) -> list[Unsettled]:
        return (phone or self.phone).sync.unsettled(wanted=Wanted(target=self.bob.did))

    def has(self, node: str, message: Message) -> bool:
        return cid_of(message) in self.world.held(self.world.remotes[node], self.bob)

    async def text(self, node: str, message: Message) -> bytes:
        stored = await self.world.remotes[node].read_stored(self.bob.did, cid_of(message))
        assert stored is not None and stored.data is not None
        return await stored.data.read()

    async def restart(self) -> None:
        await self.phone.sync.close()
        await self.phone.dwn.database.close()
        self.phone = await Device(self.world, self.phone.folder).open(self.alice)

    def set_nodes(self, *nodes: str) -> None:
        document = self.bob.portable.document.model_copy(deep=True)
        assert document.service
        document.service[0].service_endpoint = [f"{HOST}{node}" for node in nodes]
        self.world.directory.documents[self.bob.did] = document


@pytest.fixture
async def two(tmp_path: Path) -> Two:
    world = await World.make(tmp_path, ("/a", "/b", "/c"))
    world.set_endpoints("/a")
    bob = await world.identity("/b", "/c")
    found = Two(world, bob, await world.device())
    for node in ("/b", "/c"):
        await found.teach(node)
    await found.teach("phone", world.alice)
    await found.phone.sync.now()
    return found


async def test_what_did_not_get_through_is_kept_and_arrives_at_a_later_visit(two: Two) -> None:
    message = await two.line()
    two.down("/b", "/c")
    sent = await two.send(message)
    assert [(one.endpoint, one.accepted, one.pending) for one in sent] == [(B, False, True), (C, False, True)]
    for row, url in zip(two.left(), (B, C), strict=True):
        assert (row.target, row.tenant, row.endpoint) == (two.bob.did, two.alice.did, url)
        assert row.message_cid == cid_of(message)
        assert (row.state, row.direction) == (State.PENDING, "push") and "connection refused" in row.detail
    assert [one.undelivered for one in two.phone.sync.status().deliveries] == [1, 1]
    report = await two.phone.sync.now()
    assert (report.ok, report.delivered, report.undelivered) == (True, 0, 2)
    two.up()
    report = await two.phone.sync.now()
    assert (report.delivered, report.undelivered) == (2, 0)
    assert two.left() == [] and two.has("/b", message) and two.has("/c", message)
    assert two.phone.sync.status().deliveries == []


async def test_it_outlives_the_process(two: Two) -> None:
    message = await two.line()
    two.down("/b", "/c")
    await two.send(message)
    await two.restart()
    assert [row.message_cid for row in two.left()] == [cid_of(message)] * 2
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", message)


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_message_that_is_not_held_here_is_kept_with_its_data(two: Two, size: int) -> None:
    data = b"x" * size
    message = await two.made(data)
    two.down("/b", "/c")
    sent = await two.phone.sync.send_messages(two.alice.did, two.bob.did, [(message, data)])
    assert all(one.pending for one in sent)
    await two.restart()
    assert len(two.left()) == 2
    two.up()
    two.down("/c")
    await two.phone.sync.now()
    assert await two.text("/b", message) == data and len(two.left()) == 1
    two.up()
    await two.phone.sync.now()
    assert await two.text("/c", message) == data and two.left() == []
    assert not await two.phone.dwn.blobs.keys()
    assert two.phone.dwn.database.connection.execute("SELECT count(*) FROM sync_carried").get == 0


async def test_withdrawn_data_and_those_of_a_crash_are_erased(two: Two) -> None:
    data = b"x" * 100_000
    two.down("/b", "/c")
    await two.phone.sync.send_messages(two.alice.did, two.bob.did, [(await two.made(data), data)])
    blobs = two.phone.dwn.blobs
    [kept] = await blobs.keys()

    async def chunks() -> Any:
        yield data

    await blobs.put("delivery-left", chunks())
    await two.restart()
    assert await two.phone.dwn.blobs.keys() == {kept}
    assert await two.phone.sync.withdraw(two.alice.did, two.bob.did) == 1
    assert two.left() == [] and not await two.phone.dwn.blobs.keys()


async def test_data_that_are_not_the_message_s_are_refused_and_leave_nothing(two: Two) -> None:
    message, other = await two.made(b"x" * 100_000), await two.made(b"x" * 50_000)
    with pytest.raises(InvalidArgument, match="are not the 100000 bytes"):
        await two.phone.sync.send_messages(
            two.alice.did, two.bob.did, [(other, b"x" * 50_000), (message, b"y" * 100_000)]
        )
    assert two.left() == [] and not await two.phone.dwn.blobs.keys()


async def test_one_endpoint_that_has_it_does_not_get_it_again(two: Two) -> None:
    message = await two.line()
    two.down("/c")
    sent = await two.send(message)
    assert [(one.accepted, one.pending) for one in sent] == [(True, False), (False, True)]
    assert [row.endpoint for row in two.left()] == [C]
    two.world.network.reset()
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/c", message)
    assert two.world.network.counts["/b", "RecordsWrite"] == 0


async def test_a_newer_state_takes_the_place_of_an_older_one(two: Two) -> None:
    first = await two.line(b"first")
    two.down("/b", "/c")
    await two.send(first)
    second = await two.line(b"second", existing=first)
    await two.send(second)
    assert {row.message_cid for row in two.left()} == {cid_of(second)}
    two.up()
    await two.phone.sync.now()
    assert await two.text("/b", second) == b"second" and two.left() == []


async def test_an_initial_write_that_is_not_held_here_goes_before_its_update(two: Two) -> None:
    first = await two.made(b"first")
    second = await two.made(b"second", existing=first)
    third = await two.made(b"third", existing=first)
    two.down("/b", "/c")
    for message, data in ((first, b"first"), (second, b"second"), (third, b"third")):
        await two.phone.sync.send_messages(two.alice.did, two.bob.did, [(message, data)])
    assert {row.message_cid for row in two.left()} == {cid_of(first), cid_of(third)}
    two.up()
    await two.phone.sync.now()
    assert await two.text("/b", third) == b"third" and two.left() == []


async def test_what_was_sent_arrives_though_it_was_replaced_here(two: Two) -> None:
    first = await two.line(b"first")
    two.down("/b", "/c")
    await two.send(first)
    second = await two.line(b"second", existing=first)
    await two.send(second)
    await two.line(b"third", existing=second)
    two.up()
    await two.phone.sync.now()
    assert await two.text("/b", second) == b"second" and two.left() == []


async def test_large_data_that_were_replaced_here_are_gone_and_that_is_said(two: Two) -> None:
    first = await two.line(b"x" * 100_000)
    two.down("/b", "/c")
    await two.send(first)
    second = await two.line(b"second", existing=first)
    two.up()
    await two.phone.sync.now()
    assert {(row.state, row.message_cid) for row in two.left()} == {(State.REFUSED, cid_of(first))}
    assert "replaced here by a newer state" in two.left()[0].detail and not two.has("/b", first)
    await two.send(second)
    assert two.left() == [] and two.has("/b", second)


async def test_a_record_that_is_deleted_here_is_not_delivered_any_more(two: Two) -> None:
    first = await two.line(b"first")
    two.down("/b", "/c")
    await two.send(first)
    await two.phone.delete(first)
    events: list[SyncEvent] = []
    two.phone.sync.listeners.append(events.append)
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and not two.has("/b", first)
    assert [(one.kind, one.message_cid) for one in events if one.target] == [("withdrawn", cid_of(first))] * 2


async def test_a_delete_that_is_sent_replaces_the_write(two: Two) -> None:
    first = await two.line(b"first")
    await two.send(first)
    second = await two.line(b"second", existing=first)
    two.down("/b", "/c")
    await two.send(second)
    gone = await two.phone.delete(first)
    await two.send(gone)
    assert {row.message_cid for row in two.left()} == {cid_of(gone)}
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", gone)


async def test_children_follow_their_parents(two: Two) -> None:
    parent = await two.line(b"parent")
    child = await two.line(b"child", "line/answer", parent_context_id=parent["contextId"])
    two.down("/b", "/c")
    await two.send(parent)
    await two.send(child)
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", child)


async def test_a_child_that_was_sent_first_arrives_once_its_parent_is_there(two: Two) -> None:
    parent = await two.line(b"parent")
    child = await two.line(b"child", "line/answer", parent_context_id=parent["contextId"])
    await two.send(child)
    row = two.left()[0]
    assert (row.state, row.waits_for) == (State.WAITING, f"record:{parent['recordId']}")
    assert row.detail.startswith(f"the node of {two.bob.did} lacks record {parent['recordId']}: ")
    await two.send(parent)
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", child) and two.has("/c", child)


async def test_what_their_node_lacks_is_said_as_theirs_and_waited_for(two: Two) -> None:
    definition = {**TALK, "protocol": "https://new.example"}
    await two.teach("phone", two.alice, definition)
    message = await two.phone.write(protocol="https://new.example", protocol_path="line", data_format="text/plain")
    sent = await two.send(message)
    words = f"the node of {two.bob.did} lacks protocol https://new.example: ProtocolAuthorizationProtocolNotFound"
    assert all(one.pending and one.detail.startswith(words) for one in sent)
    assert all(row.state is State.WAITING and row.detail.startswith(words) for row in two.left())
    for node in ("/b", "/c"):
        await two.teach(node, definition=definition)
    two.world.clock.ahead += 31_000_000
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", message)


async def test_what_is_refused_for_good_is_kept_until_it_is_withdrawn(two: Two) -> None:
    message = await two.line()
    two.world.network.faults = dict.fromkeys(("/b", "/c"), lambda kind, sent: reply_of(400, "BadThing: no"))
    sent = await two.send(message)
    assert [(one.code, one.pending, one.detail) for one in sent] == [(400, False, "BadThing: no")] * 2
    assert [(row.state, row.code) for row in two.left()] == [(State.REFUSED, 400)] * 2
    assert [one.refused for one in two.phone.sync.status().deliveries] == [1, 1]
    await two.restart()
    assert len(two.left()) == 2
    assert await two.phone.sync.withdraw(two.alice.did, two.bob.did, message_cid=cid_of(message)) == 1
    assert two.left() == []


async def test_an_endpoint_that_asks_for_a_pause_gets_it_across_restarts(two: Two) -> None:
    message = await two.line()
    two.world.network.faults["/b"] = lambda kind, sent: Answer(429, b"slow down", {"retry-after": "3600"})
    assert [one.pending for one in await two.send(message)] == [True, False]
    two.world.network.reset()
    for _ in range(3):
        await two.phone.sync.now()
        await two.phone.sync.retry()
        await two.send(await two.line(b"other"))
        await two.restart()
    assert two.world.network.total("/b") == 0
    assert {(row.endpoint, row.state, row.code) for row in two.left()} == {(B, State.BLOCKED, 429)}
    two.up()
    two.world.clock.ahead += 3_601_000_000
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", message)


async def test_a_document_that_changed_moves_it(two: Two) -> None:
    message = await two.line()
    two.down("/b", "/c")
    await two.send(message)
    two.set_nodes("/a")
    await two.teach("/a")
    two.down("/b", "/c")
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/a", message)


async def test_an_endpoint_that_left_is_waited_for_no_more(two: Two) -> None:
    message = await two.line()
    two.down("/c")
    await two.send(message)
    two.set_nodes("/b")
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", message)


async def test_a_target_that_cannot_be_resolved_now_waits_with_that_reason(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await two.line()
    resolve = two.world.directory.resolve

    async def broken(did: str) -> DidResolutionResult:
        return DidResolutionResult.failed("internalError", "no gateway") if did == two.bob.did else await resolve(did)

    monkeypatch.setattr(two.world.directory, "resolve", broken)
    [sent] = await two.send(message)
    assert sent.pending and (sent.endpoint, sent.accepted) == ("", False) and "no gateway" in sent.detail
    assert [(row.endpoint, row.state, "no gateway" in row.detail) for row in two.left()] == [("", State.PENDING, True)]
    await two.phone.sync.now()
    assert len(two.left()) == 1
    monkeypatch.undo()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/b", message) and two.has("/c", message)


async def test_nothing_is_kept_for_nobody(two: Two) -> None:
    message = await two.line()
    with pytest.raises(DidError, match="notFound"):
        await two.phone.sync.send(two.alice.did, cid_of(message), "did:dht:nobody")
    two.set_nodes()
    assert await two.send(message) == []
    assert [row for row in two.phone.sync.unsettled() if row.target] == []


async def test_what_waits_already_goes_on_waiting_when_the_target_is_not_found(two: Two) -> None:
    first, other = await two.line(b"first"), await two.line(b"other")
    two.down("/b", "/c")
    await two.send(first)
    two.world.directory.broken.add(two.bob.did)
    [sent] = await two.send(other)
    assert sent.pending
    assert {row.message_cid for row in two.left()} == {cid_of(first), cid_of(other)}
    two.world.directory.broken.clear()
    two.up()
    await two.phone.sync.now()
    assert two.left() == [] and two.has("/c", other)


async def test_a_target_that_hangs_holds_up_nobody(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    carol = await two.world.identity("/c")
    await two.teach("/c", carol)
    two.set_nodes("/b")
    message = await two.line()
    two.down("/b", "/c")
    await two.send(message)
    await two.phone.sync.send(two.alice.did, cid_of(message), carol.did)
    two.up()
    hang = asyncio.Event()

    async def on_request(node: str, kind: str) -> None:
        if node == "/b":
            await hang.wait()

    two.world.network.on_request = on_request
    await two.phone.write()
    report = await asyncio.wait_for(two.phone.sync.now(), 30)
    assert report.ok and cid_of(message) in two.world.held(two.world.remotes["/c"], carol)
    [row] = two.left()
    assert row.state is State.IN_FLIGHT
    hang.set()
    await until(lambda: not two.left())


async def test_the_keys_of_the_author_are_waited_for(two: Two) -> None:
    message = await two.line()
    two.world.allowed = set()
    assert all(one.pending for one in await two.send(message))
    assert all("is not here" in row.detail for row in two.left()) and len(two.left()) == 2
    two.world.allowed = None
    await two.phone.sync.now()
    assert two.left() == []


async def test_no_more_than_so_many_are_kept(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_DELIVERIES", 2)
    two.down("/b", "/c")
    lines = [await two.line(b"%d" % number) for number in range(3)]
    for line in lines[:2]:
        await two.send(line)
    with pytest.raises(TooManyUndelivered, match="withdraw"):
        await two.send(lines[2])
    data = b"x" * 50_000
    with pytest.raises(TooManyUndelivered):
        await two.phone.sync.send_messages(two.alice.did, two.bob.did, [(await two.made(data), data)])
    assert len(two.left()) == 4 and not await two.phone.dwn.blobs.keys()
    await two.send(await two.line(b"newer", existing=lines[0]))  # in the place of another
    assert len(two.left()) == 4
    lines[0] = lines[1]
    two.up()
    await two.phone.sync.now()
    await two.send(lines[2])
    assert two.left() == [] and all(two.has("/b", line) for line in lines)


async def test_live_sync_tries_again_by_itself(two: Two) -> None:
    message = await two.line()
    two.down("/b", "/c")
    await two.phone.sync.start("live")
    await two.send(message)
    two.up()
    for _ in range(20):
        two.world.clock.wake()
        await until(lambda: two.world.clock.sleepers > 0)
        if not two.left():
            break
    await until(lambda: not two.left())
    await two.phone.sync.stop()
    assert two.has("/b", message)


async def test_many_are_told_of_page_by_page_after_the_own(two: Two) -> None:
    two.down("/a", "/b", "/c")
    lines = [await two.line(b"%d" % number) for number in range(5)]
    for line in lines:
        await two.send(line)
    found: list[Unsettled] = []
    page = two.phone.sync.unsettled(limit=4)
    found += page
    while page.cursor is not None:
        page = two.phone.sync.unsettled(limit=4, cursor=page.cursor)
        assert len(page) <= 4
        found += page
    assert [row.target for row in found] == [None] * 5 + [two.bob.did] * 10
    assert {row.message_cid for row in found[5:]} == {cid_of(line) for line in lines}
    asked = two.phone.sync.unsettled(wanted=Wanted(C, frozenset([State.PENDING]), frozenset([cid_of(lines[0])])))
    assert [(row.endpoint, row.target) for row in asked] == [(C, two.bob.did)]


async def test_an_order_of_sends_and_failures_ends_with_everything_there(two: Two) -> None:
    """Every message arrives once, whatever answers come between; 200 messages, every third answer is a failure."""
    answers = 0

    def fault(kind: str, message: Message) -> Answer | None:
        nonlocal answers
        answers += 1
        return reply_of(503, "busy") if answers % 3 == 0 else None

    two.world.network.faults = {"/b": fault}
    two.down("/c")
    lines = [await two.line(b"%d" % number) for number in range(40)]
    for line in lines:
        await two.send(line)
    two.world.network.faults.pop("/c")
    for _ in range(20):
        await two.phone.sync.retry()
        if not two.left():
            break
    assert two.left() == []
    assert all(two.has(node, line) for line in lines for node in ("/b", "/c"))


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_meanwhile_the_last_that_was_sent_arrives(two: Two, seed: int) -> None:
    """Writes, updates, deletes and sends, between failures, lost replies, restarts and moves of the target."""
    random = Random(seed)
    network, request = two.world.network, two.world.network.request
    records: dict[str, Message] = {}
    sent: dict[str, Message] = {}
    trouble = 0.5

    async def unreliable(method: str, url: str, **more: Any) -> Any:
        fate = random.random() / trouble if trouble else 1.0
        if fate < 0.4:
            raise Unreachable("connection refused")
        answer = await request(method, url, **more)
        if fate < 0.6:
            raise Unreachable("the reply was lost")
        return reply_of(503, "busy") if fate < 0.8 else answer

    network.request = unreliable  # type: ignore[method-assign]
    for step in range(60):
        match random.choice(["write", "update", "delete", "send", "send", "send", "now", "retry", "restart", "move"]):
            case "write":
                message = await two.line(b"%d" % step)
                records[message["recordId"]] = message
            case "update" if records:
                record = random.choice(list(records))
                records[record] = await two.line(b"%d" % step, existing=records[record])
            case "delete" if records:
                record = random.choice(list(records))
                gone = await two.phone.delete(records.pop(record))
                if record in sent:
                    await two.send(gone)
                    sent[record] = gone
            case "send" if records:
                record = random.choice(list(records))
                await two.send(records[record])
                sent[record] = records[record]
            case "now":
                await two.phone.sync.now()
            case "retry":
                await two.phone.sync.retry()
            case "restart":
                await two.restart()
            case "move":
                two.set_nodes(*random.sample(["/b", "/c"], random.choice([1, 2])))
    trouble = 0.0
    two.set_nodes("/b", "/c")
    for _ in range(5):
        await two.phone.sync.retry()
    assert two.left() == []
    assert two.phone.dwn.database.connection.execute("SELECT count(*) FROM sync_delivery").get == 0
    for message in sent.values():
        assert two.has("/b", message) or two.has("/c", message)


async def test_it_is_kept_before_anything_of_it_goes_out(two: Two) -> None:
    """A page that is closed in the middle of a send loses nothing."""
    data = b"x" * 50_000
    held, loose = await two.line(), await two.made(data)
    reached = asyncio.Event()

    async def hang(node: str, kind: str) -> None:
        if node in ("/b", "/c"):
            reached.set()
            await asyncio.Event().wait()

    two.world.network.on_request = hang
    for sending in (two.send(held), two.phone.sync.send_messages(two.alice.did, two.bob.did, [(loose, data)])):
        reached.clear()
        task = asyncio.create_task(sending)
        await reached.wait() if not two.left() else await until(lambda: len(two.left()) == 4)
        task.cancel()
    await two.restart()
    assert {row.message_cid for row in two.left()} == {cid_of(held), cid_of(loose)}
    two.world.network.on_request = None
    await two.phone.sync.now()
    assert two.left() == [] and await two.text("/b", loose) == data
