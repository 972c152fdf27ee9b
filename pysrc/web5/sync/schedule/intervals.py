"""Intervals of sync in the notation of npm `ms`: "2m", "30s", "1.5h", "1 hour", "500ms", "1000"; or "live", or "off".

Source: the `ms` package (2.1) that @web5/agent gives `startSync({ interval })` to. Unlike `ms`, a number that cannot be
an interval (negative, zero, shorter than `SHORTEST`) is an error here and not a timer that never ends or never rests.
"""

from __future__ import annotations

import re

from web5.errors import InvalidArgument

LIVE = "live"
"""The interval that stands for: at once, through a subscription at each endpoint."""

SAFETY_SECONDS = 120.0
"""The interval of live sync's own visits to every endpoint, whatever its subscriptions bring."""

SHORTEST = 0.1
"""The shortest interval, in seconds. A shorter one is a mistake, and would be an attack on the remote nodes."""

_SECONDS: dict[str, float] = {
    unit: seconds
    for seconds, units in (
        (0.001, "ms msec msecs millisecond milliseconds"),
        (1.0, "s sec secs second seconds"),
        (60.0, "m min mins minute minutes"),
        (3600.0, "h hr hrs hour hours"),
        (86400.0, "d day days"),
        (604800.0, "w week weeks"),
        (31557600.0, "y yr yrs year years"),
    )
    for unit in units.split()
}

_FORM = re.compile(r"(\d*\.?\d+) *([a-z]*)", re.ASCII | re.IGNORECASE)


def parse_interval(text: str) -> float | None:
    """Return the seconds between two runs; None for 'off'. A number without a unit is milliseconds, as for `ms`.

    Raises:
        InvalidArgument: it is neither 'live' nor 'off' nor a positive time of at least 100 ms.
    """
    if text == "off":
        return None
    if text == LIVE:
        return SAFETY_SECONDS
    form = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= 100 else None
    unit = _SECONDS.get(form[2].lower() or "ms") if form else None
    if form is None or unit is None:
        raise InvalidArgument(f"sync interval {text!r}: write it like '2m', '30s', '1 hour', '500ms', 'live' or 'off'")
    seconds = float(form[1]) * unit
    if seconds < SHORTEST:
        raise InvalidArgument(f"sync interval {text!r}: the shortest is '100ms'")
    return seconds
