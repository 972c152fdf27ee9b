"""RecordsWrite: what is stored, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import ENCRYPTION, encrypted, signed, signed_write
from web5.crypto.encoding import b64url_decode
from web5.dwn import compose
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.timestamps import format_timestamp

LARGE = bytes(range(256)) * 200


async def entries(world: World) -> list[dict[str, Any]]:
    query = await compose.records_query(world.alice.signer, world.clock, filter={"dataFormat": "text/plain"})
    found: list[dict[str, Any]] = (await world.send(query))["entries"]
    return found


async def test_a_new_record_is_accepted_and_found(world: World) -> None:
    write = await world.write(data=b"hello", schema="https://schema.org/Note", tags={"a": 1})
    (entry,) = await entries(world)
    assert b64url_decode(entry.pop("encodedData")) == b"hello"
    assert entry == write


async def test_the_same_message_again_is_a_conflict(world: World) -> None:
    write = await world.write()
    assert await world.status(write, b"hello") == (409, "Conflict")


async def test_an_initial_write_without_data_is_kept_but_not_found(world: World) -> None:
    write = await world.compose()
    assert await world.status(write) == (204, "No Content")
    assert await entries(world) == []
    assert await world.log() == [message_cid(write)]
    # Data that follows later comes too late for this message, as in the reference.
    assert await world.status(write, b"hello") == (409, "Conflict")


async def test_an_update_replaces_what_was_there_and_the_initial_write_stays(world: World) -> None:
    first = await world.write(data=b"one")
    second = await world.write(existing=first, data=b"two")
    third = await world.write(existing=second, data=b"three")
    (entry,) = await entries(world)
    assert b64url_decode(entry["encodedData"]) == b"three"
    assert entry["initialWrite"] == first
    assert await world.log() == [message_cid(first), message_cid(third)]


async def test_an_older_update_is_a_conflict(world: World) -> None:
    first = await world.write()
    older = await world.compose(existing=first, data=b"older")
    await world.write(existing=first, data=b"newer")
    assert await world.status(older, b"older") == (409, "Conflict")


async def test_of_two_updates_of_the_same_time_the_greater_cid_wins(world: World) -> None:
    first = await world.write()
    now = format_timestamp(world.clock.now())
    both = [await world.compose(existing=first, data=data, message_timestamp=now) for data in (b"a", b"b")]
    pairs = sorted(zip(both, (b"a", b"b"), strict=True), key=lambda pair: message_cid(pair[0]))
    (smaller, small_data), (greater, great_data) = pairs
    assert await world.status(smaller, small_data) == (202, "Accepted")
    assert await world.status(greater, great_data) == (202, "Accepted")
    assert await world.status(smaller, small_data) == (409, "Conflict")


async def test_an_update_without_data_keeps_the_data(world: World) -> None:
    for data in (b"small", LARGE):
        first = await world.write(data=data)
        await world.write(existing=first, data=None, published=True)
        reply = await world.read(by=None, recordId=first["recordId"])
        assert await reply["entry"]["data"].read() == data


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"small", "RecordsWriteMissingEncodedDataInPrevious"), (LARGE, "RecordsWriteMissingDataInPrevious")],
)
async def test_an_update_without_data_needs_data_that_is_here(world: World, data: bytes, code: str) -> None:
    first = await world.compose(data=data)
    await world.send(first)
    update = await world.compose(existing=first, data=None)
    assert await world.status(update) == (400, code)


async def test_an_update_without_data_cannot_name_other_data(world: World) -> None:
    secret = await world.write(data=b"secret")
    mine = await world.write(data=b"mine")
    reference = {"data_cid": secret["descriptor"]["dataCid"], "data_size": 6}
    update = await world.compose(existing=mine, data=None, **reference)
    assert await world.status(update) == (400, "RecordsWriteDataCidMismatch")


@pytest.mark.parametrize("data", [b"hello", LARGE])
async def test_data_must_be_what_the_message_says(world: World, data: bytes) -> None:
    write = await world.compose(data=data)
    for wrong in (b"", data[:-1], data + b"x", data[:-1] + b"\x00"):
        assert await world.status(write, wrong) == (400, "RecordsWriteDataCidMismatch")
    sized = await world.compose(data=None, data_cid=write["descriptor"]["dataCid"], data_size=len(data) + 1)
    assert await world.status(sized, data) == (400, "RecordsWriteDataSizeMismatch")
    assert await entries(world) == []


async def test_an_update_needs_its_initial_write(world: World) -> None:
    first = await world.compose()
    update = await world.compose(existing=first, data=b"two")
    assert await world.status(update, b"two") == (400, "RecordsWriteGetInitialWriteNotFound")


@pytest.mark.parametrize("name", ["recipient", "schema", "dateCreated"])
async def test_an_update_cannot_change_what_is_immutable(world: World, name: str) -> None:
    first = await world.write(schema="https://schema.org/Note", recipient=world.bob.did)
    update = await world.compose(existing=first)
    other = {"recipient": world.carol.did, "schema": "urn:x", "dateCreated": format_timestamp(world.clock.now())}
    update["descriptor"][name] = other[name]
    update = await signed_write(world.alice.signer, update)
    assert await world.status(update, b"hello") == (400, "RecordsWriteImmutablePropertyChanged")
    del update["descriptor"][name]
    if name != "dateCreated":
        update = await signed_write(world.alice.signer, update)
        assert await world.status(update, b"hello") == (400, "RecordsWriteImmutablePropertyChanged")


async def test_an_unknown_option_is_an_error(world: World) -> None:
    with pytest.raises(TypeError, match="'shema'"):
        await world.compose(shema="https://example.com/note")


async def test_nothing_follows_a_delete(world: World) -> None:
    first = await world.write()
    await world.send(await world.delete(first))
    update = await world.compose(existing=first)
    assert await world.status(update, b"hello") == (400, "RecordsWriteNotAllowedAfterDelete")


async def test_strangers_cannot_write(world: World) -> None:
    assert await world.status(await world.compose(by=world.bob), b"hello") == (401, "RecordsWriteAuthorizationFailed")
    granted = await world.compose(by=world.bob, permission_grant_id="some-grant")
    assert await world.status(granted, b"hello") == (401, "GrantAuthorizationGrantMissing")


async def test_the_tenant_may_keep_what_others_wrote_by_signing_it(world: World) -> None:
    write = await world.compose(by=world.bob)
    for owner, expected in (
        (world.carol, (401, "RecordsWriteOwnerAndTenantMismatch")),
        (world.alice, (202, "Accepted")),
    ):
        own = await signed(owner.signer, {"descriptor": write["descriptor"]})
        write["authorization"]["ownerSignature"] = own["authorization"]["signature"]
        assert await world.status(write, b"hello") == expected


async def test_the_initial_writes_dates_agree(world: World) -> None:
    write = await world.compose(message_timestamp=format_timestamp(world.clock.now()))
    assert await world.status(write, b"hello") == (400, "RecordsWriteValidateIntegrityDateCreatedMismatch")


async def test_the_signature_is_about_the_record(world: World) -> None:
    write, other = await world.compose(), await world.compose()
    swapped = {**write, "recordId": other["recordId"]}
    assert await world.status(swapped, b"hello") == (400, "RecordsWriteValidateIntegrityRecordIdUnauthorized")
    changed = copy.deepcopy(write)
    changed["descriptor"]["dataFormat"] = "text/html"
    assert await world.status(changed, b"hello") == (400, "AuthenticateDescriptorCidMismatch")


async def test_attestations(world: World) -> None:
    write = await world.write(attestation_signers=[world.bob.signer])
    assert await world.query(by=world.alice, attester=world.bob.did) == [write["recordId"]]
    other = await world.compose()
    wrong = {**other, "attestation": write["attestation"]}
    assert await world.status(wrong, b"hello") == (400, "RecordsWriteAttestationIntegrityDescriptorCidMismatch")
    two = await world.compose(attestation_signers=[world.bob.signer, world.carol.signer])
    assert await world.status(two, b"hello") == (400, "RecordsWriteAttestationIntegrityMoreThanOneSignature")
    unsigned = {**write, "attestation": (await world.compose(attestation_signers=[world.carol.signer]))["attestation"]}
    assert (await world.status(unsigned, b"hello"))[0] == 400


async def test_encryption_is_carried_and_given_back(world: World) -> None:
    """As it is: the engine decrypts nothing. An update has its own, or none."""
    first = await encrypted(world.alice.signer, await world.compose())
    assert await world.status(first, b"hello") == (202, "Accepted")
    (entry,) = await entries(world)
    assert entry["encryption"] == ENCRYPTION
    read = (await world.read(by=world.alice, recordId=first["recordId"]))["entry"]
    assert read["recordsWrite"] == first
    clear = await world.write(existing=first, data=b"in the clear")
    read = (await world.read(by=world.alice, recordId=first["recordId"]))["entry"]
    assert (read["recordsWrite"], read["initialWrite"]) == (clear, first)
    assert "encryption" not in clear


async def test_another_encryption_than_the_signed_one(world: World) -> None:
    write = await encrypted(world.alice.signer, await world.compose())
    write["encryption"] = {**ENCRYPTION, "initializationVector": "ZZZZ"}
    code = "RecordsWriteValidateIntegrityEncryptionCidMismatch"
    assert await world.status(write, b"hello") == (400, code)


async def test_a_signed_encryption_property_must_be_there(world: World) -> None:
    write = await world.compose()
    claimed = await signed_write(world.alice.signer, write, encryptionCid=dag_cbor_cid({}))
    assert (await world.status(claimed, b"hello"))[0] == 400


async def test_each_tenant_has_its_own_records(world: World) -> None:
    write = await world.write()
    assert await world.status(await world.delete(write, by=world.bob), tenant=world.bob) == (404, "Not Found")
    own = await world.compose(by=world.bob)
    assert await world.status(own, b"hello", tenant=world.bob) == (202, "Accepted")
    assert len(await entries(world)) == 1
