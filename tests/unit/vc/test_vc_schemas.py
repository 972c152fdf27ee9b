"""Schemas from strangers: invariants 1 and 2 of web5.vc.schemas, and credentials that name them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vc.parties import World, crypto
from web5.dids import jwk
from web5.dwn.protocols.json_schema import KEYWORDS
from web5.errors import CredentialError
from web5.vc import Code
from web5.vc.schemas import MAX_DEPTH, SHAPES, check_schema, schema_fault
from web5.vc.verifier import MAX_BYTES

URL = "https://schemas.example/membership.json"
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "credentialSubject": {
            "type": "object",
            "required": ["level"],
            "properties": {"level": {"$ref": "#/$defs/level"}, "id": {"type": "string", "format": "uri"}},
        }
    },
    "$defs": {"level": {"enum": ["gold", "silver"]}},
}
NAMED = {"credential_schema": {"id": URL, "type": "JsonSchema"}}


def code_of(schema: Any, value: Any) -> Code | None:
    try:
        check_schema(value, schema, URL)
    except CredentialError as error:
        return Code(error.code)
    return None


async def test_a_credential_is_as_its_schema_demands_or_refused() -> None:
    world, issuer = World(), await jwk.create(crypto)
    world.web.pages[URL] = SCHEMA
    good = await world.issue(issuer, **NAMED)
    bad = await world.issue(issuer, data={"level": "bronze"}, **NAMED)
    assert (await world.verifier.verify(good)).credential_schema == NAMED["credential_schema"]
    with pytest.raises(CredentialError, match=r"schemaViolation.*credentialSubject/level must be equal"):
        await world.verifier.verify(bad)
    await world.verifier.verify(bad, check_schema=False)


@pytest.mark.parametrize(
    "page",
    [None, "no JSON", b"\xff", httpx.ConnectError("down"), '"' + "a" * MAX_BYTES + '"'],
    ids=["not there", "no JSON", "no text", "down", "too large"],
)
async def test_a_schema_that_cannot_be_had_is_not_passed_over(page: Any) -> None:
    world, issuer = World(), await jwk.create(crypto)
    world.web.pages[URL] = page
    with pytest.raises(CredentialError) as raised:
        await world.verifier.verify(await world.issue(issuer, **NAMED))
    assert raised.value.code == Code.SCHEMA_UNAVAILABLE


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"id": "file:///etc/passwd", "type": "JsonSchema"}, Code.SCHEMA_UNAVAILABLE),
        ({"id": URL, "type": "JsonSchemaCredential"}, Code.SCHEMA_UNSUPPORTED),
        ({"type": "JsonSchema"}, Code.MALFORMED_CREDENTIAL),
    ],
)
async def test_a_schema_that_is_named_otherwise_is_not_passed_over(schema: dict[str, Any], code: Code) -> None:
    world, issuer = World(), await jwk.create(crypto)
    with pytest.raises(CredentialError) as raised:
        await world.verifier.verify(await world.issue(issuer, credential_schema=schema))
    assert raised.value.code == code
    assert world.web.asked == []


async def test_nothing_is_fetched_for_a_forged_credential() -> None:
    world, issuer = World(), await jwk.create(crypto)
    text = await world.issue(issuer, **NAMED)
    with pytest.raises(CredentialError, match=Code.INVALID_SIGNATURE):
        await world.verifier.verify(text[:-4] + "AAAA")
    assert world.web.asked == []


@pytest.mark.parametrize(
    "schema",
    [
        5,
        {"type": "thing"},
        {"type": [5]},
        {"properties": [True]},
        {"properties": {"a": 5}},
        {"pattern": "("},
        {"pattern": 5},
        {"patternProperties": {"(": True}},
        {"pattern": "a" * 10_001},
        {"anyOf": [{"pattern": f"{i}$"} for i in range(5000)]},
        {"patternProperties": {f"{i}$": True for i in range(5000)}},
        {"default": {"properties": 5}, "$ref": "#/default"},
        {"required": "a"},
        {"minLength": -1},
        {"minLength": 1.5},
        {"maximum": "1"},
        {"maximum": 10**400},
        {"multipleOf": 0},
        {"enum": 5},
        {"anyOf": []},
        {"items": [True]},
        {"$ref": "#/nowhere"},
        {"$ref": "https://elsewhere.example"},
        {"$defs": {"a": {"$id": "https://a.example", "items": {"$ref": "#/$defs/b"}}, "b": True}, "$ref": "#/$defs/a"},
        {"properties": {"a": {"$id": "other", "$ref": "#"}}},
        {"properties": {"a": {"id": "other", "$defs": {"b": {"not": {"$ref": "#/properties/a"}}}}}},
        {"$ref": "#/$defs/a", "$defs": {"a": 5}},
        {"$ref": "#/default", "default": {"type": "thing"}},
        {"$ref": "#/$defs", "$defs": {"type": True}},
        {"$ref": "#/const", "const": None},
        {"dependentRequired": {"a": ["b"]}},
        {"not": {"allOf": [{"unevaluatedProperties": False}]}},
    ],
)
def test_a_schema_that_is_not_understood_is_not_used(schema: Any) -> None:
    assert code_of(schema, {}) == Code.SCHEMA_UNSUPPORTED


def test_every_keyword_that_is_let_pass_is_checked() -> None:
    helpers = {"then", "else", "minContains", "maxContains", "$defs", "definitions"}
    assert SHAPES.keys() == KEYWORDS.keys() | helpers


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}}
    assert code_of(tree, {"child": {"child": {"name": "a"}}}) is None
    assert code_of(tree, {"child": {"child": {"name": 5}}}) == Code.SCHEMA_VIOLATION


def test_a_schema_that_leads_nowhere_is_not_used() -> None:
    assert code_of({"$ref": "#"}, {}) == Code.SCHEMA_UNSUPPORTED
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": True}
    assert code_of({"$ref": "#/$defs/d0", "$defs": doubling}, {}) == Code.SCHEMA_UNSUPPORTED


def test_deep_schemas_and_credentials_are_not_used() -> None:
    schema: Any = True
    value: Any = {}
    for _ in range(MAX_DEPTH + 1):
        schema, value = {"not": schema}, {"a": value}
    assert code_of(schema, {}) == Code.SCHEMA_UNSUPPORTED
    assert code_of(True, value) == Code.SCHEMA_UNSUPPORTED
    assert code_of(True, {"a": list(range(20_000))}) == Code.SCHEMA_UNSUPPORTED


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.sampled_from(["", "a", "#", "#/$defs/a", "#/a", "#/const", "object", "string", "("])
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SHAPES, "default", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(schemas, st.dictionaries(st.sampled_from(["a", "b"]), schemas, max_size=2))
def test_any_schema_is_used_or_refused(schema: Any, value: Any) -> None:
    assert code_of(schema, value) in (None, Code.SCHEMA_VIOLATION, Code.SCHEMA_UNSUPPORTED)


def test_an_id_that_no_reference_is_below_does_no_harm() -> None:
    schema = {
        "$id": "https://a.example/whole",
        "properties": {"a": {"$ref": "#/$defs/b"}, "c": {"$id": "https://a.example/c", "type": "string"}},
        "$defs": {"b": {"$id": "#b", "type": "string"}, "d": {"$id": "#d", "$ref": "#/$defs/b"}},
    }
    assert schema_fault(schema, {"a": "x", "c": "y"}) is None
    assert schema_fault(schema, {"a": 1}) is not None
