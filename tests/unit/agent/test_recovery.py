"""Words that bring an agent back; the numbers are the invariants of recovery.py."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from tests.unit.conftest import Network, World
from web5 import Web5, patience
from web5.agent.agent import Agent
from web5.agent.recovery import recover
from web5.dwn import compose
from web5.errors import InvalidArgument, RecoveryError, StorageFull, VaultLocked, WrongPassword

NOTE = "https://schema.org/TextDigitalDocument"
INBOX: dict[str, Any] = {
    "protocol": "https://inbox.example",
    "published": True,
    "types": {"mail": {}},
    "structure": {"mail": {"$actions": [{"who": "anyone", "can": ["create"]}]}},
}
OTHER_WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"


async def first_agent(world: World, *, names: tuple[str, ...] = ("Private", "Work")) -> tuple[Agent, str]:
    """An agent with identities that have a note each, all of it on the remote nodes; and its words."""
    agent = await world.blank_device("laptop")
    await agent.initialize(dwn_endpoints=world.endpoints)
    words = await agent.vault.recovery_phrase()
    assert words is not None
    for name in names:
        identity = await agent.create_identity(name, world.endpoints)
        await Web5(agent, identity.did).dwn.records.create(f"a note of {name}", schema=NOTE)
    assert await agent.publish_all()
    assert (await agent.sync.now()).ok
    return agent, words


async def notes_of(agent: Agent, did: str) -> list[str]:
    return [await record.data.text() for record in await Web5(agent, did).dwn.records.query(schema=NOTE)]


async def test_words_bring_back_identities_keys_and_records(world: World) -> None:
    laptop, words = await first_agent(world)
    told: list[tuple[str, int, int]] = []
    phone = await world.blank_device("phone")
    await recover(phone, words, "a password", lambda *step: told.append(step))

    assert phone.vault.agent_did == laptop.vault.agent_did
    assert [one.name for one in phone.identities.list()] == ["Private", "Work"]
    for identity in laptop.identities.list():
        assert await phone.export_identity(identity.did) == await laptop.export_identity(identity.did)
        assert await notes_of(phone, identity.did) == [f"a note of {identity.name}"]
    assert [step for step, *_ in told][:2] == ["agent", "agent"]
    assert ("identities", 2, 2) in told
    assert told[-1][0] == "records"
    assert told[-1][1] == told[-1][2] > 0


async def test_the_new_devices_password_is_its_own(world: World) -> None:
    _, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    await recover(phone, words, "a password")
    await phone.close()
    again = await world.blank_device("phone")
    assert again.vault.state == "locked"
    with pytest.raises(WrongPassword):
        await again.unlock("another")
    with pytest.raises(VaultLocked):
        await again.create_identity("Nobody", [])
    await again.unlock("a password")
    assert [one.name for one in again.identities.list()] == ["Private"]


async def test_what_either_device_adds_the_other_has(world: World) -> None:
    laptop, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    await recover(phone, words)
    await laptop.create_identity("Of the laptop", world.endpoints)
    await phone.create_identity("Of the phone", world.endpoints)
    for device in (laptop, phone, laptop):
        await device.publish_all()
        assert (await device.sync.now()).ok
    everybody = {"Private", "Of the laptop", "Of the phone"}
    for device in (laptop, phone):
        assert {one.name for one in device.identities.list()} == everybody


async def test_a_renamed_and_a_deleted_identity_are_so_everywhere(world: World) -> None:
    laptop, words = await first_agent(world)
    phone = await world.blank_device("phone")
    await recover(phone, words)
    private, work = (one.did for one in laptop.identities.list())
    await laptop.identities.rename(private, "  Me ")
    await laptop.identities.delete(work)
    for device in (laptop, phone):
        assert (await device.sync.now()).ok
        assert [(one.did, one.name) for one in device.identities.list()] == [(private, "Me")]
        assert work not in device.sync.tenants()


async def test_a_sync_ends_when_what_it_brought_is_taken_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long opening it takes."""
    laptop, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    await recover(phone, words)
    decrypt = phone.vault.decrypt

    async def slow(jwe_text: str) -> bytes:
        for _ in range(100):
            await asyncio.sleep(0)
        return await decrypt(jwe_text)

    monkeypatch.setattr(phone.vault, "decrypt", slow)
    await laptop.identities.rename(laptop.identities.list()[0].did, "Me")
    await laptop.sync.now()
    await phone.sync.now()
    assert [one.name for one in phone.identities.list()] == ["Me"]


