"""Owner signatures: who owns a DWN keeps there what others wrote, or lets a delegate do that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.permissions.permits import END, NOTES, make_grant, revoke, send_record, with_notes, with_other_data
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.types import Message
from web5.errors import BadRequest

ACCEPTED = (202, "Accepted")


@pytest.fixture
async def world(world: World) -> World:
    return await with_notes(world)


async def carols_note(world: World, **options: Any) -> Message:
    """A note that Carol wrote, which Alice's DWN does not take from her."""
    options = {"protocol": NOTES, "protocol_path": "note", **options}
    write = await world.compose(by=world.carol, **options)
    assert (await world.status(write, b"hello"))[0] == 401
    return write


async def delegate(world: World, **options: Any) -> Message:
    return await make_grant(world, "Records.Write", delegated=True, **options)


async def test_an_owner_keeps_what_another_wrote(world: World) -> None:
    kept = await sign_as_owner(await carols_note(world), world.alice.signer)
    assert await world.status(kept, b"hello") == ACCEPTED
    assert await world.query(by=world.alice, author=world.carol.did) == [kept["recordId"]]


async def test_only_the_tenant_is_the_owner(world: World) -> None:
    kept = await sign_as_owner(await carols_note(world), world.bob.signer)
    assert await world.status(kept, b"hello") == (401, "RecordsWriteOwnerAndTenantMismatch")


async def test_an_owner_keeps_what_a_delegate_of_another_wrote(world: World) -> None:
    grant = await make_grant(world, "Records.Write", delegated=True, by=world.carol, to=world.bob)
    write = await world.compose(by=world.bob, delegated_grant=grant, protocol=NOTES, protocol_path="note")
    kept = await sign_as_owner(write, world.alice.signer)
    assert await world.status(kept, b"hello") == ACCEPTED
    assert await world.query(by=world.alice, author=world.carol.did) == [kept["recordId"]]


async def test_a_delegate_keeps_it_for_the_owner(world: World) -> None:
    grant = await delegate(world)
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, grant)
    assert await world.status(kept, b"hello") == ACCEPTED


async def test_the_scope_of_the_grant_is_about_the_record(world: World) -> None:
    grant = await delegate(world, conditions={"publication": "Required"})
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, grant)
    assert await world.status(kept, b"hello") == (401, "RecordsGrantAuthorizationConditionPublicationRequired")
    grant = await delegate(world)
    kept = await sign_as_owner(await world.compose(by=world.carol), world.bob.signer, grant)
    assert await world.status(kept, b"hello") == (401, "RecordsGrantAuthorizationScopeProtocolMismatch")


async def test_the_grant_is_the_owners(world: World) -> None:
    grant = await delegate(world, by=world.carol)
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, grant)
    assert await world.status(kept, b"hello") == (401, "RecordsWriteOwnerAndTenantMismatch")


async def test_a_revoked_grant_keeps_nothing(world: World) -> None:
    record = await delegate(world)
    await send_record(world, record)
    await revoke(world, record)
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, record)
    assert await world.status(kept, b"hello") == (401, "GrantAuthorizationGrantRevoked")


async def test_the_signature_and_the_grant_belong_together(world: World) -> None:
    write, record = await carols_note(world), await delegate(world)
    kept = await sign_as_owner(write, world.bob.signer, record)
    bare = {**kept, "authorization": {**kept["authorization"]}}
    del bare["authorization"]["ownerDelegatedGrant"]
    alone = (400, "RecordsOwnerDelegatedGrantAndIdExistenceMismatch")
    assert await world.status(bare, b"hello") == alone
    del bare["authorization"]["ownerSignature"]
    bare["authorization"]["ownerDelegatedGrant"] = record
    assert await world.status(bare, b"hello") == alone

    async def status(grant: Message, signer: Any = world.bob.signer) -> tuple[int, str]:
        return await world.status(await sign_as_owner(write, signer, grant), b"hello")

    other = {**kept["authorization"], "ownerDelegatedGrant": await delegate(world)}
    assert await world.status({**kept, "authorization": other}, b"hello") == (
        400,
        "RecordsOwnerDelegatedGrantCidMismatch",
    )
    assert await status(record, world.carol.signer) == (
        400,
        "RecordsOwnerDelegatedGrantGrantedToAndOwnerSignatureMismatch",
    )
    plain = await make_grant(world, "Records.Write")
    assert await status(plain) == (400, "RecordsOwnerDelegatedGrantNotADelegatedGrant")


async def test_the_data_of_a_grant_are_what_the_owner_signed(world: World) -> None:
    """The reference takes any data here, so that a delegate can write himself any scope."""
    record = await make_grant(world, "Records.Write", delegated=True, protocol="urn:other")
    wider = {
        "dateExpires": END,
        "delegated": True,
        "scope": {"interface": "Records", "method": "Write", "protocol": NOTES},
    }
    write = await carols_note(world)
    kept = await sign_as_owner(write, world.bob.signer, record)
    assert await world.status(kept, b"hello") == (401, "RecordsGrantAuthorizationScopeProtocolMismatch")
    kept = await sign_as_owner(write, world.bob.signer, with_other_data(record, wider))
    assert await world.status(kept, b"hello") == (401, "RecordsOwnerDelegatedGrantCidMismatch")


async def test_every_signature_is_verified(world: World) -> None:
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, await delegate(world))
    good = kept["authorization"]
    invalid = (401, "GeneralJwsVerifierInvalidSignature")
    for name in ("signature", "ownerSignature"):
        jws = good[name]
        forged = {**jws, "signatures": [{**jws["signatures"][0], "signature": "A" * 86}]}
        message = {**kept, "authorization": {**good, name: forged}}
        assert await world.status(message, b"hello") == invalid, name
    grant = good["ownerDelegatedGrant"]
    jws = grant["authorization"]["signature"]
    forged = {**jws, "signatures": [{**jws["signatures"][0], "signature": "A" * 86}]}
    forged_grant = {**grant, "authorization": {"signature": forged}}
    kept = await sign_as_owner(await carols_note(world), world.bob.signer, forged_grant)
    assert await world.status(kept, b"hello") == invalid


async def test_the_author_signs_first(world: World) -> None:
    write = await carols_note(world)
    del write["authorization"]
    with pytest.raises(BadRequest, match="RecordsWriteSignAsOwnerUnknownAuthor"):
        await sign_as_owner(write, world.alice.signer)
    with pytest.raises(BadRequest, match="RecordsWriteSignAsOwnerDelegateUnknownAuthor"):
        await sign_as_owner(write, world.bob.signer, await delegate(world))
