"""The vault, the identities and their nodes, as the page uses them; the numbers are invariants of app/session.py."""

from __future__ import annotations

from typing import Any

from tests.unit.conftest import World
from tests.unit.page.devices import Device

MOMENT = 1_700_000_000_000_000
LOCKED = {
    "vault": {"state": "locked", "protection": "password", "words": True},
    "storage": {"trouble": None, "detail": "", "losses": 0},
}


async def opened(world: World, name: str) -> Device:
    device = Device(await world.blank_device(name), world.endpoints)
    await device.session.open()
    return device


async def vault(device: Device) -> Any:
    return (await device.ask("state"))["vault"]


async def test_a_first_launch_asks_nothing(world: World) -> None:
    device = await opened(world, "laptop")
    assert await vault(device) == {"state": "unlocked", "protection": "device", "words": True}
    assert len(await device.ask("words")) == 12
    await device.ask("forget_words")
    await device.ask("forget_words")
    assert await device.ask("words") == []
    assert not (await vault(device))["words"]
    assert await device.ask("lock") == "VaultError"  # nobody could be asked for a password


async def test_a_password_locks_and_opens(world: World) -> None:
    """Invariants 1 and 2."""
    device = await opened(world, "laptop")
    await device.ask("set_sync", interval="1 hour")
    await device.ask("create_note", text="mine", created=MOMENT)
    for _ in range(2):
        assert await device.ask("change_password", old=None, new="the first") is None
    await device.ask("lock")
    assert await device.ask("state") == LOCKED
    for name, arguments in (("notes", {"limit": 5}), ("words", {}), ("export_identity", {}), ("sync_now", {})):
        assert await device.ask(name, **arguments) == "VaultLocked"
    assert await device.ask("unlock", password="another one") == "WrongPassword"
    await device.ask("set_sync", interval="2 hours")
    for _ in range(2):
        assert await device.ask("unlock", password="the first") is None
    state = await device.ask("state")
    assert (state["vault"]["state"], state["interval"]) == ("unlocked", "2 hours")
    assert [note["text"] for note in (await device.ask("notes", limit=5))["notes"]] == ["mine"]


async def test_a_password_is_changed_and_taken_away(world: World) -> None:
    """Invariant 3."""
    device = await opened(world, "laptop")
    assert await device.ask("change_password", old=None, new=" " * 9) == "InvalidArgument"
    await device.ask("change_password", old=None, new="the first")
    for _ in range(2):
        assert await device.ask("change_password", old="the first", new="the second") is None
    assert await device.ask("change_password", old="the first", new="the third") == "WrongPassword"
    assert await device.ask("change_password", old="the first", new=None) == "WrongPassword"
    for _ in range(2):
        assert await device.ask("change_password", old="the second", new=None) is None
    assert (await vault(device))["protection"] == "device"


async def test_keys_and_words_are_given_for_the_password_alone(world: World) -> None:
    device = await opened(world, "laptop")
    words = await device.ask("words")
    assert await device.ask("change_password", old=None, new="seven c") == "InvalidArgument"
    assert (await vault(device))["protection"] == "device"
    await device.ask("change_password", old=None, new="the first")
    for name in ("words", "export_identity"):
        assert await device.ask(name) == "WrongPassword"
        assert await device.ask(name, password="another one") == "WrongPassword"
        given = await device.ask(name, password="the first")
        assert given == words or "privateKeys" in given
        await device.ask("lock")
        assert await device.ask(name) == "VaultLocked"
        assert type(await device.ask(name, password="the first")) is type(given)
        assert (await vault(device))["state"] == "unlocked"
    await device.ask("lock")
    assert await device.ask("change_password", old="the first", new="the second") is None


async def test_a_locked_device_starts_locked(world: World) -> None:
    device = await opened(world, "laptop")
    await device.ask("change_password", old=None, new="the first")
    await device.session.close()
    again = await opened(world, "laptop")
    assert await again.ask("state") == LOCKED
    assert await again.ask("revive") is None
    await again.ask("unlock", password="the first")
    assert (await vault(again))["state"] == "unlocked"


async def test_words_bring_everything_back(world: World) -> None:
    laptop = await opened(world, "laptop")
    await laptop.ask("create_note", text="mine", created=MOMENT)
    words = " ".join(await laptop.ask("words"))
    assert await laptop.agent.publish_all()
    await laptop.ask("sync_now")

    phone = await opened(world, "phone")
    assert await phone.ask("recover", words=words.replace(" ", " nonsense ", 1), password=None) == "RecoveryError"
    assert (await vault(phone))["state"] == "unlocked"
    steps = await phone.ask("recover", words=f" {words.upper()}\n", password="of the phone")
    assert steps["agent"] == steps["identities"] == {"done": 1, "total": 1}
    assert steps["records"]["done"] == steps["records"]["total"] > 0
    assert (await phone.ask("state"))["did"] == (await laptop.ask("state"))["did"]
    assert await vault(phone) == {"state": "unlocked", "protection": "password", "words": False}
    assert [note["text"] for note in (await phone.ask("notes", limit=5))["notes"]] == ["mine"]


