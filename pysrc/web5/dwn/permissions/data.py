"""What the records of the permissions protocol hold (`json-schemas/permissions`, `src/protocols/permissions.ts`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ValidatorFunctionWrapHandler, WrapValidator, with_config
from typing_extensions import TypedDict

from web5.dwn.codes import Code
from web5.dwn.javascript import parse_json
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Timestamp
from web5.dwn.permissions import protocol
from web5.dwn.timestamps import is_moment
from web5.dwn.urls import is_normalized
from web5.errors import BadRequest

SCOPES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "Messages": (frozenset({"Query", "Read", "Subscribe"}), frozenset({"protocol"})),
    "Protocols": (frozenset({"Configure", "Query"}), frozenset({"protocol"})),
    "Records": (
        frozenset({"Delete", "Query", "Read", "Subscribe", "Write"}),
        frozenset({"protocol", "contextId", "protocolPath"}),
    ),
}
"""What can be granted: the methods of each interface, and what a scope may be narrowed to."""


@with_config(CLOSED)
class _FirstScope(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Query"]
    protocol: NotRequired[str]


def _scope(value: Any, first: ValidatorFunctionWrapHandler) -> Any:
    """One of the scopes of the table. What fits none has the faults of the first one, as in the reference."""
    if type(value) is dict and type(value.get("interface")) is str and value["interface"] in SCOPES:
        methods, narrower = SCOPES[value["interface"]]
        narrowing = {name: item for name, item in value.items() if name not in ("interface", "method")}
        texts = all(type(item) is str for item in (value.get("method"), *narrowing.values()))
        if texts and value["method"] in methods and narrowing.keys() <= narrower:
            return value
    return first(value)


Scope = Annotated[_FirstScope, WrapValidator(_scope)]


@with_config(CLOSED)
class _Conditions(TypedDict):
    publication: NotRequired[Literal["Required", "Prohibited"]]


@with_config(CLOSED)
class _Request(TypedDict):
    description: NotRequired[str]
    delegated: bool
    scope: Scope
    conditions: NotRequired[_Conditions]


@with_config(CLOSED)
class _Grant(TypedDict):
    description: NotRequired[str]
    dateExpires: Timestamp
    requestId: NotRequired[str]
    delegated: NotRequired[bool]
    scope: Scope
    conditions: NotRequired[_Conditions]


@with_config(CLOSED)
class _Revocation(TypedDict):
    description: NotRequired[str]


GRANT_DATA = Schema("PermissionGrantData", _Grant)

_SCHEMAS = {
    protocol.REQUEST: Schema("PermissionRequestData", _Request),
    protocol.GRANT: GRANT_DATA,
    protocol.REVOCATION: Schema("PermissionRevocationData", _Revocation),
}


def check_data(descriptor: Mapping[str, Any], data: bytes) -> None:
    """The data of a RecordsWrite of the permissions protocol are what its path says, and its tags fit its scope.

    Raises:
        BadRequest: with the reference's code.
    """
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
    """A protocol that a scope is narrowed to is a tag too, so that a query for that protocol finds the record."""
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
