"""What a message needs a grant for, known before it is made.

It is said in the terms of the engine's own rules (`web5.dwn.permissions.rules`), which then tell whether a grant
allows it: nothing is decided twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.dwn.signing import without_none
from web5.dwn.urls import normalize_url


@dataclass(frozen=True, slots=True)
class Need:
    """
    Parameters:
        descriptor: as far as rules look at it.
        record: as much of the RecordsWrite that is written, read or deleted as is known.
        record_id: of that record, if it may be held here, which would tell more.
    """

    descriptor: Mapping[str, Any]
    record: Mapping[str, Any] | None = None
    record_id: str | None = None

    @property
    def scope(self) -> dict[str, str]:
        """What a grant would have to say, as far as it is known."""
        about = self.record["descriptor"] if self.record else self.descriptor.get("filter", {})
        protocol = self.descriptor.get("definition", about).get("protocol")
        narrowed = without_none(protocol=protocol, protocolPath=about.get("protocolPath") if self.record else None)
        return {"interface": self.descriptor["interface"], "method": self.descriptor["method"], **narrowed}


def to_write(
    protocol: str | None, protocol_path: str | None, parent_context_id: str | None, published: bool | None
) -> Need:
    """For a new record. Its own ID, with which its context will end, no grant can know."""
    return Need(_method("Records", "Write"), _record(protocol, protocol_path, parent_context_id, published))


def to_update(write: Mapping[str, Any], published: bool | None) -> Need:
    """For the next state of a record.

    Parameters:
        published: what it will be; None: it stays.
    """
    old = write["descriptor"]
    becomes = old.get("published") if published is None else published
    return Need(_method("Records", "Write"), {**write, "descriptor": {**old, "published": becomes}})


def to_read(filter: Mapping[str, Any]) -> Need:
    """For the one record that a filter finds."""
    return Need(_method("Records", "Read"), _found_by(filter), filter.get("recordId"))


def to_read_this(write: Mapping[str, Any]) -> Need:
    """For a record of which a RecordsWrite is at hand."""
    return Need(_method("Records", "Read"), write)


def to_delete(record_id: str, protocol: str | None = None) -> Need:
    """For the end of a record."""
    return Need(_method("Records", "Delete"), _record(protocol), record_id)


def to_delete_this(write: Mapping[str, Any]) -> Need:
    """For the end of a record of which a RecordsWrite is at hand."""
    return Need(_method("Records", "Delete"), write)


def to_query(filter: Mapping[str, Any]) -> Need:
    """For the records that a filter finds."""
    return Need(_method("Records", "Query", filter=_normalized(filter)))


def to_subscribe(filter: Mapping[str, Any]) -> Need:
    """For the records that a filter will find."""
    return Need(_method("Records", "Subscribe", filter=_normalized(filter)))


def to_configure(definition: Mapping[str, Any]) -> Need:
    """For the configuration of a protocol."""
    return Need(_method("Protocols", "Configure", definition={"protocol": normalize_url(definition["protocol"])}))


def to_see_protocols(protocol: str | None) -> Need:
    """For the configured protocols, or for one of them."""
    return Need(_method("Protocols", "Query", filter={} if protocol is None else _normalized({"protocol": protocol})))


def _method(interface: str, method: str, **more: Any) -> dict[str, Any]:
    return {"interface": interface, "method": method, **more}


def _record(
    protocol: str | None = None,
    protocol_path: str | None = None,
    context_id: str | None = None,
    published: bool | None = None,
) -> dict[str, Any]:
    protocol = None if protocol is None else normalize_url(protocol)
    descriptor = without_none(protocol=protocol, protocolPath=protocol_path, published=published)
    return without_none(descriptor=descriptor, contextId=context_id)


def _found_by(filter: Mapping[str, Any]) -> dict[str, Any]:
    return _record(filter.get("protocol"), filter.get("protocolPath"), filter.get("contextId"))


def _normalized(filter: Mapping[str, Any]) -> dict[str, Any]:
    """The filter as it will stand in the message, as far as rules look at it."""
    protocol = filter.get("protocol")
    return {**filter, "protocol": normalize_url(protocol)} if protocol is not None else dict(filter)
