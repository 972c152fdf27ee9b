"""Identities: made, published, kept sealed, exported and imported; the numbers are the invariants of identities.py."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import World
from tests.watch import until
from web5 import Web5
from web5.errors import IdentityError, InvalidArgument, StorageBusy, Unreachable, VaultLocked
from web5.sync.states import SyncEvent


async def test_a_new_identity_is_published_and_others_find_its_nodes(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    assert await agent.publish_all()

    found = await (await world.device("stranger")).resolver.resolve(identity.did)
    assert found.did_document is not None
    assert found.did_document.dwn_endpoints == world.endpoints
    [seen] = agent.identities.list()
    assert (seen.name, seen.chosen) == ("Alice", True)
    publication = agent.publications.get(identity.did)
    assert publication.is_current and publication.error is None


async def test_a_gateway_that_is_down_is_told_and_tried_again(world: World) -> None:
    world.down.add("dht")
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    assert not await agent.publish_all()
    publication = agent.publications.get(identity.did)
    assert not publication.known
    assert "dht" in (publication.error or "")
    assert (await agent.resolver.resolve(identity.did)).did_document is not None, "the device knows its own DID"

    world.down.clear()
    assert await agent.publish_all()
    assert agent.publications.get(identity.did).error is None


async def test_publication_goes_on_after_a_restart(world: World) -> None:
    world.down.add("dht")
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    assert not await agent.publish_all()
    await agent.close()

    world.down.clear()
    again = await world.device("laptop")
    await until(lambda: again.publications.get(identity.did).known)


async def test_with_several_gateways_one_that_is_down_stops_nothing(world: World) -> None:
    world.down.add("elsewhere")
    agent = await world.device("laptop", ["elsewhere", "dht"])
    identity = await agent.create_identity("Alice", world.endpoints)
    await agent.sync.start("1 hour")
    await until(lambda: all(status.last_success for status in agent.sync.status(identity.did)))
    stranger = await world.device("stranger", ["elsewhere", "dht"])
    assert (await stranger.resolver.resolve(identity.did)).did_document is not None
    await until(lambda: agent.publications.get(identity.did).error)
    assert "http://world/elsewhere: " in (agent.publications.get(identity.did).error or "")


async def test_a_did_that_was_resolved_is_known_after_a_restart_without_a_gateway(world: World) -> None:
    alice = await world.device("laptop")
    identity = await alice.create_identity("Alice", world.endpoints)
    assert await alice.publish_all()
    stranger = await world.device("stranger")
    found = await stranger.resolver.resolve(identity.did)
    await stranger.close()
    world.down.add("dht")
    again = await world.device("stranger")
    assert await again.resolver.resolve(identity.did) == found


async def test_what_was_written_before_publication_reaches_the_nodes_after_it(world: World) -> None:
    world.down.add("dht")
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    assert not await agent.publish_all()
    await agent.sync.start("1 hour")
    await until(lambda: agent.sync.status(identity.did)[0].did_error is not None)
    assert "not published" in (agent.sync.status(identity.did)[0].did_error or "")

    world.down.clear()
    assert await agent.publish_all()
    await until(lambda: all(status.last_success for status in agent.sync.status(identity.did)))


async def test_private_keys_are_not_readable_at_rest(world: World, tmp_path: Path) -> None:
    """Invariant 1."""
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    exported = await agent.export_identity(identity.did)
    await agent.close()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "laptop").rglob("*") if path.is_file())
    assert exported["portableDid"]["uri"].encode() in stored
    for key in exported["portableDid"]["privateKeys"]:
        assert key["d"].encode() not in stored


async def test_an_exported_identity_signs_on_another_device(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    identity = await laptop.create_identity("Alice", world.endpoints)
    assert await laptop.publish_all()
    exported = await laptop.export_identity(identity.did)
    imported = await phone.import_identity(exported)
    assert (imported.did, imported.name, imported.chosen) == (identity.did, "Alice", True)
    assert await phone.export_identity(identity.did) == exported
    signature = await (await phone.signer(identity.did)).raw.sign(b"hello")
    public = exported["portableDid"]["document"]["verificationMethod"][0]["publicKeyJwk"]
    assert await phone.crypto.verify(public, b"hello", signature)


async def test_the_choice_of_an_identity_survives(world: World) -> None:
    """Invariant 3."""
    agent = await world.device("laptop")
    first = await agent.create_identity("First", [])
    second = await agent.create_identity("Second", [])
    assert agent.identities.chosen() == first
    await agent.identities.choose(second.did)
    with pytest.raises(IdentityError, match="not on this agent"):
        await agent.identities.choose("did:dht:nobody")
    await agent.close()
    again = await world.device("laptop")
    chosen = again.identities.chosen()
    assert chosen is not None
    assert chosen.did == second.did
    assert [identity.chosen for identity in again.identities.list()] == [False, True]


def without_keys(portable: dict[str, Any]) -> None:
    del portable["portableDid"]["privateKeys"]


def with_another_document(portable: dict[str, Any]) -> None:
    portable["portableDid"]["document"]["id"] = "did:dht:someoneelse"


def with_foreign_keys(portable: dict[str, Any]) -> None:
    for key in portable["portableDid"]["privateKeys"]:
        if key["crv"] == "Ed25519":
            key["d"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def without_a_document(portable: dict[str, Any]) -> None:
    del portable["portableDid"]["document"]


def as_a_mere_did(portable: dict[str, Any]) -> None:
    portable.clear()
    portable["uri"] = "did:dht:x"


@pytest.mark.parametrize(
    "spoil", [without_keys, with_another_document, with_foreign_keys, without_a_document, as_a_mere_did]
)
async def test_a_spoilt_export_is_refused_and_changes_nothing(world: World, spoil: Any) -> None:
    """Invariant 2."""
    laptop, phone = await world.device("laptop"), await world.device("phone")
    identity = await laptop.create_identity("Alice", world.endpoints)
    portable = copy.deepcopy(await laptop.export_identity(identity.did))
    spoil(portable)
    with pytest.raises(IdentityError):
        await phone.import_identity(portable)
    assert phone.identities.list() == []
    assert phone.sync.tenants() == [phone.vault.agent_did]


@pytest.mark.parametrize("nonsense", [None, [], "text", 7, {"portableDid": None}, {"portableDid": {"uri": 1}}])
async def test_nonsense_is_no_identity(world: World, nonsense: Any) -> None:
    phone = await world.device("phone")
    with pytest.raises(IdentityError):
        await phone.import_identity(nonsense)


async def test_an_identity_is_imported_once(world: World) -> None:
    laptop = await world.device("laptop")
    identity = await laptop.create_identity("Alice", world.endpoints)
    with pytest.raises(IdentityError, match="already"):
        await laptop.import_identity(await laptop.export_identity(identity.did))


async def test_two_imports_at_once_give_one_identity(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    identity = await laptop.create_identity("Alice", world.endpoints)
    exported = await laptop.export_identity(identity.did)
    results = await asyncio.gather(
        phone.import_identity(exported), phone.import_identity(exported), return_exceptions=True
    )
    assert sorted(isinstance(result, IdentityError) for result in results) == [False, True]


async def test_a_folder_has_one_agent_at_a_time(world: World) -> None:
    await world.device("laptop")
    with pytest.raises(StorageBusy):
        await world.device("laptop")


async def test_a_target_without_nodes_cannot_be_asked(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", [])
    with pytest.raises(Unreachable, match="names no DWN"):
        await agent.messages.request(identity.did, {})


async def test_the_scope_of_sync_survives_a_restart(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    await agent.sync.register(identity.did, ["http://notes.example"])
    await agent.close()
    again = await world.device("laptop")
    assert again.sync.registered(identity.did).protocols == ("http://notes.example",)


async def test_a_node_that_is_added_is_filled_and_one_that_is_removed_is_let_go(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints[:1])
    await Web5(agent, identity.did).dwn.records.create("a note", schema="http://note.example")
    assert await agent.publish_all()
    assert (await agent.sync.now()).ok
    for endpoints in (world.endpoints, world.endpoints[1:], []):
        await agent.set_dwn_endpoints(identity.did, endpoints)
        assert await agent.publish_all()
        assert (await agent.sync.now()).ok
        assert [status.endpoint for status in agent.sync.status(identity.did) if status.endpoint] == endpoints
        stranger = await (await world.device(f"stranger {len(endpoints)}{endpoints}")).resolver.resolve(identity.did)
        assert stranger.did_document is not None
        assert stranger.did_document.dwn_endpoints == endpoints
        assert not any(difference.unexplained for difference in await agent.sync.check(identity.did))
    exported = await agent.export_identity(identity.did)
    assert "service" not in exported["portableDid"]["document"]


async def test_other_nodes_are_published_in_the_background(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    assert await agent.publish_all()
    await until(lambda: agent.publications.get(identity.did).next_try)
    for did in (identity.did, agent.vault.agent_did or ""):
        before = agent.publications.get(did)
        await agent.set_dwn_endpoints(did, world.endpoints[:1])
        await until(lambda: agent.publications.get(did).sequence > before.sequence)  # noqa: B023
        stranger = await (await world.device(f"stranger {did}")).resolver.resolve(did)
        assert stranger.did_document is not None
        assert stranger.did_document.dwn_endpoints == world.endpoints[:1]


@pytest.mark.parametrize("url", ["", "node.example", "ftp://node.example", "https://"])
async def test_what_is_no_node_changes_nothing(world: World, url: str) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    before = await agent.export_identity(identity.did)
    with pytest.raises(InvalidArgument):
        await agent.set_dwn_endpoints(identity.did, [*world.endpoints, url])
    assert await agent.export_identity(identity.did) == before


async def test_a_callback_that_fails_stops_neither_the_write_nor_the_others(world: World) -> None:
    reports: list[str] = []
    seen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["message"]))

    def fail(tenant: str, message_cid: str) -> None:
        raise RuntimeError("a careless app")

    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", [])
    agent.on_change += [fail, lambda tenant, message_cid: seen.append(tenant)]
    records = Web5(agent, identity.did).dwn.records
    await records.create("a note", schema="http://note.example")
    assert len(await records.query(schema="http://note.example")) == 1
    assert seen == [identity.did]
    assert reports == ["a callback of on_change failed"]


async def test_a_listener_of_sync_that_fails_stops_no_sync(world: World) -> None:
    reports: list[str] = []
    seen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["message"]))

    def fail(event: SyncEvent) -> None:
        raise RuntimeError("a careless app")

    agent = await world.device("laptop")
    assert await agent.publish_all()
    agent.sync.listeners += [fail, lambda event: seen.append(event.kind)]
    assert (await agent.sync.now()).ok
    assert seen
    assert set(reports) == {"a listener of sync failed"}


async def test_locked_nothing_signs_and_nothing_syncs(world: World) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Alice", world.endpoints)
    await agent.sync.start("1 hour")
    await agent.lock()
    assert agent.sync.interval == "off"
    assert agent.identities.list() == []
    with pytest.raises(VaultLocked):
        await agent.signer(identity.did)
    await agent.unlock()
    assert (await agent.signer(identity.did)).did == identity.did


async def test_an_interval_that_is_none_changes_nothing(world: World) -> None:
    agent = await world.device("laptop")
    await agent.sync.start("1 hour")
    with pytest.raises(InvalidArgument):
        await agent.sync.start("soon")
    assert agent.sync.interval == "1 hour"
    await agent.sync.stop()
    assert agent.sync.interval == "off"
