"""What a message costs, counted in steps that are the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from web5.dwn import Dwn

_STATEMENT_STEPS = 100


@dataclass
class Effort:
    """Calls of Python functions, and steps of SQLite's machine by the hundred."""

    calls: int = 0
    statements: int = 0

    @property
    def steps(self) -> int:
        return self.calls + self.statements


@contextmanager
def counted(dwn: Dwn) -> Iterator[Effort]:
    """Count what is done within, in this thread."""
    effort = Effort()

    def on_event(_frame: Any, event: str, _argument: Any) -> None:
        effort.calls += event == "call"

    def on_steps() -> bool:
        effort.statements += 1
        return False

    connection = dwn.store.connection
    connection.set_progress_handler(on_steps, _STATEMENT_STEPS)
    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield effort
    finally:
        sys.setprofile(before)
        connection.set_progress_handler(None)
