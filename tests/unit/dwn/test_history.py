"""What was allowed at its own time is taken where the tenant's DWNs had it already, and from nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, configure, install, member, post_to, thread
from tests.unit.dwn.conftest import Status, World
from tests.unit.dwn.permissions.permits import DEFINITION as NOTES
from tests.unit.dwn.permissions.permits import make_grant, revoke, send_record
from tests.unit.dwn.persons import Person
from web5.dwn import Dwn, compose
from web5.dwn.history import KEPT_DEFINITIONS, needless
from web5.dwn.permissions.compose import permission_revocation
from web5.dwn.permissions.grants import split_encoded_data
from web5.dwn.store.protocols import Configuration, versions
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message

MINUTE = 60_000_000


async def brought(world: World, message: Message, data: bytes | None = None, *, dwn: Dwn | None = None) -> Status:
    """What Alice's DWN says of a message that another DWN of hers had."""
    reply = await (dwn or world.dwn).process_message(world.alice.did, message, data, replicated=True)
    return reply["status"]["code"], reply["status"]["detail"].partition(":")[0]


@dataclass
class Ended:
    """Something that allowed Bob's messages, and its end.

    Attributes:
        before, after: what Bob dated before the end, and after it.
        refusal: what he is told now.
    """

    before: Message
    after: Message
    refusal: Status


async def _role(world: World) -> Ended:
    await install(world, chat())
    parent = await thread(world)
    role = await member(world, parent, world.bob)
    before = await post_to(world, parent, by=world.bob, protocol_role="thread/member")
    assert await world.status(await world.delete(role)) == (202, "Accepted")
    after = await post_to(world, parent, by=world.bob, protocol_role="thread/member")
    return Ended(before, after, (401, "ProtocolAuthorizationMatchingRoleRecordNotFound"))


async def _definition(world: World) -> Ended:
    await install(world, chat())
    before = await world.compose(by=world.bob, protocol=URI, protocol_path="thread")
    structure = {**chat()["structure"], "thread": {"$actions": [{"who": "anyone", "can": ["read"]}]}}
    await install(world, chat(structure=structure, types={"thread": {}}))
    after = await world.compose(by=world.bob, protocol=URI, protocol_path="thread")
    return Ended(before, after, (401, "ProtocolAuthorizationActionNotAllowed"))


async def _grant(world: World) -> Ended:
    await install(world, NOTES)
    grant = await make_grant(world, "Records.Write")
    await send_record(world, grant)
    place = {"by": world.bob, "protocol": NOTES["protocol"], "protocol_path": "note"}
    before = await world.compose(**place, permission_grant_id=grant["recordId"])
    assert await world.status(await world.delete(grant)) == (202, "Accepted")
    after = await world.compose(**place, permission_grant_id=grant["recordId"])
    return Ended(before, after, (401, "GrantAuthorizationGrantMissing"))


async def _parent(world: World) -> Ended:
    await install(world, chat())
    parent = await thread(world, recipient=world.bob.did)
    before = await post_to(world, parent, by=world.bob)
    assert await world.status(await world.delete(parent)) == (202, "Accepted")
    after = await post_to(world, parent, by=world.bob)
    return Ended(before, after, (400, "ProtocolAuthorizationIncorrectProtocolPath"))


ENDED: dict[str, Callable[[World], Awaitable[Ended]]] = {
    "a role": _role,
    "a definition": _definition,
    "a grant": _grant,
    "a parent": _parent,
}


@pytest.mark.parametrize("what", ENDED)
async def test_a_stranger_gets_nothing_back_by_an_old_date(world: World, what: str) -> None:
    ended = await ENDED[what](world)
    log = await world.log()
    assert await world.status(ended.before, b"hello") == ended.refusal
    assert await world.status(ended.after, b"hello") == ended.refusal
    for by in (world.bob, world.carol):
        handed = await compose.messages_replicate(by.signer, world.clock, message=ended.before)
        assert await world.status(handed, b"hello") == (401, "MessagesReplicateAuthorizationFailed")
    assert await world.log() == log


@pytest.mark.parametrize("what", ENDED)
async def test_what_another_dwn_of_the_tenant_had_is_judged_by_its_own_time(world: World, what: str) -> None:
    ended = await ENDED[what](world)
    assert await brought(world, ended.after, b"hello") == ended.refusal
    assert await brought(world, ended.before, b"hello") == (202, "Accepted")


@pytest.mark.parametrize("what", ENDED)
async def test_the_tenant_hands_on_what_is_from_the_past(world: World, what: str) -> None:
    ended = await ENDED[what](world)
    for message, expected in ((ended.after, ended.refusal), (ended.before, (202, "Accepted"))):
        handed = await compose.messages_replicate(world.alice.signer, world.clock, message=message)
        assert await world.status(handed, b"hello") == expected
    assert message_cid(ended.before) in await world.log()


