"""JSON values as a JavaScript engine holds them, because the reference is one and a CID is made from what it holds."""

from __future__ import annotations

from typing import Any

from web5 import strict_json
from web5.dwn.values.cid import MAX_SAFE_INTEGER, javascript_number
from web5.errors import BadRequest

MAX_DEPTH = 200
"""The limit for nesting. A message with delegated grants, the deepest there is, has less than 30."""

MAX_SIZE = 4 * 2**20
"""The limit for a message without its data: characters of all texts, and `VALUE_SIZE` for each value."""

VALUE_SIZE = 16


def as_javascript(value: Any) -> Any:
    """Return a copy of a value as `JSON.parse` would give it: every number a double, every text well-formed Unicode.

    Lone surrogates become U+FFFD, as they do when the reference encodes them.

    Raises:
        BadRequest: the value is nested too deeply, too large, or not JSON.
    """
    room = [MAX_SIZE]
    copy = _copy(value, 0, room)
    if room[0] < 0:
        raise BadRequest("", "the message is too large")
    return copy


def _copy(value: Any, depth: int, room: list[int]) -> Any:
    kind = type(value)
    if kind is str:
        room[0] -= len(value)
        return value if value.isascii() else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if kind is dict or kind is list:
        room[0] -= VALUE_SIZE * len(value)
        if depth > MAX_DEPTH:
            raise BadRequest("", "the message is nested too deeply")
        if room[0] < 0:
            raise BadRequest("", "the message is too large")
        if kind is list:
            return [_copy(item, depth + 1, room) for item in value]
        return _copied_items(value, depth, room)
    if kind is int:
        return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else javascript_number(value)
    if kind is float:
        return javascript_number(value)
    if value is None or kind is bool:
        return value
    raise BadRequest("", f"the message holds a {kind.__name__}, which is not JSON")


def _copied_items(value: dict[Any, Any], depth: int, room: list[int]) -> dict[Any, Any]:
    copy, used = {}, 0
    for key, item in value.items():
        # Plain texts, which most of a message is, need no call of their own.
        if type(key) is str and key.isascii():
            used += len(key)
        else:
            key = _copy(key, depth, room)
        if type(item) is str and item.isascii():
            used += len(item)
            copy[key] = item
        else:
            copy[key] = _copy(item, depth + 1, room)
    room[0] -= used
    return copy


def parse_json(data: bytes) -> Any:
    """Parse bytes as `TextDecoder` and `JSON.parse` do: a byte order mark and bytes that are not UTF-8 do no harm.

    Raises:
        BadRequest: the value is nested too deeply.
        ValueError: the bytes are not JSON, or nested much too deeply.
    """
    return as_javascript(strict_json.parse(data.decode("utf-8-sig", "replace")))
