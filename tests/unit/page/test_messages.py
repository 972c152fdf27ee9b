"""Alice and Bob write to one another through their remote nodes; the numbers are invariants of
app/messages/messages.py."""

from __future__ import annotations

from typing import Any

import pytest
from app.messages.delivery import Delivery
from app.messages.letters import Letter
from app.messages.protocol import LONGEST, messaging
from app.messages.protocol import Person as People

from tests.unit.conftest import World
from tests.unit.page.persons import person
from web5 import TypedRecord
from web5.api.typed.records import TypedRecords


async def test_alice_writes_bob_accepts_and_answers(world: World) -> None:
    """Invariant 1."""
    alice, bob = await person(world, "alice"), await person(world, "bob")
    sent = await alice.write(bob, "Hello, Bob")
    assert (sent["text"], sent["mine"]) == ("Hello, Bob", True)
    assert (await alice.write(bob, "Hello, Bob"))["id"] == sent["id"]
    await alice.until(bob, "theirs")

    await bob.sync()
    found = await bob.ask("conversations", limit=50)
    assert (found["on"], found["people"], found["blocked"]) == (True, [], 0)
    [request] = found["requests"]
    assert (request["did"], request["text"], request["mine"], request["new"]) == (alice.did, "Hello, Bob", False, 1)
    await bob.ask("judge_person", did=alice.did, standing="accepted")
    await bob.ask("rename_person", did=alice.did, called=" Alice ")
    await bob.ask("read_conversation", did=alice.did)
    await bob.write(alice, "Hello, Alice")
    await bob.until(alice, "theirs")
    found = await bob.ask("conversations", limit=50)
    [known] = found["people"]
    assert found["requests"] == []
    assert (known["name"], known["text"], known["mine"], known["new"]) == ("Alice", "Hello, Alice", True, 0)

    await alice.sync()
    assert await alice.sees(bob) == [("Hello, Bob", "theirs"), ("Hello, Alice", "")]
    assert [one["did"] for one in (await alice.ask("conversations", limit=50))["people"]] == [bob.did]


