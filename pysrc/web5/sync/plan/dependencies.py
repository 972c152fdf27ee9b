"""The messages that must be at a node before another: one table, for both directions.

A dependency is named by a key, such as "record:bafy…" or "protocol:https://…". A message that was refused because
something is missing waits for a key; a message that is stored provides keys, and whatever waits for one of them is
tried again at once. So nothing polls for its dependency, and nothing waits longer than it has to.

What is refused as things are now may have been allowed at its own time (`web5.dwn.history`): a second table has what
that depended on. So it waits for what may yet come, such as an earlier definition of its protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from web5.dwn.permissions.grants import is_grant
from web5.dwn.signatures.jws import payload_of
from web5.dwn.values.types import Message
from web5.errors import BadRequest

NO_RECORD = ""
"""The ordering key of messages that belong to no record."""

_TIME = "time:"


def ordering_key(message: Message) -> str:
    """Return the ID of the record in which a message has to keep its order, or `NO_RECORD`."""
    descriptor = _descriptor(message)
    if descriptor.get("interface") != "Records":
        return NO_RECORD
    record_id = message.get("recordId") or descriptor.get("recordId")
    return record_id if isinstance(record_id, str) else NO_RECORD


def parent_of(message: Message) -> str | None:
    """Return the ID of the record that must be at a node before this message's record can be."""
    parent = _descriptor(message).get("parentId")
    return parent if isinstance(parent, str) else None


def is_initial(message: Message) -> bool:
    """Return True if a message looks like the first of its record, so that it depends on no other of it."""
    descriptor = _descriptor(message)
    return "dateCreated" in descriptor and descriptor["dateCreated"] == descriptor.get("messageTimestamp")


def is_end(message: Message, initial: Message | None) -> bool:
    """Return True for the delete of a grant: a node that keeps no history takes what that allowed only before it.

    (Of what a deleted role or parent allowed, it takes nothing any more: their data are gone.)

    Parameters:
        initial: the initial write of the record that is deleted.
    """
    return _descriptor(message).get("method") == "Delete" and initial is not None and is_grant(_descriptor(initial))


def record_key(record_id: object) -> str:
    return f"record:{record_id}"


def _own_record(message: Message) -> str:
    return record_key(message.get("recordId") or _descriptor(message).get("recordId"))


def _parent(message: Message) -> str:
    return record_key(_descriptor(message).get("parentId"))


def _protocol(message: Message) -> str:
    return f"protocol:{_descriptor(message).get('protocol')}"


def _role(message: Message) -> str:
    return _role_key({**_descriptor(message), "protocolPath": _signed(message).get("protocolRole")})


def data_key(cid: str) -> str:
    """Return the key of a message that cannot be read here, or whose data cannot."""
    return f"data:{cid}"


def time_key(date: object) -> str:
    return f"{_TIME}{date}"


def _date(message: Message) -> str:
    return time_key(_descriptor(message).get("messageTimestamp"))


def _grant(message: Message) -> str:
    return record_key(_signed(message).get("permissionGrantId"))


def _own_role(message: Message) -> str:
    return _role_key(_descriptor(message))


def _role_key(descriptor: Mapping[str, Any]) -> str:
    return f"role:{descriptor.get('protocol')} {descriptor.get('protocolPath')}"


MISSING: Mapping[str, Callable[[Message], str]] = {
    "RecordsWriteGetInitialWriteNotFound": _own_record,
    "RecordsWriteMissingDataInPrevious": _own_record,
    "RecordsWriteMissingEncodedDataInPrevious": _own_record,
    # Also said where the declared path is not the parent's: then it waits in vain, and is tried ever more rarely.
    "ProtocolAuthorizationIncorrectProtocolPath": _parent,
    "ProtocolAuthorizationParentNotFoundConstructingRecordChain": _parent,
    "ProtocolAuthorizationProtocolNotFound": _protocol,
    "ProtocolAuthorizationMatchingRoleRecordNotFound": _role,
    "GrantAuthorizationGrantMissing": _grant,
    "TimestampAhead": _date,
}
"""The dependency key by the error code for something that is not there yet."""

NOT_ALLOWED: Mapping[str, Callable[[Message], str]] = {
    **dict.fromkeys(
        (
            "ProtocolAuthorizationInvalidType",
            "ProtocolAuthorizationInvalidSchema",
            "ProtocolAuthorizationIncorrectDataFormat",
            "ProtocolAuthorizationParentlessIncorrectProtocolPath",
            "ProtocolAuthorizationMissingRuleSet",
            "ProtocolAuthorizationRoleMissingRecipient",
            "ProtocolAuthorizationMinSizeInvalid",
            "ProtocolAuthorizationMaxSizeInvalid",
            "ProtocolAuthorizationTagsInvalidSchema",
            "ProtocolAuthorizationNotARole",
            "ProtocolAuthorizationActionRulesNotFound",
            "ProtocolAuthorizationActionNotAllowed",
        ),
        _protocol,
    ),
    "ProtocolAuthorizationDuplicateRoleRecipient": _own_role,
}
"""The dependency key by the error code for what is not allowed as things are now, and may have been at its own time."""

PATTERN = rf"^({'|'.join(MISSING)})\b"
NOT_ALLOWED_PATTERN = rf"^({'|'.join(NOT_ALLOWED)})\b"


def is_missing(detail: str) -> bool:
    """Return True if a refusal with this detail says that something is not there."""
    return re.match(PATTERN, detail) is not None


def missing_key(message: Message, detail: str) -> str | None:
    """Return the dependency key named by a refusal with this detail, or None if it depends on nothing."""
    found = re.match(PATTERN, detail) or re.match(NOT_ALLOWED_PATTERN, detail)
    return {**MISSING, **NOT_ALLOWED}[found[1]](message) if found else None


def provided_keys(message: Message, initial: Message | None = None) -> tuple[str, ...]:
    """Return the dependency keys that a message provides once it is stored.

    Parameters:
        initial: the initial write of its record, if that is another: the end of a role may be waited for, too.
    """
    descriptor = _descriptor(message)
    match descriptor.get("interface"), descriptor.get("method"):
        case "Protocols", "Configure":
            definition = descriptor.get("definition")
            return (f"protocol:{definition.get('protocol')}",) if isinstance(definition, Mapping) else ()
        case "Records", "Write" if "protocolPath" in descriptor:
            return _own_record(message), _role_key(descriptor)
        case "Records", "Delete" if initial is not None and "protocolPath" in _descriptor(initial):
            return _own_record(message), _role_key(_descriptor(initial))
        case "Records", _:
            return (_own_record(message),)
    return ()


def is_time(key: str) -> bool:
    """Return True if a key stands for no message, but for a date that the node's clock has to reach."""
    return key.startswith(_TIME)


def describe(key: str) -> str:
    """Return a key in a form for people."""
    kind, _, what = key.partition(":")
    return f"{kind} {what}"


def _descriptor(message: Message) -> Mapping[str, Any]:
    descriptor = message.get("descriptor")
    return descriptor if isinstance(descriptor, Mapping) else {}


def _signed(message: Message) -> Mapping[str, Any]:
    try:
        return payload_of(message["authorization"]["signature"])
    except (BadRequest, KeyError, TypeError):
        return {}
