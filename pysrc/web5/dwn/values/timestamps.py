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

_2000_YEARS = 730_485 * 86_400 * 1_000_000
"""Microseconds. The calendar repeats every 400 years, so the year 0000, which `datetime` does not know, is as 2000."""

_YEAR_0 = -719_528 * 86_400 * 1_000_000
_YEAR_10000 = 2_932_897 * 86_400 * 1_000_000


def format_timestamp(us: int) -> str:
    """Return the timestamp of a moment in microseconds since 1970-01-01 UTC.

    The year 9999 ends with a leap second, so that what is dated before that can still be replaced.

    Raises:
        InvalidArgument: it is not within the years 0000 to 9999, so no message can have this date.
    """
    try:
        return (_EPOCH_WITHOUT_ZONE + us * _MICROSECOND).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        if _YEAR_0 <= us < 0:
            return f"0000{format_timestamp(us + _2000_YEARS)[4:]}"
        if 0 <= (past_the_end := us - _YEAR_10000) < 1_000_000:
            return f"9999-12-31T23:59:60.{past_the_end:06}Z"
    raise InvalidArgument(f"{us} microseconds since 1970 are not within the years 0000 to 9999, as dates have to be")


def microseconds(moment: datetime) -> int:
    """Return a datetime with a time zone in microseconds since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(us: int) -> datetime:
    """Return a moment in microseconds since 1970-01-01 UTC as a datetime; the nearest that there is, if none."""
    try:
        return _EPOCH + us * _MICROSECOND
    except OverflowError:
        return (datetime.min if us < 0 else datetime.max).replace(tzinfo=UTC)


def moment_or_none(us: int | None) -> datetime | None:
    """Return a moment as `moment_of` does; None for None."""
    return None if us is None else moment_of(us)


def parse_timestamp(text: str) -> int:
    """Return a timestamp in microseconds since 1970-01-01 UTC.

    All that passes `is_moment` in the form of a DWN's dates is read. A leap second is the first of the next day, so
    that what is dated after it sorts after it.

    Raises:
        InvalidArgument: the text has another form, or there is no such moment.
    """
    if not _FORM.fullmatch(text):
        raise InvalidArgument(f"not a timestamp with microseconds in UTC: {text}")
    if text[11:13] < "24":  # which newer Pythons take for the next day
        try:
            return microseconds(datetime.fromisoformat(text))
        except ValueError:
            pass
    if is_moment(text):
        years = _2000_YEARS if text.startswith("0000") else 0
        leap = text[17:19] == "60"
        usual = f"{'2000' if years else text[:4]}{text[4:17]}{'59' if leap else text[17:19]}{text[19:]}"
        return microseconds(datetime.fromisoformat(usual)) - years + leap * 1_000_000
    raise InvalidArgument(f"there is no such moment: {text}")


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
