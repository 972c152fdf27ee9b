"""An app acts for somebody with a delegate's key and grants: on real nodes, as both sides see it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from tests.watch import Watch
from web5 import ProtocolPermissions, Web5
from web5.agent.delegation.renewal import renewal_requests
from web5.dids import jwk
from web5.dwn import compose
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.values.cid import data_cid
from web5.errors import (
    DelegationError,
    GrantEnded,
    GrantMissing,
    GrantTooNarrow,
    IdentityError,
    InvalidArgument,
    NotFound,
)

NOTES = "https://example.org/notes"
DIARY = "https://example.org/diary"


def definition(protocol: str) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "published": False,
        "types": {"note": {"dataFormats": ["text/plain"]}, "reply": {}},
        "structure": {"note": {"reply": {}}},
    }


NOTE = {"protocol": NOTES, "protocol_path": "note"}


async def synced(*apps: Web5) -> None:
    """What any of them has reaches all others."""
    for direction in ("push", "pull"):
        for app in apps:
            report = await app.sync.now(direction)
            assert report.ok, report


async def delegate(
    world: World, owner: Web5, *permissions: ProtocolPermissions, name: str = "app", **options: Any
) -> Web5:
    """An app on another device that acts for the owner."""
    given = await owner.authorize(permissions=permissions or [ProtocolPermissions(definition(NOTES))], **options)
    app, did = await Web5.connect_as_delegate(given, agent=await world.device(name), sync="off")
    assert did == owner.connected_did
    assert (await app.sync.now("pull")).ok
    return app


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


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_the_next_connection_acts_as_the_delegate_again(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    [identity] = app.identities.list()
    assert (identity.did, identity.connected_did) == (app.delegate_did, alice.connected_did)
    exported = await app.identities.export(identity.did)
    assert exported["metadata"]["connectedDid"] == alice.connected_did
    await app.close()
    again = await Web5.connect(agent=await world.device("app"), sync="off")
    assert (again.did, again.delegate_did, again.created) == (alice.connected_did, identity.did, False)
    await again.web5.dwn.records.create("still", **NOTE)
    await synced(again.web5, alice)
    assert [await one.data.text() for one in await alice.dwn.records.query(**NOTE)] == ["still"]


async def test_a_delegate_that_was_moved_as_an_identity_fetches_its_grants(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegate_did
    moved = await world.device("second")
    await moved.import_identity(await app.identities.export(app.delegate_did))
    web5, did = await Web5.connect(agent=moved, sync="off")
    assert did == alice.connected_did
    assert web5.delegation
    await web5.delegation.refresh()
    assert len(web5.delegation.grants()) == 9
    assert (await web5.sync.now("pull")).ok
    await web5.dwn.records.create("text", **NOTE)


async def test_a_scope_of_sync_outlives_the_connection(world: World) -> None:
    alice = await connected(world)
    await alice.sync.scope([NOTES])
    await alice.close()
    again, did = await Web5.connect(agent=await world.device("laptop"), sync="off")
    registered = again.agent.sync.registered(did)
    assert registered is not None
    assert registered.protocols == (NOTES,)


# -- revoked and expired


async def test_a_revoked_grant_is_noticed_by_sync_and_names_when_it_ended(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    await app.dwn.records.create("before", **NOTE)
    [write] = [
        grant
        for grant in await alice.dwn.permissions.query_grants(grantee=app.delegate_did, protocol=NOTES)
        if grant.scope["method"] == "Write"
    ]
    assert not await write.is_revoked()
    revocation = await write.revoke(description="enough")
    assert (revocation.grant_id, revocation.description) == (write.id, "enough")
    assert await write.is_revoked()
    assert write.id not in [one.id for one in await alice.dwn.permissions.query_grants(check_revoked=True)]
    await synced(app, alice, app)
    with pytest.raises(GrantEnded, match=r"RecordsWrite.*was revoked at 20"):
        await app.dwn.records.create("after", **NOTE)
    assert len(await app.dwn.records.query(**NOTE)) == 1


async def test_when_all_grants_are_revoked_a_refresh_still_learns_of_it(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegation
    for grant in await alice.dwn.permissions.query_grants(grantee=app.delegate_did):
        await grant.revoke()
    assert (await alice.sync.now("push")).ok
    await app.delegation.look()
    assert app.delegation.grants() == []
    assert app.delegation.ending() == []
    with pytest.raises(GrantEnded, match="was revoked"):
        await app.dwn.records.query(**NOTE)


async def test_what_a_node_refuses_as_revoked_is_looked_into_at_once(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegation
    watch = Watch(app.agent)
    for grant in await alice.dwn.permissions.query_grants(grantee=app.delegate_did):
        await grant.revoke()
    assert (await alice.sync.now("push")).ok
    assert not (await app.sync.now()).ok
    await watch.until(lambda: app.delegation is not None and app.delegation.grants() == [], 60)  # a read for each grant


async def test_grants_that_are_revoked_in_the_midst_of_a_look_are_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a look has missed, no node would tell of: without the grants to sync, none is asked any more."""
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegation
    watch, ask, reads = Watch(app.agent), app.agent.messages.ask, 0

    async def revoked_before_the_third_read(tenant: str, from_: str | None, question: Any) -> Any:
        nonlocal reads
        reads += from_ is not None and question.func is compose.records_read
        if reads == 3:
            reads += 1
            for grant in await alice.dwn.permissions.query_grants(grantee=app.delegate_did):
                await grant.revoke()
            assert (await alice.sync.now("push")).ok
        return await ask(tenant, from_, question)

    monkeypatch.setattr(app.agent.messages, "ask", revoked_before_the_third_read)
    app.agent.background.start(app.delegation.watch(), f"grants to {app.delegate_did}")
    await watch.until(lambda: app.delegation is not None and app.delegation.grants() == [], 60)


