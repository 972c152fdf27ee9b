"""JSON values as a JavaScript engine holds them, because the reference is one and a CID is made from what it holds."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ..errors import BadRequest
from .cid import MAX_SAFE_INTEGER

MAX_DEPTH = 200
"""Deeper messages are refused; a message with delegated grants, the deepest there is, stays under 30."""


def as_javascript(value: Any, depth: int = 0) -> Any:
    """The value after `JSON.parse`: every number a double, every text well-formed Unicode; a copy.

    Whole doubles up to 2^53 - 1 come back as int, all others as float. Lone surrogates become U+FFFD, as they do when
    the reference encodes them.

    Raises:
        BadRequest: the value is nested too deeply or is not JSON.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _well_formed(value)
    if kind is dict:
        if depth > MAX_DEPTH:
            raise BadRequest("", "the message is nested too deeply")
        return {as_javascript(key): as_javascript(item, depth + 1) for key, item in value.items()}
    if kind is list:
        if depth > MAX_DEPTH:
            raise BadRequest("", "the message is nested too deeply")
        return [as_javascript(item, depth + 1) for item in value]
    if kind is int:
        return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else _double(value)
    if kind is float:
        return _double(value)
    if value is None or kind is bool:
        return value
    raise BadRequest("", f"the message holds a {kind.__name__}, which is not JSON")


def parse_json(data: bytes) -> Any:
    """What `JSON.parse` makes of bytes after `TextDecoder`: a byte order mark and bytes that are not UTF-8 do no harm.

    Raises:
        BadRequest: the value is nested too deeply.
        ValueError: the bytes are not JSON.
        RecursionError: so deeply that it cannot even be parsed.
    """
    return as_javascript(json.loads(data.decode("utf-8-sig", "replace"), parse_constant=_not_json))


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _well_formed(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _double(value: int | float) -> int | float:
    try:
        number = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    if number.is_integer() and -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
        return int(number)
    return number
