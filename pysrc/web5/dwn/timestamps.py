"""DWN timestamps: ISO 8601, UTC, microseconds, `2024-05-06T07:08:09.123456Z`.

Their order as text is their order in time, so messages and indexes compare the text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from web5.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_INSTANT = re.compile(
    r"""
    ([0-9]{4}) (-?) ([0-9]{2}) \2 ([0-9]{2}) (?:T|\s+)
    ([0-9]{2}) (?: (:?) ([0-9]{2}) (?: \6 ([0-9]{2}) (?:[.,][0-9]{1,9})? )? )?
    (?: Z | [+\u2212-] (?:[01][0-9]|2[0-3]) (?: :?[0-5][0-9] (?: :?[0-5][0-9] (?:[.,][0-9]{1,9})? )? )? )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""ISO 8601 in its basic and extended form, with an offset."""
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def format_timestamp(us: int) -> str:
    """The timestamp of a moment in microseconds since 1970-01-01 UTC, from the year 1 to the year 9999."""
    moment = _EPOCH + us * _MICROSECOND
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def microseconds(moment: datetime) -> int:
    """Return a moment in microseconds since 1970-01-01 UTC.

    Parameters:
        moment: a datetime with a time zone.
    """
    return (moment - _EPOCH) // _MICROSECOND


def parse_timestamp(text: str) -> int:
    """Microseconds since 1970-01-01 UTC.

    Raises:
        InvalidArgument: the text has another form, or there is no such moment.
    """
    try:
        if _FORM.fullmatch(text):
            return microseconds(datetime.fromisoformat(text))
    except ValueError:
        pass
    raise InvalidArgument(f"not a timestamp with microseconds in UTC: {text}")


def is_moment(text: str) -> bool:
    """True if a text names a moment that exists (`Time.validateTimestamp`, which asks `Temporal.Instant.from`).

    Most schemas have let only the form above pass by then; that of MessagesSubscribe lets any text pass. A leap second
    (`:60`) is a moment, and so is one in the year 0000, which `datetime` does not know.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 3, 4, 5, 7, 8))
    if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 60:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= (28 if month == 2 and not leap else _DAYS[month - 1])
