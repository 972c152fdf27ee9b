"""Messages that are none: every one gets a 4xx with the reference's code, and changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.dwn.chat import chat, configure
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import encrypted
from web5.dwn import compose
from web5.dwn.engine import Delivery

FAILURE = "SchemaValidatorFailure"
ADDITIONAL = "SchemaValidatorAdditionalPropertyNotAllowed"
UNEVALUATED = "SchemaValidatorUnevaluatedPropertyNotAllowed"
DELETE = object()

NOT_MESSAGES: list[Any] = [None, 1, "x", [], {}, {"descriptor": None}, {"descriptor": {"interface": "Records"}}]

WRITE_FAULTS = [
    ("unknown", 1, UNEVALUATED),
    ("encodedData", "AAAA", UNEVALUATED),
    ("recordId", DELETE, FAILURE),
    ("recordId", 5, FAILURE),
    ("authorization", DELETE, FAILURE),
    ("authorization/unknown", 1, ADDITIONAL),
    ("authorization/signature/unknown", 1, ADDITIONAL),
    ("authorization/signature/payload", "not base64url!", FAILURE),
    ("authorization/signature/signatures", [], FAILURE),
    ("contextId", "abc", FAILURE),
    ("contextId", "a/b/", FAILURE),
    ("descriptor/unknown", 1, ADDITIONAL),
    ("descriptor/interface", "records", "SchemaValidatorSchemaNotFound"),
    ("descriptor/dataCid", DELETE, FAILURE),
    ("descriptor/dataSize", "5", FAILURE),
    ("descriptor/dataSize", True, FAILURE),
    ("descriptor/dataFormat", None, FAILURE),
    ("descriptor/recipient", "bob", FAILURE),
    ("descriptor/messageTimestamp", "2024-05-06T07:08:09.123Z", FAILURE),
    ("descriptor/messageTimestamp", "2024-05-06T07:08:09.123456Z\n", FAILURE),
    ("descriptor/messageTimestamp", "٢٠٢٤-05-06T07:08:09.123456Z", FAILURE),
    ("descriptor/published", True, FAILURE),
    ("descriptor/published", "false", FAILURE),
    ("descriptor/datePublished", "2024-05-06T07:08:09.123456Z", FAILURE),
    ("descriptor/parentId", "x", FAILURE),
    ("descriptor/protocol", "urn:x", FAILURE),
    ("descriptor/protocolPath", "a", FAILURE),
    ("descriptor/tags", {}, FAILURE),
    ("descriptor/tags", {str(i): i for i in range(11)}, FAILURE),
    ("descriptor/tags", {"a": []}, FAILURE),
    ("descriptor/tags", {"a": ["x", 1]}, FAILURE),
    ("descriptor/tags", {"a": None}, FAILURE),
    ("encryption", {}, FAILURE),
    ("attestation", {"unknown": 1}, ADDITIONAL),
]

KEY = "encryption/keyEncryption/0/ephemeralPublicKey"
ENCRYPTION_FAULTS = [
    ("encryption/algorithm", "A256GCM", FAILURE),
    ("encryption/initializationVector", "AAA=", FAILURE),
    ("encryption/initializationVector", DELETE, FAILURE),
    ("encryption/unknown", 1, ADDITIONAL),
    ("encryption/keyEncryption", [], FAILURE),
    ("encryption/keyEncryption", {"0": {}}, FAILURE),
    ("encryption/keyEncryption/0/rootKeyId", DELETE, FAILURE),
    ("encryption/keyEncryption/0/derivationScheme", "Schemas", FAILURE),
    ("encryption/keyEncryption/0/algorithm", "ECIES-ES256", FAILURE),
    ("encryption/keyEncryption/0/encryptedKey", "", FAILURE),
    ("encryption/keyEncryption/0/unknown", 1, ADDITIONAL),
    (f"{KEY}", {}, FAILURE),
    (f"{KEY}/kty", "none", FAILURE),
    (f"{KEY}/kty", {}, FAILURE),
    (f"{KEY}/kty", ["EC"], FAILURE),
    (f"{KEY}/crv", DELETE, FAILURE),
    (f"{KEY}/key_ops", ["sign"], FAILURE),
    (f"{KEY}/d", "AAAA", FAILURE),
    (f"{KEY}/d", None, FAILURE),
]

QUERY_FAULTS = [
    ("unknown", 1, ADDITIONAL),
    ("descriptor/filter", {}, FAILURE),
    ("descriptor/filter/unknown", 1, ADDITIONAL),
    ("descriptor/filter/author", "alice", FAILURE),
    ("descriptor/filter/author", [1], FAILURE),
    ("descriptor/filter/dataSize", {}, FAILURE),
    ("descriptor/filter/dataSize", {"gt": 1, "gte": 2}, FAILURE),
    ("descriptor/filter/dataSize", {"gt": 1, "x": 2}, ADDITIONAL),
    ("descriptor/filter/tags", {}, FAILURE),
    ("descriptor/filter/tags", {"a": {}}, FAILURE),
    ("descriptor/filter/tags", {"a": {"gt": 1, "lt": "x"}}, FAILURE),
    ("descriptor/filter/tags", {"a": {"startsWith": "x", "gt": "y"}}, FAILURE),
    ("descriptor/filter/tags", {"a": ["x"]}, FAILURE),
    ("descriptor/filter/dateCreated", {"from": "yesterday"}, FAILURE),
    ("descriptor/filter/dateCreated", {"since": "2024-05-06T07:08:09.123456Z"}, ADDITIONAL),
    ("descriptor/pagination", {"limit": 0}, FAILURE),
    ("descriptor/pagination", {"limit": "1"}, FAILURE),
    ("descriptor/pagination", {"cursor": {"messageCid": "x"}}, FAILURE),
    ("descriptor/dateSort", "newestFirst", FAILURE),
    ("authorization", {}, "the signature is missing"),
]


def changed(message: Any, path: str, value: Any) -> Any:
    message = copy.deepcopy(message)
    *holders, name = path.split("/")
    place = message
    for holder in holders:
        place = place[int(holder) if isinstance(place, list) else holder]
    if value is DELETE:
        del place[name]
    else:
        place[name] = value
    return message


@pytest.mark.parametrize("message", NOT_MESSAGES)
async def test_what_is_no_message(world: World, message: Any) -> None:
    assert (await world.status(message))[0] == 400


async def test_kinds_that_do_not_exist(world: World) -> None:
    for interface, method in (("Records", "Dance"), (1, 2), (None, None), ([], {})):
        message = {"descriptor": {"interface": interface, "method": method}}
        assert await world.status(message) == (400, "SchemaValidatorSchemaNotFound")


@pytest.mark.parametrize(("path", "value", "code"), WRITE_FAULTS)
async def test_writes(world: World, path: str, value: Any, code: str) -> None:
    message = changed(await world.compose(), path, value)
    assert await world.status(message, b"hello") == (400, code)
    assert await world.log() == []


@pytest.mark.parametrize(("path", "value", "code"), ENCRYPTION_FAULTS)
async def test_encryption(world: World, path: str, value: Any, code: str) -> None:
    sound = await encrypted(world.alice.signer, await world.compose())
    broken = changed(sound, path, value)
    message = await encrypted(world.alice.signer, broken, broken["encryption"])
    assert await world.status(message, b"hello") == (400, code)
    assert await world.log() == []
    assert await world.status(sound, b"hello") == (202, "Accepted")


@pytest.mark.parametrize(("path", "value", "code"), QUERY_FAULTS)
async def test_queries(world: World, path: str, value: Any, code: str) -> None:
    query = await compose.records_query(world.alice.signer, world.clock, filter={"recordId": "x"})
    assert await world.status(changed(query, path, value)) == (400, code)


@pytest.mark.parametrize("name", ["schema", "protocol"])
async def test_urls_must_be_in_their_normal_form(world: World, name: str) -> None:
    query = await compose.records_query(None, world.clock, filter={name: "http://example.com/x"})
    query["descriptor"]["filter"][name] = "http://EXAMPLE.com/x"
    code = {"schema": "UrlSchemaNotNormalized", "protocol": "UrlProtocolNotNormalized"}[name]
    assert await world.status(query) == (400, code)


async def test_there_is_no_such_day(world: World) -> None:
    write = await world.compose(date_created="2024-02-30T00:00:00.000000Z")
    assert await world.status(write, b"hello") == (400, "TimestampInvalid")


async def test_the_first_fault_names_the_code(world: World) -> None:
    """In the order of the reference's schemas: at one level, what is missing, then what is too much, then the rest."""
    write = await world.compose()
    write["descriptor"]["unknown"] = 1
    write["descriptor"]["dataFormat"] = 5
    assert await world.status(write) == (400, ADDITIONAL)
    del write["descriptor"]["dataCid"]
    assert await world.status(write) == (400, FAILURE)
    for missing in ("recordId", "authorization"):
        write = await world.compose()
        del write[missing]
        write["descriptor"]["unknown"] = 1
        assert await world.status(write) == (400, ADDITIONAL)
        del write["descriptor"]["unknown"]
        assert await world.status({**write, "unknown": 1}) == (400, FAILURE)


