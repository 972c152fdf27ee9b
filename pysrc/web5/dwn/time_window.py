"""The time window of a remote node: when a signed question may be asked, and how far ahead a message may be dated.

No question names the node that it is for, so whoever has seen one could ask it again, there and elsewhere, for ever. A
message of the year 9999 would keep its record from being changed until then. The refusals tell the node's time, so that
whoever has a wrong clock can date the next question by it, or knows how long to wait with a message.
"""

from __future__ import annotations

import re

from web5.dwn.codes import Code
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp
from web5.dwn.values.types import Message
from web5.errors import BadRequest, InvalidArgument, Unauthorized

WINDOW_SECONDS = 600
"""The default of remote nodes."""

SUBSCRIPTION_SECONDS = 24 * 60 * 60
"""The longest that a signed subscription goes on, and so one that somebody else has opened with what he has seen."""

_QUESTIONS = frozenset({"Read", "Query", "Subscribe", "History", "Replicate"})
"""The methods of messages that are for now, and are not stored."""

_REFUSAL = re.compile(
    rf"(?:{Code.TimestampOutsideWindow}|{Code.TimestampAhead}): this node's clock says (\S{{27}});"
    r"(?: a message is dated (\S{27}) at the latest)?"
)


def check_date(message: Message, now: int, seconds: float) -> None:
    """Check the date of a message before anything else is looked at; one that is malformed is left to its schema.

    Unsigned questions pass: they are answered with what everybody may see, and anybody can make them anew.

    Parameters:
        now: the node's time, in microseconds since 1970.
        seconds: how far dates may be from that.

    Raises:
        Unauthorized: a signed question is dated too early or too late.
        BadRequest: a message that is to be stored is dated too late.
    """
    descriptor = message["descriptor"]
    date = descriptor.get("messageTimestamp")
    if not isinstance(date, str):
        return
    span = int(seconds * 1_000_000)
    earliest, present, latest = map(format_timestamp, (now - span, now, now + span))
    if descriptor["method"] not in _QUESTIONS:
        if date > latest:
            told = f"this node's clock says {present}; a message is dated {latest} at the latest"
            raise BadRequest(Code.TimestampAhead, told)
    elif "authorization" in message and not earliest <= date <= latest:
        told = f"this node's clock says {present}; a signed question is dated within {seconds:g} s of that"
        raise Unauthorized(Code.TimestampOutsideWindow, told)


def told_time(detail: str) -> int | None:
    """Return the time that a refusal of a date tells, in microseconds since 1970; None if it is another refusal."""
    return _told(detail, 1)


def seconds_ahead(message: Message, detail: str) -> float | None:
    """Return the time until the node that refused a message with this detail takes it; None if that is not why."""
    latest = _told(detail, 2)
    try:
        return None if latest is None else (parse_timestamp(message["descriptor"]["messageTimestamp"]) - latest) / 1e6
    except (InvalidArgument, KeyError, TypeError):
        return None


def _told(detail: str, which: int) -> int | None:
    found = _REFUSAL.match(detail)
    try:
        return None if found is None or found[which] is None else parse_timestamp(found[which])
    except InvalidArgument:
        return None
