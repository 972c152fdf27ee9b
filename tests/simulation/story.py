"""The story of a simulation, in words."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any


class Story:
    """A chronicle: one line for everything that was done, with names instead of CIDs."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, str, str, tuple[Any, ...]]] = []
        self._names: dict[str, str] = {}

    def name(self, cid: str, name: str) -> None:
        """Name a CID, a DID or a record ID from now on."""
        self._names[cid] = name

    def called(self, what: Any) -> str:
        """Return the name of a CID, or its end, or the text of anything else."""
        text = str(what)
        return self._names.get(text) or (f"…{text[-6:]}" if len(text) > 40 and " " not in text else text)

    def add(self, who: str, text: str, *parts: Any) -> None:
        """Tell something; `parts` fill the places `{}` of the text when the story is read."""
        self._lines.append((asyncio.get_running_loop().time(), who, text, parts))

    def lines(self) -> list[str]:
        return [
            f"{_clock(time)}  {who:<10} {text.format(*(self.called(part) for part in parts))}"
            for time, who, text, parts in self._lines
        ]

    def digest(self) -> str:
        """Return a digest that is the same for two simulations in which the same happened."""
        return hashlib.sha256("\n".join(self.lines()).encode()).hexdigest()[:16]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):5d}:{rest:06.3f}"
