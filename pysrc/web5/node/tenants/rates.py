"""The pace at which an address, and all who address a tenant, may ask: budgets that come back by and by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from web5.budget import Budget
from web5.lru import LruCache

KNOWN = 10_000
"""Addresses, and tenants, whose budgets are remembered: those that asked last."""

BURST_SECONDS = 10
"""Seconds' worth of a rate that may be asked at once."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a minute; 0: as many as come."""

    address: int = 0
    tenant: int = 0


class Pace:
    """The pace of those who ask.

    Parameters:
        monotonic: a clock in seconds.
    """

    def __init__(self, rates: Rates, monotonic: Callable[[], float]) -> None:
        self._rates = rates
        self._monotonic = monotonic
        self._addresses: LruCache[str, Budget] = LruCache(KNOWN)
        self._tenants: LruCache[str, Budget] = LruCache(KNOWN)

    def ask(self, address: str, tenant: str) -> int:
        """Take note of a request; return 0, or the whole seconds after which it may come again, and is not counted."""
        now = self._monotonic()
        budgets = [
            (_budget(known, key, per_minute, now), per_minute)
            for known, key, per_minute in (
                (self._addresses, address, self._rates.address),
                (self._tenants, tenant[:1000], self._rates.tenant),
            )
            if per_minute
        ]
        waits = [-int((budget.left(now) - 1) * 60 // per_minute) for budget, per_minute in budgets]
        if any(wait > 0 for wait in waits):
            return max(waits)
        for budget, _ in budgets:
            budget.spend(1, now)
        return 0


def _budget(known: LruCache[str, Budget], key: str, per_minute: int, now: float) -> Budget:
    if (budget := known.get(key)) is None:
        budget = Budget(max(1, per_minute * BURST_SECONDS / 60), per_minute)
        known.put(key, budget)
    return budget