async def test_a_giant_and_a_deep_message(world: World) -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"x": deep}
    for tags in (deep, {"a": ["x" * 100_000] * 9 + [None]}):
        message = changed(await world.compose(), "descriptor/tags", tags)
        assert (await world.status(message, b"hello"))[0] == 400


async def test_numbers_are_javascripts(world: World) -> None:
    write = await world.compose(tags={"n": 1})
    write["descriptor"] |= {"dataSize": 5.0, "tags": {"n": 1.0}}
    assert await world.status(write, b"hello") == (202, "Accepted")
    infinite = changed(await world.compose(), "descriptor/dataSize", 10**400)
    assert await world.status(infinite, b"hello") == (400, FAILURE)
    definition = {**chat(), "structure": {"thread": {"$tags": {"a": {"type": "number", "maximum": 1}}}}}
    protocol = await configure(world, definition)
    protocol = changed(protocol, "descriptor/definition/structure/thread/$tags/a/enum", [float("inf")])
    assert await world.status(protocol) == (400, "NaN and infinities have no dag-cbor encoding")
    sound = await encrypted(world.alice.signer, await world.compose())
    sound = changed(sound, f"{KEY}/x5", 1e999)
    assert await world.status(sound, b"hello") == (400, "NaN and infinities have no dag-cbor encoding")
    [answer] = await world.dwn.process_writes(world.alice.did, [Delivery(sound, b"hello", "x")])
    assert answer["status"]["code"] == 400