async def test_grants_that_end_are_told_of_asked_for_again_and_granted_again(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["write"]), expires=timedelta(days=3))
    assert app.delegation
    told: list[str] = []
    app.delegation.on_ending.append(lambda grants: told.extend(grant.scope["method"] for grant in grants))
    assert app.delegation.ending(timedelta(days=1)) == []
    await app.delegation.look()
    await app.delegation.look()
    assert sorted(told) == ["Query", "Query", "Read", "Subscribe", "Write"]

    app.delegation.renews = True
    await app.delegation.look()
    assert await app.delegation.renew() == []
    assert (await alice.sync.now("pull")).ok
    requests = await alice.dwn.permissions.query_requests(protocol=NOTES)
    assert [request.requester for request in requests] == [app.delegate_did] * 5
    assert all("Renewal of the grant" in (request.description or "") for request in requests)
    for request in requests:
        grant = await request.grant(later(days=300))
        assert (grant.request_id, grant.delegated) == (request.id, request.delegated)
    await synced(alice, app)
    assert app.delegation.ending() == []
    assert len(app.delegation.grants()) == 10
    in_299_days = datetime.now(UTC) + timedelta(days=299)
    assert all(grant.date_expires > in_299_days for grant in app.delegation.grants()[:5])
    assert await app.delegation.renew() == []


async def test_requests_that_a_clock_ahead_dated_do_not_count_as_made_lately(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["write"]), expires=timedelta(days=3))
    assert app.delegation
    clock, asked = app.agent.clock, (app.agent, app.delegation._actor, 4 * 86_400 * 1_000_000)
    clock.now = lambda: type(clock).now(clock) + 365 * 86_400 * 1_000_000
    for message in await renewal_requests(*asked):
        await app.agent.messages.process(str(app.delegate_did), *split_encoded_data(message))
    clock.now = lambda: type(clock).now(clock)
    again = await renewal_requests(*asked)
    assert len(again) == 5
    for message in again:
        await app.agent.messages.process(str(app.delegate_did), *split_encoded_data(message))
    assert await renewal_requests(*asked) == []


async def test_a_protocol_whose_grants_have_ended_does_not_stop_the_others(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, *(ProtocolPermissions(definition(one)) for one in (NOTES, DIARY)))
    for grant in await alice.dwn.permissions.query_grants(protocol=DIARY):
        await grant.revoke()
    await app.dwn.records.create("just in time", protocol=DIARY, protocol_path="note")
    note = await alice.dwn.records.create("text", **NOTE)
    assert (await alice.sync.now("push")).ok
    [failed, _] = [end for end in (await app.sync.now()).endpoints if end.tenant == alice.connected_did]
    assert failed.error
    assert failed.error[1].startswith("GrantAuthorizationGrantRevoked")
    with pytest.raises(NotFound):
        await app.dwn.records.read(note.id)
    assert app.delegation
    await app.delegation.refresh()
    await app.sync.now()
    assert await (await app.dwn.records.read(note.id)).data.text() == "text"
    assert {one.code for one in app.sync.unsettled()} == {401}
    with pytest.raises(GrantEnded):
        await app.dwn.records.query(protocol=DIARY)


