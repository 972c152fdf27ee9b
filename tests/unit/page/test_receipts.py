"""Who has read what; the invariant is of app/messages/receipts.py."""

from __future__ import annotations

from tests.unit.conftest import World
from tests.unit.page.persons import person


async def test_they_are_told_only_if_the_person_wants_it(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.write(bob, "one")
    await alice.until(bob, "theirs")
    await bob.sync()
    await bob.ask("judge_person", did=alice.did, standing="accepted")
    await bob.ask("read_conversation", did=alice.did)
    await bob.sync()
    await alice.sync()
    assert await alice.sees(bob) == [("one", "theirs")]

    await bob.ask("tell_person", did=alice.did, tells=True)
    assert (await bob.shown(alice.did))["tells"] is True
    found = await alice.wait(bob.did, lambda found: found["messages"][0]["state"] == "read", sync=True)
    await alice.write(bob, "two")
    await alice.until_one(bob, "two", "theirs")
    await bob.sync()
    await bob.wait(alice.did, lambda found: len(found["messages"]) == 2)
    await bob.ask("read_conversation", did=alice.did)
    found = await alice.wait(bob.did, lambda found: found["messages"][1]["state"] == "read", sync=True)
    assert [one["state"] for one in found["messages"]] == ["read", "read"]

    await bob.ask("tell_person", did=alice.did, tells=False)
    await alice.write(bob, "three")
    await alice.until_one(bob, "three", "theirs")
    await bob.sync()
    await bob.wait(alice.did, lambda found: len(found["messages"]) == 3)
    await bob.ask("read_conversation", did=alice.did)
    await bob.sync()
    await alice.sync()
    assert await alice.sees(bob) == [("one", "read"), ("two", "read"), ("three", "theirs")]
