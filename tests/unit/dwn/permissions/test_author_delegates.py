"""Author-delegated grants: Bob signs, Alice is the author."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import (
    END,
    NOTES,
    make_grant,
    note,
    record_of,
    revoke,
    send_record,
    with_notes,
    with_other_data,
)
from tests.unit.dwn.persons import signed
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message

ACCEPTED, OK = (202, "Accepted"), (200, "OK")


@pytest.fixture
async def world(world: World) -> World:
    return await with_notes(world)


async def delegate(world: World, what: str, **options: Any) -> Message:
    """A delegated grant of Alice's to Bob. It need not be in any DWN."""
    return await make_grant(world, what, delegated=True, **options)


async def by_bob(world: World, grant: Message, **options: Any) -> Message:
    """A note that Bob writes for the grantor."""
    options = {"protocol": NOTES, "protocol_path": "note", **options}
    return await world.compose(by=world.bob, delegated_grant=grant, **options)


async def test_the_grantor_is_the_author(world: World) -> None:
    write = await by_bob(world, await delegate(world, "Records.Write"))
    assert await world.status(write, b"hello") == ACCEPTED
    assert await world.query(by=world.alice, author=world.alice.did) == [write["recordId"]]
    assert await world.query(by=world.alice, author=world.bob.did) == []
    # It is the grantor's in other DWNs too, and the author may always read it.
    elsewhere = await compose.records_read(world.bob.signer, world.clock, filter={"recordId": write["recordId"]})
    assert await world.status(elsewhere) == (401, "ProtocolAuthorizationActionRulesNotFound")


async def test_a_delegate_updates_and_deletes_records_of_the_grantor(world: World) -> None:
    first = await note(world)
    grant = await delegate(world, "Records.Write")
    newer = await world.compose(by=world.bob, existing=first, data=b"newer", delegated_grant=grant)
    assert await world.status(newer, b"newer") == ACCEPTED
    grant = await delegate(world, "Records.Delete")
    delete = await world.delete(first, by=world.bob, delegated_grant=grant)
    assert await world.status(delete) == ACCEPTED


Make = Callable[[World, Message, str], Awaitable[Message]]


async def ask_query(world: World, grant: Message, protocol: str) -> Message:
    return await compose.records_query(
        world.bob.signer, world.clock, filter={"protocol": protocol}, delegated_grant=grant
    )


async def ask_subscribe(world: World, grant: Message, protocol: str) -> Message:
    return await compose.records_subscribe(
        world.bob.signer, world.clock, filter={"protocol": protocol}, delegated_grant=grant
    )


async def ask_read(world: World, grant: Message, protocol: str) -> Message:
    record = await note(world) if protocol == NOTES else await world.write()
    return await compose.records_read(
        world.bob.signer, world.clock, filter={"recordId": record["recordId"]}, delegated_grant=grant
    )


async def ask_delete(world: World, grant: Message, protocol: str) -> Message:
    record = await note(world) if protocol == NOTES else await world.write()
    return await world.delete(record, by=world.bob, delegated_grant=grant)


async def ask_write(world: World, grant: Message, protocol: str) -> Message:
    options = {} if protocol == NOTES else {"protocol": None, "protocol_path": None}
    return await by_bob(world, grant, **options)


@pytest.mark.parametrize(
    ("what", "make", "outside"),
    [
        ("Records.Query", ask_query, "RecordsGrantAuthorizationQueryOrSubscribeProtocolScopeMismatch"),
        ("Records.Subscribe", ask_subscribe, "RecordsGrantAuthorizationQueryOrSubscribeProtocolScopeMismatch"),
        ("Records.Read", ask_read, "RecordsGrantAuthorizationScopeProtocolMismatch"),
        ("Records.Delete", ask_delete, "RecordsGrantAuthorizationDeleteProtocolScopeMismatch"),
        ("Records.Write", ask_write, "RecordsGrantAuthorizationScopeProtocolMismatch"),
    ],
)
async def test_a_delegate_stays_in_the_scope(world: World, what: str, make: Make, outside: str) -> None:
    async def status(grant: Message, protocol: str) -> tuple[int, str]:
        message = await make(world, grant, protocol)
        data = b"hello" if what == "Records.Write" else None
        reply = await world.send(message, data, subscription_handler=lambda event: None)
        return reply["status"]["code"], reply["status"]["detail"].partition(":")[0]

    grant = await delegate(world, what)
    assert await status(grant, NOTES) in (OK, ACCEPTED)
    assert await status(grant, "urn:other") == (401, outside)
    other_method = "Records.Read" if what != "Records.Read" else "Records.Query"
    wrong = await delegate(world, other_method)
    assert await status(wrong, NOTES) == (401, "GrantAuthorizationMethodMismatch")


