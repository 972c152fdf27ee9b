"""The shared list and the chat of web/examples, with web5-js as one of the two people."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.interop.api.conftest import World
from tests.interop.api.examples import declared
from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.reference import ReferenceError
from web5 import Protocol, TypedRecord, Web5
from web5.errors import Unauthorized

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECONDS = 60
ROLE = "list/friend"
Items = list[TypedRecord[Any]]


def encoded(**value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def decoded(data: str) -> Any:
    return json.loads(base64.b64decode(data))


def place(protocol: Protocol, path: str) -> dict[str, str]:
    """Where a type's records are, in the words of web5-js."""
    return {"protocol": protocol.uri, "protocolPath": path, "dataFormat": "application/json"}


async def reached(states: AsyncIterator[Items], items: dict[str, bool]) -> Items:
    """The first state that has these items, ticked or not, in any order."""
    async with asyncio.timeout(SECONDS):
        async for state in states:
            if {item.value.text: item.value.done for item in state} == items:
                return state
    raise AssertionError("live() ended")


async def online(web5: Web5) -> None:
    assert await web5.agent.publish_all()
    await web5.sync.start("live")


async def test_web5_js_is_the_friend_on_a_list_of_ours(world: World) -> None:
    await web5_js_is_the_friend(world)


async def test_web5_js_is_the_friend_on_a_list_of_ours_at_nodes_of_ours(world_of_ours: World) -> None:
    await web5_js_is_the_friend(world_of_ours)


async def web5_js_is_the_friend(world: World) -> None:
    page, alice, bob = declared("list.html"), world.ours, world.peer
    await online(alice)
    friend = await bob.call("connect", endpoints=world.servers)
    home = await alice.records(page.TodoList).create(page.TodoList(title="Ours"))
    items = alice.records(page.Item)
    milk = await items.create(page.Item(text="Milk"), parent=home)
    item = place(page.todo, "list/item")
    filter = {"protocol": item["protocol"], "protocolPath": "list/item", "contextId": home.id}
    question = {"filter": filter, "from": alice.connected_did, "role": ROLE}
    await alice.sync.now("push")
    with pytest.raises(ReferenceError, match="ProtocolAuthorizationMatchingRoleRecordNotFound"):
        await bob.call("query", **question)
    invitation = await alice.records(page.Friend).create(page.Friend(), parent=home, recipient=friend)
    await alice.sync.now("push")

    [seen] = await bob.call("query", **question)
    assert (seen["id"], seen["author"]) == (milk.id, alice.connected_did)
    assert decoded(seen["data"]) == {"text": "Milk", "done": False}
    await bob.call("follow", **question)

    async with aclosing(items.live(parent=home)) as states:
        await reached(states, {"Milk": False})
        new = {"owner": alice.connected_did, "parentContextId": home.id, "protocolRole": ROLE, **item}
        bread = await bob.call("createAt", **new, data=encoded(text="Bread", done=False))
        assert bread["code"] == 202, bread
        state = await reached(states, {"Milk": False, "Bread": False})
        assert [one.author for one in state if one.value.text == "Bread"] == [friend]
        change = {"owner": alice.connected_did, "role": ROLE, "filter": filter, "id": milk.id}
        ticked = await bob.call("updateAt", **change, data=encoded(text="Milk", done=True))
        assert ticked["code"] == 202, ticked
        state = await reached(states, {"Milk": True, "Bread": False})

    [theirs] = [one for one in state if one.value.text == "Bread"]
    await theirs.update(done=True)
    heard: dict[str, Any] = {}
    async with asyncio.timeout(SECONDS):
        while heard.get(theirs.id) != {"text": "Bread", "done": True}:
            event = await bob.call("next")
            heard[event["id"]] = decoded(event["data"])

    await invitation.delete()
    await alice.sync.now("push")
    refused = await bob.call("createAt", **new, data=encoded(text="Beer", done=False))
    assert refused["code"] == 401, refused


async def test_ours_is_the_friend_on_a_list_of_web5_js(world: World) -> None:
    await ours_is_the_friend(world)


async def test_ours_is_the_friend_on_a_list_of_web5_js_at_nodes_of_ours(world_of_ours: World) -> None:
    await ours_is_the_friend(world_of_ours)


