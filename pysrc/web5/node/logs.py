"""The log of a node: however often something happens, it takes a line a minute, and a line is bounded.

What is in a line may come from a stranger: control characters are escaped, and of a traceback only its last frames are
kept. Kinds of messages are told apart by the place that logs them and the place that raised. The lines of requests,
which are asked for with level "info", are all there.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, Literal, TextIO

from web5.node.http import requests

EVERY_SECONDS = 60.0
LONGEST_MESSAGE = 1000
FRAMES = 8
"""Frames of a traceback that are shown, the innermost."""

Form = Literal["text", "json"]
"""The form of a line: for people, or for what collects logs."""

_Kind = tuple[Any, ...]


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes the first message of a kind at once, and then one in `EVERY_SECONDS`, which says how many were left out.

    Parameters:
        monotonic: a clock in seconds.
        form: of each line.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        form: Form = "text",
    ) -> None:
        super().__init__(stream)
        self._monotonic = monotonic
        self._form = _as_json if form == "json" else _as_text
        self._kinds: dict[_Kind, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == requests.log.name:
            super().emit(record)
            return
        kind, now = _kind(record), self._monotonic()
        written, left_out = self._kinds.get(kind, (None, 0))
        if written is not None and now < written + EVERY_SECONDS:
            self._kinds[kind] = written, left_out + 1
            return
        self._kinds[kind] = now, 0
        record.left_out = left_out
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        return self._form(record)


def _as_text(record: logging.LogRecord) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
    request = f" [{number}]" if (number := requests.request_id.get()) else ""
    text = f"{when} {record.levelname} {record.name}{request}: {_on_one_line(record.getMessage())}"
    if left_out := getattr(record, "left_out", 0):
        text += f" (and {left_out} more like it)"
    error = _error_of(record)
    return text if error is None else f"{text}\n{_frames(error)}{type(error).__name__}: {_on_one_line(str(error))}"


def _as_json(record: logging.LogRecord) -> str:
    error = _error_of(record)
    found = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "request": requests.request_id.get(),
        "message": _on_one_line(record.getMessage()),
        "left_out": getattr(record, "left_out", 0),
        "error": None if error is None else f"{type(error).__name__}: {_on_one_line(str(error))}",
        "frames": None if error is None else _frames(error),
    }
    return json.dumps({name: value for name, value in found.items() if value}, ensure_ascii=False)


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _frames(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__, -FRAMES))


def _kind(record: logging.LogRecord) -> _Kind:
    error = _error_of(record)
    raised_at = traceback.extract_tb(error.__traceback__, -1) if error is not None else []
    where = [(frame.filename, frame.lineno) for frame in raised_at]
    return (record.pathname, record.lineno, type(error), *where)


def _on_one_line(text: str) -> str:
    shown = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}… ({len(text)} characters)"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)


def set_up(level: str = "warning", form: Form = "text") -> None:
    """Send what this process logs to stderr, bounded.

    Parameters:
        level: from which on our own messages are written. Those of libraries are from "warning" on at the most: below
            that, they have addresses and DIDs in them.
        form: of each line.
    """
    lowest = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(lowest, logging.WARNING), handlers=[BoundedHandler(form=form)], force=True)
    logging.getLogger("web5").setLevel(lowest)
