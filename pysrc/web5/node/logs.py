"""The log of a node: however often something happens, it takes a line a minute, and a line is bounded.

What is in a line may come from a stranger: control characters are escaped, and of a traceback only its last frames are
kept. Kinds of messages are told apart by the place that logs them and the place that raised.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

EVERY_SECONDS = 60.0
LONGEST_MESSAGE = 1000
FRAMES = 8
"""Frames of a traceback that are shown, the innermost."""

_Kind = tuple[Any, ...]


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes the first message of a kind at once, and then one in `EVERY_SECONDS`, which says how many were left out.

    Parameters:
        monotonic: a clock in seconds.
    """

    def __init__(self, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._kinds: dict[_Kind, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        kind, now = _kind(record), self._monotonic()
        written, left_out = self._kinds.get(kind, (None, 0))
        if written is not None and now < written + EVERY_SECONDS:
            self._kinds[kind] = written, left_out + 1
            return
        self._kinds[kind] = now, 0
        record.left_out = left_out
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        text = f"{when} {record.levelname} {record.name}: {_on_one_line(record.getMessage())}"
        if left_out := getattr(record, "left_out", 0):
            text += f" (and {left_out} more like it)"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__, -FRAMES))
            text += f"\n{frames}{type(error).__name__}: {_on_one_line(str(error))}"
        return text


def _kind(record: logging.LogRecord) -> _Kind:
    error = record.exc_info[1] if record.exc_info else None
    raised_at = traceback.extract_tb(error.__traceback__, -1) if error is not None else []
    where = [(frame.filename, frame.lineno) for frame in raised_at]
    return (record.pathname, record.lineno, type(error), *where)


def _on_one_line(text: str) -> str:
    shown = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}… ({len(text)} characters)"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)


def set_up(level: str = "warning") -> None:
    """Send what this process logs to stderr, bounded.

    Parameters:
        level: from which on our own messages are written. Those of libraries are from "warning" on at the most: below
            that, they have addresses and DIDs in them.
    """
    lowest = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(lowest, logging.WARNING), handlers=[BoundedHandler()], force=True)
    logging.getLogger("web5").setLevel(lowest)
