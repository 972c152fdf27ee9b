"""Terms in SQL, about a row of `dwn_message` whose tenant is the statement's first parameter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from web5.dwn.store.terms import Term

Condition = tuple[str, tuple[Any, ...]]

_LITERAL = {True: "1", False: "0", "Write": "'Write'", "Delete": "'Delete'", "Configure": "'Configure'"}
_LITERAL_COLUMNS = frozenset({"published", "method"})
"""Partial indexes are about their values, and SQLite uses one only where the statement itself says the value."""


def condition(term: Term) -> Condition:
    if term.is_tag:
        text, values = tag_condition(term)
        return f"seq IN (SELECT tagged FROM dwn_tag WHERE tag_tenant = ?1 AND {text})", values
    terms, values = [], ()
    for operator, wanted in term.tests:
        text, value = _test(term.name, operator, wanted)
        terms.append(text)
        values += value
    return " AND ".join(terms), values


def tag_condition(term: Term) -> Condition:
    """The same of a tag, about a row of `dwn_tag`."""
    tests = list(term.tests)
    # SQLite sorts numbers before texts before bytes; a range stays within its own type.
    if all(operator != "=" for operator, _ in tests):
        tests.append((">=", b"") if isinstance(tests[0][1], bytes) else ("<", ""))
    terms = "".join(f" AND value {operator} ?" for operator, _ in tests)
    return f"name = ?{terms}", (term.name, *(value for _, value in tests))


def _test(column: str, operator: str, wanted: Any) -> Condition:
    if operator == "in":
        return _one_of(column, wanted)
    if column in _LITERAL_COLUMNS:
        return f"{column} {operator} {_LITERAL[wanted]}", ()
    return f"{column} {operator} ?", (wanted,)


def _one_of(column: str, wanted: Sequence[Any]) -> Condition:
    if column in _LITERAL_COLUMNS:
        return f"{column} IN ({', '.join(_LITERAL[value] for value in wanted)})", ()
    if all(value is None for value in wanted):
        return f"{column} IS NULL", ()
    # One parameter however many there are: SQLite takes only so many, and the statement stays the same.
    listed = f"{column} IN (SELECT value FROM json_each(?))"
    values = json.dumps([value for value in wanted if value is not None])
    return (f"({column} IS NULL OR {listed})" if None in wanted else listed), (values,)
