"""What the reference tells after an error code, ours tells too (`streams.details`), code by code.

The streams compare the same of whatever they provoke; here is what they do not come to, and what people meet first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.clocks import ManualClock
from tests.interop.engine.streams import authoring
from tests.interop.engine.streams.cast import cast
from tests.interop.engine.streams.details import untold
from tests.interop.engine.streams.script import DEFINITION, PERMISSIONS, PROTOCOL, Script
from tests.interop.engine.streams.step import Message, Signed
from tests.interop.engine.streams.world import START
from tests.interop.reference import ReferenceScript
from tests.unit.dwn.persons import our_dwn
from web5.dwn.values.cid import data_cid

pytestmark = pytest.mark.asyncio(loop_scope="module")

Case = Callable[[Script], Any]
IN_PROTOCOL = {"protocol": PROTOCOL, "protocolPath": "note"}
TAG_VALUES: list[tuple[Message, Any]] = [
    ({"type": "string"}, 5),
    ({"type": "number"}, "five"),
    ({"type": "integer"}, 1.5),
    ({"type": "boolean"}, "yes"),
    ({"type": "array"}, "one"),
    ({"type": "string", "enum": ["a", "b"]}, "c"),
    ({"type": "string", "minLength": 3}, "ab"),
    ({"type": "string", "maxLength": 3}, "abcd"),
    ({"type": "number", "minimum": 80}, 70),
    ({"type": "number", "maximum": 80}, 80.5),
    ({"type": "number", "exclusiveMinimum": 80}, 80),
    ({"type": "number", "exclusiveMaximum": 80}, 80),
    ({"type": "array", "items": {"type": "string"}}, [1, 2]),
    ({"type": "array", "items": {"type": "number", "minimum": 80}}, [80, 81, 79]),
    ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["a"]),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 2}, ["a", "b", "c"]),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, ["a", "b", "c", "b", "b"]),
    ({"type": "array", "uniqueItems": True}, ["a", "b", "c", "b", "b"]),
    ({"type": "array", "contains": {"type": "number", "minimum": 80}}, [1, 2]),
    ({"type": "array", "contains": {"type": "number", "minimum": 80}, "minContains": 2, "maxContains": 3}, [1, 81]),
    ({"type": "array", "contains": {"type": "string", "enum": ["a"]}, "maxContains": 1}, ["a", "b", "a"]),
    ({"type": "array", "items": {"type": "string", "anyOf": [{"minLength": 3}, {"enum": ["x"]}]}}, ["x", "ab"]),
    ({"type": "array", "items": {"type": "string", "oneOf": [{"minLength": 1}, {"maxLength": 9}]}}, ["ab"]),
    ({"type": "array", "items": {"type": "string", "not": {"enum": ["no"]}}}, ["yes", "no"]),
    ({"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}, ["abc", "ABC"]),
    ({"type": "array", "items": {"type": "number", "multipleOf": 5}}, [5, 6]),
]
WRONG_TAG_SCHEMAS: list[Message] = [
    {"type": "string", "minLength": "one"},
    {"type": "number", "minimum": "none"},
    {"type": "array", "uniqueItems": "yes"},
    {"type": "array", "items": {"type": "string", "pattern": 5}},
    {"type": "array", "minItems": -1},
]
KEY = {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}
WRONG_KEYS: list[Any] = [
    *(
        "none",
        {},
        {"kty": "EC"},
        {**KEY, "kty": "none"},
        {**KEY, "d": "AA"},
        {**KEY, "x": 1},
        {"kty": "RSA", "n": "AA"},
    ),
    *({"crv": "Ed25519", "x": "AA"}, {**KEY, "use": 5}, {"kty": "oct"}, {"kty": "OKP", "crv": "Ed25519", "x": None}),
]
WRONG_FILTERS: list[Any] = [
    *({}, "all", {"author": "alice"}, {"author": 5}, {"recipient": ["did:ex:1", "bob"]}, {"dataSize": {"gt": "big"}}),
    *({"dataSize": {"gt": 1, "gte": 1}}, {"dataSize": {}}, {"dateCreated": {"from": "today"}}, {"dateCreated": {}}),
    *({"published": "yes"}, {"published": False, "datePublished": {"from": "2024-05-01T00:00:00.000000Z"}}),
    *({"tags": {}}, {"tags": {"a": None}}, {"tags": {"a": {"startsWith": 5}}}, {"tags": {"a": {"gt": 1, "lt": "b"}}}),
    *({"unknown": 1}, {"dataSize": {"more": 5}}, {"attester": "me"}, {"a/b~c": 1}),
]
WRONG_WRITES: list[Message] = [
    *({"tags": {"a": None}}, {"tags": {"a": []}}, {"tags": {"a": ["x", 1]}}, {"tags": {}}, {"dataSize": "12"}),
    *({"tags": {str(i): i for i in range(11)}}, {"parentId": "x"}, {"protocol": PROTOCOL}, {"recipient": "bob"}),
    *({"dateCreated": "today"}, {"published": "x", "datePublished": "y"}, {"datePublished": "y"}),
    *({"published": False, "datePublished": "2024-05-01T00:00:00.000000Z"}, {"more": 1}, {"schema": "http://A.b"}),
    *({"protocol": PROTOCOL, "protocolPath": "a/1"}, {"dataFormat": None}, {"method": "Fly"}, {"interface": 5}),
]
WRONG_RULES: list[Message] = [
    {"$actions": [{"role": "note", "can": ["read"]}], "$role": True},
    {"$actions": [{"role": "none", "can": ["read", "query", "subscribe"]}]},
    {"$actions": [{"who": "author", "can": ["read"]}]},
    {"$actions": [{"who": "anyone", "of": "note", "can": ["read"]}]},
    {"$actions": [{"who": "recipient", "can": ["read"]}]},
    {"$actions": [{"who": "anyone", "can": ["update"]}]},
    {"$actions": [{"who": "anyone", "can": ["delete"]}]},
    {"$actions": [{"who": "anyone", "can": ["read"]}, {"who": "anyone", "can": ["create"]}]},
    {"$actions": [{"who": "nobody", "can": ["read"]}]},
    {"$actions": [{"who": "anyone", "can": ["fly"]}]},
    {"$actions": []},
    {"$size": {"min": 10, "max": 5}},
    {"$size": {"min": -1}},
    {"$size": {"most": 5}},
    {"$tags": {}},
    {"$tags": {"a": {"type": "object"}}},
    {"$encryption": {"rootKeyId": "a", "publicKeyJwk": {"kty": "EC", "crv": "secp256k1"}}},
    {"undeclared": {}},
    {"$unknown": {}},
    {"note": {"note": "no rule set"}},
]


def configured(rules: Message) -> Case:
    return lambda script: script.configure({**DEFINITION, "structure": {"note": rules}})


def tagged(schema: Message, value: Any) -> Case:
    def case(script: Script) -> None:
        script.configure({**DEFINITION, "structure": {"note": {"$tags": {"name": schema}}}})
        script.write(b"{}", **IN_PROTOCOL, tags={"name": value})

    return case


def tags(rules: Message, **given: Any) -> Case:
    def case(script: Script) -> None:
        script.configure({**DEFINITION, "structure": {"note": {"$tags": {"a": {"type": "string"}, **rules}}}})
        script.write(b"{}", **IN_PROTOCOL, **given)

    return case


def keyed(key: Any) -> Case:
    def case(script: Script) -> None:
        rules = {"$encryption": {"rootKeyId": "a", "publicKeyJwk": key}}
        script.configure({**DEFINITION, "structure": {"note": rules}})

    return case


def delegated(scope: Message, *, conditions: Message | None = None, delete: bool = False, **more: Any) -> Case:
    """A write, or a delete, by Bob for Alice under a delegated grant with this scope."""

    def case(script: Script) -> None:
        script.configure()
        note = script.write(b"{}", **IN_PROTOCOL)
        given = {"delegated": True, **({} if conditions is None else {"conditions": conditions})}
        full = {"interface": "Records", "method": "Delete" if delete else "Write", "protocol": PROTOCOL, **scope}
        grant, data = script.grant(full, **given)
        signed = Signed(script.bob, {}, authoring.with_data(grant, data))
        if delete:
            descriptor = {"interface": "Records", "method": "Delete", "messageTimestamp": script.time()}
            script.send(authoring.plain({**descriptor, "recordId": note["recordId"], "prune": False}, signed))
        else:
            script.write(b"{}", **IN_PROTOCOL, signed=signed, **more)

    return case


def _grant_of_another(script: Script) -> None:
    grant = {"protocol": PERMISSIONS, "protocolPath": "grant", "recipient": script.bob.did}
    scope = {"interface": "Messages", "method": "Query"}
    data = authoring.json_data({"dateExpires": "2025-05-01T00:00:00.000000Z", "scope": scope})
    kept = script.write(data, **grant, signed=Signed(script.bob, owner=script.alice))
    script.ask(script.bob, "Messages", "Query", {"permissionGrantId": kept["recordId"]}, filters=[])


def _for_another(script: Script) -> None:
    grant, _ = script.grant({"interface": "Messages", "method": "Query", "protocol": PROTOCOL})
    carol = cast(1)[0]
    script.ask(carol, "Messages", "Query", {"permissionGrantId": grant["recordId"]}, filters=[{"protocol": PROTOCOL}])


def _in_another_protocol(script: Script) -> None:
    grant, _ = script.grant({"interface": "Messages", "method": "Query", "protocol": PROTOCOL})
    claims = {"permissionGrantId": grant["recordId"]}
    script.ask(script.bob, "Messages", "Query", claims, filters=[{"protocol": "https://example.com/other"}])


def _owner_without_a_grant(script: Script) -> None:
    message = script.write(b"x", signed=Signed(script.alice, owner=script.alice), send=False)
    grant, data = script.grant({"interface": "Records", "method": "Write", "protocol": PROTOCOL}, send=False)
    message["authorization"]["ownerDelegatedGrant"] = authoring.with_data(grant, data)
    script.send(message, b"x")


def _large_without_data(script: Script) -> None:
    large = bytes(40_000)
    first = script.write(large, send=False)
    script.send(first)
    time = script.time()
    changed = {**first["descriptor"], "messageTimestamp": time}
    script.send(authoring.write(changed, Signed(script.alice), record_id=first["recordId"]))


def _changed_for_ever(script: Script) -> None:
    first = script.write(b"x", schema="https://example.com/a")
    changed = {**first["descriptor"], "messageTimestamp": script.time(), "schema": "https://example.com/b"}
    script.send(authoring.write(changed, Signed(script.alice), record_id=first["recordId"]), b"x")


def _other_data(script: Script) -> None:
    script.write(b"one", sent=b"two")


def _other_size(script: Script) -> None:
    script.write(b"one", dataSize=5)


def _without_role(script: Script) -> None:
    script.configure({**DEFINITION, "structure": {"note": {"$role": True}}})
    claims = {"protocolRole": "note"}
    script.ask(script.bob, "Records", "Query", claims, filter={"protocol": PROTOCOL, "protocolPath": "note"})


def _same_role_twice(script: Script) -> None:
    script.configure({**DEFINITION, "structure": {"note": {"$role": True}}})
    for _ in range(2):
        script.write(b"{}", **IN_PROTOCOL, recipient=script.bob.did)


def _by_a_stranger(script: Script) -> None:
    script.configure()
    script.write(b"{}", **IN_PROTOCOL, signed=Signed(script.bob))


def _no_rules_at_all(script: Script) -> None:
    script.configure({**DEFINITION, "structure": {"note": {}}})
    script.write(b"{}", **IN_PROTOCOL, signed=Signed(script.bob))


CASES: dict[str, Case] = {
    **{f"tag {schema} {value}": tagged(schema, value) for schema, value in TAG_VALUES},
    **{f"schema of a tag {schema}": configured({"$tags": {"name": schema}}) for schema in WRONG_TAG_SCHEMAS},
    "tag not known": tags({}, tags={"b": "x"}),
    "tag missing": tags({"$requiredTags": ["a", "b"], "b": {"type": "string"}}, tags={"b": "x"}),
    "no tags": tags({"$requiredTags": ["a"]}),
    "several tags": tags({"bb": {"type": "string"}, "c": {"type": "number"}}, tags={"bb": 1, "c": "x", "a": 1}),
    **{f"rules {rules}": configured(rules) for rules in WRONG_RULES},
    **{f"key {key}": keyed(key) for key in WRONG_KEYS},
    **{
        f"filter {filter}": lambda script, filter=filter: script.ask(script.alice, "Records", "Query", filter=filter)
        for filter in WRONG_FILTERS
    },
    **{f"write {more}": lambda script, more=more: script.write(b"x", **more) for more in WRONG_WRITES},
    **{
        f"pagination {page}": lambda script, page=page: script.ask(
            script.alice, "Records", "Query", filter={"schema": "http://a.b"}, pagination=page
        )
        for page in (
            {"limit": 0},
            {"limit": "1"},
            {"cursor": {"messageCid": "a", "value": None}},
            {"cursor": {"messageCid": "a"}},
        )
    },
    **{
        f"log {filters}": lambda script, filters=filters: script.ask(script.alice, "Messages", "Query", filters=filters)
        for filters in ("all", [{}], [{"protocol": 5}], [{"protocol": "http://A"}], [{"method": "Read"}], [{"x": 1}])
    },
    "message of no CID": lambda script: script.ask(script.alice, "Messages", "Read", messageCid="x"),
    "delegated, other protocol": delegated({"protocol": "https://example.com/other"}),
    "delegated, other context": delegated({"contextId": data_cid(b"x")}),
    "delegated, other path": delegated({"protocolPath": "note/other"}),
    "delegated, other method": delegated({"method": "Read"}),
    "delegated, other interface": delegated({"interface": "Messages", "method": "Query"}),
    "delegated, to be published": delegated({}, conditions={"publication": "Required"}),
    "delegated, not to be published": delegated({}, conditions={"publication": "Prohibited"}, published=True),
    "delegated delete, other protocol": delegated({"protocol": "https://example.com/other"}, delete=True),
    "grant of another": _grant_of_another,
    "grant for another": _for_another,
    "grant for another protocol": _in_another_protocol,
    "owner without a grant": _owner_without_a_grant,
    "large without data": _large_without_data,
    "immutable": _changed_for_ever,
    "other data": _other_data,
    "other size": _other_size,
    "role that is not held": _without_role,
    "role twice": _same_role_twice,
    "stranger": _by_a_stranger,
    "stranger, no rules": _no_rules_at_all,
}


@pytest.mark.parametrize("name", CASES)
async def test_details_carry_what_the_references_do(reference_engine: ReferenceScript, name: str) -> None:
    alice, bob, *_ = cast(0)
    script = Script(alice, bob)
    CASES[name](script)
    ours, theirs = await script.last(reference_engine)
    assert ours.code == theirs.code
    assert theirs.reply["status"]["code"] >= 400
    told = ours.reply["status"]["detail"]
    assert untold(told, theirs.reply["status"]["detail"]) == [], told


async def test_a_subscription_that_nobody_hears_is_refused_for_what_is_wrong_with_it_first(
    reference_engine: ReferenceScript,
) -> None:
    alice, bob, *_ = cast(0)
    script = Script(alice, bob)
    script.ask(script.alice, "Records", "Subscribe", filter={})
    script.ask(script.alice, "Records", "Subscribe", filter={"protocol": "HTTP://A.b"})
    script.ask(script.bob, "Messages", "Subscribe", filters=[])
    script.ask(script.bob, "Messages", "Subscribe", {"permissionGrantId": "x"}, filters=[])
    dwn = our_dwn(ManualClock(START))
    await dwn.open()
    for step in script.steps:
        ours = await dwn.process_message(alice.did, step.message)
        theirs = await reference_engine.call("process", tenant=alice.did, message=step.message)
        assert (ours["status"]["code"], ours["status"]["detail"].partition(":")[0]) == (
            theirs["status"]["code"],
            theirs["status"]["detail"].partition(":")[0],
        )
    good = Script(alice, bob)
    good.ask(good.alice, "Records", "Subscribe", filter={"schema": "http://a.b"})
    assert (await dwn.process_message(alice.did, good.steps[0].message))["status"]["code"] == 501
