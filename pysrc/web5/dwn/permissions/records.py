"""The records of the permissions protocol, and what a DWN demands of them beyond the rules of protocols.

Sources: `json-schemas/permissions`, `src/protocols/permissions.ts`, `src/handlers/records-write.ts`. After a revocation
is stored, the reference means to delete what was written under the grant since; it looks for a property that no message
is filed under, and so never finds any. That is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import PlainValidator

from web5.dwn.codes import Code
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed, Timestamp
from web5.dwn.permissions import protocol
from web5.dwn.permissions.grants import encoded_data, fetch_grant, is_grant, permission_data
from web5.dwn.protocols.json_schema import fault
from web5.dwn.store.store import Store
from web5.dwn.values.cid import data_cid
from web5.dwn.values.faults import Fault, broken
from web5.dwn.values.javascript import parse_json
from web5.dwn.values.timestamps import is_moment
from web5.dwn.values.types import Message
from web5.dwn.values.urls import is_normalized
from web5.errors import BadRequest, DwnError

SCOPES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "Messages": (frozenset({"Query", "Read", "Subscribe"}), frozenset({"protocol"})),
    "Protocols": (frozenset({"Configure", "Query"}), frozenset({"protocol"})),
    "Records": (
        frozenset({"Delete", "Query", "Read", "Subscribe", "Write"}),
        frozenset({"protocol", "contextId", "protocolPath"}),
    ),
}
"""The methods of each interface that can be granted, and the properties that may narrow such a scope."""


_FIRST_SCOPE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["interface", "method"],
    "properties": {
        "interface": {"const": "Messages"},
        "method": {"const": "Query"},
        "protocol": {"type": "string"},
    },
}


def _scope(value: Any) -> Any:
    """Return a scope that the table allows. What fits none has the faults of the first one, as in the reference."""
    if type(value) is dict and type(value.get("interface")) is str and value["interface"] in SCOPES:
        methods, narrower = SCOPES[value["interface"]]
        narrowing = {name: item for name, item in value.items() if name not in ("interface", "method")}
        texts = all(type(item) is str for item in (value.get("method"), *narrowing.values()))
        if texts and value["method"] in methods and narrowing.keys() <= narrower:
            return value
    raise broken(fault(_FIRST_SCOPE, value) or Fault("oneOf", "must be the scope of a method"))


Scope = Annotated[Any, PlainValidator(_scope)]


class _Conditions(Closed):
    publication: NotRequired[Literal["Required", "Prohibited"]]


class _Request(Closed):
    description: NotRequired[str]
    delegated: bool
    scope: Scope
    conditions: NotRequired[_Conditions]


class _Grant(Closed):
    description: NotRequired[str]
    dateExpires: Timestamp
    requestId: NotRequired[str]
    delegated: NotRequired[bool]
    scope: Scope
    conditions: NotRequired[_Conditions]


class _Revocation(Closed):
    description: NotRequired[str]


_SCHEMAS = {
    protocol.REQUEST: Schema("PermissionRequestData", _Request),
    protocol.GRANT: Schema("PermissionGrantData", _Grant),
    protocol.REVOCATION: Schema("PermissionRevocationData", _Revocation),
}


def check_permission_data(descriptor: Mapping[str, Any], data: bytes) -> None:
    """Check that the data of a permission record are what its path says, and that its tags fit its scope.

    Parameters:
        descriptor: of any RecordsWrite; the data of other protocols' records are not looked at.

    Raises:
        BadRequest: they are not, with the reference's code.
    """
    if descriptor.get("protocol") != protocol.URI:
        return
    schema = _SCHEMAS.get(descriptor["protocolPath"])
    try:
        value = parse_json(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("", f"the data are not JSON: {error}") from error
    if schema is None:
        raise BadRequest(
            Code.PermissionsProtocolValidateSchemaUnexpectedRecord,
            f"Unexpected permission record: {descriptor['protocolPath']}",
        )
    checked = schema.check(value)
    if "scope" in checked:
        _check_scope(checked["scope"], descriptor.get("tags", {}))
    if "dateExpires" in checked and not is_moment(checked["dateExpires"]):
        raise BadRequest(Code.TimestampInvalid, f"Invalid timestamp: {checked['dateExpires']}")


def _check_scope(scope: Mapping[str, Any], tags: Mapping[str, Any]) -> None:
    # A protocol that a scope is narrowed to is a tag too, so that a query for that protocol finds the record.
    if "protocol" in scope:
        if not is_normalized(scope["protocol"]):
            raise BadRequest(Code.UrlProtocolNotNormalized, f"Protocol URI {scope['protocol']} must be normalized.")
        if "protocol" not in tags:
            raise BadRequest(
                Code.PermissionsProtocolValidateScopeMissingProtocolTag,
                "Permission grants must have a `tags` property that contains a protocol tag",
            )
        if tags["protocol"] != scope["protocol"]:
            raise BadRequest(
                Code.PermissionsProtocolValidateScopeProtocolMismatch,
                "Permission grants must have a scope with a protocol that matches the tagged protocol:"
                f" {tags['protocol']}",
            )
    if "contextId" in scope and "protocolPath" in scope:
        raise BadRequest(
            Code.PermissionsProtocolValidateScopeContextIdProhibitedProperties,
            "Permission grants cannot have both `contextId` and `protocolPath` present",
        )


def check_revocation(store: Store, tenant: int, descriptor: Mapping[str, Any], at: str | None = None) -> None:
    """Check that a revocation has the protocol of its grant as a tag, so that a query for that protocol finds it.

    Parameters:
        descriptor: of any RecordsWrite whose parent is known to be there.
        at: the date by which a message from the past is judged (`dwn.history`).

    Raises:
        BadRequest: `PermissionsProtocolValidateRevocationProtocolTagMismatch`, or the grant cannot be read.
    """
    if (descriptor.get("protocol"), descriptor.get("protocolPath")) != (protocol.URI, protocol.REVOCATION):
        return
    try:
        scope = fetch_grant(store, tenant, descriptor["parentId"], at).scope
    except DwnError as error:
        raise BadRequest(error.code, error.message) from error
    granted = None if scope is None else scope.get("protocol")
    tagged = descriptor.get("tags", {}).get("protocol")
    if tagged != granted:
        raise BadRequest(
            Code.PermissionsProtocolValidateRevocationProtocolTagMismatch,
            f"Revocation protocol {tagged} does not match grant protocol {granted}",
        )


def check_genuine(grant: Message, no_grant: str = "", other_data: str = "") -> None:
    """Check that a grant from outside of this DWN is one, with the data that its grantor signed.

    The reference does not compare the data of a grant with the CID that the grantor signed, so that there a delegate
    can write himself any scope. Signatures are for `authentication.Verifier`.

    Parameters:
        grant: a RecordsWrite with its `encodedData`.
        no_grant, other_data: the codes for what is no grant, and for data that were not signed.

    Raises:
        BadRequest: with one of these codes, or with that of the grant's schema.
    """
    if not is_grant(grant["descriptor"]):
        raise BadRequest(no_grant, "it is not a grant of the permissions protocol")
    if data_cid(encoded_data(grant)) != grant["descriptor"]["dataCid"]:
        raise BadRequest(other_data, "the data of the grant are not what its grantor signed")
    _SCHEMAS[protocol.GRANT].check(permission_data(grant))