@pytest.mark.parametrize("what", ENDED)
async def test_many_messages_of_the_past_are_judged_alike(world: World, what: str) -> None:
    from web5.dwn import Delivery

    ended = await ENDED[what](world)
    deliveries = [Delivery(one, b"hello", message_cid(one)) for one in (ended.before, ended.after)]
    for replicated, first in ((False, ended.refusal[0]), (True, 202)):
        replies = await world.dwn.process_writes(world.alice.did, deliveries, replicated=replicated)
        assert [reply["status"]["code"] for reply in replies] == [first, ended.refusal[0]]


async def test_an_update_and_a_delete_are_judged_by_their_own_time(world: World) -> None:
    await install(world, chat())
    parent = await thread(world, recipient=world.bob.did)
    post = await post_to(world, parent, by=world.bob)
    assert await world.status(post, b"hello") == (202, "Accepted")
    update = await world.compose(by=world.bob, existing=post, data=b"more")
    delete = await world.delete(post, by=world.bob)
    structure = {"thread": {"post": {}}}
    await install(world, chat(structure=structure, types={"thread": {}, "post": {}}))
    late = await world.delete(post, by=world.bob)
    for message, data in ((update, b"more"), (delete, None)):
        assert (await world.status(message, data))[0] == 401
        assert (await brought(world, late))[0] == 401
        assert await brought(world, message, data) == (202, "Accepted")


async def test_what_the_tenant_wrote_needs_no_definition_that_fits_but_one_and_its_parent(world: World) -> None:
    await install(world, chat())
    parent = await thread(world)
    posts = [await post_to(world, parent, data=data) for data in (b"1", b"2", b"3", b"4")]
    image = {"data_format": "image/tiff", "schema": "https://example.com/other"}
    unfit = await post_to(world, parent, **image)
    nowhere = await post_to(world, {"contextId": "x"})
    assert await brought(world, posts[0], b"1") == (202, "Accepted")
    assert await world.status(unfit, b"hello") == (400, "ProtocolAuthorizationInvalidSchema")
    assert await brought(world, unfit, b"hello") == (202, "Accepted")
    assert await brought(world, nowhere, b"hello") == (400, "ProtocolAuthorizationIncorrectProtocolPath")
    assert await world.status(await world.delete(parent)) == (202, "Accepted")
    later = await post_to(world, parent, data=b"later")
    assert (await brought(world, posts[1], b"2"))[0] == (await brought(world, later, b"later"))[0] == 202
    other = await world.compose(protocol="https://example.com/unknown", protocol_path="x")
    assert await brought(world, other, b"hello") == (400, "ProtocolAuthorizationProtocolNotFound")
    prune = await world.delete(parent, prune=True)
    assert await world.status(prune) == (202, "Accepted")
    assert await brought(world, posts[2], b"3") == (400, "ProtocolAuthorizationIncorrectProtocolPath")


async def test_two_roles_of_one_person_do_not_hold_at_once(world: World) -> None:
    """Of what a member wrote; each is taken, whichever comes first, once the end of the first is known."""
    rule = {"role": "admin", "can": ["create", "update"]}
    definition = {
        "protocol": URI,
        "published": False,
        "types": {"admin": {}, "member": {}},
        "structure": {"admin": {"$role": True}, "member": {"$role": True, "$actions": [rule]}},
    }
    await install(world, definition)
    await world.write(protocol=URI, protocol_path="admin", recipient=world.bob.did, data=b"")
    appoint = {"by": world.bob, "protocol": URI, "protocol_path": "member", "protocol_role": "admin"}
    first = await world.compose(**appoint, recipient=world.carol.did, data=b"")
    end = await world.delete(first)
    second = await world.compose(**appoint, recipient=world.carol.did, data=b"")
    assert await brought(world, second, b"") == (202, "Accepted")
    assert await brought(world, first, b"") == (202, "Accepted")
    assert await brought(world, end) == (202, "Accepted")
    other = await world.compose(**appoint, recipient=world.carol.did, data=b"")
    assert await brought(world, other, b"") == (400, "ProtocolAuthorizationDuplicateRoleRecipient")


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_a_record_ends_alike_in_whatever_order_its_messages_come(world: World, order: tuple[int, ...]) -> None:
    first = await world.write()
    early, update, late = await world.delete(first), await world.compose(existing=first), await world.delete(first)
    prune = await world.delete(first, prune=True, message_timestamp=format_timestamp(world.clock.now() - MINUTE))
    for place in order:
        message, data = ((early, None), (update, b"hello"), (late, None), (prune, None))[place]
        await brought(world, message, data)
    assert await world.log() == [message_cid(first), message_cid(prune)]
    assert await world.query(by=world.alice, dataFormat="text/plain") == []


