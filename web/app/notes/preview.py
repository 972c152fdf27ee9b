"""The copy of the newest notes that the page shows before its node is up.

Invariants:
1. There is one only while this browser's own key opens the vault, and only of the identity in use. It is erased,
   durably, before that changes.
2. It has at most `NEWEST` notes and `LONGEST` characters.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from web5.errors import Web5Error
from web5.tasks import TaskSet

NEWEST = 20
"""Notes in a copy."""

LONGEST = 100_000
"""Characters of a copy, as JSON."""

INTERVAL = 1.0
"""Seconds after a change until it is in the copy, with what has changed meanwhile."""

_MEMBERS = ("id", "text", "html", "whole", "edited", "modified")


class Store(Protocol):
    """Where the copy lies; `web5.browser.storage.preview.PreviewStore` has it in the browser."""

    async def keep(self, text: str, still: Callable[[], bool]) -> None:
        """Keep a text, if `still` says so at the last moment."""

    async def erase(self) -> None:
        """Erase the text; durable on return."""


class Preview:
    """Keeps the copy in step with the notes.

    Parameters:
        newest: returns so many notes, as `app.notes.notes.newest` does.
        owner: returns the DID of the identity whose notes may be copied now; None if there is none.
    """

    def __init__(
        self, store: Store, newest: Callable[[int], Awaitable[dict[str, Any]]], owner: Callable[[], str | None]
    ) -> None:
        self._store = store
        self._newest = newest
        self._owner = owner
        self._turn = 0
        self._forgetting = 0
        self._kept: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keeping = TaskSet("the copy of the newest notes could not be kept")

    def changed(self) -> None:
        """Bring the copy up to date soon."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._begin)

    async def forget(self) -> None:
        """Erase the copy, durably; `changed` makes another one, where there may be one."""
        self._turn += 1
        self._kept = None
        self._forgetting += 1
        try:
            await self._store.erase()
        finally:
            self._forgetting -= 1

    async def close(self) -> None:
        """Leave the copy as it is."""
        if self._timer is not None:
            self._timer.cancel()
        await self._keeping.cancel()

    def _begin(self) -> None:
        self._timer = None
        self._keeping.start(self.bring_up_to_date())

    async def bring_up_to_date(self) -> None:
        """Keep a copy of what there is now, if there may be one."""
        owner, turn = self._owner(), self._turn
        if owner is None:
            return
        if self._forgetting:  # what the copy is erased for is yet to change
            self.changed()
            return
        with suppress(
            Web5Error
        ):  # locked meanwhile, or a store in trouble, which is shown elsewhere; then there is none
            text = packed((await self._newest(NEWEST))["notes"])
            if text != self._kept:
                self._kept = text
                await self._store.keep(text, lambda: (self._owner(), self._turn) == (owner, turn))


def packed(notes: list[dict[str, Any]]) -> str:
    """Return notes as the page reads them from the copy, the newest, as many as there is room for."""
    copied = [{name: note[name] for name in _MEMBERS} for note in notes if not note["damaged"]]
    while len(text := json.dumps(copied, ensure_ascii=False)) > LONGEST:
        copied.pop()
    return text
