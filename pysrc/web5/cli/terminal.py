"""The program's way with a terminal: progress, passwords, sizes in words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from getpass import getpass

from web5.errors import VaultLocked

EVERY = 0.1
"""Seconds between two states of progress that are shown."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEPS: Mapping[str, str] = {"messages": "messages", "data": "bytes of data"}


def size(number: float) -> str:
    """Return a number of bytes for people."""
    unit = 0
    while number >= 1000 and unit + 1 < len(_UNITS):
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def count(number: int, what: str) -> str:
    """Return a number of things for people."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


class Bar:
    """A line of progress that is written over and over, on a terminal alone."""

    def __init__(self) -> None:
        self._is_on = sys.stderr.isatty()
        self._shown, self._length = 0.0, 0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show how far a step is; `Progress` of `web5.settings`."""
        now = time.monotonic()
        if not self._is_on or step not in _STEPS or (now < self._shown + EVERY and done < total):
            return
        self._shown = now
        percent = 100 * done // total if total else 100
        line = f"{percent:3} %  {done:,} of {total:,} {_STEPS[step]}"
        print(f"\r{line.ljust(self._length)}", end="", file=sys.stderr, flush=True)
        self._length = len(line)

    def end(self) -> None:
        """Leave the line empty."""
        if self._length:
            print(f"\r{' ' * self._length}\r", end="", file=sys.stderr, flush=True)


def password(variable: str, prompt: str, *, twice: bool = False) -> str:
    """Return a password from the environment, or ask for it.

    Parameters:
        variable: of the environment.
        twice: it is a new one, so that a slip would lock the person out.

    Raises:
        VaultLocked: nobody can be asked, or the two are not the same.
    """
    if (given := os.environ.get(variable)) is not None:
        return given
    if not sys.stdin.isatty():
        raise VaultLocked(f"A password is needed: set {variable}, or run this on a terminal, which asks for it.")
    found = getpass(f"{prompt}: ")
    if twice and getpass("Once more: ") != found:
        raise VaultLocked("These were two different passwords; nothing was done.")
    return found
