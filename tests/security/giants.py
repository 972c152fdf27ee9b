"""Messages that fit into a request and mean to cost far more than they weigh, signed by Alice where they can be."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import ENCRYPTION, encrypted, signed, signed_write
from web5.crypto.encoding import b64url_encode
from web5.crypto.jose.jws import sign
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant

Message = dict[str, Any]
Maker = Callable[[World], Awaitable[Message]]

URI = "https://example.com/giant"
LONG = "x" * 80_000
END = "2030-01-01T00:00:00.000000Z"


def question(**filter: Any) -> Maker:
    async def make(world: World) -> Message:
        message = await compose.records_query(world.alice.signer, world.clock, filter={"recordId": "x"})
        message["descriptor"]["filter"] = filter
        return await signed(world.alice.signer, message)

    return make


def log(*filters: Message, **cursor: Any) -> Maker:
    async def make(world: World) -> Message:
        message = await compose.messages_query(world.alice.signer, world.clock)
        message["descriptor"] |= {"filters": list(filters)} | ({"cursor": cursor} if cursor else {})
        return await signed(world.alice.signer, message)

    return make


def cursor_of(digits: int) -> Maker:
    async def make(world: World) -> Message:
        await world.write()
        query = await compose.messages_query(world.alice.signer, world.clock)
        cursor = (await world.send(query))["cursor"]
        identity = cursor["value"].partition("-")[0]
        return await log(messageCid=cursor["messageCid"], value=f"{identity}-{'9' * digits}")(world)

    return make


def page(**pagination: Any) -> Maker:
    async def make(world: World) -> Message:
        message = await compose.records_query(world.alice.signer, world.clock, filter={"dataFormat": "text/plain"})
        message["descriptor"]["pagination"] = pagination
        return await signed(world.alice.signer, message)

    return make


def claims(**more: Any) -> Maker:
    async def make(world: World) -> Message:
        filter = {"protocol": URI, "protocolPath": "/" * 40_000, "contextId": "/" * 40_000}
        message = await compose.records_query(world.alice.signer, world.clock, filter=filter)
        return await signed(world.bob.signer, message, **more)

    return make


def raw_payload(payload: str) -> Maker:
    async def make(world: World) -> Message:
        write = await world.compose()
        return {**write, "authorization": {"signature": await sign(payload.encode(), [world.alice.signer])}}

    return make


def raw_header(header: str) -> Maker:
    async def make(world: World) -> Message:
        write = await world.compose()
        write["authorization"]["signature"]["signatures"][0]["protected"] = b64url_encode(header.encode())
        return write

    return make


def many(place: str, count: int) -> Maker:
    """A list of a message, with its first item so many times."""

    async def make(world: World) -> Message:
        write = await world.compose(attestation_signers=[world.bob.signer])
        holder = write if place == "attestation" else write["authorization"]
        holder[place]["signatures"] *= count
        return write

    return make


async def many_keys(world: World) -> Message:
    several = {**ENCRYPTION, "keyEncryption": ENCRYPTION["keyEncryption"] * 500}
    return await encrypted(world.alice.signer, await world.compose(), several)


async def nested_grants(world: World) -> Message:
    scope = {"interface": "Records", "method": "Write", "protocol": URI}
    grant = await permission_grant(
        world.alice.signer, world.clock, granted_to=world.bob.did, date_expires=END, scope=scope, delegated=True
    )
    inner = grant
    for _ in range(40):
        inner = {**grant, "authorization": {**grant["authorization"], "authorDelegatedGrant": inner}}
    message = await world.compose(by=world.bob, protocol=URI, protocol_path="note", delegated_grant=grant)
    return {**message, "authorization": {**message["authorization"], "authorDelegatedGrant": inner}}


async def long_schema(world: World) -> Message:
    write = await world.compose()
    write["descriptor"]["schema"] = f"http://{'ü.' * 30_000}example/{'%C3' * 10_000}"
    return await signed_write(world.alice.signer, write)


QUESTIONS: dict[str, Maker] = {
    "tags": question(tags={f"t{i}": i for i in range(5000)}),
    "ranges of tags": question(tags={f"t{i}": {"gt": i} for i in range(5000)}),
    "tags with beginnings": question(tags={f"t{i}": {"startsWith": "x" * 10_000} for i in range(10)}),
    "authors": question(author=[f"did:ex:{i}" for i in range(10_000)]),
    "recipients": question(recipient=[f"did:ex:{i}" for i in range(10_000)]),
    "a thousand authors and recipients": question(
        author=[f"did:ex:{i}" for i in range(1000)], recipient=[f"did:ex:{i}" for i in range(1000)]
    ),
    "long texts": question(recordId=LONG, schema=LONG),
    "a long context": question(contextId="a/" * 50_000),
    "a role in a long context": claims(protocolRole="a/" * 30_000),
    "a long grant": claims(permissionGrantId=LONG),
    "a limit beyond numbers": page(limit=1e308),
    "a cursor of zeros": page(limit=1, cursor={"messageCid": "x", "value": "\0"}),
    "a cursor of a number": page(limit=1, cursor={"messageCid": LONG, "value": -1e308}),
    "equal filters": log(*[{"interface": "Records"}] * 3500),
    "filters": log(*({"protocol": f"http://p{i}.example"} for i in range(3500))),
    "filters of times": log(
        *({"messageTimestamp": {"from": f"2024-01-01T00:00:00.{i:06}Z"}} for i in range(250)),
    ),
    "cursor of 40 digits": cursor_of(40),
    "cursor of 5,000 digits": cursor_of(5000),
    "cursor of other digits": log(messageCid="x", value="٣" * 5000),
}

OTHERS: dict[str, Maker] = {
    "signatures": many("signature", 600),
    "attestations": many("attestation", 600),
    "keys": many_keys,
    "grants in grants": nested_grants,
    "a payload of brackets": raw_payload("[" * 100_000),
    "a payload of nested lists": raw_payload("[" * 40_000 + "]" * 40_000),
    "a payload of digits": raw_payload('{"descriptorCid":' + "9" * 100_000 + "}"),
    "a header of brackets": raw_header("{" * 100_000),
    "a header of digits": raw_header('{"kid":' + "9" * 5000 + "}"),
    "a long key": raw_header(json.dumps({"kid": f"did:jwk:{LONG}#0", "alg": "EdDSA"})),
    "a long address": long_schema,
}


def definition(structure: Message, *types: str) -> Message:
    return {"protocol": URI, "published": False, "types": {name: {} for name in types}, "structure": structure}


def noted(**rules: Any) -> Message:
    return definition({"note": {"$actions": [{"who": "anyone", "can": ["create"]}], **rules}}, "note")


def tagged(**schema: Any) -> Message:
    """Notes whose tag `t` has this schema in its items."""
    return noted(**{"$tags": {"t": {"type": "array", "items": schema}, "$allowUndefinedTags": True}})


def below_a_role(levels: int) -> Message:
    rules: Message = {}
    for _ in range(levels):
        rules = {"note": rules}
    return definition({"role": {"$role": True, "note": rules}}, "role", "note")


NAMES = [f"n{i}" for i in range(4500)]
CHOICES = [{"$ref": f"#/properties/t/items/anyOf/{i + 1}"} for i in range(4000)]
TWICE: Message = {"type": "string"}
for _ in range(40):
    TWICE = {"anyOf": [{"not": TWICE}, {"$ref": "#/properties/t/items"}]}

DEFINITIONS: dict[str, Message] = {
    "a long name above many": definition({LONG: {name: {} for name in NAMES}}, LONG, *NAMES),
    "roles below a long name": definition(
        {LONG: {name: {"$role": True} for name in NAMES[:2000]}}, LONG, *NAMES[:2000]
    ),
    "levels below a role": below_a_role(180),
    "rules for roles": definition(
        {
            **{name: {"$role": True} for name in NAMES[:2500]},
            "note": {"$actions": [{"role": name, "can": ["create"]} for name in NAMES[:2500]]},
        },
        "note",
        *NAMES[:2500],
    ),
    "rules for actors": noted(**{"$actions": [{"who": "author", "of": name, "can": ["create"]} for name in NAMES]}),
    "rules with values": noted(
        **{"$actions": [{"role": "note", "who": {"a": [i, True]}, "of": [i], "can": ["create"]} for i in range(3000)]}
    ),
    "paths": definition({name: {name: {}} for name in NAMES}, *NAMES),
    "tags": noted(**{"$tags": {name: {"type": "string", "enum": [name]} for name in NAMES}}),
    "required tags": noted(**{"$tags": {"$requiredTags": NAMES, "t": {"type": "string"}}}),
    "required names": tagged(required=NAMES * 4),
    "a long enum": tagged(enum=list(range(30_000))),
    "a deep enum": tagged(enum=[json.loads("[" * 150 + "]" * 150)] * 500),
    "references": tagged(anyOf=CHOICES),
    "references in many spellings": tagged(anyOf=[{"$ref": f"#/properties/%7{4 - i % 2}/{i}"} for i in range(4000)]),
    "references to the whole": tagged(allOf=[{"$ref": "#/properties"}, {"$ref": "#/properties/t"}] * 2000),
    "a reference to itself": tagged(**{"$ref": "#/properties/t/items"}),
    "references that double": tagged(**TWICE),
    "a reference to what is no schema": tagged(enum=[{"properties": 5}], **{"$ref": "#/properties/t/items/enum/0"}),
    "definitions that are none": tagged(
        definitions={"a": {"properties": 5}}, **{"$ref": "#/properties/t/items/definitions/a"}
    ),
    "a long pattern": tagged(pattern="(a|b)*" * 10_000),
    "a pattern of choices": tagged(pattern="(a|b)*" * 1600),
    "many patterns": tagged(anyOf=[{"pattern": f"^(a+)+{i}$"} for i in range(800)]),
    "a pattern of groups": tagged(pattern="(" * 50_000 + ")" * 50_000),
    "names by patterns": tagged(patternProperties={f"a{i}*": {"type": "string"} for i in range(4000)}),
}