async def ours_is_the_friend(world: World) -> None:
    page, bob, alice = declared("list.html"), world.ours, world.peer
    await online(bob)
    owner = await alice.call("connect", endpoints=world.servers)
    await alice.call("configure", did=owner, definition=page.todo.to_definition())
    home = await alice.call("create", **place(page.todo, "list"), data=encoded(title="Theirs"))
    item = place(page.todo, "list/item")
    milk = await alice.call("create", **item, parentContextId=home, data=encoded(text="Milk", done=False))
    await alice.call("sync", direction="push")
    items = bob.records(page.Item, from_=owner, role=page.Friend)
    with pytest.raises(Unauthorized, match="ProtocolAuthorizationMatchingRoleRecordNotFound"):
        await items.query(parent=home)
    invited = place(page.todo, ROLE)
    await alice.call("create", **invited, parentContextId=home, data=encoded(), recipient=bob.connected_did)
    await alice.call("sync", direction="push")

    async with aclosing(items.live(parent=home)) as states:
        [shown] = await reached(states, {"Milk": False})
        assert (shown.id, shown.author) == (milk, owner)
        await items.create(page.Item(text="Bread"), parent=home)
        await reached(states, {"Milk": False, "Bread": False})
        await (await items.read(milk)).update(done=True)
        await reached(states, {"Milk": True, "Bread": False})

        await alice.call("sync", direction="pull")
        filter = {"protocol": item["protocol"], "protocolPath": "list/item"}
        found = {one["id"]: one for one in await alice.call("query", filter=filter)}
        [bread] = found.keys() - {milk}
        assert {one["author"] for one in found.values()} == {bob.connected_did}
        assert [decoded(found[one]["data"]) for one in (milk, bread)] == [
            {"text": "Milk", "done": True},
            {"text": "Bread", "done": False},
        ]
        await alice.call("update", id=bread, data=encoded(text="Bread", done=True))
        assert (await alice.call("sendTo", id=bread, target=owner))["code"] == 202
        await reached(states, {"Milk": True, "Bread": True})

    wire = await bob.dwn.records.query(
        protocol=item["protocol"], protocol_path="list/item", context_id=home, from_=owner, protocol_role=ROLE
    )
    assert sorted([(await record.data.json())["text"] for record in wire]) == ["Bread", "Milk"]
    butter = await bob.dwn.records.create(
        {"text": "Butter", "done": False},
        data_format="application/json",
        protocol=item["protocol"],
        protocol_path="list/item",
        parent_context_id=home,
        protocol_role=ROLE,
        store=False,
    )
    await butter.send(owner)
    assert {one.value.text for one in await items.query(parent=home)} == {"Milk", "Bread", "Butter"}


async def test_a_chat_of_ours_and_web5_js(world: World, servers: list[ReferenceDwnServer]) -> None:
    page, alice, bob = declared("chat.html"), world.ours, world.peer
    await alice.dwn.protocols.configure(page.chat.to_definition())
    await online(alice)
    friend = await bob.call("connect", endpoints=world.servers)
    await bob.call("configure", did=friend, definition=page.chat.to_definition())
    message = place(page.chat, "message")
    messages = alice.records(page.Message)
    question = {"filter": {"protocol": message["protocol"], "protocolPath": "message"}}
    await alice.sync.now()

    hello = await messages.create(page.Message(text="Hi Bob"), recipient=friend)
    report = await hello.send(friend)
    assert report.delivered
    [row] = waiting(alice)  # web5-js has told the protocol to the first of its nodes that answered, as it does
    assert row.state == "waiting" and "lacks protocol" in row.detail
    await bob.call("sync")
    await alice.sync.retry()
    assert waiting(alice) == []
    await bob.call("sync", direction="pull")
    [seen] = await bob.call("query", **question)
    assert (seen["id"], seen["author"], decoded(seen["data"])) == (hello.id, alice.connected_did, {"text": "Hi Bob"})

    async with aclosing(messages.live()) as states, asyncio.timeout(SECONDS):
        answer = await bob.call("create", **message, recipient=alice.connected_did, data=encoded(text="Hi Alice"))
        assert (await bob.call("sendTo", id=answer, target=alice.connected_did))["code"] == 202
        async for shown in states:
            if len(shown) == 2:
                break
        assert {one.author: one.value.text for one in shown} == {alice.connected_did: "Hi Bob", friend: "Hi Alice"}

    for server in servers:
        await server.kill()
    late = await messages.create(page.Message(text="Are you there?"), recipient=friend)
    report = await late.send(friend)
    assert not report.delivered
    rows = waiting(alice)
    assert {row.endpoint for row in rows} == set(world.servers)
    assert {(row.message_cid, row.target, row.state) for row in rows} == {(late.record.message_cid, friend, "pending")}
    async with aclosing(alice.sync.events()) as events, asyncio.timeout(SECONDS):
        for server in servers:
            await server.restart()
        await alice.sync.retry()
        async for event in events:
            if event.kind == "delivered" and not waiting(alice):
                break
    await bob.call("sync", direction="pull")
    assert [decoded(one["data"])["text"] for one in await bob.call("query", **question)][-1] == "Are you there?"


def waiting(web5: Web5) -> list[Any]:
    """What the chat shows as on its way."""
    return [one for one in web5.sync.unsettled(limit=None) if one.target]
