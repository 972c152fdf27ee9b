"""What comes first on a first sync: that which the person looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PAGES = 2
"""Pages of the newest records of each wish that are fetched before everything else."""

KEPT = 8
"""Wishes of a tenant; the newest are kept."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Records that somebody waits for.

    Parameters:
        filter: a RecordsFilter in the wire's shape.
        pages: RecordsQuery pages, newest records first.
    """

    filter: Mapping[str, Any]
    pages: int = PAGES


class Wishes:
    """The wishes of every tenant, the newest first."""

    def __init__(self) -> None:
        self._of: dict[str, list[Wish]] = {}

    def add(self, tenant: str, wish: Wish) -> None:
        """Put a wish before those that are there."""
        others = [one for one in self._of.get(tenant, ()) if one.filter != wish.filter]
        self._of[tenant] = [wish, *others][:KEPT]

    def of(self, tenant: str) -> list[Wish]:
        """What to fetch first, in this order."""
        return list(self._of.get(tenant, ()))
