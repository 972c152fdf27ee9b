"""Dates of credentials: RFC 3339 in the data model, seconds in a JWT (VC Data Model 1.1, section 6.3.1)."""

from __future__ import annotations

import re
from datetime import datetime

from web5.dwn.values.timestamps import format_timestamp, microseconds
from web5.errors import InvalidArgument

_SECOND = 1_000_000
_FORM = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""RFC 3339, as `utils.ts` `isValidRFC3339Timestamp` of @web5/credentials has it."""

EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""The first second of the year 1 and the last one of the year 9999, the range of RFC 3339."""


def seconds_of(text: str) -> int:
    """Return the whole seconds since 1970-01-01 UTC of an RFC 3339 date; a fraction is cut off.

    Raises:
        ValueError: it is not RFC 3339, or no such date exists.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time such as 2026-05-06T07:08:09Z")
    return microseconds(datetime.fromisoformat("".join(match.groups()))) // _SECOND


def text_of(seconds: int) -> str:
    """Format seconds from `EARLIEST` to `LATEST` as `yyyy-MM-ddTHH:mm:ssZ`."""
    return format_timestamp(seconds * _SECOND).partition(".")[0] + "Z"


def as_text(moment: datetime | str) -> str:
    """Return an app's date as RFC 3339.

    Raises:
        InvalidArgument: a datetime without a time zone, or a string that is not RFC 3339.
    """
    try:
        if isinstance(moment, str):
            seconds_of(moment)
            return moment
        if moment.tzinfo is None:
            raise ValueError("a datetime without a time zone names no moment: datetime.now(UTC) would do")
        return text_of(microseconds(moment) // _SECOND)
    except ValueError as error:
        raise InvalidArgument(str(error)) from error
