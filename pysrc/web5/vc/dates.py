"""The moments in a credential: texts in the data model, seconds in a JWT (VC Data Model 1.1, section 6.3.1)."""

from __future__ import annotations

import re
from datetime import datetime

from web5.dwn.timestamps import format_timestamp, microseconds
from web5.errors import InvalidArgument

_SECOND = 1_000_000
_FORM = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""RFC 3339, as `utils.ts` `isValidRFC3339Timestamp` of @web5/credentials has it."""

EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""The first second of the year 1 and the last one of the year 9999: what a text can say, in seconds."""


def seconds_of(text: str) -> int:
    """Whole seconds since 1970-01-01 UTC; a fraction is cut off.

    Raises:
        ValueError: not an RFC 3339 text, or there is no such moment.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time such as 2026-05-06T07:08:09Z")
    return microseconds(datetime.fromisoformat("".join(match.groups()))) // _SECOND


def text_of(seconds: int) -> str:
    """The moment as `yyyy-MM-ddTHH:mm:ssZ`, from `EARLIEST` to `LATEST`."""
    return format_timestamp(seconds * _SECOND).partition(".")[0] + "Z"


def as_text(moment: datetime | str) -> str:
    """What an app gave as a time, as the data model has it.

    Raises:
        InvalidArgument: a datetime without a time zone, or a text that is not RFC 3339.
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
