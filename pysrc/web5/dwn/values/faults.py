"""Faults of JSON values, with their places, in the words of the reference's validator (Ajv 8).

Whoever wrote the value acts on these: the place, the demand, and the name of what is missing or too much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic_core import PydanticCustomError

MAX_BEFORE = 10
"""The limit for the faults before a fault. Schemas within one another would have very many of them."""

MAX_TEXT = 4000
"""The limit for the characters of a fault in words, which have the names of strangers in them."""

MAX_PATTERN = 500
"""The limit for the characters of a pattern that are told."""

ADDITIONAL = "must NOT have additional properties"
UNEVALUATED = "must NOT have unevaluated properties"
NOT_VALID = "must NOT be valid"
ALLOWED_VALUES = "must be equal to one of the allowed values"
CONSTANT = "must be equal to constant"


@dataclass(frozen=True, slots=True)
class Fault:
    """A demand that a value does not meet.

    Parameters:
        keyword: the demand in JSON Schema.
        says: the demand in words.
        place: of the value: names and positions from the top.
        found: the name of a property that must not be there.
        before: the first of the faults that led to this one, in the order in which Ajv finds them; these have none.
    """

    keyword: str
    says: str
    place: tuple[str | int, ...] = ()
    found: str | None = None
    before: tuple[Fault, ...] = ()

    def below(self, *steps: str | int) -> Fault:
        """Return it as a fault of the value that has this one at these steps."""
        return replace(self, place=(*steps, *self.place), before=tuple(one.below(*steps) for one in self.before))

    @property
    def first(self) -> Fault:
        """The one at which the reference's validator names the reply's code."""
        return self.before[0] if self.before else self

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901); "" for the value itself."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.place)

    def text(self, root: str) -> str:
        """Return the faults in words, with the name of the value itself before each place."""
        return ", ".join(one._text(root) for one in (*self.before, self))[:MAX_TEXT]

    def _text(self, root: str) -> str:
        more = "" if self.found is None else f": {self.found}"
        return f"{root}{self.pointer} {self.says}{more}".lstrip()

    def __str__(self) -> str:
        return self.text("")


def broken(fault: Fault) -> PydanticCustomError:
    """Return a fault as the error that a validator of pydantic raises."""
    return PydanticCustomError("fault", "a rule of the schema is broken", {"fault": fault})


def shown(value: Any) -> str:
    """Return a JSON value as messages tell it; None, where a property is absent, is `undefined` as in the reference."""
    if isinstance(value, str):
        return value
    return "undefined" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def must_be(kind: str | Sequence[str]) -> str:
    return f"must be {kind if isinstance(kind, str) else ','.join(kind)}"


def must_have(name: str) -> str:
    return f"must have required property '{name}'"


def must_have_beside(name: str, other: str) -> str:
    return f"must have property {name} when property {other} is present"


def must_match(pattern: Any) -> str:
    """Return the demand of a pattern, given as text or compiled."""
    text: str = getattr(pattern, "pattern", getattr(pattern, "source", pattern))
    return f'must match pattern "{text[:MAX_PATTERN]}"'


def too_few(least: int, of: str) -> str:
    return f"must NOT have fewer than {least} {of}"


def too_many(most: int, of: str) -> str:
    return f"must NOT have more than {most} {of}"


def must_contain(low: int, high: int | None) -> str:
    most = "" if high is None else f" and no more than {high}"
    return f"must contain at least {low}{most} valid item(s)"


def listed(faults: Iterable[Fault | None]) -> tuple[Fault, ...]:
    """Return the first of some faults and of those before them, as many as are worth to be told."""
    found = (one for fault in faults if fault is not None for one in (*fault.before, replace(fault, before=())))
    return tuple(islice(found, MAX_BEFORE))