async def test_words_of_nobody_change_nothing(world: World) -> None:
    """Invariant 1."""
    phone = await world.blank_device("phone")
    with pytest.raises(RecoveryError, match="No agent is known"):
        await recover(phone, OTHER_WORDS)
    assert phone.vault.state == "new"
    assert phone.sync.tenants() == []


@pytest.mark.parametrize("words", ["", "legal", OTHER_WORDS.replace("yellow", "legal"), "nonsense " * 12])
async def test_what_is_no_phrase_is_told_as_that(world: World, words: str) -> None:
    phone = await world.blank_device("phone")
    with pytest.raises(RecoveryError, match="phrase"):
        await recover(phone, words)
    assert phone.vault.state == "new"


@pytest.mark.parametrize("down", ["dht", "dwn"])
async def test_recovery_without_the_network_changes_nothing_and_works_later(world: World, down: str) -> None:
    _, words = await first_agent(world)
    phone = await world.blank_device("phone")
    world.down |= {"dht"} if down == "dht" else {"dwn0", "dwn1"}
    with pytest.raises(RecoveryError, match="again later"):
        await recover(phone, words)
    assert (phone.vault.state, phone.sync.tenants()) == ("new", [])
    world.down.clear()
    phone.resolver.forget(str(phone.vault.agent_did))
    await recover(phone, words)
    assert len(phone.identities.list()) == 2


async def test_one_node_is_enough(world: World) -> None:
    _, words = await first_agent(world)
    world.down.add("dwn0")
    phone = await world.blank_device("phone")
    await recover(phone, words)
    assert [await notes_of(phone, one.did) for one in phone.identities.list()] == [
        ["a note of Private"],
        ["a note of Work"],
    ]


async def test_what_was_on_the_device_moves_in(world: World) -> None:
    """Invariant 2."""
    laptop, words = await first_agent(world, names=("Private",))
    phone = await world.device("phone")
    web5, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    before = phone.vault.agent_did
    await web5.dwn.records.create("written before", schema=NOTE)
    await recover(phone, words)
    assert [one.name for one in phone.identities.list()] == ["Private", "Default"]
    assert await notes_of(phone, did) == ["written before"]
    assert before not in phone.sync.tenants()
    await phone.publish_all()
    assert (await phone.sync.now()).ok
    for _ in range(2):  # the identity, then what it has
        assert (await laptop.sync.now()).ok
    assert await notes_of(laptop, did) == ["written before"]


async def test_an_identity_of_a_mere_first_launch_goes_while_nobody_can_know_of_it(world: World) -> None:
    """Invariant 2."""
    _, words = await first_agent(world, names=("Private",))
    world.down.add("dht")
    phone = await world.device("phone")
    _, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    assert not await phone.publish_all()
    world.down.clear()
    await recover(phone, words)
    assert [one.name for one in phone.identities.list()] == ["Private"]
    assert did not in phone.sync.tenants()


async def publish(phone: Agent, did: str) -> None:
    assert await phone.publish_all()


async def rename(phone: Agent, did: str) -> None:
    await phone.identities.rename(did, "Me")


async def configure(phone: Agent, did: str) -> None:
    await Web5(phone, did).dwn.protocols.configure(INBOX)


async def choose_nodes(phone: Agent, did: str) -> None:
    await phone.set_dwn_endpoints(did, [])


@pytest.mark.parametrize("use", [publish, rename, configure, choose_nodes])
async def test_an_identity_that_was_used_stays_with_its_keys(world: World, use: Any) -> None:
    """Invariant 2."""
    _, words = await first_agent(world, names=("Private",))
    if use is not publish:
        world.down.add("dht")
    phone = await world.device("phone")
    _, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    await use(phone, did)
    assert use is publish or not await phone.publish_all()
    before = await phone.identities.portable_did(did)
    world.down.clear()
    await recover(phone, words)
    after = await phone.identities.portable_did(did)
    assert after.private_keys == before.private_keys
    assert after.document.dwn_endpoints == before.document.dwn_endpoints
    assert phone.identities.get(did).name == ("Me" if use is rename else "Default")
    assert phone.identities.list()[0].chosen, "that of the agent that came back"


