"""Rules of the reference's JSON schemas that `shapes` cannot say; each returns the value or raises ValueError."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeVar

T = TypeVar("T", bound=Mapping[str, Any])

_JWK_TEXTS = ("alg", "kid", "crv", "use", "key_ops", "x5u", "x5c", "x5t", "x5t#S256")
_JWK_REQUIRED = {"EC": ("crv", "x"), "OKP": ("crv", "x"), "RSA": ("n", "e"), "oct": ("k",)}
_JWK_OPTIONAL_TEXTS = {"EC": ("y",), "OKP": (), "RSA": (), "oct": ()}
_JWK_PRIVATE = {"EC": ("d",), "OKP": ("d",), "RSA": ("d", "p", "q", "dp", "dq", "qi", "oth"), "oct": ()}


def require_signature(authorization: T) -> T:
    # `authorization-owner.json`
    if "ownerSignature" in authorization and "signature" not in authorization:
        raise ValueError("ownerSignature needs a signature beside it")
    return authorization


def publication(descriptor: Any) -> Any:
    # `records-write-unidentified.json`. It is checked before the shape, as `protocol_context` is: `anyOf` comes before
    # the properties.
    if type(descriptor) is dict and descriptor.get("published", False) is not ("datePublished" in descriptor):
        raise ValueError("published and datePublished must come together")
    return descriptor


def parentage(descriptor: T) -> T:
    # `records-write-unidentified.json`
    if "parentId" in descriptor and "protocol" not in descriptor:
        raise ValueError("parentId needs a protocol beside it")
    return descriptor


def protocol_context(message: Any) -> Any:
    # `records-write-unidentified.json`
    descriptor = message.get("descriptor") if type(message) is dict else None
    if type(descriptor) is dict:
        present = {name in descriptor for name in ("protocol", "protocolPath")} | {"contextId" in message}
        if len(present) > 1:
            raise ValueError("contextId, protocol and protocolPath must come together")
    return message


def not_empty(value: T) -> T:
    if not value:
        raise ValueError("must NOT have fewer than 1 properties")
    return value


def range_bounds(value: T) -> T:
    # `string-range-filter.json`, `number-range-filter.json`
    not_empty(value)
    for open_bound, closed_bound in (("gt", "gte"), ("lt", "lte")):
        if open_bound in value and closed_bound in value:
            raise ValueError(f"{open_bound} and {closed_bound} exclude each other")
    return value


def publication_filter(filter: T) -> T:
    # `records-filter.json`
    not_empty(filter)
    if "datePublished" in filter and filter.get("published") is False:
        raise ValueError("datePublished does not go with published: false")
    return filter


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


def tag(value: Any) -> Any:
    if type(value) is list:
        one_kind = all(type(item) is str for item in value) or all(map(_is_number, value))
        if not 1 <= len(value) <= 10 or not one_kind:
            raise ValueError("a list of tags has 1 to 10 texts or 1 to 10 numbers")
    elif type(value) not in (str, bool) and not _is_number(value):
        raise ValueError("a tag is a text, a number, a boolean or a list")
    return value


def tag_filter(value: Any) -> Any:
    # A value, `{"startsWith": text}`, or a range of texts or of numbers.
    if type(value) in (str, bool) or _is_number(value):
        return value
    if type(value) is not dict:
        raise ValueError("a tag filter is a text, a number, a boolean or an object")
    not_empty(value)
    if value.keys() == {"startsWith"}:
        if type(value["startsWith"]) is not str:
            raise ValueError("startsWith is a text")
        return value
    range_bounds(value)
    bounds = list(value.values())
    if not value.keys() <= {"gt", "gte", "lt", "lte"}:
        raise ValueError("a range has only gt, gte, lt and lte")
    if not (all(type(bound) is str for bound in bounds) or all(map(_is_number, bounds))):
        raise ValueError("the bounds of a range are texts or numbers")
    return value


def public_jwk(jwk: Any) -> Any:
    # `public-jwk.json`
    kind = jwk.get("kty") if type(jwk) is dict else None
    if type(kind) is not str or kind not in _JWK_REQUIRED:
        raise ValueError("not a JWK of a known key type")
    texts = (*_JWK_TEXTS, *_JWK_REQUIRED[kind], *_JWK_OPTIONAL_TEXTS[kind])
    if any(name in jwk and type(jwk[name]) is not str for name in texts):
        raise ValueError("a property of the JWK is not a text")
    if missing := [name for name in _JWK_REQUIRED[kind] if name not in jwk]:
        raise ValueError(f"the JWK lacks {missing[0]}")
    if any(name in jwk for name in _JWK_PRIVATE[kind]):
        raise ValueError("the JWK is private")
    return jwk
