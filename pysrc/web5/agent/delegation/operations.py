"""Operations on a DWN in the terms of the engine's rules for grants, known before their messages are made.

`web5.dwn.permissions.rules` then says whether a grant allows one: nothing is decided twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from web5.dwn.compose import WriteOptions
from web5.dwn.permissions.rules import QUESTIONS
from web5.dwn.signatures.signing import without_none
from web5.dwn.values.contexts import is_within
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url

_NARROWING = ("protocolPath", "contextId")
"""The properties of a scope that leave a part of a protocol."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that may need a grant.

    Parameters:
        descriptor: that of its message, as far as rules look at it.
        record: as much of the RecordsWrite that is written, read or deleted as is known.
        record_id: of that record, if it may be held here, which would tell more.
    """

    descriptor: Mapping[str, Any]
    record: Message | None = None
    record_id: str | None = None

    @property
    def scope(self) -> dict[str, str]:
        """The scope that a grant would need, as far as it is known."""
        about = self.record["descriptor"] if self.record else self.descriptor.get("filter", {})
        protocol = self.descriptor.get("definition", about).get("protocol")
        narrowed = without_none(protocol=protocol, protocolPath=about.get("protocolPath") if self.record else None)
        return {"interface": self.descriptor["interface"], "method": self.descriptor["method"], **narrowed}

    def narrowed_to(self, scope: Mapping[str, Any]) -> tuple[Operation, dict[str, str]]:
        """Return the same question for only what the path and the context of a scope hold, and the filters for that.

        There are no such filters if it is no question, or asks for something else, or for no more than that.
        """
        filter = self.descriptor.get("filter")
        about = filter if self.record is None else {**self.record["descriptor"], **self.record}
        if about is None or self.descriptor["method"] not in QUESTIONS:
            return self, {}
        narrower = {name: scope[name] for name in _NARROWING if name in scope and about.get(name) != scope[name]}
        asked = about.keys() & narrower.keys()
        if asked and not (asked == {"contextId"} and filter and is_within(narrower["contextId"], filter["contextId"])):
            return self, {}
        if filter is not None:
            return replace(self, descriptor={**self.descriptor, "filter": {**filter, **narrower}}), narrower
        record = {**(self.record or {}), "descriptor": {**about, **narrower}, **narrower}
        return replace(self, record=record), narrower


def write(options: WriteOptions) -> Operation:
    """Write a new record. Its own ID, with which its context will end, no grant can know."""
    record = _record(
        options.get("protocol"),
        options.get("protocol_path"),
        options.get("parent_context_id"),
        options.get("published"),
    )
    return Operation(_method("Records", "Write"), record)


def update(newest: Message, published: bool | None) -> Operation:
    """Write the next state of a record; `published` is None if that stays."""
    old = newest["descriptor"]
    becomes = old.get("published") if published is None else published
    return Operation(_method("Records", "Write"), {**newest, "descriptor": {**old, "published": becomes}})


def read(filter: Mapping[str, Any]) -> Operation:
    """Read the one record that a filter finds."""
    record = _record(filter.get("protocol"), filter.get("protocolPath"), filter.get("contextId"))
    return Operation(_method("Records", "Read"), record, filter.get("recordId"))


def read_record(newest: Message) -> Operation:
    """Read a record of which a RecordsWrite is at hand."""
    return Operation(_method("Records", "Read"), newest)


def delete(record_id: str, protocol: str | None = None) -> Operation:
    """Delete a record by its ID."""
    return Operation(_method("Records", "Delete"), _record(protocol), record_id)


def delete_record(newest: Message) -> Operation:
    """Delete a record of which a RecordsWrite is at hand."""
    return Operation(_method("Records", "Delete"), newest)


def query(filter: Mapping[str, Any]) -> Operation:
    """Query the records that a filter finds."""
    return Operation(_method("Records", "Query", filter=_normalized(filter)))


def subscribe(filter: Mapping[str, Any]) -> Operation:
    """Subscribe to the records that a filter finds."""
    return Operation(_method("Records", "Subscribe", filter=_normalized(filter)))


def configure(definition: Mapping[str, Any]) -> Operation:
    """Configure a protocol."""
    return Operation(_method("Protocols", "Configure", definition=_normalized({"protocol": definition["protocol"]})))


def query_protocols(protocol: str | None) -> Operation:
    """Query the configured protocols, or one of them."""
    return Operation(_method("Protocols", "Query", filter=_normalized(without_none(protocol=protocol))))


def _method(interface: str, method: str, **more: Any) -> dict[str, Any]:
    return {"interface": interface, "method": method, **more}


def _record(
    protocol: str | None, path: str | None = None, context_id: str | None = None, published: bool | None = None
) -> Message:
    descriptor = _normalized(without_none(protocol=protocol, protocolPath=path, published=published))
    return without_none(descriptor=descriptor, contextId=context_id)


def _normalized(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with `protocol` as it will stand in the message."""
    protocol = properties.get("protocol")
    return {**properties, "protocol": normalize_url(protocol)} if protocol is not None else dict(properties)
