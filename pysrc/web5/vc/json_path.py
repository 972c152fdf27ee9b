"""The part of JSONPath (RFC 9535) that presentation definitions use: names, indexes, `*`, and names at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

MAX_NODES = 10_000
"""Limit of the nodes that one step of a path visits."""

_STEP = re.compile(
    r"""
    \.\.(?P<deep>@?[\w-]+)
    | \.(?P<any>\*) | \[(?P<each>\*)\]
    | \.(?P<name>@?[\w-]+) | \['(?P<single>[^'\\]*)'\] | \["(?P<double>[^"\\]*)"\]
    | \[(?P<position>[0-9]{1,9})\]
    """,
    re.VERBOSE,
)

Step = Callable[[Any], Iterator[Any]]


def nodes(path: str, root: Any) -> list[Any]:
    """Return the values at a path such as `$.vc.credentialSubject.degrees[*].name`, in document order.

    Raises:
        ValueError: it is no path, has an unsupported step, or visits too many nodes.
    """
    found = [root]
    for step in _steps(path):
        found = list(islice((inner for value in found for inner in step(value)), MAX_NODES + 1))
        if len(found) > MAX_NODES:
            raise ValueError("a path leads to too much")
    return found


def _steps(path: str) -> list[Step]:
    position, steps = 1, []
    while path.startswith("$") and position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        steps.append(_step(match))
        position = match.end()
    if position != len(path) or not path.startswith("$"):
        raise ValueError(f"the path {path[:100]!r} is not known here")
    return steps


def _step(match: re.Match[str]) -> Step:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "deep":
        return lambda value: _named_below(value, text)
    if kind in ("any", "each"):
        return lambda value: iter(children(value))
    if kind == "position":
        position = int(text)
        return lambda value: iter(value[position : position + 1] if isinstance(value, list) else ())
    return lambda value: iter([value[text]] if isinstance(value, dict) and text in value else ())


def _named_below(value: Any, name: str) -> Iterator[Any]:
    waiting, seen = [value], 0
    while waiting:
        seen += 1
        if seen > MAX_NODES:
            raise ValueError("a path leads to too much")
        one = waiting.pop()
        if isinstance(one, dict) and name in one:
            yield one[name]
        waiting += reversed(children(one))


def children(value: Any) -> list[Any]:
    """Return the members' values of an object or the elements of an array; none of another value."""
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