async def test_what_is_written_is_readable_to_the_two_alone(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.write(bob, "a secret between us")
    for record in await alice.device.session.web5.dwn.records.query(protocol=messaging.uri):
        assert record.encryption is not None
        assert "secret" not in str({**record.to_json(), "tags": None})
        assert (await record.data.json())["text"] == "a secret between us"


async def test_somebody_who_is_blocked_is_not_heard(world: World) -> None:
    """Invariant 2."""
    alice, mallory = await person(world, "alice"), await person(world, "mallory")
    await mallory.write(alice, "buy this")
    await mallory.until(alice, "theirs")
    await alice.sync()
    await alice.ask("judge_person", did=mallory.did, standing="blocked")
    await mallory.write(alice, "and this")
    await mallory.until(alice, "theirs")
    await alice.sync()
    found = await alice.ask("conversations", limit=50)
    assert (found["people"], found["requests"], found["new"], found["blocked"]) == ([], [], 0, 1)
    assert await alice.sees(mallory) == []
    await alice.ask("judge_person", did=mallory.did, standing="accepted")
    assert [text for text, _ in await alice.sees(mallory)] == ["buy this", "and this"]


async def test_a_date_from_the_future_does_not_stay_on_top(world: World) -> None:
    """Invariant 3."""
    alice, mallory = await person(world, "alice"), await person(world, "mallory")
    right = mallory.device.agent.clock.now
    await mallory.write(alice, "of today")
    mallory.device.agent.clock.now = lambda: right() + 300_000_000  # type: ignore[method-assign]
    sent = await mallory.write(alice, "of the future")
    await mallory.until(alice, "theirs")
    await alice.sync()
    last = (await alice.ask("conversation", did=mallory.did, limit=5))["messages"][-1]
    assert last["id"] == sent["id"]
    assert last["created"] <= right() // 1000


async def test_a_message_says_where_it_is(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    world.down.update({"dwn0", "dwn1"})
    sent = await alice.write(bob, "into the dark")
    assert sent["state"] != "failed"
    await alice.until(bob, "here")
    world.down.clear()
    await alice.ask("retry_conversation", did=bob.did)
    await alice.sync()
    await alice.until(bob, "theirs")


async def test_all_of_it_is_there_again_after_a_lock_and_with_another_identity_in_between(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.write(bob, "kept")
    await alice.until(bob, "theirs")
    await alice.ask("change_password", old=None, new="correct horse")
    await alice.ask("lock")
    assert await alice.ask("conversations", limit=50) == "VaultLocked"
    await alice.ask("unlock", password="correct horse")
    assert [text for text, _ in await alice.sees(bob)] == ["kept"]
    other = await alice.ask("create_identity", called="Other", known=[alice.did])
    await alice.ask("choose_identity", did=other)
    found = await alice.ask("conversations", limit=50)
    assert (found["on"], found["people"], found["requests"], found["blocked"]) == (False, [], [], 0)
    await alice.ask("choose_identity", did=alice.did)
    assert [text for text, _ in await alice.sees(bob)] == ["kept"]


@pytest.mark.parametrize("text", ["", "  ", "x" * (LONGEST + 1)])
async def test_what_is_no_message_is_refused(world: World, text: str) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    assert await alice.ask("send_message", did=bob.did, text=text, key="k") == "InvalidArgument"
    assert await alice.sees(bob) == []


async def test_nobody_writes_to_themselves_or_to_nobody(world: World) -> None:
    alice = await person(world, "alice")
    nobody = "did:dht:" + "y" * 52
    for did, kind in ((alice.did, "InvalidArgument"), ("bob", "InvalidArgument"), (nobody, "EncryptionError")):
        assert await alice.ask("send_message", did=did, text="hello", key="k") == kind
    assert (await alice.ask("conversations", limit=50))["people"] == []


async def test_a_name_stays_when_the_state_before_it_comes_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.ask("judge_person", did=bob.did, standing="accepted")
    messages = alice.device.session.messages
    await messages.close()  # nothing else comes
    await alice.ask("judge_person", did=bob.did, standing="accepted")
    known = messages._people._persons[bob.did]
    before = await alice.device.session.web5.records(People).read(known.id)
    update = TypedRecord.update

    async def late(self: TypedRecord[People], *values: People, **changes: Any) -> TypedRecord[People]:
        messages._people.know(before)
        return await update(self, *values, **changes)

    monkeypatch.setattr(TypedRecord, "update", late)
    await messages._people.put(bob.did, name="Bob")
    await messages._people.put(bob.did, seen=5)
    assert (messages._people.name(bob.did), messages._people.seen(bob.did)) == ("Bob", 5)


async def test_of_very_many_conversations_the_newest_are_listed_and_opened(world: World) -> None:
    alice, bob, carol = [await person(world, name) for name in ("alice", "bob", "carol")]
    for writer in (bob, carol):
        await writer.write(alice, f"from {writer.did}")
        await writer.until(alice, "theirs")
        await alice.ask("judge_person", did=writer.did, standing="accepted")
    await alice.sync()
    messages = alice.device.session.messages
    for letter in messages._letters:
        letter.opened, letter.body = False, None
    found = await alice.ask("conversations", limit=1)
    assert ([one["did"] for one in found["people"]], found["more"], found["new"]) == ([carol.did], True, 2)
    assert [letter.thread for letter in messages._letters if letter.opened] == [carol.did]
    found = await alice.ask("conversations", limit=2)
    assert ([one["did"] for one in found["people"]], found["more"]) == ([carol.did, bob.did], False)
    whole = (await alice.ask("conversations", limit=2, since=""))["people"]
    assert whole["whole"] and [one["did"] for one in whole["put"]] == [carol.did, bob.did]
    await alice.write(bob, "now you are the newest")
    await alice.until_one(bob, "now you are the newest", "theirs")
    changed = (await alice.ask("conversations", limit=2, since=whole["token"]))["people"]
    assert not changed["whole"] and changed["gone"] == []
    assert [(one["did"], one["after"]) for one in changed["put"]] == [(bob.did, "")]


async def test_at_the_start_the_newest_last_words_alone_are_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob, carol = [await person(world, name) for name in ("alice", "bob", "carol")]
    for other in (bob, carol):
        await alice.write(other, "a last word")
        await alice.until(other, "theirs")
    monkeypatch.setattr("app.messages.mailbox.SENT_AGAIN", 1)
    sent = list[str]()
    deliver = Delivery.deliver

    async def watched(self: Delivery, letter: Letter) -> None:
        sent.append(letter.thread)
        await deliver(self, letter)

    monkeypatch.setattr(Delivery, "deliver", watched)
    other = await alice.ask("create_identity", called="Other", known=[alice.did])
    await alice.ask("choose_identity", did=other)
    await alice.ask("choose_identity", did=alice.did)
    await alice.until(carol, "theirs")
    assert sent == [carol.did]


async def test_what_is_just_being_stored_is_not_said_to_have_arrived(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.ask("judge_person", did=bob.did, standing="accepted")
    shown, create = list[Any](), TypedRecords.create

    async def seen_at_once(self: TypedRecords[Any], *values: Any, **options: Any) -> TypedRecord[Any]:
        made = await create(self, *values, **options)
        alice.device.session.messages._letters.take(made.record)  # as the event of it may, before the call returns
        shown.extend(await alice.sees(bob))
        return made

    monkeypatch.setattr(TypedRecords, "create", seen_at_once)
    await alice.write(bob, "hello")
    assert [text for text, _ in shown] == ["hello"] and shown[0][1] in ("here", "mine")
