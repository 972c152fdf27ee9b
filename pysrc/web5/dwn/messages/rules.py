"""Rules of the reference's JSON schemas that `shapes` cannot say; each returns the value or raises `faults.broken`.

The first fault that the reference's validator would find is what counts, also where one of several schemas must fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn, TypeVar

from pydantic_core import PydanticCustomError

from web5.dwn.protocols import json_schema
from web5.dwn.values import faults
from web5.dwn.values.faults import Fault, broken

T = TypeVar("T", bound=Mapping[str, Any])

_JWK_TEXTS = ("alg", "kid", "crv", "use", "key_ops", "x5u", "x5c", "x5t", "x5t#S256")
_JWK_REQUIRED = {"EC": ("crv", "x"), "OKP": ("crv", "x"), "RSA": ("n", "e"), "oct": ("k",)}
_JWK_OPTIONAL_TEXTS = {"EC": ("y",), "OKP": (), "RSA": (), "oct": ()}
_JWK_PRIVATE = {"EC": ("d",), "OKP": ("d",), "RSA": ("d", "p", "q", "dp", "dq", "qi", "oth"), "oct": ()}


def _refuse(keyword: str, says: str, *place: str) -> NoReturn:
    raise broken(Fault(keyword, says, place))


def require_signature(authorization: T) -> T:
    # `authorization-owner.json`
    if "ownerSignature" in authorization and "signature" not in authorization:
        _refuse("dependencies", faults.must_have_beside("signature", "ownerSignature"))
    return authorization


def publication(descriptor: Any) -> Any:
    # `records-write-unidentified.json`. It is checked before the shape, as `protocol_context` is: `anyOf` comes before
    # the properties.
    if type(descriptor) is dict and descriptor.get("published", False) is not ("datePublished" in descriptor):
        for name in ("published", "datePublished"):
            if name not in descriptor:
                _refuse("required", faults.must_have(name))
        is_flag = type(descriptor["published"]) is bool
        _refuse("enum", faults.ALLOWED_VALUES if is_flag else faults.must_be("boolean"), "published")
    return descriptor


def parentage(descriptor: T) -> T:
    # `records-write-unidentified.json`
    if "parentId" in descriptor and "protocol" not in descriptor:
        _refuse("dependencies", faults.must_have_beside("protocol", "parentId"))
    return descriptor


def protocol_context(message: Any) -> Any:
    # `records-write-unidentified.json`
    descriptor = message.get("descriptor") if type(message) is dict else None
    if type(descriptor) is dict:
        present = {name in descriptor for name in ("protocol", "protocolPath")} | {"contextId" in message}
        if len(present) > 1:
            if "contextId" not in message:
                _refuse("required", faults.must_have("contextId"))
            missing = next(name for name in ("protocol", "protocolPath") if name not in descriptor)
            _refuse("required", faults.must_have(missing), "descriptor")
    return message


def not_empty(value: T) -> T:
    if not value:
        _refuse("minProperties", faults.too_few(1, "properties"))
    return value


def range_bounds(value: T) -> T:
    # `string-range-filter.json`, `number-range-filter.json`
    not_empty(value)
    for open_bound, closed_bound in (("gt", "gte"), ("lt", "lte")):
        if open_bound in value and closed_bound in value:
            _refuse("dependencies", f"{faults.NOT_VALID}: {open_bound} and {closed_bound} exclude each other")
    return value


def publication_filter(filter: T) -> T:
    # `records-filter.json`
    not_empty(filter)
    if "datePublished" in filter and filter.get("published") is False:
        _refuse("enum", faults.ALLOWED_VALUES, "published")
    return filter


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


def tag(value: Any) -> Any:
    if type(value) is list:
        one_kind = all(type(item) is str for item in value) or all(map(_is_number, value))
        if not 1 <= len(value) <= 10 or not one_kind:
            _refuse("oneOf", f"{faults.must_be('string')}, number, boolean, or a list of 1 to 10 strings or numbers")
    elif type(value) not in (str, bool) and not _is_number(value):
        _refuse("oneOf", f"{faults.must_be('string')}, number, boolean, or a list of 1 to 10 strings or numbers")
    return value


def tag_filter(value: Any) -> Any:
    # A value, `{"startsWith": text}`, or a range of texts or of numbers.
    if type(value) in (str, bool) or _is_number(value) or (type(value) is dict and _is_range(value)):
        return value
    _refuse("oneOf", f'{faults.must_be("string")}, number, boolean, {{"startsWith": string}}, or one range of either')


def _is_range(value: dict[str, Any]) -> bool:
    if value.keys() == {"startsWith"}:
        return type(value["startsWith"]) is str
    try:
        range_bounds(value)
    except PydanticCustomError:
        return False
    bounds = list(value.values())
    return value.keys() <= {"gt", "gte", "lt", "lte"} and (
        all(type(bound) is str for bound in bounds) or all(map(_is_number, bounds))
    )


_TEXT = {"type": "string"}


def _key_type(kind: str, required: str, texts: str, other: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"kty": {"const": kind}, **dict.fromkeys(texts.split(), _TEXT), **other}
    return {"required": required.split(), "properties": properties}


_GENERAL_JWK = {
    "allOf": [
        {
            "oneOf": [
                _key_type("EC", "crv x", "crv x y d", {}),
                _key_type("OKP", "crv x", "crv x d", {}),
                _key_type("RSA", "n e", "n e d p q dp dq qi", {"oth": {"type": "object"}}),
                _key_type("oct", "k", "k", {}),
            ]
        },
        {
            "type": "object",
            "required": ["kty"],
            "properties": {
                **dict.fromkeys(("alg", "kid"), _TEXT),
                "kty": {"enum": ["EC", "RSA", "oct", "OKP"]},
                **dict.fromkeys(_JWK_TEXTS[2:], _TEXT),
            },
        },
    ]
}
"""`general-jwk.json`, by which the first fault of what is no public JWK is found; Ajv comes to the type last."""


def public_jwk(jwk: Any) -> Any:
    # `public-jwk.json`
    found = public_jwk_fault(jwk)
    if found is not None:
        raise broken(found)
    return jwk


def public_jwk_fault(jwk: Any) -> Fault | None:
    """Return the fault that keeps a value from being a public JWK, or None."""
    if _is_public_jwk(jwk):
        return None
    return json_schema.fault(_GENERAL_JWK, jwk) or Fault("not", f"{faults.NOT_VALID}: a public key has no private part")


def _is_public_jwk(jwk: Any) -> bool:
    kind = jwk.get("kty") if type(jwk) is dict else None
    if type(kind) is not str or kind not in _JWK_REQUIRED:
        return False
    texts = (*_JWK_TEXTS, *_JWK_REQUIRED[kind], *_JWK_OPTIONAL_TEXTS[kind])
    return (
        all(type(jwk[name]) is str for name in texts if name in jwk)
        and all(name in jwk for name in _JWK_REQUIRED[kind])
        and not any(name in jwk for name in _JWK_PRIVATE[kind])
    )