async def test_a_scope_that_was_chosen_is_kept_and_widened_by_what_is_granted_anew(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, *(ProtocolPermissions(definition(one)) for one in (NOTES, DIARY)))
    assert app.delegation and app.delegate_did

    def scope() -> tuple[str, ...] | None:
        registered = app.agent.sync.registered(alice.connected_did)
        assert registered is not None
        return registered.protocols

    await app.sync.scope([NOTES])
    await app.delegation.refresh()
    assert scope() == (NOTES,)
    tasks = ProtocolPermissions(definition("https://example.org/tasks"))
    await alice.authorize(app.delegate_did, permissions=[tasks])
    await app.delegation.refresh()
    assert scope() == (NOTES, "https://example.org/tasks")
    await app.sync.scope(None)
    assert scope() == (DIARY, NOTES, "https://example.org/tasks")


async def test_after_grants_have_expired_new_ones_are_found_past_sync(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice, ProtocolPermissions(definition(NOTES), ["query"]))
    assert app.delegation
    assert app.delegate_did
    scope = {"interface": "Records", "method": "Write", "protocol": NOTES}
    grant = {"granted_to": app.delegate_did, "scope": scope, "delegated": True}
    ended = await alice.dwn.permissions.grant(date_expires="2020-01-01T00:00:00.000000Z", **grant)
    await ended.send()
    await app.delegation.refresh()
    with pytest.raises(GrantEnded, match=r"expired at 2020-01-01T00:00:00\.000000Z"):
        await app.dwn.records.create("text", **NOTE)
    assert [one.id for one in app.delegation.ending()] == [ended.id]
    await (await alice.dwn.permissions.grant(date_expires=later(days=30), **grant)).send()
    await app.delegation.refresh()
    await app.dwn.records.create("text", **NOTE)


# -- giving and taking


async def test_an_app_may_bring_its_own_key(world: World) -> None:
    alice = await connected(world)
    agent = await world.device("app")
    keys = await jwk.create(agent.crypto)
    given = await alice.authorize(keys.uri, permissions=[ProtocolPermissions(definition(NOTES))])
    assert "delegatePortableDid" not in given
    with pytest.raises(DelegationError, match="private keys"):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    app, _ = await Web5.connect_as_delegate(given, keys=keys, agent=agent, sync="1 hour")
    await app.dwn.records.create("text", **NOTE)

    more = await alice.authorize(keys.uri, permissions=[ProtocolPermissions(definition(DIARY))])
    app, _ = await Web5.connect_as_delegate(more, agent=agent, sync="1 hour")
    await app.dwn.records.create("text", protocol=DIARY, protocol_path="note")
    registered = agent.sync.registered(alice.connected_did)
    assert registered is not None
    assert registered.protocols == (DIARY, NOTES)


async def test_what_is_granted_while_no_node_can_be_reached_is_brought_by_sync(world: World) -> None:
    alice = await connected(world)
    world.down.update(("dwn0", "dwn1"))
    given = await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))])
    app, _ = await Web5.connect_as_delegate(given, agent=await world.device("app"), sync="off")
    world.down.clear()
    assert (await alice.sync.retry()).ok
    assert (await app.sync.now()).ok
    await app.dwn.records.create("text", **NOTE)


def by_another_owner(given: dict[str, Any]) -> None:
    given["connectedDid"] = "did:dht:someoneelse"


def to_another_delegate(given: dict[str, Any]) -> None:
    given["delegateDid"] = "did:jwk:another"


def with_other_data(given: dict[str, Any]) -> None:
    given["delegateGrants"][0]["encodedData"] = given["delegateGrants"][1]["encodedData"]


def without_a_signature(given: dict[str, Any]) -> None:
    del given["delegateGrants"][0]["authorization"]


def with_a_wrong_signature(given: dict[str, Any]) -> None:
    entry = given["delegateGrants"][0]["authorization"]["signature"]["signatures"][0]
    entry["signature"] = "A" * 86


def without_grants(given: dict[str, Any]) -> None:
    given["delegateGrants"] = []


