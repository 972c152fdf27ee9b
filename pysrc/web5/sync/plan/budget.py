"""The trust in an endpoint, which what it brings renews: how much it is asked for, and how long it is waited for; pure.

An endpoint can list messages that it then does not give, or that nobody here takes, and tell of events without end. So
requests that bring nothing are some at once, and a few a minute in the long run; what an honest one brings gives its
budget back, so that it is never held up. And what one is asked for, and gives too slowly, another is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from web5.budget import Budget
from web5.sync.states import ANSWERS, BYTES

FETCHES = 300, 6
"""Messages that an endpoint lists and that cannot be used here: at once, and a minute."""

NOT_GIVEN = 30
"""The number of these for which one counts that it lists and does not give, and a page of records that are none."""

PAGE = 3
"""The number of these for which a page of a list counts, beside the first."""

EVENTS = 20, 4
"""Visits that an endpoint's events lead to without a message that is new: at once, and a minute."""

AUDITS = 3, 0.1
"""Listings of everything because of doubts that prove groundless: at once, and a minute. A node can reorder its log."""

OFFERED = 20
"""Messages that a node does not list, is offered again, and has, for which a listing of everything counts once more."""

RESTORES = 100, 1
"""Records that are written anew for an endpoint because it has lost them to variants: at once, and a minute."""


PATIENCE = 2.0
"""Seconds that an endpoint may be silent about messages before others are asked for them too."""


@dataclass(slots=True)
class Claim:
    """The claim of an endpoint to some messages, which holds while it brings them.

    On the whole it is to bring `ANSWERS` messages a second, or `BYTES` of large data. Moments are seconds, monotonic.

    Parameters:
        began: when it was asked for them.
        is_lost: another has taken them over, or some.
    """

    endpoint: int
    began: float
    is_lost: bool = False
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.began + PATIENCE

    def holds(self, now: float) -> bool:
        return now < self._until

    def brought(self, now: float, *, messages: int = 0, size: int = 0) -> None:
        """Count what came; a claim that has lapsed is not renewed."""
        if self.holds(now):
            self._until = min(now + PATIENCE, self._until + messages / ANSWERS + size / BYTES)


class BudgetOf(dict[int, Budget]):
    """Budgets of one kind, by the ID of the endpoint."""

    def __init__(self, limits: tuple[float, float]) -> None:
        super().__init__()
        self._limits = limits

    def __missing__(self, endpoint: int) -> Budget:
        return self.setdefault(endpoint, Budget(*self._limits))
