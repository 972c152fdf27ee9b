"""Which message must be there before another: one table, for both directions.

A dependency is named by a key, such as "record:bafy…" or "protocol:https://…". A message that was refused because
something is missing waits for a key; a message that is stored provides keys, and whatever waits for one of them is
tried again at once. So nothing polls for what it depends on, and nothing waits longer than it has to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.errors import CryptoError

Message = Mapping[str, Any]


def record_key(record_id: object) -> str:
    return f"record:{record_id}"


def _own_record(message: Message) -> str:
    return record_key(message.get("recordId") or _descriptor(message).get("recordId"))


def _parent(message: Message) -> str:
    return record_key(_descriptor(message).get("parentId"))


def _protocol(message: Message) -> str:
    return f"protocol:{_descriptor(message).get('protocol')}"


def _role(message: Message) -> str:
    return f"role:{_descriptor(message).get('protocol')} {_signed(message).get('protocolRole')}"


def _grant(message: Message) -> str:
    return record_key(_signed(message).get("permissionGrantId"))


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
}
"""The reference's codes (`DwnErrorCode`) that say that something is not there yet, and what that is."""

PATTERN = rf"^({'|'.join(MISSING)})\b"


def missing_key(message: Message, detail: str) -> str | None:
    """What a message waits for whose refusal has this detail; None if the refusal tells of nothing missing."""
    found = re.match(PATTERN, detail)
    return MISSING[found[1]](message) if found else None


def provided_keys(message: Message) -> tuple[str, ...]:
    """What a message provides once it is stored."""
    descriptor = _descriptor(message)
    match descriptor.get("interface"), descriptor.get("method"):
        case "Protocols", "Configure":
            definition = descriptor.get("definition")
            return (f"protocol:{definition.get('protocol')}",) if isinstance(definition, Mapping) else ()
        case "Records", "Write" if "protocolPath" in descriptor:
            return (_own_record(message), f"role:{descriptor.get('protocol')} {descriptor['protocolPath']}")
        case "Records", _:
            return (_own_record(message),)
    return ()


def in_words(key: str) -> str:
    """A key as a person reads it."""
    kind, _, what = key.partition(":")
    return f"{kind} {what}"


def _descriptor(message: Message) -> Mapping[str, Any]:
    descriptor = message.get("descriptor")
    return descriptor if isinstance(descriptor, Mapping) else {}


def _signed(message: Message) -> Mapping[str, Any]:
    """The payload of the author's signature."""
    try:
        payload = json.loads(b64url_decode(message["authorization"]["signature"]["payload"]))
    except (KeyError, TypeError, ValueError, CryptoError):
        return {}
    return payload if isinstance(payload, Mapping) else {}