async def test_a_letter_that_waits_at_a_node_still_finds_its_reader(world: World) -> None:
    _, words = await first_agent(world, names=("Private",))
    phone = await world.device("phone")
    web5, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    await web5.dwn.protocols.configure(INBOX)
    assert await phone.publish_all()
    assert (await phone.sync.now()).ok
    friend = await world.device("friend")
    sender = await friend.create_identity("Friend", world.endpoints)
    assert await friend.publish_all()
    letter = await compose.records_write(
        await friend.signer(sender.did),
        friend.clock,
        data=b"a letter",
        data_format="text/plain",
        protocol=INBOX["protocol"],
        protocol_path="mail",
    )
    await friend.messages.request(did, letter, b"a letter")
    await recover(phone, words)
    [found] = await Web5(phone, did).dwn.records.query(protocol=INBOX["protocol"])
    assert await found.data.text() == "a letter"


async def test_an_empty_node_proves_nothing_while_another_is_down(world: World) -> None:
    """Invariant 1."""
    world.down.add("dwn1")  # it is given nothing
    laptop = await world.blank_device("laptop")
    await laptop.initialize(dwn_endpoints=world.endpoints)
    words = str(await laptop.vault.recovery_phrase())
    await laptop.create_identity("Private", world.endpoints)
    assert await laptop.publish_all()
    await laptop.sync.now()

    world.down.clear()
    phone, tablet = await world.blank_device("phone"), await world.device("tablet")
    _, mine = await Web5.connect(agent=tablet, dwn_endpoints=world.endpoints, sync="off")
    assert await tablet.publish_all()
    here = tablet.vault.agent_did
    world.down.add("dwn0")
    for device in (phone, tablet):
        with pytest.raises(RecoveryError, match=r"none of its identities.*again later"):
            await Web5.connect(agent=device, recovery_phrase=words, sync="off")
    assert (phone.vault.state, phone.sync.tenants()) == ("new", [])
    assert (tablet.vault.agent_did, sorted(tablet.sync.tenants())) == (here, sorted([str(here), mine]))
    world.down.clear()
    assert (await tablet.sync.now()).ok
    for device in (phone, tablet):
        await Web5.connect(agent=device, recovery_phrase=words, sync="off")
        assert device.identities.list()[0].name == "Private"
        assert device.identities.list()[0].chosen