async def test_a_recovery_that_fails_leaves_things_as_they_were(world: World) -> None:
    nobody = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    device = await opened(world, "laptop")
    assert await device.agent.publish_all()  # which the agent notes as a record of its own
    before = await device.ask("state")
    assert await device.ask("recover", words=nobody, password=None) == "RecoveryError"
    assert await device.ask("state") == before
    await device.ask("change_password", old=None, new="the first")
    await device.ask("lock")
    assert await device.ask("recover", words=nobody, password=None) == "RecoveryError"
    assert await device.ask("state") == LOCKED


async def test_a_forgotten_password_is_replaced_by_words(world: World) -> None:
    device = await opened(world, "laptop")
    words = " ".join(await device.ask("words"))
    did = (await device.ask("state"))["did"]
    await device.ask("change_password", old=None, new="forgotten")
    await device.ask("lock")
    await device.ask("recover", words=words, password="a new one")
    state = await device.ask("state")
    assert (state["did"], state["vault"]["protection"]) == (did, "password")
    await device.ask("lock")
    assert await device.ask("unlock", password="forgotten") == "WrongPassword"
    assert await device.ask("unlock", password="a new one") is None


async def test_identities_are_made_renamed_chosen_and_deleted(world: World) -> None:
    device = await opened(world, "laptop")
    first = (await device.ask("state"))["did"]
    assert await device.ask("delete_identity", did=first) == "IdentityError"
    made = {await device.ask("create_identity", called=" Work ", known=[first]) for _ in range(2)}
    assert len(made) == 1
    [work] = made
    assert await device.ask("create_identity", called="Work", known=[first, work]) not in (first, work)
    await device.ask("rename_identity", did=work, called="Job")
    assert [one["name"] for one in await device.ask("identities")] == ["Default", "Job", "Work"]
    await device.ask("choose_identity", did=work)
    assert (await device.ask("state"))["did"] == work
    for _ in range(2):
        assert await device.ask("delete_identity", did=work) is None
    assert (await device.ask("state"))["did"] == first
    assert await device.ask("create_identity", called=" ", known=[]) == "IdentityError"


async def test_the_last_identity_may_be_deleted_elsewhere(world: World) -> None:
    """Invariant 4."""
    device = await opened(world, "laptop")
    first = (await device.ask("state"))["did"]
    await device.agent.identities.delete(first)
    state = await device.ask("state")
    assert state["did"] != first
    assert [one["did"] for one in state["identities"]] == [state["did"]]


async def test_a_node_is_added_and_removed_for_the_agent_too(world: World) -> None:
    device = Device(await world.blank_device("laptop"), world.endpoints[:1])
    await device.session.open()
    web5, added = device.session.web5, world.endpoints[1]

    async def named() -> list[list[str]]:
        dids = (web5.connected_did, web5.vault.agent_did or "")
        return [list((await device.agent.keyring.portable_did(did)).document.dwn_endpoints) for did in dids]

    for _ in range(2):
        assert await device.ask("add_node", url=f" {added}/ ") is None
        assert await named() == [world.endpoints, world.endpoints]
    other = await device.ask("create_identity", called="Other", known=[web5.connected_did])
    for _ in range(2):
        assert await device.ask("remove_node", url=added) is None
        assert await named() == [world.endpoints[:1], world.endpoints]  # the other identity is on it
    await device.ask("delete_identity", did=other)
    await device.ask("add_node", url=added)
    await device.ask("remove_node", url=added)
    assert await named() == [world.endpoints[:1], world.endpoints[:1]]
    assert await device.ask("add_node", url="no address") == "InvalidArgument"


async def test_a_node_that_alone_may_have_something_is_removed_by_force_alone(world: World) -> None:
    device = await opened(world, "laptop")
    assert await device.agent.publish_all()
    assert (await device.ask("sync_now"))["ok"]
    world.down.add("dwn1")
    last = world.endpoints[1]
    assert await device.ask("remove_node", url=last) == "NodeNeeded"
    assert [one["endpoint"] for one in (await device.ask("state"))["endpoints"]] == world.endpoints
    assert await device.ask("remove_node", url=last, force=True) is None
    await device.ask("sync_now")
    state = await device.ask("state")
    assert [one["endpoint"] for one in state["endpoints"] + state["keys"]] == world.endpoints[:1] * 2


async def test_the_keys_are_told_apart_from_the_notes(world: World) -> None:
    device = await opened(world, "laptop")
    assert await device.agent.publish_all()
    assert (await device.ask("sync_now"))["ok"]
    world.down.add("dwn1")
    await device.ask("rename_identity", did=(await device.ask("state"))["did"], called="Another name")
    await device.ask("sync_now")
    state = await device.ask("state")
    assert [one["pending_out"] for one in state["endpoints"]] == [0, 0]
    assert [(one["endpoint"], one["pending_out"] > 0) for one in state["keys"]] == list(
        zip(world.endpoints, (False, True), strict=True)
    )
    assert state["keys_publish_error"] is None
    world.down.clear()
    await device.ask("retry", endpoint=world.endpoints[1])
    assert [one["pending_out"] for one in (await device.ask("state"))["keys"]] == [0, 0]
    assert [(one["keys"], one["displaced"]) for one in await device.ask("compare")] == [(False, 0)] * 2 + [
        (True, 0)
    ] * 2
