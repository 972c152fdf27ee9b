"""ProtocolsConfigure: which definitions are taken, and which one holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.dwn.chat import CHAT, URI, chat, configure, install, with_actions
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import signed
from web5.dwn import compose
from web5.dwn.protocols.definitions import REMEMBERED
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message


async def configured(world: World) -> list[Message]:
    query = await compose.protocols_query(world.alice.signer, world.clock)
    entries: list[Message] = (await world.send(query))["entries"]
    return entries


async def raw(world: World, definition: Any) -> Message:
    """A ProtocolsConfigure of whatever is given, as it is."""
    descriptor = {
        "interface": "Protocols",
        "method": "Configure",
        "messageTimestamp": format_timestamp(world.clock.now()),
        "definition": definition,
    }
    return await signed(world.alice.signer, {"descriptor": descriptor})


async def test_a_definition_is_accepted_found_and_logged(world: World) -> None:
    message = await install(world, chat())
    assert await configured(world) == [message]
    assert await world.log() == [message_cid(message)]


async def test_the_newest_definition_wins_and_the_older_is_gone(world: World) -> None:
    first = await install(world, chat())
    second = await install(world, chat(published=True))
    assert await configured(world) == [second]
    assert await world.log() == [message_cid(second)]
    assert await world.status(first) == (409, "Conflict")
    assert await world.status(second) == (409, "Conflict")
    other = await install(world, chat(protocol="https://example.com/other"))
    assert await configured(world) == [second, other]


async def test_of_two_definitions_of_the_same_time_the_greater_cid_wins(world: World) -> None:
    now = format_timestamp(world.clock.now())
    both = [await configure(world, chat(published=flag), message_timestamp=now) for flag in (True, False)]
    smaller, greater = sorted(both, key=message_cid)
    assert await world.status(greater) == (202, "Accepted")
    assert await world.status(smaller) == (409, "Conflict")
    assert await configured(world) == [greater]


async def test_only_the_tenant_configures(world: World) -> None:
    message = await configure(world, chat(), by=world.bob)
    assert await world.status(message) == (401, "ProtocolsConfigureAuthorizationFailed")
    assert await configured(world) == []


async def test_a_definition_is_no_record(world: World) -> None:
    await install(world, chat(published=True))
    assert (await world.read(by=world.alice, protocol=URI))["status"]["code"] == 404
    assert await world.query(by=world.alice, protocol=URI) == []


async def test_the_log_knows_definitions_by_interface_and_protocol(world: World) -> None:
    cid = message_cid(await install(world, chat()))
    record = message_cid(await world.write(protocol=URI, protocol_path="thread"))
    await world.write()
    for filter, expected in (
        ({"interface": "Protocols"}, [cid]),
        ({"interface": "Protocols", "method": "Configure", "protocol": URI}, [cid]),
        ({"interface": "Records", "protocol": URI}, [record]),
        ({"protocol": URI}, [cid, record]),
        ({"protocol": "https://example.com/other"}, []),
    ):
        query = await compose.messages_query(world.alice.signer, world.clock, filters=[filter])
        assert (await world.send(query))["entries"] == expected
    read = await world.send(await compose.messages_read(world.alice.signer, world.clock, message_cid=cid))
    assert read["entry"]["message"]["descriptor"]["definition"]["protocol"] == URI


async def test_compose_normalizes_urls(world: World) -> None:
    message = await configure(world, chat(protocol="example.com/chat/", types={"post": {"schema": "HTTPS://A.b/"}}))
    definition = message["descriptor"]["definition"]
    assert (definition["protocol"], definition["types"]["post"]["schema"]) == ("http://example.com/chat", "https://a.b")
    assert CHAT["protocol"] == URI


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"protocol": "example.com/chat"}, "UrlProtocolNotNormalized"),
        ({"protocol": "https://example.com/chat/"}, "UrlProtocolNotNormalized"),
        ({"protocol": ""}, "UrlProtocolNotNormalized"),
        ({"types": {"thread": {"schema": "example.com"}}}, "UrlSchemaNotNormalized"),
        ({"types": {}}, "ProtocolsConfigureInvalidRuleSetRecordType"),
        ({"types": {"thread": {"format": "x"}}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"types": {"thread": {"dataFormats": []}}}, "SchemaValidatorFailure"),
        ({"types": {"thread": {"dataFormats": [1]}}}, "SchemaValidatorFailure"),
        ({"types": []}, "SchemaValidatorFailure"),
        ({"structure": []}, "SchemaValidatorFailure"),
        ({"structure": {"thread": 1}}, "SchemaValidatorFailure"),
        ({"published": "yes"}, "SchemaValidatorFailure"),
        ({"protocol": 1}, "SchemaValidatorFailure"),
        ({"$name": "chat"}, "SchemaValidatorAdditionalPropertyNotAllowed"),
    ],
)
async def test_definitions(world: World, changes: Message, code: str) -> None:
    assert await world.status(await raw(world, chat(**changes))) == (400, code)
    assert await configured(world) == []


@pytest.mark.parametrize("missing", ["protocol", "published", "types", "structure"])
async def test_what_a_definition_has(world: World, missing: str) -> None:
    definition = chat()
    del definition[missing]
    assert await world.status(await raw(world, definition)) == (400, "SchemaValidatorFailure")


async def test_what_is_no_definition(world: World) -> None:
    for definition in (None, [], "x", 1):
        assert await world.status(await raw(world, definition)) == (400, "SchemaValidatorFailure")


CREATE = {"who": "anyone", "can": ["create"]}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"$role": "yes"}, "SchemaValidatorFailure"),
        ({"$actions": []}, "SchemaValidatorFailure"),
        ({"$actions": {}}, "SchemaValidatorFailure"),
        ({"$actions": [1]}, "SchemaValidatorFailure"),
        ({"$actions": [{"can": ["create"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "anyone"}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "anyone", "can": []}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "nobody", "can": ["create"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "anyone", "can": ["dance"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "anyone", "can": ["query"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{"who": "author", "of": 1, "can": ["create"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{**CREATE, "when": "now"}]}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"$actions": [{"role": "r", "can": ["prune"]}]}, "SchemaValidatorFailure"),
        ({"$actions": [{**CREATE, "role": "r", "can": ["dance"]}]}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"$size": {"min": -1}}, "SchemaValidatorFailure"),
        ({"$size": {"least": 1}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"$size": {"min": 2, "max": 1}}, "ProtocolsConfigureInvalidSize"),
        ({"$globalRole": True}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"": {}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"$encryption": {"rootKeyId": "x"}}, "SchemaValidatorFailure"),
        ({"$encryption": {"rootKeyId": "x", "publicKeyJwk": {"kty": "?"}}}, "SchemaValidatorFailure"),
        ({"post": {}}, "ProtocolsConfigureInvalidRuleSetRecordType"),
        ({"reply": {"post": {}}}, "ProtocolsConfigureInvalidRuleSetRecordType"),
        ({"$actions": [{"role": "note", "can": ["create"]}]}, "ProtocolsConfigureRoleDoesNotExistAtGivenPath"),
        (
            {"$actions": [{"who": "anyone", "of": "note", "can": ["create"]}]},
            "ProtocolsConfigureInvalidActionOfNotAllowed",
        ),
        ({"$actions": [{"who": "recipient", "can": ["read"]}]}, "ProtocolsConfigureInvalidRecipientOfAction"),
        ({"$actions": [{"who": "author", "can": ["create"]}]}, "ProtocolsConfigureInvalidActionMissingOf"),
        ({"$actions": [{"who": "author", "of": "", "can": ["create"]}]}, "ProtocolsConfigureInvalidActionMissingOf"),
        ({"$actions": [{"who": "anyone", "can": ["update"]}]}, "ProtocolsConfigureInvalidActionUpdateWithoutCreate"),
        ({"$actions": [{"who": "anyone", "can": ["delete"]}]}, "ProtocolsConfigureInvalidActionDeleteWithoutCreate"),
        ({"$actions": [CREATE, CREATE]}, "ProtocolsConfigureDuplicateActorInRuleSet"),
    ],
)
async def test_rule_sets(world: World, rules: Message, code: str) -> None:
    assert await world.status(await raw(world, with_actions(**rules))) == (400, code)


ROLE = {"reply": {"$role": True}}


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([{"role": "note/reply", "can": ["read", "query"]}], "ProtocolsConfigureRoleReadActionMissing"),
        ([{"role": "reply", "can": ["create"]}], "ProtocolsConfigureRoleDoesNotExistAtGivenPath"),
        ([{"role": "note/reply", "can": ["create"]}] * 2, "ProtocolsConfigureDuplicateRoleInRuleSet"),
        ([{"role": "note/reply", "can": ["read", "query", "subscribe"]}, CREATE], None),
        ([{"role": "note/reply", "who": "anyone", "can": ["create"]}], None),
        ([{"who": "recipient", "can": ["co-update", "co-delete", "co-prune"]}], None),
        ([{"who": who, "of": of, "can": ["read"]} for who in ("author", "recipient") for of in ("note", "x")], None),
    ],
)
async def test_roles_and_actors(world: World, actions: list[Message], code: str | None) -> None:
    message = await raw(world, with_actions(*actions, **ROLE))
    assert await world.status(message) == ((400, code) if code else (202, "Accepted"))


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({}, "SchemaValidatorFailure"),
        ({"a": 1}, "SchemaValidatorFailure"),
        ({"a": {"type": "object"}}, "SchemaValidatorFailure"),
        ({"a": {"type": "array", "items": {"type": "boolean"}}}, "SchemaValidatorFailure"),
        ({"a": {"pattern": "x"}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"$requiredTags": "a"}, "SchemaValidatorFailure"),
        ({"$allowUndefinedTags": 1}, "SchemaValidatorFailure"),
        ({"a": {"minLength": -1}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"minimum": "1"}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"enum": "x"}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"uniqueItems": 1}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"contains": {"maximum": []}}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"items": {"anyOf": []}}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"items": {"required": ["x", "x"]}}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"items": {"$id": 1}}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {"items": {"$anchor": "1"}}}, "ProtocolsConfigureInvalidTagSchema"),
        ({"a": {}}, None),
        ({"$requiredTags": ["b"], "$allowUndefinedTags": True, "$b": {"type": "string"}}, None),
        ({"a": {"items": {"unheardOf": 1}}}, None),
    ],
)
async def test_tags(world: World, tags: Message, code: str | None) -> None:
    message = await raw(world, with_actions(**{"$tags": tags}))
    assert await world.status(message) == ((400, code) if code else (202, "Accepted"))


def nested(levels: int, innermost: Message) -> Message:
    structure = innermost
    for _ in range(levels):
        structure = {"note": structure}
    return with_actions() | {"structure": structure}


async def test_ten_levels_of_records(world: World) -> None:
    too_deep = (400, "ProtocolsConfigureRecordNestingDepthExceeded")
    assert await world.status(await raw(world, nested(10, {}))) == (202, "Accepted")
    assert await world.status(await raw(world, nested(11, {}))) == too_deep
    # A role ends what is counted, as in the reference.
    assert await world.status(await raw(world, nested(11, {"$role": True}))) == (202, "Accepted")


async def test_what_is_refused_for_its_shape_is_refused_before_its_signature_is_looked_at(world: World) -> None:
    message = copy.deepcopy(await configure(world, chat()))
    message["descriptor"]["definition"]["types"] = {}
    assert await world.status(message) == (400, "ProtocolsConfigureInvalidRuleSetRecordType")
    message["descriptor"]["definition"] = chat(published=True)
    assert await world.status(message) == (400, "AuthenticateDescriptorCidMismatch")
    message = await configure(world, chat())
    message["descriptor"]["messageTimestamp"] = "2024-02-30T00:00:00.000000Z"
    again = await signed(world.alice.signer, message)
    assert await world.status(again) == (400, "TimestampInvalid")


async def test_keys_for_encryption(world: World) -> None:
    key = {"kty": "EC", "crv": "secp256k1", "x": "x", "y": "y"}
    for jwk, expected in ((key, (202, "Accepted")), ({**key, "d": "d"}, (400, "SchemaValidatorFailure"))):
        rules = {"$encryption": {"rootKeyId": "did:example:alice#enc", "publicKeyJwk": jwk}}
        assert await world.status(await raw(world, with_actions(**rules))) == expected


async def test_a_definition_in_a_definition_in_a_definition(world: World) -> None:
    """However deeply rule sets are nested below a role, there is a reply, and the protocol works."""
    message = await raw(world, nested(60, {}) | {"structure": {"note": {"$role": True, **nested(60, {})["structure"]}}})
    assert await world.status(message) == (202, "Accepted")
    write = await world.compose(protocol="https://example.com/notes", protocol_path="note", recipient=world.bob.did)
    assert await world.status(write, b"hello") == (202, "Accepted")


async def test_any_number_of_protocols(world: World) -> None:
    """More than are kept parsed."""
    for number in range(REMEMBERED + 2):
        await install(world, with_actions() | {"protocol": f"https://example.com/{number}"})
        await world.write(protocol=f"https://example.com/{number}", protocol_path="note")
    await world.write(protocol="https://example.com/0", protocol_path="note")