async def test_a_silent_node_keeps_nobody_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 5."""
    laptop, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    request = Network.request

    async def hang(self: Network, method: str, url: str, **options: Any) -> Any:
        if "/dwn1" in url:
            await asyncio.Event().wait()
        return await request(self, method, url, **options)

    told: list[tuple[str, int, int]] = []
    with monkeypatch.context() as patched:
        patched.setattr(Network, "request", hang)
        patched.setattr(patience, "BESIDE", 0.1)
        await recover(phone, words, None, lambda *step: told.append(step))
        assert await notes_of(phone, laptop.identities.list()[0].did) == ["a note of Private"]
        assert told[-1] == ("nodes", 1, 2)
        await phone.lock()
    await phone.unlock()
    assert (await phone.sync.now()).ok


async def test_what_only_some_nodes_told_is_not_called_all(world: World) -> None:
    """Invariant 5."""
    _, words = await first_agent(world)
    world.down.add("dwn0")
    phone = await world.blank_device("phone")
    told: list[tuple[str, int, int]] = []
    await recover(phone, words, None, lambda *step: told.append(step))
    assert told[-1] == ("nodes", 1, 2)


async def test_a_recovery_goes_on_wherever_it_was_cut_off(world: World) -> None:
    """Invariant 4: what a killed process has left, at each moment at which something became durable."""
    laptop, words = await first_agent(world)
    phone = await world.device("phone")
    web5, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="off")
    await web5.dwn.records.create("written before", schema=NOTE)
    assert await phone.publish_all()
    before, left = phone.vault.agent_did, 0
    flush = phone.dwn.database.flush

    async def flush_and_copy() -> None:
        nonlocal left
        await flush()
        shutil.copytree(world.folder("phone"), world.folder(f"cut off {left}"))
        left += 1

    phone.dwn.database.flush = flush_and_copy  # type: ignore[method-assign]
    await recover(phone, words)
    phone.dwn.database.flush = flush  # type: ignore[method-assign]
    expected = {"Private", "Work", "Default"}
    assert {one.name for one in phone.identities.list()} == expected
    for number in range(0, left, max(1, left // 6)):
        again = await world.blank_device(f"cut off {number}")
        assert again.vault.agent_did in (before, laptop.vault.agent_did)
        assert did in again.identities.list()[-1].did
        own = {again.vault.agent_did, *(one.did for one in again.identities.list())}
        assert set(again.sync.tenants()) == own
        await recover(again, words)
        assert {one.name for one in again.identities.list()} == expected
        assert [one.name for one in again.identities.list() if one.chosen] == ["Private"]
        assert (await again.sync.now()).ok
        assert await notes_of(again, did) == ["written before"]
        assert len(again.sync.tenants()) == 4
        await again.close()


async def test_a_recovery_that_fails_at_the_last_step_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, words = await first_agent(world, names=("Private",))
    phone = await world.device("phone")
    _, did = await Web5.connect(agent=phone, dwn_endpoints=world.endpoints, sync="1 hour")
    before = phone.vault.agent_did

    async def full(*_: object) -> None:
        raise StorageFull("no room")

    with monkeypatch.context() as patched:
        patched.setattr(phone.vault, "install", full)
        with pytest.raises(StorageFull):
            await recover(phone, words)
    assert (phone.vault.agent_did, [one.did for one in phone.identities.list()]) == (before, [did])
    assert sorted(phone.sync.tenants()) == sorted([str(before), did])
    assert phone.sync.interval == "1 hour"
    assert (await phone.signer(did)).did == did
    await phone.identities.delete(did)
    await recover(phone, words)
    assert [one.name for one in phone.identities.list()] == ["Private"], "what was deleted meanwhile does not come back"
    await recover(phone, words)
    assert phone.identities.list()[0].name == "Private"


async def test_words_open_the_agents_own_vault_when_the_password_is_forgotten(world: World) -> None:
    agent = await world.blank_device("laptop")
    await agent.initialize(password="forgotten", dwn_endpoints=world.endpoints)
    words = await agent.vault.recovery_phrase()
    await agent.create_identity("Private", world.endpoints)
    await agent.close()
    again = await world.blank_device("laptop")
    world.down |= {"dht", "dwn0", "dwn1"}  # nothing is needed from elsewhere
    await recover(again, str(words), "a new one")
    assert [one.name for one in again.identities.list()] == ["Private"]
    await again.lock()
    with pytest.raises(WrongPassword):
        await again.unlock("forgotten")
    await again.unlock("a new one")


async def test_a_locked_vault_gives_way_to_no_other(world: World) -> None:
    """Invariant 3."""
    _, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    await phone.initialize(password="a password", dwn_endpoints=world.endpoints)
    await phone.create_identity("Of the phone", world.endpoints)
    await phone.lock()
    with pytest.raises(RecoveryError, match="Unlock this one first"):
        await recover(phone, words)
    await phone.unlock("a password")
    assert [one.name for one in phone.identities.list()] == ["Of the phone"]
    await recover(phone, words)
    assert [one.name for one in phone.identities.list()] == ["Private", "Of the phone"]


async def test_a_blank_password_changes_nothing(world: World) -> None:
    _, words = await first_agent(world, names=("Private",))
    phone = await world.blank_device("phone")
    with pytest.raises(InvalidArgument, match="blank"):
        await recover(phone, words, " ")
    assert (phone.vault.state, phone.sync.tenants()) == ("new", [])


async def test_connect_recovers_with_words(world: World) -> None:
    laptop, words = await first_agent(world)
    phone = await world.blank_device("phone")
    connection = await Web5.connect(agent=phone, recovery_phrase=words, password="a password", sync="off")
    assert not connection.created
    assert connection.did == laptop.identities.list()[0].did


async def test_an_agent_without_identities_is_not_given_one_silently(world: World) -> None:
    _, words = await first_agent(world, names=())
    phone = await world.blank_device("phone")
    with pytest.raises(RecoveryError, match="no identity"):
        await Web5.connect(agent=phone, recovery_phrase=words, sync="off")
    assert phone.identities.list() == []
    assert (await Web5.connect(agent=phone, sync="off")).created


async def test_nodes_hold_nothing_readable_of_an_agent(world: World, tmp_path: Any) -> None:
    laptop, words = await first_agent(world)
    private_keys = []
    for did in laptop.keyring.dids():
        private_keys += (await laptop.keyring.portable_did(did)).private_keys or []
    await laptop.close()
    for folder in ("remotes", "laptop"):
        stored = b"".join(path.read_bytes() for path in (tmp_path / folder).rglob("*") if path.is_file())
        assert len(stored) > 10_000
        for secret in (*(key["d"] for key in private_keys), words, '"Private"', "privateKeys"):
            assert secret.encode() not in stored
