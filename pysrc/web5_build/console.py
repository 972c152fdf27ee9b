"""Output for the person at the terminal: a line when a step starts, one when it ends, and progress in between."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT = 10.0
"""Seconds between lines of progress when the output is not a terminal."""


class BuildError(Exception):
    """The build cannot go on; the message is one line that says why and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


class Step:
    """One step under way.

    Parameters:
        title: what the step does, for a person.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._started = time.monotonic()
        self._told = self._started
        self._live = sys.stdout.isatty()

    def at(self, detail: str) -> None:
        """Tell how far the step is: in place on a terminal, now and then elsewhere."""
        now = time.monotonic()
        elapsed = now - self._started
        if self._live:
            width = os.get_terminal_size().columns
            line = f"    {elapsed:4.0f} s  {detail}"[: width - 1]
            print(f"\r\x1b[K{line}", end="", flush=True)
        elif now - self._told >= HEARTBEAT:
            self._told = now
            say(f"    {elapsed:4.0f} s  {detail[:160]}")

    def say(self, text: str) -> None:
        """Print a line that stays."""
        say(f"\r\x1b[K{text}" if self._live else text)

    def end(self, outcome: str = "done") -> None:
        elapsed = time.monotonic() - self._started
        self.say(f"    {outcome} in {elapsed:.1f} s")


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Announce a step, and how it ended."""
    say(f"==> {title}")
    current = Step(title)
    try:
        yield current
    except BaseException:
        current.end("failed")
        raise
    current.end()
