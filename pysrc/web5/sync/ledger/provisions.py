"""The dependencies that came lately: whoever is refused for want of one that came meanwhile does not wait for it."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 10_000
"""Keys that are remembered, the newest."""


class Provisions:
    """The keys (`plan.dependencies`) that stored messages provided, each with its number in that order.

    Attributes:
        count: the number of the last.
    """

    def __init__(self) -> None:
        self.count = 0
        self._last: dict[tuple[str, str], int] = {}

    def note(self, tenant: str, keys: Iterable[str]) -> None:
        """Record that a message of a tenant provides these keys."""
        for key in keys:
            self.count += 1
            self._last.pop((tenant, key), None)
            self._last[tenant, key] = self.count
        while len(self._last) > MOST:
            del self._last[next(iter(self._last))]

    def came_after(self, count: int, tenant: str, key: str) -> bool:
        """Return True if a key was provided after `count` was that of the last."""
        return self._last.get((tenant, key), 0) > count
