"""The engine's SQL in PostgreSQL's words.

The engine writes for SQLite, in a part of SQL that both know but for what `translate` puts in other words: parameters,
hints, lists as parameters, comparisons with NULL, and the number of a new row.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_HINT = re.compile(r"\s+(?:NOT INDEXED|INDEXED BY \w+)")
_JOIN = re.compile(r"CROSS JOIN (\w+) ON")
_JSON = re.compile(r"json_extract\((\w+), '\$\.([\w.]+)'\)")
_IGNORE = re.compile(r"^INSERT OR IGNORE INTO (.*)$", re.DOTALL)
_PARAMETER = re.compile(r"json_each\(\?\)|\?(\d*)")

_WORDS = {
    " IS NOT ?": " IS DISTINCT FROM ?",
    "ifnull(": "coalesce(",
    # Numbers come in the order in which they are committed within a tenant, whose lock the writer has.
    "max(?, (SELECT coalesce(max(seq), 0) FROM dwn_message)) + 1": "coalesce(nextval('dwn_seq'), ?)",
}
_NUMBERED = {"INSERT INTO dwn_message ": "seq", "INSERT INTO dwn_tenant ": "id"}
"""The beginnings of statements that make a row with a number of its own, and the column of that."""

_MANY = re.compile(r"\bORDER BY\b")


class Statement(NamedTuple):
    """A statement as PostgreSQL takes it.

    Parameters:
        lists: the positions of parameters that are JSON lists of texts, and arrays here.
        is_numbered: it gives the number of the row that it makes.
        is_long: nobody knows how many rows it gives.
    """

    text: str
    lists: frozenset[int]
    is_numbered: bool
    is_long: bool


@lru_cache(2000)
def translate(sql: str) -> Statement:
    """Return a statement of the engine as PostgreSQL takes it, with the same parameters."""
    text = _JOIN.sub(r"JOIN \1 ON", _HINT.sub("", sql.strip()))
    text = _IGNORE.sub(r"INSERT INTO \1 ON CONFLICT DO NOTHING", text)
    text = _JSON.sub(_boolean, text)
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    last, lists = 0, set[int]()

    def parameter(match: re.Match[str]) -> str:
        nonlocal last
        number = int(match[1]) if match[1] else last + 1  # as SQLite counts
        last = max(last, number)
        if not match[0].startswith("json_each"):
            return f"${number}"
        lists.add(number - 1)
        return f"unnest(${number}::text[]) AS listed(value)"

    text = _PARAMETER.sub(parameter, text)
    number = next((column for start, column in _NUMBERED.items() if text.startswith(start)), None)
    if number is not None:
        text += f" RETURNING {number}"
    is_long = text.startswith("SELECT") and _MANY.search(text) is not None and "LIMIT" not in text
    return Statement(text, frozenset(lists), number is not None, is_long)


def _boolean(match: re.Match[str]) -> str:
    path = match[2].replace(".", ",")
    return f"coalesce(({match[1]}::json #>> '{{{path}}}')::boolean, false)"


_NUL, _ONE = "\x01\x01", "\x01\x02"
"""PostgreSQL's texts hold no NUL. These two stand for it and for the character that they begin with, in its order."""


def to_text(text: str) -> str:
    """Return a text as it is stored: one that PostgreSQL takes, and that sorts as it did."""
    return text.replace("\x01", _ONE).replace("\0", _NUL) if "\0" in text or "\x01" in text else text


def from_text(text: str) -> str:
    """Return the text that was stored so."""
    return text.replace(_NUL, "\0").replace(_ONE, "\x01") if "\x01" in text else text
