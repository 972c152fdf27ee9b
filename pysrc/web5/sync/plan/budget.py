"""Requests that bring nothing: some at once, a few a minute in the long run; pure.

An endpoint can list messages that it then does not give, or that nobody here takes, and tell of events without end.
What an honest one brings gives its budget back, so that it is never held up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FETCHES = 300, 6
"""Messages that an endpoint lists and that cannot be used here: at once, and a minute."""

NOT_GIVEN = 30
"""The number of these for which one counts that it lists and does not give, and a page of records that are none."""

PAGE = 3
"""The number of these for which a page of a list counts, beside the first."""

EVENTS = 20, 4
"""Visits that an endpoint's events lead to without a message that is new: at once, and a minute."""

RESTORES = 100, 1
"""Records that are written anew for an endpoint because it has lost them to variants: at once, and a minute."""


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


class BudgetOf(dict[int, Budget]):
    """Budgets of one kind, by the ID of the endpoint."""

    def __init__(self, limits: tuple[float, float]) -> None:
        super().__init__()
        self._limits = limits

    def __missing__(self, endpoint: int) -> Budget:
        return self.setdefault(endpoint, Budget(*self._limits))
