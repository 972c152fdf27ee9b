"""The grants of a delegate in the course of time: they are kept, end, are revoked, and given anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.api.permissions.delegates import DIARY, NOTE, NOTES, definition, delegate, later, synced
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from tests.watch import Watch
from web5 import ProtocolPermissions, Web5
from web5.agent.delegation.renewal import renewal_requests
from web5.dwn import compose
from web5.dwn.permissions.grants import split_encoded_data
from web5.errors import GrantEnded, NotFound


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


async def test_revocations_are_looked_into_after_a_lock_too(world: World) -> None:
    alice = await connected(world)
    app = await delegate(world, alice)
    await app.agent.lock()
    await app.agent.unlock()
    watch = Watch(app.agent)
    for grant in await alice.dwn.permissions.query_grants(grantee=app.delegate_did):
        await grant.revoke()
    assert (await alice.sync.now("push")).ok
    assert not (await app.sync.now()).ok
    await watch.until(lambda: app.delegation is not None and app.delegation.grants() == [], 60)


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
    await app.agent.background.cancel()  # its look at its grants might find out before sync does
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
