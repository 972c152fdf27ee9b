"""Budgets that are spent at once, and come back by and by."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """A number of units that grows with time up to `burst`. Moments are seconds.

    Parameters:
        burst: the units at the beginning, and the most.
        per_minute: the units that come back in a minute.
    """

    burst: float
    per_minute: float
    _left: float = field(init=False)
    _at: float | None = None

    def __post_init__(self) -> None:
        self._left = self.burst

    def left(self, now: float) -> float:
        """Return the units that are left; none, or less, if it is exhausted."""
        if self._at is not None and now > self._at:
            self._left = min(self.burst, self._left + (now - self._at) * self.per_minute / 60)
        self._at = now
        return self._left

    def spend(self, units: float, now: float) -> None:
        """Take units, also more than are left, but no more than a burst of debt."""
        self._left = max(-self.burst, self.left(now) - units)

    def refund(self, units: float, now: float) -> None:
        """Give units back."""
        self._left = min(self.burst, self.left(now) + units)
