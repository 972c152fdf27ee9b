"""The orders of a query's result, by their names on the wire and by those of typed records."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from web5.api import arguments


class DateSort(StrEnum):
    """The orders of a query's result."""

    CREATED_ASCENDING = "createdAscending"
    CREATED_DESCENDING = "createdDescending"
    PUBLISHED_ASCENDING = "publishedAscending"
    PUBLISHED_DESCENDING = "publishedDescending"


Sorting = (
    DateSort | Literal["createdAscending", "createdDescending", "publishedAscending", "publishedDescending"] | None
)
"""A `DateSort`, or its name on the wire; None: the oldest first."""

Order = Literal["date_created", "-date_created", "date_published", "-date_published"]
"""An order of typed records, with "-" before it for the newest first."""

ORDERS: dict[Order, DateSort] = {
    "date_created": DateSort.CREATED_ASCENDING,
    "-date_created": DateSort.CREATED_DESCENDING,
    "date_published": DateSort.PUBLISHED_ASCENDING,
    "-date_published": DateSort.PUBLISHED_DESCENDING,
}


def date_sort(value: Sorting) -> str | None:
    """Return an order as the wire has it.

    Raises:
        InvalidArgument: there is no such order.
    """
    return None if value is None else str(arguments.choice("order", value, [one.value for one in DateSort]))


def date_sort_of(order_by: Order) -> DateSort:
    """Return the wire's order for that of typed records.

    Raises:
        InvalidArgument: there is no such order.
    """
    return ORDERS[arguments.choice("order", order_by, ORDERS)]
