"""The conditions of a GET request: what the client has already, and which part it wants (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


class NotSatisfiable(Exception):
    """A range that lies behind the end."""


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Return True if the client says, by `If-None-Match`, that it has what has this tag."""
    tags = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in tags or tags == ["*"]


def wanted(headers: Mapping[str, str], etag: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one behind the last that are asked for; None: all.

    What is asked for in several pieces, or in a way that is not understood, is given whole.

    Raises:
        NotSatisfiable: there is no such byte.
    """
    found = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if found is None or found[1] == found[2] == "" or headers.get("if-range", etag) != etag:
        return None
    if not found[1]:  # so many at the end
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size:
        raise NotSatisfiable
    return start, end