async def test_conditions_bind_delegates(world: World) -> None:
    grant = await delegate(world, "Records.Write", conditions={"publication": "Required"})
    assert await world.status(await by_bob(world, grant, published=True), b"hello") == ACCEPTED
    private = await by_bob(world, grant)
    assert await world.status(private, b"hello") == (401, "RecordsGrantAuthorizationConditionPublicationRequired")


async def test_a_revocation_in_the_grantors_own_dwn_binds_delegates(world: World) -> None:
    record = await delegate(world, "Records.Write")
    await send_record(world, record)
    before = await by_bob(world, record)
    await revoke(world, record)
    after = await by_bob(world, record)
    assert await world.status(before, b"hello") == ACCEPTED
    assert await world.status(after, b"hello") == (401, "GrantAuthorizationGrantRevoked")


async def test_a_delegate_has_no_more_rights_than_the_grantor(world: World) -> None:
    """In Carol's DWN Alice may do nothing, and so may Bob for her."""
    grant = await delegate(world, "Records.Write")
    write = await by_bob(world, grant)
    assert await world.status(write, b"hello", tenant=world.carol) == (400, "ProtocolAuthorizationProtocolNotFound")


async def test_the_signature_names_the_grant_that_comes_along(world: World) -> None:
    grant = await delegate(world, "Records.Query")
    alone = (400, "RecordsAuthorDelegatedGrantAndIdExistenceMismatch")
    query = await ask_query(world, grant, NOTES)
    bare = {**query, "authorization": {"signature": query["authorization"]["signature"]}}
    assert await world.status(bare) == alone
    unnamed = await signed(world.bob.signer, {"descriptor": query["descriptor"]})
    unnamed["authorization"]["authorDelegatedGrant"] = grant
    assert await world.status(unnamed) == alone
    other = await delegate(world, "Records.Query")
    swapped = {**query, "authorization": {**query["authorization"], "authorDelegatedGrant": other}}
    assert await world.status(swapped) == (400, "RecordsAuthorDelegatedGrantCidMismatch")


async def test_only_the_grantee_may_use_a_grant(world: World) -> None:
    grant = await delegate(world, "Records.Query", to=world.carol)
    assert await world.status(await ask_query(world, grant, NOTES)) == (
        400,
        "RecordsAuthorDelegatedGrantGrantedToAndOwnerSignatureMismatch",
    )


async def test_a_plain_grant_makes_no_delegate(world: World) -> None:
    grant = await make_grant(world, "Records.Query")
    not_delegated = (400, "RecordsAuthorDelegatedGrantNotADelegatedGrant")
    assert await world.status(await ask_query(world, grant, NOTES)) == not_delegated
    grant = await make_grant(world, "Records.Query", delegated=False)
    assert await world.status(await ask_query(world, grant, NOTES)) == not_delegated


async def test_a_forged_grant_is_refused(world: World) -> None:
    """Bob grants himself something in Alice's name."""
    forged = await delegate(world, "Records.Query", by=world.carol)
    jws = forged["authorization"]["signature"]
    header = (await delegate(world, "Records.Query"))["authorization"]["signature"]["signatures"][0]["protected"]
    forged["authorization"] = {"signature": {**jws, "signatures": [{**jws["signatures"][0], "protected": header}]}}
    status = await world.status(await ask_query(world, forged, NOTES))
    assert status == (401, "GeneralJwsVerifierInvalidSignature")


async def test_a_grant_is_checked_as_a_message_of_its_own(world: World) -> None:
    record = await delegate(world, "Records.Query")
    odd = {**record, "recordId": "x"}
    assert await world.status(await ask_query(world, odd, NOTES)) == (
        401,
        "RecordsWriteValidateIntegrityRecordIdUnauthorized",
    )