async def test_a_later_write_keeps_a_delete_out_where_it_comes_as_a_strangers_would(world: World) -> None:
    first = await world.write()
    delete = await world.delete(first)
    await world.write(existing=first)
    assert await world.status(delete) == (409, "Conflict")
    assert await brought(world, delete) == (202, "Accepted")
    assert await brought(world, delete) == (409, "Conflict")
    again = await world.compose(existing=first)
    assert await world.status(again, b"hello") == (400, "RecordsWriteNotAllowedAfterDelete")


# -- definitions


async def kept(world: World) -> list[Message]:
    store = world.dwn.store
    return [one.message for one in versions(store, store.tenant(world.alice.did), URI)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_definitions_that_come_in_any_order_are_kept_in_that_of_their_dates(
    world: World, order: tuple[int, ...]
) -> None:
    made = [await configure(world, chat(types={**chat()["types"], name: {}})) for name in "abc"]
    for place in order:
        assert await brought(world, made[place]) == (202, "Accepted")
        assert await brought(world, made[place]) == (409, "Conflict")
    assert await kept(world) == made
    assert await world.log() == [message_cid(made[2])]
    query = await compose.protocols_query(world.alice.signer, world.clock)
    assert (await world.send(query))["entries"] == [made[2]]
    read = await compose.messages_read(world.alice.signer, world.clock, message_cid=message_cid(made[0]))
    assert (await world.send(read))["status"]["code"] == 404


async def test_a_definition_that_is_older_than_the_one_in_force_is_refused_as_ever(world: World) -> None:
    older = await configure(world, chat())
    await install(world, chat(published=True))
    assert await world.status(older) == (409, "Conflict")


async def test_of_definitions_that_say_the_same_only_those_are_kept_that_tell_since_when(world: World) -> None:
    texts = "AAABBBA"
    made = [await configure(world, chat(published=text == "A")) for text in texts]
    for one in made:
        assert await world.status(one) == (202, "Accepted")
    assert await kept(world) == [made[2], made[3], made[6]]


async def test_a_definition_that_holds_again_does_not_hide_when_it_held_before(world: World) -> None:
    made = [await configure(world, chat(published=text == "A")) for text in "ABA"]
    for place in (2, 0, 1):
        assert await brought(world, made[place]) == (202, "Accepted")
    assert await kept(world) == made


def test_only_so_many_definitions_of_a_protocol_are_kept() -> None:
    made = [
        Configuration(str(number), f"{number:04}", f'{{"descriptor": {{"definition": {number}}}}}')
        for number in range(KEPT_DEFINITIONS + 2)
    ]
    assert needless(made) == {"0", "1"}


async def test_a_delegates_older_definition_is_judged_by_its_own_time(world: World) -> None:
    grant = await make_grant(world, "Protocols.Configure", protocol=URI)
    await send_record(world, grant)
    theirs = await configure(world, chat(), by=world.bob, permission_grant_id=grant["recordId"])
    await world.send(await world.delete(grant))
    late = await configure(world, chat(published=True), by=world.bob, permission_grant_id=grant["recordId"])
    await install(world, chat(published=True))
    assert await brought(world, late) == (401, "GrantAuthorizationGrantMissing")
    assert await brought(world, theirs) == (202, "Accepted")


# -- grants


async def note_by(world: World, who: Person, grant: Message) -> Message:
    place = {"protocol": NOTES["protocol"], "protocol_path": "note"}
    return await world.compose(by=who, **place, permission_grant_id=grant["recordId"])


async def test_a_grant_that_ended_comes_with_its_data_however_it_comes(world: World) -> None:
    await install(world, NOTES)
    grant = await make_grant(world, "Records.Write")
    await send_record(world, grant)
    note, revocation = await note_by(world, world.bob, grant), await revoke(world, grant)
    late, end = await note_by(world, world.bob, grant), await world.delete(grant)
    await world.send(end)
    [entry] = (await world.send(await compose.messages_history(world.alice.signer, world.clock)))["entries"]
    assert entry == grant
    bare, data = split_encoded_data(grant)
    read = await compose.messages_read(world.alice.signer, world.clock, message_cid=message_cid(bare))
    assert "data" not in (await world.send(read))["entry"]

    for given in ((bare, data), (bare, None)):
        other = world.engine()
        await other.open()
        steps: list[tuple[Message, bytes | None]] = [(await configure(world, NOTES), None), given, (end, None)]
        for message, more in steps:
            assert (await brought(world, message, more, dwn=other))[0] in (202, 204)
        if given[1] is None:
            missing = (401, "GrantAuthorizationGrantMissing")
            assert await brought(world, note, b"hello", dwn=other) == missing
            assert await brought(world, bare, data[:-1], dwn=other) == (400, "RecordsWriteDataCidMismatch")
            assert await brought(world, bare, data, dwn=other) == (204, "No Content")
        assert await brought(world, *split_encoded_data(revocation), dwn=other) == (202, "Accepted")
        assert await brought(world, late, b"hello", dwn=other) == (401, "GrantAuthorizationGrantRevoked")
        assert await brought(world, note, b"hello", dwn=other) == (202, "Accepted")


async def test_a_revocation_of_a_grant_that_was_deleted_is_taken(world: World) -> None:
    await install(world, NOTES)
    grant = await make_grant(world, "Records.Write")
    await send_record(world, grant)
    revocation = await permission_revocation(world.alice.signer, world.clock, grant=grant)
    await world.send(await world.delete(grant))
    assert (await world.status(*split_encoded_data(revocation)))[0] == 400
    assert await brought(world, *split_encoded_data(revocation)) == (202, "Accepted")


async def test_a_grant_that_was_changed_and_deleted_allows_nothing_any_more(world: World) -> None:
    """Nobody knows any more when the first state ended."""
    await install(world, NOTES)
    grant = await make_grant(world, "Records.Write")
    await send_record(world, grant)
    note = await note_by(world, world.bob, grant)
    bare, data = split_encoded_data(grant)
    update = await world.compose(existing=bare, data=data, tags=bare["descriptor"]["tags"])
    await world.send(update, data)
    assert await brought(world, note, b"hello") == (202, "Accepted")
    second = await note_by(world, world.bob, grant)
    await world.send(await world.delete(grant))
    assert await brought(world, second, b"hello") == (401, "GrantAuthorizationGrantMissing")


# -- MessagesHistory and MessagesReplicate


async def test_what_has_ended_is_given_to_the_tenant_alone_and_in_parts(world: World) -> None:
    made = [await install(world, chat(published=bool(number % 2))) for number in range(5)]
    for by in (world.bob, world.carol):
        asked = await compose.messages_history(by.signer, world.clock)
        assert await world.status(asked) == (401, "MessagesHistoryAuthorizationFailed")
    given: list[Message] = []
    cursor: Message | None = None
    while True:
        asked = await compose.messages_history(world.alice.signer, world.clock, cursor=cursor)
        reply = await world.send(asked, room=lambda: 1)
        given += reply["entries"]
        cursor = reply.get("cursor")
        if cursor is None:
            break
        assert len(reply["entries"]) == 1
    assert given == made[:4]
    other = await world.send(await compose.messages_history(world.bob.signer, world.clock), tenant=world.bob)
    assert other["entries"] == []


MALFORMED: dict[str, tuple[Callable[[Any], Any], Status]] = {
    "of another message": (lambda one: {**one, "message": {**one["message"], "recordId": "x"}}, (400, "Cid")),
    "of nothing": (lambda one: {**one, "message": {}}, (400, "Cid")),
    "unsigned": (lambda one: {name: one[name] for name in ("descriptor", "message")}, (400, "Schema")),
    "without the message": (lambda one: {name: one[name] for name in ("descriptor", "authorization")}, (400, "Schema")),
    "with more": (lambda one: {**one, "more": 1}, (400, "Schema")),
    "with a number beyond": (lambda one: {**one, "message": {"x": 2**70}}, (400, "Cid")),
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_what_is_no_message_of_the_past_is_refused(world: World, what: str) -> None:
    change, (code, expected) = MALFORMED[what]
    write = await world.compose()
    handed = change(await compose.messages_replicate(world.alice.signer, world.clock, message=write))
    status, detail = await world.status(handed, b"hello")
    assert status == code
    assert expected in detail
    assert await world.log() == []


async def test_only_what_is_stored_is_handed_on(world: World) -> None:
    for message in (
        await compose.messages_query(world.alice.signer, world.clock),
        await compose.messages_replicate(world.alice.signer, world.clock, message=await world.compose()),
        {"descriptor": {"interface": "Records"}},
        {"descriptor": []},
    ):
        handed = await compose.messages_replicate(world.alice.signer, world.clock, message=message)
        assert await world.status(handed) == (400, "SchemaValidatorFailure")


async def test_a_signature_of_somebody_else_hands_on_nothing(world: World) -> None:
    write = await world.compose()
    handed = await compose.messages_replicate(world.alice.signer, world.clock, message=write)
    other = await compose.messages_replicate(world.alice.signer, world.clock, message=await world.compose())
    mixed = {**handed, "authorization": other["authorization"]}
    assert (await world.status(mixed, b"hello"))[0] in (400, 401)
    assert await world.log() == []
