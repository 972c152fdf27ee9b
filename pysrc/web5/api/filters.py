"""Filter names as Python writes them, and as the wire has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.errors import InvalidArgument

WIRE_NAMES = {
    "attester": "attester",
    "author": "author",
    "context_id": "contextId",
    "data_cid": "dataCid",
    "data_format": "dataFormat",
    "data_size": "dataSize",
    "date_created": "dateCreated",
    "date_published": "datePublished",
    "date_updated": "dateUpdated",
    "parent_id": "parentId",
    "protocol": "protocol",
    "protocol_path": "protocolPath",
    "published": "published",
    "recipient": "recipient",
    "record_id": "recordId",
    "schema": "schema",
    "tags": "tags",
}
"""The properties of a RecordsFilter (dwn-sdk-js src/types/records-types.ts)."""


def records_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """The wire's filter; properties that are None are left out.

    Raises:
        InvalidArgument: an unknown property.
    """
    unknown = sorted(set(given) - set(WIRE_NAMES))
    if unknown:
        raise InvalidArgument(f"Unknown filter {', '.join(unknown)}; the filters are {', '.join(WIRE_NAMES)}.")
    return {WIRE_NAMES[name]: value for name, value in given.items() if value is not None}
