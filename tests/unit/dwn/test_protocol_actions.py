"""Action rules: who can do what with the records of a protocol."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, post_to, thread, with_actions
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.protocols.authorization import ACTIONS
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.types import Message

NOTES = "https://example.com/notes"
ACCEPTED = (202, "Accepted")
NOT_ALLOWED = (401, "ProtocolAuthorizationActionNotAllowed")
NO_RULES = (401, "ProtocolAuthorizationActionRulesNotFound")


async def note(world: World, *, by: Person | None = None, **options: Any) -> Message:
    """A note that was not sent yet."""
    return await world.compose(by=by, protocol=NOTES, protocol_path="note", **options)


async def sent(world: World, *, by: Person | None = None, **options: Any) -> Message:
    """A note that Alice keeps, whoever wrote it and whatever the rules are."""
    message = await note(world, by=by, **options)
    await install(world, with_actions({"who": "anyone", "can": ["create"]}))
    assert await world.status(message, b"hello") == ACCEPTED
    return message


async def read(world: World, by: Person | None, write: Message) -> tuple[int, str]:
    message = await compose.records_read(by and by.signer, world.clock, filter={"recordId": write["recordId"]})
    return await world.status(message)


def test_every_action_has_a_row() -> None:
    assert {row.action for row in ACTIONS} == {
        *("create", "update", "co-update", "delete", "co-delete", "prune", "co-prune", "read", "query", "subscribe")
    }


async def test_without_rules_only_the_tenant_writes(world: World) -> None:
    await install(world, with_actions())
    assert await world.status(await note(world, by=world.bob), b"hello") == NO_RULES
    assert await world.status(await note(world), b"hello") == ACCEPTED


async def test_anyone_can_create_and_update_what_is_his(world: World) -> None:
    await install(world, with_actions({"who": "anyone", "can": ["create"]}))
    write = await note(world, by=world.bob)
    assert await world.status(write, b"hello") == ACCEPTED
    update = await world.compose(by=world.bob, existing=write)
    assert await world.status(update, b"hello") == NOT_ALLOWED
    await install(world, with_actions({"who": "anyone", "can": ["create", "update"]}))
    assert await world.status(update, b"hello") == ACCEPTED
    # The tenant may update anything; the others only what is theirs.
    mine = await world.write(existing=update)
    assert await world.status(await world.compose(by=world.carol, existing=mine), b"hello") == NOT_ALLOWED


async def test_co_update_is_for_the_records_of_others_too(world: World) -> None:
    write = await sent(world, by=world.bob)
    await install(world, with_actions({"who": "anyone", "can": ["co-update"]}))
    for by in (world.carol, world.bob):
        write = await world.compose(by=by, existing=write)
        assert await world.status(write, b"hello") == ACCEPTED
    assert await world.status(await note(world, by=world.bob), b"hello") == NOT_ALLOWED


async def test_an_update_of_what_is_not_there_is_no_action(world: World) -> None:
    await install(world, with_actions({"who": "anyone", "can": ["create", "update", "co-update"]}))
    update = await world.compose(by=world.bob, existing=await note(world, by=world.bob), data=b"two")
    assert await world.status(update, b"two") == NOT_ALLOWED


DELETES: list[tuple[str, bool, set[str]]] = [
    ("delete", False, {"bob"}),
    ("co-delete", False, {"bob", "carol"}),
    ("prune", True, {"bob"}),
    ("co-prune", True, {"bob", "carol"}),
]


@pytest.mark.parametrize(("action", "prune", "can"), DELETES)
async def test_deletes_and_prunes(world: World, action: str, prune: bool, can: set[str]) -> None:
    for name in ("bob", "carol"):
        for pruning in (False, True):
            write = await sent(world, by=world.bob)
            await install(world, with_actions({"who": "anyone", "can": ["create", action]}))
            delete = await world.delete(write, by=getattr(world, name), prune=pruning)
            allowed = pruning == prune and name in can
            assert await world.status(delete) == (ACCEPTED if allowed else NOT_ALLOWED), (name, pruning)


async def test_a_delete_needs_rules(world: World) -> None:
    write = await sent(world, by=world.bob)
    await install(world, with_actions())
    assert await world.status(await world.delete(write, by=world.bob)) == NO_RULES
    plain = await world.write()
    assert await world.status(await world.delete(plain, by=world.bob)) == (401, "RecordsDeleteAuthorizationFailed")


async def test_anyone_can_read_even_unsigned(world: World) -> None:
    write = await sent(world)
    assert await read(world, world.bob, write) == NOT_ALLOWED
    assert await read(world, None, write) == NOT_ALLOWED
    await install(world, with_actions({"who": "anyone", "can": ["read"]}))
    assert await read(world, world.bob, write) == (200, "OK")
    assert await read(world, None, write) == (200, "OK")


async def test_who_wrote_or_received_a_record_reads_it_whatever_the_rules_are(world: World) -> None:
    write = await sent(world, by=world.bob, recipient=world.carol.did)
    await install(world, with_actions())
    for by in (world.bob, world.carol):
        assert await read(world, by, write) == (200, "OK")
    assert await read(world, None, write) == NO_RULES


async def test_what_is_published_needs_no_rules(world: World) -> None:
    await install(world, with_actions())
    write = await world.write(protocol=NOTES, protocol_path="note", published=True)
    assert await read(world, None, write) == (200, "OK")


async def test_a_deleted_record_is_read_by_the_same_rules(world: World) -> None:
    write = await sent(world, by=world.bob)
    await world.send(await world.delete(write))
    assert await read(world, world.bob, write) == (404, "Not Found")
    assert await read(world, world.carol, write) == NOT_ALLOWED


async def test_the_recipient_of_the_record_itself(world: World) -> None:
    rule = {"who": "recipient", "can": ["co-update", "co-delete", "co-prune"]}
    for action in ("update", "delete", "prune"):
        write = await sent(world, recipient=world.bob.did)
        await install(world, with_actions(rule))
        for by, expected in ((world.carol, NOT_ALLOWED), (world.bob, ACCEPTED)):
            if action == "update":
                assert await world.status(await world.compose(by=by, existing=write), b"hello") == expected
            else:
                assert await world.status(await world.delete(write, by=by, prune=action == "prune")) == expected


async def test_author_and_recipient_of_an_ancestor(world: World) -> None:
    """In the chat, the recipient of a thread posts in it, and its author reads and clears up."""
    await install(world, chat())
    parent = await thread(world, by=world.bob, recipient=world.carol.did)
    assert await world.status(await post_to(world, parent, by=world.bob), b"hello") == NOT_ALLOWED
    post = await post_to(world, parent, by=world.carol)
    assert await world.status(post, b"hello") == ACCEPTED
    update = await world.compose(by=world.carol, existing=post)
    assert await world.status(update, b"hello") == ACCEPTED
    assert await world.status(await world.compose(by=world.bob, existing=update), b"hello") == NOT_ALLOWED

    assert await read(world, world.bob, post) == (200, "OK")
    assert await world.status(await world.delete(post, by=world.bob)) == ACCEPTED


async def test_author_of_an_ancestor_that_the_tenant_wrote(world: World) -> None:
    await install(world, chat())
    parent = await thread(world, recipient=world.bob.did)
    post = await post_to(world, parent, by=world.bob)
    assert await world.status(post, b"hello") == ACCEPTED
    image = {
        "data_format": "image/png",
        "protocol": URI,
        "protocol_path": "thread/post/image",
        "parent_context_id": post["contextId"],
    }
    assert await world.status(await world.compose(by=world.carol, **image), b"hello") == NOT_ALLOWED
    picture = await world.compose(by=world.bob, **image)
    assert await world.status(picture, b"hello") == ACCEPTED
    # Its own author may always read it; no rule opens it to anybody else.
    assert await read(world, world.bob, picture) == (200, "OK")
    assert await read(world, world.carol, picture) == NOT_ALLOWED


async def test_the_author_of_the_record_itself(world: World) -> None:
    rules = with_actions({"who": "author", "of": "note", "can": ["create", "co-update", "co-delete"]})
    write = await sent(world, by=world.bob)
    await install(world, rules)
    assert await world.status(await note(world, by=world.bob), b"hello") == NOT_ALLOWED
    for by, expected in ((world.carol, NOT_ALLOWED), (world.bob, ACCEPTED)):
        assert await world.status(await world.compose(by=by, existing=write), b"hello") == expected
        assert await world.status(await world.delete(write, by=by)) == expected


async def test_an_ancestor_that_is_not_above_the_record(world: World) -> None:
    write = await sent(world, by=world.bob)
    await install(world, with_actions({"who": "author", "of": "reply", "can": ["create", "co-update"]}))
    assert await world.status(await world.compose(by=world.bob, existing=write), b"hello") == NOT_ALLOWED


async def test_of_several_rules_one_suffices(world: World) -> None:
    write = await sent(world, by=world.bob, recipient=world.carol.did)
    rules = [
        {"who": "author", "of": "note", "can": ["co-delete"]},
        {"who": "recipient", "can": ["co-update"]},
        {"who": "recipient", "of": "note", "can": ["co-delete"]},
    ]
    await install(world, with_actions(*rules))
    assert await world.status(await world.compose(by=world.bob, existing=write), b"hello") == NOT_ALLOWED
    assert await world.status(await world.compose(by=world.carol, existing=write), b"hello") == ACCEPTED
    assert await world.status(await world.delete(write, by=world.carol)) == ACCEPTED


async def test_what_the_tenant_signs_as_owner_needs_no_rule_but_has_its_place(world: World) -> None:
    await install(world, with_actions())
    write = await note(world, by=world.bob)
    owned = await sign_as_owner(write, world.alice.signer)
    assert await world.status(owned, b"hello") == ACCEPTED
    lost = await world.compose(by=world.bob, protocol=NOTES, protocol_path="reply")
    owned = await sign_as_owner(lost, world.alice.signer)
    assert await world.status(owned, b"hello") == (400, "ProtocolAuthorizationMissingRuleSet")


async def test_queries_of_strangers_show_what_is_theirs_whatever_the_rules_are(world: World) -> None:
    await install(world, with_actions({"who": "anyone", "can": ["create", "read"]}))
    mine = await note(world, by=world.bob)
    await world.send(mine, b"hello")
    to_bob = await world.write(protocol=NOTES, protocol_path="note", recipient=world.bob.did)
    await world.write(protocol=NOTES, protocol_path="note")
    shown = await world.write(protocol=NOTES, protocol_path="note", published=True)
    expected = [one["recordId"] for one in (mine, to_bob, shown)]
    assert await world.query(by=world.bob, protocol=NOTES) == expected
    assert await world.query(by=None, protocol=NOTES, protocolPath="note") == expected[2:]
