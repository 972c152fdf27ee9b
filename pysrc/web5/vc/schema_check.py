"""Checking a value by a JSON schema from a stranger.

Invariants:
1. The schema is looked at before it is used (`web5.vc.schema_shapes`).
2. Looking and checking end: nesting, values and the `$ref` that are followed are bounded. A `pattern` is not: one made
   for that keeps Python's `re` busy for long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from web5.dwn.protocols.json_schema import Fault, fault, references
from web5.vc.schema_shapes import problem_of

MAX_DEPTH = 64
"""Of a value that is checked, and of `$ref` within one another."""

MAX_VALUES = 10_000
"""In a value that is checked."""

MAX_REFERENCES = 10_000
"""How many `$ref` are followed for one value."""


class UnusableSchema(ValueError):
    """Whether a value is as a schema demands cannot be told; the message says why."""


def fault_by(schema: Any, value: Any) -> Fault | None:
    """The first demand of a schema that a JSON value does not meet, or None.

    Raises:
        UnusableSchema: that cannot be told.
    """
    problem = "the value is too large or too deep" if _too_large(value) else problem_of(schema)
    if problem is not None:
        raise UnusableSchema(problem)
    followed = _References()
    for reference, target in references(schema, definitions=True).items():
        followed.add(reference, target)
    return fault(schema, value, followed.names)


class _References:
    """Follows the `$ref` of a schema, so many and so deep at the most."""

    def __init__(self) -> None:
        self._left = MAX_REFERENCES
        self._depth = 0
        self.names: dict[str, Callable[[Any], Fault | None]] = {}

    def add(self, reference: str, target: Any) -> None:
        def find(value: Any) -> Fault | None:
            self._left -= 1
            if self._left < 0 or self._depth >= MAX_DEPTH:
                raise UnusableSchema(f"{reference[:100]} leads on and on")
            self._depth += 1
            try:
                return fault(target, value, self.names)
            finally:
                self._depth -= 1

        self.names[reference] = find


def _too_large(value: Any) -> bool:
    level, values = [value], 0
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _within(one)]
        values += len(level)
        if not level or values > MAX_VALUES:
            return values > MAX_VALUES
    return True


def _within(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
