"""The port to the interpreter that is the node, and what both ends agree on."""

from __future__ import annotations

from typing import Protocol

MAX_CHUNK = 256 * 1024
"""Bytes of record data in one call."""

MOST_STREAMS = 32
"""Data on their way at once, for one caller."""

MOST_SUBSCRIPTIONS = 1000
"""Subscriptions of one caller."""

MOST_CALLERS = 64
"""Interpreters that are served at once."""

MOST_WAITING = 1000
"""Events that wait for one caller; a subscription that has more is told of the rest from the log."""

IDLE_SECONDS = 60.0
"""Seconds after which data that nobody asks for, or sends on, are given up."""


class Line(Protocol):
    """Calls the interpreter that is the node, whichever that is."""

    async def call(self, name: str, args: str, *, idempotent: bool) -> str:
        """Call by name, with JSON in and out; cancelled, have the other end give the call up.

        Parameters:
            idempotent: it may be carried out twice, so go on with the next node if this one goes.

        Raises:
            NodeGone: the node went away before it answered, and it is not known what it has done.
            Web5Error: as the node raised it.
        """
