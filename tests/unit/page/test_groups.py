"""Groups by protocol roles; the numbers are invariants of app/messages/groups.py."""

from __future__ import annotations

from typing import Any

import pytest
from app.messages.protocol import ROLE, Invitation, Message, messaging

from tests.unit.conftest import World
from tests.unit.page.persons import Person, person
from web5.errors import Unauthorized


def texts(found: Any) -> list[str]:
    return [one["text"] for one in found["messages"]]


async def _invited(owner: Person, guest: Person, group: str) -> str:
    """The message that invites somebody, as it comes to them."""
    await owner.ask("add_member", did=group, member=guest.did)
    await owner.until(guest, "theirs")
    await owner.sync()
    await guest.sync()
    found = await guest.wait(owner.did, lambda found: found["messages"], sync=True)
    [message] = [one for one in found["messages"] if one["invitation"] and one["invitation"]["group"] in group]
    return message["id"]  # type: ignore[no-any-return]


async def _say(by: Person, group: str, text: str) -> None:
    said = await by.ask("send_message", did=group, text=text, key=text)
    assert isinstance(said, dict), said
    await by.wait(
        group, lambda found: (text, "group") in [(m["text"], m["state"]) for m in found["messages"]], sync=True
    )


async def test_all_of_a_group_write_and_read_until_one_is_removed_and_one_leaves(world: World) -> None:
    alice, bob, carol = [await person(world, name) for name in ("alice", "bob", "carol")]
    group = await alice.ask("make_group", called="Hiking", key="g")
    assert await alice.ask("make_group", called="Hiking", key="g") == group
    await _say(alice, group, "before anybody was there")

    message = await _invited(alice, bob, group)
    assert await bob.ask("join_group", message=message) == "InvalidArgument"  # 2
    [request] = (await bob.ask("conversations", limit=5))["requests"]
    assert request["invited"] == "Hiking"
    await bob.ask("judge_person", did=alice.did, standing="accepted")
    assert await bob.ask("join_group", message=message) == group
    found = await bob.wait(group, lambda found: texts(found) == ["before anybody was there"], sync=True)
    assert (found["name"], found["group"]["stage"]) == ("Hiking", "joined")
    await carol.ask("judge_person", did=alice.did, standing="accepted")
    await carol.ask("join_group", message=await _invited(alice, carol, group))

    await _say(bob, group, "from Bob")
    await alice.wait(group, lambda found: "from Bob" in texts(found), sync=True)
    found = await carol.wait(group, lambda found: "from Bob" in texts(found), sync=True)
    assert found["messages"][-1]["from"]["did"] == bob.did
    assert {one["did"] for one in found["group"]["members"]} == {alice.did, bob.did, carol.did}
    await carol.ask("judge_person", did=bob.did, standing="blocked")
    assert texts(await carol.shown(group)) == ["before anybody was there"]
    listed = (await carol.ask("conversations", limit=5))["people"]
    assert [one["text"] for one in listed if one["did"] == group] == ["before anybody was there"]
    await carol.ask("judge_person", did=bob.did, standing="accepted")
    for stranger in (bob, carol):  # 1
        assert await stranger.ask("add_member", did=group, member="did:dht:" + "y" * 52) == "InvalidArgument"
        assert await stranger.ask("remove_member", did=group, member=alice.did) == "InvalidArgument"

    await alice.ask("remove_member", did=group, member=bob.did)
    await _say(alice, group, "without Bob")
    await bob.wait(group, lambda found: found["group"]["stage"] == "out", sync=True)
    assert texts(await bob.shown(group)) == ["before anybody was there", "from Bob"]  # 4
    assert await bob.ask("send_message", did=group, text="still here?", key="k") == "InvalidArgument"
    with pytest.raises(Unauthorized):
        await bob.device.session.web5.dwn.records.query(
            from_=alice.did,
            protocol=messaging.uri,
            protocol_path="group/message",
            context_id=group.removeprefix("group:"),
            protocol_role=ROLE,
        )

    await carol.wait(group, lambda found: "without Bob" in texts(found), sync=True)
    await carol.ask("leave_group", did=group)
    await carol.wait(group, lambda found: found["group"]["stage"] == "left", sync=True)
    await alice.wait(group, lambda found: len(found["group"]["members"]) == 1, sync=True)
    assert await alice.ask("leave_group", did=group) == "InvalidArgument"


async def test_an_invitation_to_anothers_group_takes_nothing_over(world: World) -> None:
    """2."""
    alice, bob, mallory = [await person(world, name) for name in ("alice", "bob", "mallory")]
    group = await alice.ask("make_group", called="Hiking", key="g")
    await bob.ask("judge_person", did=alice.did, standing="accepted")
    await bob.ask("join_group", message=await _invited(alice, bob, group))
    await bob.wait(group, lambda found: found["group"]["stage"] == "joined", sync=True)
    await bob.ask("judge_person", did=mallory.did, standing="accepted")
    invitation = Invitation(group=group.removeprefix("group:"), name="Hiking")
    web5 = mallory.device.session.web5
    false = await web5.records(Message).create(Message(text="", key="f", invitation=invitation), recipient=bob.did)
    await false.send(bob.did)
    await mallory.sync()
    found = await bob.wait(mallory.did, lambda found: found["messages"], sync=True)
    assert await bob.ask("join_group", message=found["messages"][0]["id"]) == "InvalidArgument"
    assert (await bob.shown(group))["group"]["owner"] == alice.did


async def test_what_was_written_is_there_without_the_node_of_whoever_began_it(world: World) -> None:
    """3."""
    alice, bob = [await person(world, name) for name in ("alice", "bob")]
    group = await alice.ask("make_group", called="Hiking", key="g")
    await _say(alice, group, "kept")
    await bob.ask("judge_person", did=alice.did, standing="accepted")
    await bob.ask("join_group", message=await _invited(alice, bob, group))
    await bob.wait(group, lambda found: texts(found) == ["kept"], sync=True)
    world.down.update({"dwn0", "dwn1"})
    await bob.ask("change_password", old=None, new="correct horse")
    await bob.ask("lock")
    await bob.ask("unlock", password="correct horse")
    assert texts(await bob.shown(group)) == ["kept"]
    said = await bob.ask("send_message", did=group, text="into the dark", key="d")
    assert said["state"] == "here"
    world.down.clear()
    await bob.ask("retry_conversation", did=group)
    await alice.wait(group, lambda found: texts(found) == ["kept", "into the dark"], sync=True)
