"""What a record of a protocol must be, whoever writes it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, member, post_to, thread, with_actions
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import signed_write
from web5.dwn import compose
from web5.dwn.signatures.signing import entry_id
from web5.dwn.values.types import Message

PREFIX = "ProtocolAuthorization"


@pytest.fixture(autouse=True)
async def installed(world: World) -> None:
    await install(world, chat())


async def test_the_protocol_is_configured(world: World) -> None:
    write = await world.compose(protocol="https://example.com/none", protocol_path="thread")
    assert await world.status(write, b"hello") == (400, f"{PREFIX}ProtocolNotFound")
    # Another tenant's protocols are his.
    elsewhere = await world.compose(by=world.bob, protocol=URI, protocol_path="thread")
    assert await world.status(elsewhere, b"hello", tenant=world.bob) == (400, f"{PREFIX}ProtocolNotFound")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"protocol_path": "thread/note"}, "InvalidType"),
        ({"protocol_path": "thread/post", "schema": None}, "InvalidSchema"),
        ({"schema": "https://example.com/schemas/other"}, "InvalidSchema"),
        ({"data_format": "text/html"}, "IncorrectDataFormat"),
        ({"protocol_path": "post"}, "IncorrectProtocolPath"),
        ({"protocol_path": "thread/post/post"}, "IncorrectProtocolPath"),
        ({"protocol_path": "thread/thread", "schema": None}, "MissingRuleSet"),
    ],
)
async def test_types_and_paths(world: World, options: Message, code: str) -> None:
    parent = await thread(world)
    assert await world.status(await post_to(world, parent, **options), b"hello") == (400, PREFIX + code)


async def test_a_record_without_a_parent_is_at_the_root(world: World) -> None:
    write = await world.compose(protocol=URI, protocol_path="thread/member")
    assert await world.status(write, b"hello") == (400, f"{PREFIX}ParentlessIncorrectProtocolPath")
    write = await world.compose(protocol=URI, protocol_path="member")
    assert await world.status(write, b"hello") == (400, f"{PREFIX}MissingRuleSet")


async def test_the_parent_is_there(world: World) -> None:
    refused = (400, f"{PREFIX}IncorrectProtocolPath")
    absent = await world.compose(protocol=URI, protocol_path="thread")
    early = await post_to(world, absent)
    assert await world.status(early, b"hello") == refused
    # Without its data it is not there yet.
    assert await world.status(absent) == (204, "No Content")
    assert await world.status(early, b"hello") == refused
    await world.write(existing=absent, data=b"hello")
    assert await world.status(early, b"hello") == (202, "Accepted")


async def test_the_parent_is_not_deleted(world: World) -> None:
    parent = await thread(world)
    post = await post_to(world, parent)
    assert await world.status(post, b"hello") == (202, "Accepted")
    await world.send(await world.delete(parent))
    refused = (400, f"{PREFIX}IncorrectProtocolPath")
    assert await world.status(await post_to(world, parent), b"hello") == refused
    assert await world.status(await world.compose(existing=post), b"hello") == refused


async def test_the_parent_is_of_the_same_protocol(world: World) -> None:
    await install(world, chat(protocol="https://example.com/other"))
    parent = await world.write(protocol="https://example.com/other", protocol_path="thread")
    assert await world.status(await post_to(world, parent), b"hello") == (400, f"{PREFIX}IncorrectProtocolPath")


async def test_the_context_is_the_parents_and_the_record(world: World) -> None:
    parent, other = await thread(world), await thread(world)
    post = await post_to(world, parent)
    for context in (post["recordId"], f"{other['contextId']}/{post['recordId']}", parent["contextId"]):
        moved = await signed_write(world.alice.signer, {**post, "contextId": context})
        assert await world.status(moved, b"hello") == (400, f"{PREFIX}IncorrectContextId")
    root = await world.compose(protocol=URI, protocol_path="thread")
    moved = await signed_write(world.alice.signer, {**root, "contextId": parent["contextId"]})
    assert await world.status(moved, b"hello") == (400, "RecordsWriteValidateIntegrityContextIdMismatch")


async def test_updates_stay_where_they_are(world: World) -> None:
    parent, other = await thread(world), await thread(world)
    post = await post_to(world, parent)
    await world.send(post, b"hello")
    update = await world.compose(existing=post, data=b"two")
    update["descriptor"]["parentId"] = other["recordId"]
    update["contextId"] = f"{other['contextId']}/{post['recordId']}"
    assert await world.status(await signed_write(world.alice.signer, update), b"two") == (
        400,
        "RecordsWriteImmutablePropertyChanged",
    )
    await world.write(existing=post, data=b"three")


async def test_what_the_protocol_refuses_is_refused_before_the_signature_is_verified(world: World) -> None:
    write = await world.compose(by=world.bob, protocol=URI, protocol_path="thread/member")
    other = await world.compose(by=world.bob)
    entry, wrong = (one["authorization"]["signature"]["signatures"][0] for one in (write, other))
    entry["signature"] = wrong["signature"]
    assert await world.status(write, b"hello") == (400, f"{PREFIX}ParentlessIncorrectProtocolPath")
    write = await world.compose(by=world.bob, protocol=URI, protocol_path="thread")
    write["authorization"]["signature"]["signatures"][0]["signature"] = wrong["signature"]
    assert await world.status(write, b"hello") == (401, "GeneralJwsVerifierInvalidSignature")


@pytest.mark.parametrize(("size", "code"), [(1, "MinSizeInvalid"), (2, None), (10, None), (11, "MaxSizeInvalid")])
async def test_sizes(world: World, size: int, code: str | None) -> None:
    parent = await thread(world)
    post = await post_to(world, parent)
    await world.send(post, b"hello")
    image = await world.compose(
        data=bytes(size),
        data_format="image/png",
        protocol=URI,
        protocol_path="thread/post/image",
        parent_context_id=post["contextId"],
    )
    assert await world.status(image, bytes(size)) == ((400, PREFIX + code) if code else (202, "Accepted"))


async def test_large_data_is_not_taken_in_for_a_record_that_is_refused(world: World) -> None:
    taken = []

    async def data() -> Any:
        taken.append(1)
        yield bytes(40_000)

    for by, path, expected in (
        (world.alice, "thread/member", (400, f"{PREFIX}ParentlessIncorrectProtocolPath")),
        (world.bob, "note", (401, f"{PREFIX}ActionRulesNotFound")),
    ):
        await install(world, with_actions())
        protocol = URI if path != "note" else "https://example.com/notes"
        write = await world.compose(by=by, data=bytes(40_000), protocol=protocol, protocol_path=path)
        assert await world.status(write, data()) == expected
    assert taken == []


async def test_a_role_has_one_recipient_in_a_context(world: World) -> None:
    first, second = await thread(world), await thread(world)
    no_one = await world.compose(protocol=URI, protocol_path="thread/member", parent_context_id=first["contextId"])
    assert await world.status(no_one, b"hello") == (400, f"{PREFIX}RoleMissingRecipient")

    role = await member(world, first, world.bob)
    again = {
        "protocol": URI,
        "protocol_path": "thread/member",
        "parent_context_id": first["contextId"],
        "recipient": world.bob.did,
    }
    duplicate = (400, f"{PREFIX}DuplicateRoleRecipient")
    assert await world.status(await world.compose(**again), b"hello") == duplicate
    await member(world, first, world.carol)
    await member(world, second, world.bob)
    await world.write(existing=role, data=b"still")
    await world.send(await world.delete(role))
    await world.write(**again)


async def test_a_role_at_the_root_has_one_recipient_at_all(world: World) -> None:
    await install(world, with_actions(**{"$role": True}))
    options = {"protocol": "https://example.com/notes", "protocol_path": "note", "recipient": world.bob.did}
    await world.write(**options)
    assert await world.status(await world.compose(**options), b"hello") == (400, f"{PREFIX}DuplicateRoleRecipient")


async def test_a_newer_definition_holds_for_what_is_written_from_then_on(world: World) -> None:
    post = await post_to(world, await thread(world))
    await world.send(post, b"hello")
    strict = chat()
    strict["types"]["post"]["dataFormats"] = ["application/json"]
    await install(world, strict)
    assert await world.status(await world.compose(existing=post), b"hello") == (400, f"{PREFIX}IncorrectDataFormat")
    await world.write(existing=post, data_format="application/json")
    gone = chat()
    del gone["structure"]["thread"]["post"]
    await install(world, gone)
    read = await compose.records_read(world.bob.signer, world.clock, filter={"recordId": post["recordId"]})
    assert await world.status(read) == (401, f"{PREFIX}MissingRuleSet")
    assert (await world.read(by=world.alice, recordId=post["recordId"]))["status"]["code"] == 200


async def test_the_id_of_a_record_is_made_of_its_place(world: World) -> None:
    parent = await thread(world)
    post = await post_to(world, parent)
    assert post["recordId"] == entry_id(world.alice.did, post["descriptor"])
    assert post["descriptor"]["parentId"] == parent["recordId"]
    assert post["contextId"] == f"{parent['recordId']}/{post['recordId']}"