async def test_the_data_of_a_grant_are_what_the_grantor_signed(world: World) -> None:
    """The reference lets a delegate write himself any scope: it does not compare the data with their CID."""
    record = await delegate(world, "Records.Query")
    wider = {
        "dateExpires": END,
        "delegated": True,
        "scope": {"interface": "Records", "method": "Query", "protocol": "urn:other"},
    }
    query = await ask_query(world, with_other_data(record, wider), "urn:other")
    assert await world.status(query) == (401, "RecordsAuthorDelegatedGrantCidMismatch")


async def test_only_a_grant_is_a_grant(world: World) -> None:
    """The reference takes any record for one that the grantor ever wrote to the delegate."""
    says = {"dateExpires": END, "delegated": True, "scope": {"interface": "Records", "method": "Query"}}
    request = await record_of(world, "request", {**says}, recipient=world.bob.did)
    assert await world.status(await ask_query(world, request, NOTES)) == (
        401,
        "RecordsAuthorDelegatedGrantNotADelegatedGrant",
    )
    incomplete = {name: value for name, value in says.items() if name != "dateExpires"}
    grant = await record_of(world, "grant", incomplete, recipient=world.bob.did)
    assert await world.status(await ask_query(world, grant, NOTES)) == (401, "SchemaValidatorFailure")


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        ("", "the permission record has no data that can be read"),
        ("AAAA", "the permission record has no data that can be read"),
        ("bnVsbA", "the permission record has no data that can be read"),
        ("*", "the data of the grant cannot be decoded"),
        ("W10", "RecordsAuthorDelegatedGrantNotADelegatedGrant"),
        ("MQ", "RecordsAuthorDelegatedGrantNotADelegatedGrant"),
    ],
)
async def test_data_that_say_nothing(world: World, encoded: str, words: str) -> None:
    grant = {**(await delegate(world, "Records.Query")), "encodedData": encoded}
    assert await world.status(await ask_query(world, grant, NOTES)) == (400, words)


@pytest.mark.parametrize("scope", [None, [], "x", {}, {"interface": "Records"}])
async def test_a_grant_without_a_scope_that_means_anything(world: World, scope: Any) -> None:
    says = {"dateExpires": 7, "delegated": True, "scope": scope, "conditions": []}
    grant = await record_of(world, "grant", says, recipient=world.bob.did)
    expected = (
        "GrantAuthorizationMethodMismatch"
        if scope == {"interface": "Records"}
        else "GrantAuthorizationInterfaceMismatch"
    )
    code, word = await world.status(await ask_query(world, grant, NOTES))
    assert code == 401
    assert (word == expected) == (scope is not None)


@pytest.mark.parametrize("context", ["other", None, 7])
async def test_a_context_that_is_none(world: World, context: Any) -> None:
    """A scope that no DWN would accept, in a grant that none was asked to."""
    scope = {"interface": "Records", "method": "Write", "protocol": NOTES, "contextId": context}
    grant = await record_of(
        world, "grant", {"dateExpires": END, "delegated": True, "scope": scope}, recipient=world.bob.did
    )
    write = await by_bob(world, grant)
    assert await world.status(write, b"hello") == (401, "RecordsGrantAuthorizationScopeContextIdMismatch")


async def test_a_delegate_invokes_grants_and_roles_of_the_grantor(world: World) -> None:
    """Alice may read in Carol's DWN under a grant of Carol's; so may Bob for Alice."""
    record = await world.compose(by=world.carol)
    assert await world.status(record, b"hello", tenant=world.carol) == ACCEPTED
    carols = await make_grant(world, "Messages.Query", protocol=None, by=world.carol, to=world.alice)
    assert await send_record(world, carols, tenant=world.carol) == ACCEPTED
    query = await compose.messages_query(world.alice.signer, world.clock, permission_grant_id=carols["recordId"])
    reply = await world.send(query, tenant=world.carol)
    assert message_cid(record) in reply["entries"]
    read_notes = await make_grant(world, "Records.Write", by=world.carol, to=world.alice)
    await send_record(world, read_notes, tenant=world.carol)
    await world.dwn.process_message(
        world.carol.did,
        await compose.protocols_configure(
            world.carol.signer,
            world.clock,
            definition={"protocol": NOTES, "published": False, "types": {"note": {}}, "structure": {"note": {}}},
        ),
    )
    write = await by_bob(
        world,
        await delegate(world, "Records.Write"),
        permission_grant_id=read_notes["recordId"],
    )
    assert await world.status(write, b"hello", tenant=world.carol) == ACCEPTED
