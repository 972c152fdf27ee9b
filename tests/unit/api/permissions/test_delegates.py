"""An app acts for somebody with a delegate's key and grants: on real nodes, as both sides see it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from tests.unit.api.permissions.delegates import DIARY, NOTE, NOTES, definition, delegate, later, synced
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import ProtocolPermissions
from web5.dwn.values.cid import data_cid
from web5.errors import GrantMissing, GrantTooNarrow


async def test_a_delegate_does_with_records_what_it_was_granted(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    [protocol] = await app.dwn.protocols.query(NOTES)
    assert protocol.definition == definition(NOTES)
    heard: list[str] = []
    subscription = await app.dwn.records.subscribe(lambda record: heard.append(record.id), protocol=NOTES)

    note = await app.dwn.records.create("by the app", **NOTE)
    assert note.author == note.creator == alice.connected_did
    await note.update(data="twice by the app")
    assert await (await app.dwn.records.read(note.id)).data.text() == "twice by the app"
    assert [found.id for found in await app.dwn.records.query(**NOTE)] == [note.id]
    assert heard == [note.id, note.id]
    await subscription.close()

    await synced(app, alice)
    mine = await alice.dwn.records.read(note.id)
    assert (await mine.data.text(), mine.author) == ("twice by the app", alice.connected_did)
    await mine.update(data="by Alice")
    await synced(alice, app)
    assert await (await app.dwn.records.read(note.id)).data.text() == "by Alice"
    assert app.sync.unsettled() == alice.sync.unsettled() == []

    await (await app.dwn.records.read(note.id)).delete()
    await synced(app, alice)
    assert await alice.dwn.records.query(**NOTE) == []


async def test_a_delegate_asks_the_remote_dwn_of_the_owner(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    note = await alice.dwn.records.create("x" * 40_000, **NOTE)
    assert (await alice.sync.now("push")).ok
    did = alice.connected_did
    [found] = await app.dwn.records.query(from_=did, **NOTE)
    assert await found.data.text() == "x" * 40_000
    read = await app.dwn.records.read(note.id, from_=did, protocol=NOTES)
    assert (read.id, read.author) == (note.id, did)
    assert [one.definition["protocol"] for one in await app.dwn.protocols.query(NOTES, from_=did)] == [NOTES]
    with pytest.raises(GrantMissing, match=r"RecordsDelete\. .*named the protocol"):
        await app.dwn.records.delete(note.id, from_=did)
    await app.dwn.records.delete(note.id, from_=did, protocol=NOTES)
    assert await app.dwn.records.query(from_=did, **NOTE) == []
    sent = await app.dwn.records.create("sent at once", **NOTE)
    assert len((await sent.send()).delivered) == 2


async def test_what_was_not_granted_is_refused_with_the_missing_scope_and_nothing_is_signed(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["read", "query"]))
    before = len(app.agent.dwn.store.entries_after(alice.connected_did, 0, 1000))
    with pytest.raises(GrantMissing, match=f"RecordsWrite of {NOTES} at note") as caught:
        await app.dwn.records.create("text", **NOTE)
    assert caught.value.scope == {
        "interface": "Records",
        "method": "Write",
        "protocol": NOTES,
        "protocolPath": "note",
    }
    with pytest.raises(GrantMissing, match=r"RecordsQuery of https://example.org/diary"):
        await app.dwn.records.query(protocol=DIARY)
    with pytest.raises(GrantMissing, match=r"RecordsQuery.*named the protocol"):
        await app.dwn.records.query(schema="https://example.org/schema")
    with pytest.raises(GrantMissing, match="RecordsSubscribe"):
        await app.dwn.records.subscribe(print, protocol=NOTES)
    with pytest.raises(GrantMissing, match="ProtocolsConfigure"):
        await app.dwn.protocols.configure(definition(NOTES))
    with pytest.raises(GrantMissing, match="ProtocolsQuery"):
        await app.dwn.protocols.query()
    note = await alice.dwn.records.create("text", **NOTE)
    await synced(alice, app)
    found = await app.dwn.records.read(note.id)
    for refused in (found.update(data="other"), found.delete(), app.dwn.records.delete(note.id)):
        with pytest.raises(GrantMissing):
            await refused
    assert len(app.agent.dwn.store.entries_after(alice.connected_did, 0, 1000)) == before + 1


async def test_a_delegate_who_may_configure_changes_the_protocol(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["configure"]))
    await app.dwn.protocols.configure({**definition(NOTES), "published": True})
    await synced(app, alice)
    [protocol] = await alice.dwn.protocols.query(NOTES)
    assert protocol.definition["published"]


async def test_a_delegate_syncs_the_granted_protocols_only(world: World) -> None:
    alice = await connected(world)
    await alice.dwn.protocols.configure(definition(DIARY))
    secret = await alice.dwn.records.create("dear", protocol=DIARY, protocol_path="note")
    app = await delegate(world, alice)
    note = await alice.dwn.records.create("text", **NOTE)
    await synced(alice, app)
    store = app.agent.dwn.store
    tenant = store.tenant(alice.connected_did)
    assert store.initial_write(tenant, note.id)
    assert store.initial_write(tenant, secret.id) is None
    registered = app.agent.sync.registered(alice.connected_did)
    assert registered is not None
    assert (registered.protocols, registered.delegate) == ((NOTES,), app.delegate_did)


async def test_grants_are_narrowed_to_a_path_or_a_context_and_the_delegate_keeps_to_it(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["read", "query"]))
    assert app.delegate_did
    thread, other = [await alice.dwn.records.create(text, **NOTE) for text in ("mine", "yours")]
    write = {"interface": "Records", "method": "Write", "protocol": NOTES}
    grant = {"granted_to": app.delegate_did, "delegated": True, "date_expires": later(days=1)}
    await alice.dwn.permissions.grant(scope={**write, "contextId": thread.context_id}, **grant)
    await synced(alice, app)

    reply = {"protocol": NOTES, "protocol_path": "note/reply"}
    await app.dwn.records.create("in it", parent_context_id=thread.context_id, **reply)
    for place in (NOTE, {**reply, "parent_context_id": other.context_id}):
        with pytest.raises(GrantMissing):
            await app.dwn.records.create("outside", **place)
    await alice.dwn.permissions.grant(scope={**write, "protocolPath": "note"}, **grant)
    await synced(alice, app)
    await app.dwn.records.create("at the path", **NOTE)
    with pytest.raises(GrantMissing):
        await app.dwn.records.create("outside", parent_context_id=other.context_id, **reply)
    await synced(app, alice)
    assert app.sync.unsettled() == []


@pytest.mark.parametrize("narrowing", ["protocol_path", "context_id"])
async def test_a_question_for_more_than_was_granted_says_how_to_narrow_it(world: World, narrowing: str) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["write"]))
    assert app.delegate_did
    thread, _ = [await alice.dwn.records.create(text, **NOTE) for text in ("mine", "yours")]
    assert thread.context_id
    filters = {narrowing: {"protocol_path": "note", "context_id": thread.context_id}[narrowing]}
    for method in ("Query", "Subscribe", "Read"):
        scope = {"interface": "Records", "method": method, "protocol": NOTES, to_camel(narrowing): filters[narrowing]}
        await alice.dwn.permissions.grant(
            scope=scope, granted_to=app.delegate_did, delegated=True, date_expires=later(days=1)
        )
    await synced(alice, app)

    async def subscribe(**filters: Any) -> None:
        await (await app.dwn.records.subscribe(print, **filters)).close()

    async def read(**filters: Any) -> None:
        await app.dwn.records.read(data_cid=data_cid(b"mine"), **filters)

    for method, ask in (("Query", app.dwn.records.query), ("Subscribe", subscribe), ("Read", read)):
        with pytest.raises(GrantTooNarrow, match=f"Records{method} .* {narrowing}='{filters[narrowing]}'") as caught:
            await ask(protocol=NOTES)
        assert caught.value.narrow_to == filters
        await ask(protocol=NOTES, **caught.value.narrow_to)
    with pytest.raises(GrantMissing) as missing:
        await app.dwn.records.query(protocol=NOTES, **{narrowing: "other"})
    assert not isinstance(missing.value, GrantTooNarrow)


async def test_a_condition_on_publication_is_kept_to(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["read"]))
    assert app.delegate_did
    await alice.dwn.permissions.grant(
        granted_to=app.delegate_did,
        scope={"interface": "Records", "method": "Write", "protocol": NOTES},
        conditions={"publication": "Required"},
        date_expires=later(days=1),
        delegated=True,
    )
    await synced(alice, app)
    with pytest.raises(GrantMissing):
        await app.dwn.records.create("in private", **NOTE)
    note = await app.dwn.records.create("for all", published=True, **NOTE)
    await note.update(data="for all, again")
    with pytest.raises(GrantMissing):
        await note.update(published=False)


async def test_a_delegate_sees_published_records_of_strangers(world: World) -> None:
    alice = await connected(world)
    bob = await connected(world, "bob")
    await bob.dwn.records.create("for all", schema="https://example.org/post", published=True)
    assert (await bob.sync.now("push")).ok
    app = await delegate(world, alice)
    [post] = await app.dwn.records.query(schema="https://example.org/post", from_=bob.connected_did)
    assert await post.data.text() == "for all"
