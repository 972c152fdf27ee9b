"""Parameters of a URL as nested values, `filter.protocol=…` or `filter[protocol]=…`, and what they ask for.

Source: `src/http-api.ts` of `@web5/dwn-server` 0.6.1, on Express, which reads brackets too, and gives a list for what
is there several times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST = 50
DEEPEST = 6
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,100}")
_BRACKET = re.compile(r"\[([^\[\].]+)\]")
_WHOLE = re.compile(r"[0-9]{1,9}")


class Malformed(ValueError):
    """Parameters of which no question can be made."""


def nested(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the values by their names, which may have dots or brackets in them.

    Raises:
        Malformed: there are too many, a name is too deep or no name, or a value has values below it.
    """
    whole: dict[str, Any] = {}
    for number, (name, value) in enumerate(parameters):
        *above, last = _BRACKET.sub(r".\1", name).split(".")
        if number >= MOST or len(above) >= DEEPEST or not all(map(_KEY.fullmatch, (*above, last))):
            raise Malformed(f"no parameter is called {name[:80]!r}, or there are more than {MOST}")
        place = whole
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise Malformed(f"{key} is a value, and has none below it")
        before = place.get(last)
        if isinstance(before, dict):
            raise Malformed(f"{last} has values below it, and is none")
        place[last] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return whole


def numbered(value: Any) -> Any:
    """Return the number that a text is, or what it is otherwise: the engine knows what may stand there."""
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def filter_of(asked: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    """Return the filter of a question about records.

    Parameters:
        asked: as `nested` returns it.
        required: there is one.

    Raises:
        Malformed: it is none, or not there.
    """
    filter = asked.get("filter", {})
    if not isinstance(filter, dict) or (required and not filter):
        raise Malformed("filter has at least one value below it, such as filter.schema")
    for name in ("protocol", "schema"):
        if not isinstance(filter.get(name, ""), str):
            raise Malformed(f"filter.{name} is one value")
    if filter.get("published") in ("true", "false"):
        filter["published"] = filter["published"] == "true"
    return filter


def question(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `compose.records_query` makes a question of: `filter`, `date_sort` and `pagination`.

    Raises:
        Malformed: there is no filter, or something is none.
    """
    pages = asked.get("pagination")
    if pages is not None and not isinstance(pages, dict):
        raise Malformed("pagination has values below it, such as pagination.limit")
    if pages is not None and "limit" in pages:
        pages = {**pages, "limit": numbered(pages["limit"])}
    return {"filter": filter_of(asked, required=True), "date_sort": asked.get("dateSort"), "pagination": pages}
