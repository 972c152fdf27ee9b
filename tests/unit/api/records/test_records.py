"""Records in one's own DWN and in others': roles, copies, what is not stored, events, pages, and what is mistyped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from tests.watch import until
from web5 import Record, Web5
from web5.errors import BadRequest, Conflict, InvalidArgument, NotFound, Unauthorized

GUESTBOOK = {
    "protocol": "https://example.org/guestbook",
    "published": True,
    "types": {"entry": {"dataFormats": ["text/plain", "application/octet-stream"]}},
    "structure": {"entry": {"$actions": [{"who": "anyone", "can": ["create", "read", "update", "delete"]}]}},
}
ENTRY: dict[str, Any] = {"protocol": GUESTBOOK["protocol"], "protocol_path": "entry"}

TODO = {
    "protocol": "https://example.org/todo",
    "published": False,
    "types": {"list": {}, "friend": {}, "item": {}},
    "structure": {
        "list": {
            "friend": {"$role": True},
            "item": {
                "$actions": [
                    {
                        "role": "list/friend",
                        "can": ["create", "read", "query", "subscribe", "co-update", "co-delete"],
                    }
                ]
            },
        }
    },
}
ROLE = "list/friend"
NOTE = "https://schema.org/TextDigitalDocument"


@pytest.fixture
async def alice(world: World) -> Web5:
    return await connected(world, "alice")


@pytest.fixture
async def bob(world: World) -> Web5:
    return await connected(world, "bob")


def ids(records: list[Record]) -> list[str]:
    return [record.id for record in records]


async def test_an_entry_for_somebody_else_s_guest_book_is_not_in_one_s_own_dwn(alice: Web5, bob: Web5) -> None:
    await bob.dwn.protocols.configure(GUESTBOOK)
    assert (await bob.sync.now()).ok
    entry = await alice.dwn.records.create("hi", **ENTRY, store=False)
    assert await entry.data.text() == "hi"
    assert (await entry.send(bob.connected_did)).delivered
    assert await alice.dwn.records.query(**ENTRY) == []
    await bob.sync.now()
    [found] = await bob.dwn.records.query(**ENTRY)
    assert (found, found.author) == (entry, alice.connected_did)
    await entry.update(data="hello", store=False)
    assert await entry.data.text() == "hello"
    await entry.send(bob.connected_did)
    await entry.delete(store=False)
    await entry.send(bob.connected_did)
    await bob.sync.now()
    assert await bob.dwn.records.query(**ENTRY) == []
    with pytest.raises(BadRequest, match="ProtocolNotFound"):
        await alice.dwn.records.create("hi", **ENTRY)


async def test_large_data_that_are_not_stored_are_sent(alice: Web5, bob: Web5) -> None:
    await bob.dwn.protocols.configure(GUESTBOOK)
    await bob.sync.now()

    async def chunks() -> Any:
        for number in range(40):
            yield bytes([number]) * 10_000

    entry = await alice.dwn.records.create(chunks, **ENTRY, store=False)
    await entry.send(bob.connected_did)
    [found] = await alice.dwn.records.query(from_=bob.connected_did, **ENTRY)
    assert found.data_size == 400_000
    assert await found.data.bytes() == b"".join([bytes([number]) * 10_000 for number in range(40)])
    await found.update(tags={"seen": True})
    assert (await found.data.bytes())[-1] == 39


async def test_what_was_found_elsewhere_is_changed_there(alice: Web5, bob: Web5) -> None:
    await bob.dwn.protocols.configure(GUESTBOOK)
    await bob.sync.now()
    entry = await alice.dwn.records.create("hi", **ENTRY, store=False)
    await entry.send(bob.connected_did)
    [found] = await alice.dwn.records.query(from_=bob.connected_did, **ENTRY)
    assert (found.owner, entry.owner) == (bob.connected_did, alice.connected_did)
    await found.update(data="hello")
    assert await found.data.text() == "hello"
    again = await alice.dwn.records.read(found.id, from_=bob.connected_did)
    assert (again, await again.data.text()) == (found, "hello")
    await again.update(data="hello again")
    with pytest.raises(Conflict, match="read it again"):
        await found.update(data="stale", date_modified=found.date_modified)
    await again.delete()
    assert again.deleted
    with pytest.raises(NotFound):
        await alice.dwn.records.read(again.id, from_=bob.connected_did)


async def test_somebody_else_s_words_are_kept_by_signing_for_them(alice: Web5, bob: Web5) -> None:
    words = await alice.dwn.records.create("public words", schema=NOTE, published=True)
    await words.update(tags={"edited": True})
    await alice.sync.now()
    [theirs] = await bob.dwn.records.query(from_=alice.connected_did, schema=NOTE)
    with pytest.raises(Unauthorized):
        await theirs.store()
    kept = await theirs.import_()
    assert (kept.owner, kept.author) == (bob.connected_did, alice.connected_did)
    [here] = await bob.dwn.records.query(schema=NOTE)
    assert (here, here.tags, await here.data.text()) == (kept, {"edited": True}, "public words")
    await kept.store()
    assert (await bob.sync.now()).complete


async def test_what_is_not_stored_can_be_stored_later(alice: Web5) -> None:
    note = await alice.dwn.records.create("draft", schema=NOTE, store=False)
    assert await alice.dwn.records.query(schema=NOTE) == []
    await note.update(data="written", store=False)
    await note.store()
    assert await (await alice.dwn.records.read(note.id)).data.text() == "written"
    other = await alice.dwn.records.create("draft", schema=NOTE, store=False)
    await other.update(data="kept by the update")
    assert await (await alice.dwn.records.read(other.id)).data.text() == "kept by the update"
    gone = await alice.dwn.records.create("draft", schema=NOTE, store=False)
    await gone.delete()
    with pytest.raises(NotFound):
        await alice.dwn.records.read(gone.id)


async def test_two_people_share_a_list_by_roles(alice: Web5, bob: Web5) -> None:
    for one in (alice, bob):
        await one.dwn.protocols.configure(TODO)
    todo = TODO["protocol"]
    home = await alice.dwn.records.create({"title": "Home"}, protocol=todo, protocol_path="list")
    await alice.dwn.records.create(
        {}, protocol=todo, protocol_path=ROLE, recipient=bob.connected_did, parent_context_id=home.context_id
    )
    milk = await alice.dwn.records.create(
        "milk", protocol=todo, protocol_path="list/item", parent_context_id=home.context_id
    )
    await alice.sync.now()

    theirs: dict[str, Any] = {"from_": alice.connected_did, "protocol_role": ROLE}
    items: dict[str, Any] = {"protocol": todo, "protocol_path": "list/item", "context_id": home.context_id}
    [found] = await bob.dwn.records.query(**theirs, **items)
    assert (found.id, await found.data.text()) == (milk.id, "milk")
    await found.update(data="oat milk")
    assert (found.author, found.creator, found.protocol_role) == (bob.connected_did, alice.connected_did, ROLE)
    bread = await bob.dwn.records.create(
        "bread",
        protocol=todo,
        protocol_path="list/item",
        parent_context_id=home.context_id,
        protocol_role=ROLE,
        store=False,
    )
    await bread.send(alice.connected_did)
    read = await bob.dwn.records.read(bread.id, **theirs)
    assert await read.data.text() == "bread"
    await alice.sync.now()
    assert [await one.data.text() for one in await alice.dwn.records.query(**items)] == ["oat milk", "bread"]
    await read.delete()
    await bob.dwn.records.delete(found.id, **theirs)
    await alice.sync.now()
    assert await alice.dwn.records.query(**items) == []
    with pytest.raises(Unauthorized):
        await bob.dwn.records.query(from_=alice.connected_did, protocol_role="list/owner", **items)


async def test_a_record_with_the_properties_of_another(alice: Web5) -> None:
    note = await alice.dwn.records.create("one", schema=NOTE, tags={"a": 1}, published=True)
    other = await alice.dwn.records.create_from(note, "two", tags={"a": 2})
    assert other.id != note.id
    assert (other.schema, other.tags, other.published, await other.data.text()) == (NOTE, {"a": 2}, True, "two")
    same = await alice.dwn.records.create_from(other)
    assert (same.tags, same.data_format, await same.data.text()) == ({"a": 2}, "text/plain", "two")


async def test_a_record_that_is_attested(alice: Web5) -> None:
    note = await alice.dwn.records.create("true", schema=NOTE, attestation=[alice.connected_did])
    [found] = await alice.dwn.records.query(attester=alice.connected_did)
    assert (found, found.attesters) == (note, [alice.connected_did])
    assert found.attestation is not None and found.authorization is not None


async def test_all_pages_and_their_number(alice: Web5) -> None:
    made = [await alice.dwn.records.create(str(number), schema=NOTE) for number in range(7)]
    query = alice.dwn.records.query(schema=NOTE, limit=3)
    assert ids(await query) == ids(made[:3])
    assert [record.id async for record in query] == ids(made)
    assert [len(page) async for page in query.pages()] == [3, 3, 1]
    assert (await query.count(), ids(await query.all())) == (7, ids(made))
    assert len(await alice.dwn.records.query()) == 7
    later = await alice.dwn.records.query(schema=NOTE, date_created={"from": made[5].date_created})
    assert ids(later) == ids(made[5:])


async def test_dates_are_aware_and_keep_their_microseconds(alice: Web5) -> None:
    when = datetime(2024, 5, 1, 12, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))
    note = await alice.dwn.records.create("x", schema=NOTE, date_created=when, published=True, date_published=when)
    assert note.date_created == when and note.date_created.tzinfo is UTC
    assert (note.date_published, note.date_modified) == (when, when)
    assert note.to_json()["dateCreated"] == "2024-05-01T10:30:00.123456Z"
    with pytest.raises(InvalidArgument, match=r"date_created=.* has no time zone"):
        await alice.dwn.records.create("x", date_created=datetime(2024, 5, 1))


async def test_an_async_handler_hears_everything_in_order(alice: Web5) -> None:
    heard: list[str] = []
    done = asyncio.Event()

    async def handler(record: Record) -> None:
        await asyncio.sleep(0)
        heard.append("deleted" if record.deleted else await record.data.text())
        if len(heard) == 2:
            raise RuntimeError("a handler may fail")
        if record.deleted:
            done.set()

    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(str(context["exception"])))
    subscription = await alice.dwn.records.subscribe(handler, schema=NOTE)
    for text in ("one", "two", "three"):
        last = await alice.dwn.records.create(text, schema=NOTE)
    await until(lambda: len(heard) == 3)
    await last.delete()
    await asyncio.wait_for(done.wait(), 10)
    await subscription.close()
    await alice.dwn.records.create("four", schema=NOTE)
    assert heard == ["one", "two", "three", "deleted"]
    assert failures == ["a handler may fail"]


async def test_events_are_iterated_over(alice: Web5) -> None:
    async with alice.dwn.records.subscribe(schema=NOTE) as events:
        note = await alice.dwn.records.create("one", schema=NOTE)
        await note.delete()
        reader = aiter(events)
        assert [(await anext(reader)).deleted, (await anext(reader)).deleted] == [False, True]
    assert [event async for event in events] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shema": NOTE}, r"create\(\) has no argument 'shema'; did you mean 'schema'\?"),
        ({"recipient": "bob"}, "recipient='bob' is no DID"),
        ({"schema": "\ud800"}, "surrogate"),
        ({"tags": {"a": {"b": 1}}}, r"tags\['a'\]=.* cannot be a tag"),
        ({"tags": {"a": "\udfff"}}, "surrogate"),
        ({"tags": ["a"]}, "tags=.* mapping"),
        ({"attestation": "did:x:y"}, "attestation='did:x:y' has to be a list"),
        ({"date_created": "yesterday"}, "date_created='yesterday' is no date"),
        ({"protocol_path": 7}, "protocol_path=7 has to be a str"),
        ({"data_format": b"text"}, "data_format"),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_happens(
    alice: Web5, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidArgument, match=said):
        await alice.dwn.records.create("x", **arguments)
    assert await alice.dwn.records.query() == []


async def test_half_a_surrogate_pair_is_no_text(alice: Web5) -> None:
    for data in ("\ud800", ["\ud800"], {"a": "\ud800"}):
        with pytest.raises(InvalidArgument):
            await alice.dwn.records.create(data)


async def test_a_blob_is_for_browsers(alice: Web5) -> None:
    note = await alice.dwn.records.create("x")
    with pytest.raises(InvalidArgument, match="browsers only"):
        await note.data.blob()


async def test_equal_records_are_the_same_state(alice: Web5) -> None:
    note = await alice.dwn.records.create("x", schema=NOTE)
    same = await alice.dwn.records.read(note.id)
    assert note == same and hash(note) == hash(same) and {note, same} == {note}
    await same.update(data="y")
    assert note != same
    assert repr(same) == f"<Record {note.id} {NOTE}: text/plain, 1 bytes>"