def with_a_broken_did(given: dict[str, Any]) -> None:
    given["delegatePortableDid"] = {"uri": 7}


@pytest.mark.parametrize(
    "spoil",
    [
        by_another_owner,
        to_another_delegate,
        with_other_data,
        without_a_signature,
        with_a_wrong_signature,
        without_grants,
        with_a_broken_did,
    ],
)
async def test_a_spoilt_delegation_is_refused_and_changes_nothing(world: World, spoil: Any) -> None:
    """Invariant 1 of `agent.delegating`."""
    alice = await connected(world)
    given = copy.deepcopy(await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))]))
    spoil(given)
    agent = await world.device("app")
    messages = "SELECT count(*) FROM dwn_message"
    before = agent.dwn.store.connection.execute(messages).fetchone()
    with pytest.raises(DelegationError):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    assert agent.identities.list() == []
    assert agent.sync.tenants() == [agent.vault.agent_did]
    assert agent.dwn.store.connection.execute(messages).fetchone() == before


@pytest.mark.parametrize(
    "nonsense", [None, [], "text", {"connectedDid": 1}, {"connectedDid": "x", "delegateGrants": 1}]
)
async def test_nonsense_is_no_delegation(world: World, nonsense: Any) -> None:
    with pytest.raises(DelegationError):
        await Web5.connect_as_delegate(nonsense, agent=await world.device("app"), sync="off")


async def test_a_delegation_that_cannot_be_verified_now_is_refused(world: World) -> None:
    alice = await connected(world)
    given = await alice.authorize(permissions=[ProtocolPermissions(definition(NOTES))])
    agent = await world.device("app")
    world.down.add("dht")
    with pytest.raises(DelegationError, match="cannot be verified"):
        await Web5.connect_as_delegate(given, agent=agent, sync="off")
    assert agent.identities.list() == []


async def test_an_agent_has_one_delegate_of_an_owner_and_none_of_its_own_identities(world: World) -> None:
    alice = await connected(world)
    permissions = [ProtocolPermissions(definition(NOTES))]
    given, other = [await alice.authorize(permissions=permissions) for _ in range(2)]
    with pytest.raises(IdentityError, match="itself is on this agent"):
        await Web5.connect_as_delegate(given, agent=alice.agent, sync="off")
    app, _ = await Web5.connect_as_delegate(given, agent=await world.device("app"), sync="off")
    with pytest.raises(IdentityError, match="acts for"):
        await Web5.connect_as_delegate(other, agent=app.agent, sync="off")
    with pytest.raises(DelegationError, match="only the owner"):
        await app.authorize(permissions=permissions)


async def test_what_cannot_be_granted_is_told_before_anything_is_stored(world: World) -> None:
    alice = await connected(world)
    notes = definition(NOTES)
    for permissions, expires in (
        ([], timedelta(days=1)),
        ([ProtocolPermissions(notes, ["fly"])], timedelta(days=1)),  # type: ignore[list-item]
        ([ProtocolPermissions(notes)], timedelta(0)),
        ([ProtocolPermissions(notes)], datetime(2020, 1, 1, tzinfo=UTC)),
        ([ProtocolPermissions(notes)], datetime(2120, 1, 1)),
    ):
        with pytest.raises(InvalidArgument):
            await alice.authorize(permissions=permissions, expires=expires)
    assert await alice.dwn.protocols.query() == []
    assert await alice.dwn.permissions.query_grants() == []


async def test_an_exported_delegation_moves_to_another_device(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    assert app.delegation
    moved = await Web5.connect_as_delegate(
        await app.delegation.export(), agent=await world.device("second"), sync="off"
    )
    assert (moved.did, moved.delegate_did) == (alice.connected_did, app.delegate_did)
    assert (await moved.web5.sync.now("pull")).ok
    await moved.web5.dwn.records.create("from the second", **NOTE)


async def test_a_delegate_sees_published_records_of_strangers(world: World) -> None:
    alice = await connected(world)
    bob = await connected(world, "bob")
    await bob.dwn.records.create("for all", schema="https://example.org/post", published=True)
    assert (await bob.sync.now("push")).ok
    app = await delegate(world, alice)
    [post] = await app.dwn.records.query(schema="https://example.org/post", from_=bob.connected_did)
    assert await post.data.text() == "for all"
