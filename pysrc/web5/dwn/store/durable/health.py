"""The health of a store, for those who tell people, and for those who keep in memory what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from web5.tasks import notify


class Ill(StrEnum):
    """A kind of trouble."""

    FULL = "full"
    """The last change found no room, and was undone."""
    FAILING = "failing"
    """The last change failed, and was undone. It is tried again whether the store works."""
    LOST = "lost"
    """The store has lost everything, or cannot be reached. Until it takes everything again, memory is all there is."""
    SLOW = "slow"
    """The store does not answer."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The trouble that a store has now.

    Parameters:
        detail: the error's words.
    """

    kind: Ill
    detail: str = ""


class Health:
    """The health of one store.

    Attributes:
        trouble: what is wrong; None if all is well.
        losses: how often the store has lost everything.
        on_changed: callables that are called when `trouble` is another.
        on_undone: callables that are called when commits were undone; who keeps in memory what is stored reads it anew.
    """

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.losses = 0
        self.on_changed: list[Callable[[], None]] = []
        self.on_undone: list[Callable[[], None]] = []

    def tell(self, kind: Ill | None, detail: str = "") -> None:
        """Record what is wrong now; None: nothing."""
        trouble = None if kind is None else Trouble(kind, detail)
        if trouble != self.trouble:
            self.trouble = trouble
            notify("a callback of on_changed failed", self.on_changed)

    def undone(self) -> None:
        """Tell that commits were undone."""
        notify("a callback of on_undone failed", self.on_undone)
