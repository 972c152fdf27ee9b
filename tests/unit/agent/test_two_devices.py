"""Two devices of one agent that change the same things while they do not hear of each other."""

from __future__ import annotations

import pytest

from tests.unit.conftest import ORIGIN, World
from web5 import Web5
from web5.agent.agent import Agent
from web5.agent.recovery import recover
from web5.errors import IdentityError

LAPTOPS, PHONES = f"{ORIGIN}/of-the-laptop", f"{ORIGIN}/of-the-phone"


async def two_devices(world: World) -> tuple[Agent, Agent, str]:
    """Two devices, and an identity that both have."""
    laptop = await world.device("laptop")
    identity = await laptop.create_identity("Private", world.endpoints)
    assert await laptop.publish_all()
    assert (await laptop.sync.now()).ok
    phone = await world.blank_device("phone")
    await recover(phone, str(await laptop.vault.recovery_phrase()))
    assert await phone.publish_all()
    return laptop, phone, identity.did


async def settle(*devices: Agent) -> None:
    for _ in range(4):
        for device in devices:
            await device.publish_all()
            await device.sync.now()
    for device in devices:
        await device.publish_all()


async def endpoints(agent: Agent, did: str) -> list[str]:
    return (await agent.keyring.portable_did(did)).document.dwn_endpoints


async def published(world: World, did: str) -> list[str]:
    found = await (await world.blank_device(f"stranger of {did}")).resolver.resolve(did)
    assert found.did_document is not None
    return found.did_document.dwn_endpoints


@pytest.mark.parametrize("down", [set(), {"dht"}, {"dht", "dwn0", "dwn1"}])
@pytest.mark.parametrize("whose", ["identity", "agent"])
async def test_nodes_that_both_add_stay_and_one_that_is_removed_is_gone(
    world: World, down: set[str], whose: str
) -> None:
    laptop, phone, identity = await two_devices(world)
    did = identity if whose == "identity" else str(laptop.vault.agent_did)
    world.down |= down
    await laptop.set_dwn_endpoints(did, [world.endpoints[0], LAPTOPS], force=True)
    await phone.set_dwn_endpoints(did, [*world.endpoints, PHONES])
    if not down:
        await laptop.publish_all()
    world.down.clear()
    await settle(phone, laptop)
    expected = {world.endpoints[0], LAPTOPS, PHONES}
    there = await published(world, did)
    assert await endpoints(laptop, did) == await endpoints(phone, did) == there
    assert set(there) == expected
    for device in (laptop, phone):
        await device.sync.now()
        assert {status.endpoint for status in device.sync.status(did)} == expected


async def test_what_is_added_elsewhere_while_a_node_is_being_removed_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, phone, did = await two_devices(world)
    fetch = phone.sync.fetch_the_rest

    async def meanwhile(tenant: str, urls: list[str]) -> None:
        await laptop.set_dwn_endpoints(did, [*world.endpoints, LAPTOPS], force=True)
        await settle(laptop, phone)
        await fetch(tenant, urls)

    with monkeypatch.context() as patched:
        patched.setattr(phone.sync, "fetch_the_rest", meanwhile)
        await phone.set_dwn_endpoints(did, world.endpoints[:1])
    await settle(phone, laptop)
    assert await endpoints(laptop, did) == await endpoints(phone, did) == [world.endpoints[0], LAPTOPS]


async def test_a_rename_brings_no_older_document_back(world: World) -> None:
    laptop, phone, did = await two_devices(world)
    await laptop.set_dwn_endpoints(did, world.endpoints[:1])
    assert await laptop.publish_all()
    await phone.identities.rename(did, "Me")
    await settle(phone, laptop)
    for device in (laptop, phone):
        assert device.identities.get(did).name == "Me"
        assert await endpoints(device, did) == world.endpoints[:1]
    assert await published(world, did) == world.endpoints[:1]


async def test_deletion_wins_over_whatever_another_device_changes_later(world: World) -> None:
    laptop, phone, did = await two_devices(world)
    exported = await laptop.export_identity(did)
    await laptop.identities.delete(did)
    await phone.identities.rename(did, "Me")
    await phone.set_dwn_endpoints(did, world.endpoints[:1])
    await settle(phone, laptop, phone)
    for device in (laptop, phone):
        assert device.identities.list() == []
        assert did not in device.sync.tenants()
        with pytest.raises(IdentityError):
            await device.identities.portable_did(did)
    # Nothing of what was changed clings to it when it comes again.
    await phone.import_identity(exported)
    assert phone.identities.get(did).name == "Private"


async def test_both_names_are_one_in_the_end(world: World) -> None:
    laptop, phone, did = await two_devices(world)
    await laptop.identities.rename(did, "Of the laptop")
    await phone.identities.rename(did, "Of the phone")
    await settle(laptop, phone)
    assert laptop.identities.get(did).name == phone.identities.get(did).name == "Of the phone"
    await laptop.close()
    again = await world.device("laptop")
    assert again.identities.get(did).name == "Of the phone"


async def test_an_older_identity_from_elsewhere_changes_no_choice(world: World) -> None:
    laptop, phone, did = await two_devices(world)
    await phone.sync.stop()
    older = await laptop.create_identity("Older", world.endpoints)
    await phone.identities.delete(did)
    connection = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    assert connection.created
    await settle(laptop, phone)
    assert phone.identities.list()[0].did == older.did
    again = await Web5.connect(agent=phone, sync="off")
    assert again.did == connection.did


async def test_a_device_that_was_cut_off_in_a_deletion_lets_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop, _, did = await two_devices(world)

    async def cut_off(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(laptop.identities, "on_removed", [cut_off])
    with pytest.raises(KeyboardInterrupt):
        await laptop.identities.delete(did)
    await laptop.close()
    again = await world.device("laptop")
    assert again.identities.list() == []
    assert again.sync.tenants() == [again.vault.agent_did]
    assert (await again.sync.now()).ok


async def test_what_is_added_again_stays_whoever_has_heard_of_the_removal_alone(world: World) -> None:
    laptop, phone, did = await two_devices(world)
    await laptop.set_dwn_endpoints(did, world.endpoints[:1])
    await settle(laptop, phone)
    await phone.set_dwn_endpoints(did, world.endpoints)
    assert await phone.publish_all()
    await laptop.set_dwn_endpoints(did, [world.endpoints[0], LAPTOPS], force=True)
    assert await laptop.publish_all()
    await settle(laptop, phone)
    there = await published(world, did)
    assert set(there) == {*world.endpoints, LAPTOPS}
    assert await endpoints(laptop, did) == await endpoints(phone, did) == there
