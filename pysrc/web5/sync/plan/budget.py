"""Requests that bring nothing: some at once, a few a minute in the long run; pure.

An endpoint can list messages that it then does not give, or that nobody here takes, and tell of events without end.
What an honest one brings gives its budget back, so that it is never held up.
"""

from __future__ import annotations

from web5.budget import Budget

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


class BudgetOf(dict[int, Budget]):
    """Budgets of one kind, by the ID of the endpoint."""

    def __init__(self, limits: tuple[float, float]) -> None:
        super().__init__()
        self._limits = limits

    def __missing__(self, endpoint: int) -> Budget:
        return self.setdefault(endpoint, Budget(*self._limits))
