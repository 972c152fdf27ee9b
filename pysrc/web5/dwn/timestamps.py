"""DWN timestamps: ISO 8601, UTC, microseconds, `2024-05-06T07:08:09.123456Z`. Messages and indexes compare the text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from web5.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = _EPOCH.replace(tzinfo=None)
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


def format_timestamp(us: int) -> str:
    """Return the timestamp of a moment in microseconds since 1970-01-01 UTC, from the year 1 to the year 9999."""
    return (_EPOCH_WITHOUT_ZONE + us * _MICROSECOND).isoformat(timespec="microseconds") + "Z"


def microseconds(moment: datetime) -> int:
    """Return a datetime with a time zone in microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def parse_timestamp(text: str) -> int:
    """Return a timestamp in microseconds since 1970-01-01 UTC.

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
    """Return True if a text names a moment that exists (`Time.validateTimestamp`, which asks `Temporal.Instant.from`).

    Most schemas have let only the form above pass by then; that of MessagesSubscribe lets any text pass. A leap second
    (`:60`) is a moment, and so is one in the year 0000, which `datetime` does not know.
    """
    if _FORM.fullmatch(text) and text[11:13] < "24":  # which newer Pythons take for the next day
        try:
            datetime.fromisoformat(text)
            return True
        except ValueError:
            pass  # or it is one of those
    match = _INSTANT.fullmatch(text)
    if match is None:
        return False
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 3, 4, 5, 7, 8))
    try:
        datetime(year or 2000, month, day, hour, minute, 59 if second == 60 else second, tzinfo=UTC)
    except ValueError:
        return False
    return True
