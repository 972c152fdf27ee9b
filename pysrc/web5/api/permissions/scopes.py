"""Scopes and conditions of permissions, as an app gives them: of few words, so that a typo is found before it is sent.

The shapes are those of dwn-sdk-js src/types/permission-types.ts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from web5.api import arguments
from web5.api.arguments import shown
from web5.dwn.permissions.records import SCOPES
from web5.errors import InvalidArgument


class RecordsScope(TypedDict):
    """A scope for records of one protocol.

    Parameters:
        method: the message that may be sent.
        protocol: the protocol's URI.
        contextId, protocolPath: one of these narrows it to a context, or to a path of the protocol.
    """

    interface: Literal["Records"]
    method: Literal["Delete", "Query", "Read", "Subscribe", "Write"]
    protocol: str
    contextId: NotRequired[str]
    protocolPath: NotRequired[str]


class ProtocolsScope(TypedDict):
    """A scope for the definitions of protocols, or for that of one."""

    interface: Literal["Protocols"]
    method: Literal["Configure", "Query"]
    protocol: NotRequired[str]


class MessagesScope(TypedDict):
    """A scope for messages of all kinds, as sync reads them, or for those of one protocol."""

    interface: Literal["Messages"]
    method: Literal["Query", "Read", "Subscribe"]
    protocol: NotRequired[str]


PermissionScope = RecordsScope | ProtocolsScope | MessagesScope


class Conditions(TypedDict, total=False):
    """The conditions of a permission.

    Parameters:
        publication: records written under it have to be published, or must not be.
    """

    publication: Literal["Required", "Prohibited"]


def checked_scope(value: PermissionScope) -> Mapping[str, Any]:
    """Return a scope whose words exist; whether it may be granted, the DWN says.

    Raises:
        InvalidArgument: it is none, with the nearest word.
    """
    scope = _mapping("scope", value)
    for name in ("interface", "method"):
        if name not in scope:
            raise InvalidArgument(f"scope={shown(value)} has no {name!r}.")
    methods, narrowing = SCOPES[arguments.choice("interface", scope["interface"], sorted(SCOPES))]
    arguments.choice("method", scope["method"], sorted(methods))
    for name in sorted(scope.keys() - {"interface", "method"}):
        arguments.choice("property of a scope", name, sorted(narrowing))
        arguments.text(f"scope[{name!r}]", scope[name])
    return scope


def checked_conditions(value: Conditions | None) -> Mapping[str, Any] | None:
    """Return conditions whose words exist; None for None.

    Raises:
        InvalidArgument: they are none, with the nearest word.
    """
    if value is None:
        return None
    for name, one in (conditions := _mapping("conditions", value)).items():
        arguments.choice("condition", name, ["publication"])
        arguments.choice("publication", one, ["Required", "Prohibited"])
    return conditions


def _mapping(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value):
        raise InvalidArgument(f"{name}={shown(value)} has to be a mapping of names to values.")
    return value
