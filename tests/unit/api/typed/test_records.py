"""Records that are pydantic models: two people on one list, and what does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from pydantic import BaseModel

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from tests.watch import until
from web5 import Protocol, Record, TypedRecord, Web5
from web5.api.records.subscriptions import Closing, RecordSubscription
from web5.api.typed.declaration import type_of
from web5.errors import InvalidArgument, NotFound, RecordInvalid, Unauthorized

todo = Protocol("https://example.org/typed/todo")


@todo.type("list")
class TodoList(BaseModel):
    title: str


@todo.type("list/friend", role=True)
class Friend(BaseModel):
    name: str = ""


@todo.type(
    "list/item",
    can={"list/friend": ["create", "read", "query", "subscribe", "co-update", "co-delete"]},
    tags=["done", "urgency"],
)
class Item(BaseModel):
    text: str
    done: bool = False
    urgency: Literal["low", "high"] | None = None


@pytest.fixture
async def alice(world: World) -> Web5:
    return await connected(world, "alice")


async def texts(records: AsyncIterator[TypedRecord[Item]]) -> list[str]:
    return [record.value.text async for record in records]


def test_the_definition_is_the_wire_s() -> None:
    assert todo.to_definition() == {
        "protocol": "https://example.org/typed/todo",
        "published": True,
        "types": {name: {"dataFormats": ["application/json"]} for name in ("list", "friend", "item")},
        "structure": {
            "list": {
                "friend": {"$role": True},
                "item": {
                    "$actions": [
                        {
                            "role": "list/friend",
                            "can": ["create", "read", "query", "subscribe", "co-update", "co-delete"],
                        }
                    ],
                    "$tags": {
                        "$allowUndefinedTags": False,
                        "done": {"type": "boolean"},
                        "urgency": {"type": "string", "enum": ["low", "high"]},
                    },
                },
            }
        },
    }


def test_a_path_may_hold_any_data_and_a_role_may_name_itself() -> None:
    album = Protocol("https://example.org/typed/album")

    @album.type("album")
    class Album(BaseModel): ...

    @album.type("album/guest", role=True, can={"album/guest": "read"})
    class Guest(BaseModel): ...

    album.data("album/picture", can={"album/guest": ["create", "read"]}, formats=["image/png"], encrypted=True)
    made = album.to_definition()
    assert made["types"]["picture"] == {"dataFormats": ["image/png"], "encryptionRequired": True}
    assert made["structure"]["album"]["guest"]["$actions"] == [{"role": "album/guest", "can": ["read"]}]
    assert made["structure"]["album"]["picture"] == {"$actions": [{"role": "album/guest", "can": ["create", "read"]}]}
    for path, words in (("album/picture", "declared already"), ("nowhere/picture", "Declare 'nowhere'")):
        with pytest.raises(InvalidArgument, match=words):
            album.data(path)
    with pytest.raises(InvalidArgument, match="given in JSON"):
        Protocol(album.uri, definition=made).data("film")
    with pytest.raises(InvalidArgument, match="has to be a list"):
        album.data("film", formats="video/mp4")


async def test_a_list_of_one_s_own(alice: Web5) -> None:
    lists, items = alice.records(TodoList), alice.records(Item)
    home = await lists.create(TodoList(title="Home"))
    work = await lists.create(TodoList(title="Work"))
    milk = await items.create(Item(text="Milk"), parent=home)
    await items.create(Item(text="Report", urgency="high"), parent=work)
    bread = await items.create(Item(text="Bread", done=True), parent=home)
    assert milk.value.text == "Milk" and milk.record.tags == {"done": False}
    assert [one.value.title for one in await lists.query()] == ["Home", "Work"]
    assert await texts(aiter(items.query(parent=home))) == ["Milk", "Bread"]
    assert await texts(aiter(items.query(parent=home, order_by="-date_created"))) == ["Bread", "Milk"]
    assert await texts(aiter(items.query(done=True))) == ["Bread"]
    assert await texts(aiter(items.query(urgency="high"))) == ["Report"]
    await milk.update(done=True)
    assert (await items.read(milk.id)).value == Item(text="Milk", done=True)
    milk.value.text = "Oat milk"
    await milk.update()
    again = await items.read(milk.id)
    assert (again, again.value.text) == (milk, "Oat milk")
    await bread.delete()
    with pytest.raises(InvalidArgument, match="is deleted"):
        _ = bread.value
    with pytest.raises(NotFound):
        await items.read(home.id)
    assert len(await alice.dwn.protocols.query()) == 1


async def test_the_protocol_is_configured_once(alice: Web5) -> None:
    await alice.records(TodoList).create(TodoList(title="one"))
    [first] = await alice.dwn.protocols.query(todo.uri)
    await alice.records(TodoList).create(TodoList(title="two"))
    assert await alice.dwn.protocols.query(todo.uri) == [first]
    assert await alice.dwn.protocols.configure(todo.to_definition()) == first


async def test_two_people_on_one_list(world: World, alice: Web5) -> None:
    bob = await connected(world, "bob")
    home = await alice.records(TodoList).create(TodoList(title="Home"))
    await alice.records(Friend).create(Friend(), parent=home, recipient=bob.connected_did)
    milk = await alice.records(Item).create(Item(text="Milk"), parent=home)
    await alice.sync.now()
    theirs = bob.records(Item, from_=alice.connected_did, role=Friend)
    [found] = await theirs.query(parent=home)
    assert (found.id, found.value) == (milk.id, Item(text="Milk"))
    await found.update(done=True)
    bread = await theirs.create(Item(text="Bread"), parent=home)
    assert bread.record.owner == alice.connected_did
    await bread.update(text="Rye bread")
    await alice.sync.now()
    mine = await alice.records(Item).query(parent=home)
    assert [(one.value.text, one.value.done) for one in mine] == [("Milk", True), ("Rye bread", False)]
    assert [one.author for one in mine] == [bob.connected_did] * 2
    await found.delete()
    assert await texts(aiter(theirs.query(parent=home))) == ["Rye bread"]
    with pytest.raises(Unauthorized):
        await bob.records(Item, from_=alice.connected_did).create(Item(text="No"), parent=home)


async def test_a_friend_who_knows_the_list_by_its_id(world: World, alice: Web5) -> None:
    shared = Protocol("https://example.org/typed/shared")

    @shared.type("list", can={"list/friend": ["read", "query", "subscribe"]})  # a role that is declared below
    class List(BaseModel):
        title: str

    with pytest.raises(InvalidArgument, match=r"can at 'list' has no role 'list/friend'"):
        shared.to_definition()

    @shared.type("list/friend", role=True)
    class Guest(BaseModel): ...

    @shared.type("list/item", can={"list/friend": ["create", "read", "query", "subscribe"]})
    class Thing(BaseModel):
        text: str

    home = await alice.records(List).create(List(title="Home"))
    bob = await connected(world, "bob")
    await alice.records(Guest).create(Guest(), parent=home.id, recipient=bob.connected_did)
    await alice.records(Thing).create(Thing(text="Milk"), parent=home)
    await alice.sync.now()
    place = {"from_": alice.connected_did, "role": Guest}
    assert (await bob.records(List, **place).read(home.id)).value.title == "Home"
    await bob.records(Thing, **place).create(Thing(text="Bread"), parent=home.id)
    assert [one.value.text for one in await bob.records(Thing, **place).query(parent=home.id)] == ["Milk", "Bread"]
    for wrong in ("", "Home", "../x", home.id.upper()):
        with pytest.raises(InvalidArgument, match="is no context ID"):
            await alice.records(Thing).create(Thing(text="?"), parent=wrong)
    with pytest.raises(InvalidArgument, match="is no context ID"):
        await alice.records(List).create(List(title="?"), parent=home.id)


async def test_a_list_that_stays_true(alice: Web5) -> None:
    home = await alice.records(TodoList).create(TodoList(title="Home"))
    items = alice.records(Item)
    states = items.live(parent=home, done=False)
    assert await anext(states) == []
    milk = await items.create(Item(text="Milk"), parent=home)
    assert [one.value.text for one in await anext(states)] == ["Milk"]
    bread = await items.create(Item(text="Bread"), parent=home)
    await milk.update(done=True)  # it fits no longer
    state = await anext(states)
    assert [one.value.text for one in state] == ["Bread"]
    await items.create(Item(text="Done", done=True), parent=home)
    await bread.delete()
    assert await anext(states) == []
    await milk.update(done=False)
    assert [one.value.text for one in await anext(states)] == ["Milk"]
    await states.aclose()  # type: ignore[attr-defined]


async def test_the_first_few_of_a_list_stay_true(alice: Web5) -> None:
    lists = alice.records(TodoList)
    states = lists.live(order_by="-date_created", limit=2)
    assert await anext(states) == []
    made = []
    for title in ("one", "two", "three"):
        made.append(await lists.create(TodoList(title=title)))
        state = [one.value.title for one in await anext(states)]
    assert state == ["three", "two"]
    await made[2].delete()
    assert [one.value.title for one in await anext(states)] == ["two", "one"]


async def test_events_of_one_type(alice: Web5) -> None:
    home = await alice.records(TodoList).create(TodoList(title="Home"))
    heard: list[str] = []
    done = asyncio.Event()

    async def handler(item: TypedRecord[Item]) -> None:
        heard.append("deleted" if item.deleted else item.value.text)
        if item.deleted:
            done.set()

    subscription = await alice.records(Item).subscribe(handler, parent=home)
    milk = await alice.records(Item).create(Item(text="Milk"), parent=home)
    await until(lambda: heard)
    await milk.delete()
    await asyncio.wait_for(done.wait(), 10)
    assert heard == ["Milk", "deleted"]
    await subscription.close()


async def test_the_end_of_a_subscription_is_told_to_who_reads_it(alice: Web5, monkeypatch: pytest.MonkeyPatch) -> None:
    async def opening(subscription: RecordSubscription[Record]) -> Closing:
        async def close() -> None: ...

        subscription.end(Unauthorized("", "the role has ended"))
        return close

    monkeypatch.setattr(type(alice.dwn.records), "subscribe", lambda self, **_: RecordSubscription(opening))
    events = await alice.records(Item).subscribe()
    with pytest.raises(Unauthorized, match="the role has ended"):
        await asyncio.wait_for(anext(aiter(events)), 10)


async def test_one_record_that_does_not_fit_spoils_no_list(alice: Web5) -> None:
    home = await alice.records(TodoList).create(TodoList(title="Home"))
    items = alice.records(Item)
    place = {"protocol": todo.uri, "protocol_path": "list/item", "parent_context_id": home.context_id}
    wrong = await alice.dwn.records.create({"texts": 7}, tags={"done": False}, **place)
    await items.create(Item(text="Milk"), parent=home)
    found = await items.query(parent=home)
    assert [one.is_valid for one in found] == [False, True]
    with pytest.raises(RecordInvalid, match=f"Record {wrong.id}: its data are no Item: text: Field required") as error:
        _ = found[0].value
    assert error.value.record_id == wrong.id
    await found[0].update(Item(text="Mended"))
    assert found[0].value.text == "Mended"


async def test_an_older_record_is_read_by_a_later_model(alice: Web5) -> None:
    old, new = Protocol("https://example.org/typed/notes"), Protocol("https://example.org/typed/notes")

    @old.type("note")
    class NoteThen(BaseModel):
        text: str

    @new.type("note")
    class NoteNow(BaseModel):
        text: str
        pinned: bool = False

    then = await alice.records(NoteThen).create(NoteThen(text="old"))
    now = await alice.records(NoteNow).read(then.id)
    assert now.value == NoteNow(text="old", pinned=False)


async def test_a_definition_in_json_will_do(alice: Web5) -> None:
    definition = {
        "protocol": "https://example.org/typed/json",
        "published": False,
        "types": {"post": {"schema": "https://example.org/post", "dataFormats": ["application/json"]}},
        "structure": {"post": {}},
    }
    blog = Protocol(definition["protocol"], definition=definition)  # type: ignore[arg-type]

    @blog.type("post")
    class Post(BaseModel):
        text: str

    post = await alice.records(Post).create(Post(text="x"))
    assert post.record.schema == "https://example.org/post"
    assert blog.to_definition() == definition
    with pytest.raises(InvalidArgument, match="is not in the definition"):
        blog.type("comment")(type("Comment", (BaseModel,), {}))


async def test_what_cannot_be_declared_says_so() -> None:
    some = Protocol("https://example.org/typed/some")

    class Plain(BaseModel):
        text: str = ""
        inner: dict[str, int] = {}

    wrong = [
        (lambda: some.type("a/b")(Plain), "Declare 'a' before"),
        (lambda: some.type("a", tags=["txt"])(Plain), "Plain has no field 'txt'; did you mean 'text'"),
        (lambda: some.type("a", tags=["inner"])(Plain), "'inner' of Plain cannot be a tag"),
        (lambda: some.type("a", can={"anyone": "write"})(Plain), "no action 'write'"),
        (lambda: some.type("a", can={"friend": "read"})(Plain), "has no one 'friend'"),
        (lambda: some.type("a", can={"author of b": "read"})(Plain), "has no path 'b'"),
        (lambda: some.type("a", cann={})(Plain), "no argument 'cann'; did you mean 'can'"),
        (lambda: some.type("$a")(Plain), "names of types"),
        (lambda: some.type("a")(int), "no pydantic model"),
        (lambda: Protocol(" "), "no URI"),
        (lambda: type_of(Plain), "no record type: declare it"),
    ]
    for declare, said in wrong:
        with pytest.raises(InvalidArgument, match=said):
            declare()  # type: ignore[no-untyped-call]
    assert some.to_definition()["structure"] == {}


async def test_what_does_not_fit_is_refused_before_anything_happens(alice: Web5) -> None:
    home = await alice.records(TodoList).create(TodoList(title="Home"))
    items = alice.records(Item)
    milk = await items.create(Item(text="Milk"), parent=home)
    with pytest.raises(InvalidArgument, match=r"value=.* has to be of Item"):
        await items.create(TodoList(title="x"), parent=home)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="parent is missing: a Item lies below a record of 'list'"):
        await items.create(Item(text="x"))
    with pytest.raises(InvalidArgument, match="is not at 'list'"):
        await items.create(Item(text="x"), parent=milk)
    with pytest.raises(InvalidArgument, match="lies below nothing"):
        await alice.records(TodoList).create(TodoList(title="x"), parent=home)
    with pytest.raises(InvalidArgument, match="no tag 'don'; did you mean 'done'"):
        items.query(don=True)
    with pytest.raises(InvalidArgument, match="no order 'created'"):
        items.query(order_by="created")
    with pytest.raises(InvalidArgument, match="Item has no field 'txt'; did you mean 'text'"):
        await milk.update(txt="x")
    with pytest.raises(InvalidArgument, match="Item: text: Input should be a valid string"):
        await milk.update(text=7)
    with pytest.raises(InvalidArgument, match="is no role of"):
        alice.records(Item, role=TodoList)
    assert await texts(aiter(items.query())) == ["Milk"]
