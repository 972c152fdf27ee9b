"""A request of an app to act for somebody, as the app hands it to the person's own app.

Its `permissionRequests` and `displayName` are those that an app gives to the connect flow of `@web5/agent`
(`ConnectPermissionRequest` in src/connect.ts); `delegateDid` is beside them where the app has made its key already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from web5.agent.delegation.delegation import ALWAYS, METHODS, Permission, ProtocolPermissions
from web5.dids.uri import parse_did
from web5.dwn.values.urls import normalize_url
from web5.errors import DelegationError, DwnError

MOST_PROTOCOLS = 32
"""Protocols in one request."""

MOST_SCOPES = 64
"""Scopes for one protocol; there are ten."""

LONGEST_NAME = 100
"""Characters of an app's name."""

_NAMES: dict[tuple[Any, Any], Permission] = {METHODS[name]: name for name in get_args(Permission)}


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """A request of an app to act for somebody; the owner's `Web5.authorize` takes what is in it.

    Parameters:
        permissions: what it asks for, for each protocol.
        delegate_did: the DID whose keys the app has; None: whoever grants makes one, and hands over its keys.
        display_name: what the app calls itself; nobody has checked that.
    """

    permissions: Sequence[ProtocolPermissions]
    delegate_did: str | None = None
    display_name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the form in which it is handed over.

        Raises:
            InvalidArgument: there is no such permission.
        """
        named = {"delegateDid": self.delegate_did, "displayName": self.display_name or None}
        return {
            **{name: value for name, value in named.items() if value is not None},
            "permissionRequests": [
                {"protocolDefinition": dict(one.definition), "permissionScopes": one.scopes()}
                for one in self.permissions
            ],
        }

    @staticmethod
    def from_json(value: Any) -> DelegationRequest:
        """Read that form.

        Raises:
            DelegationError: it has not that form, or asks for what a delegation cannot give.
        """
        match value:
            case {"permissionRequests": [_, *_] as asked} if len(asked) <= MOST_PROTOCOLS:
                pass
            case _:
                raise DelegationError(
                    'This is no request of an app: an object with 1 to 32 "permissionRequests" is expected, each with a'
                    ' "protocolDefinition" and "permissionScopes".'
                )
        delegate, name = value.get("delegateDid"), value.get("displayName", "")
        if delegate is not None and not _is_did(delegate):
            raise DelegationError('The "delegateDid" of the request is no DID.')
        if not isinstance(name, str) or len(name) > LONGEST_NAME:
            raise DelegationError(f'The "displayName" of the request is no text of up to {LONGEST_NAME} characters.')
        permissions = tuple(_permissions(one) for one in asked)
        if len({_protocol(one.definition) for one in permissions}) < len(permissions):
            raise DelegationError("The request names a protocol twice.")
        return DelegationRequest(permissions, delegate, name)

    def __hash__(self) -> int:
        return hash((self.delegate_did, self.display_name, tuple(self.permissions)))


def _is_did(value: object) -> bool:
    parsed = parse_did(value) if isinstance(value, str) and len(value) <= 2048 else None
    return parsed is not None and parsed.uri == value


def _permissions(value: Any) -> ProtocolPermissions:
    match value:
        case {"protocolDefinition": dict(definition), "permissionScopes": [_, *_] as scopes} if (
            len(scopes) <= MOST_SCOPES
        ):
            pass
        case _:
            raise DelegationError('A part of the request has no "protocolDefinition", or no "permissionScopes".')
    protocol = _protocol(definition)
    named = [_permission(scope, protocol) for scope in scopes]
    names = [name for name in dict.fromkeys(named) if name is not None]
    if not names:
        raise DelegationError(f"The request asks for nothing that can be done with the records of {protocol}.")
    return ProtocolPermissions(definition, names)


def _protocol(definition: Mapping[str, Any]) -> str:
    protocol = definition.get("protocol")
    try:
        if isinstance(protocol, str):
            return normalize_url(protocol)
    except DwnError as error:
        raise DelegationError(f"The URL of a protocol in the request is malformed: {error}") from error
    raise DelegationError('A "protocolDefinition" of the request names no protocol.')


def _permission(scope: Any, protocol: str) -> Permission | None:
    """Return the permission that a scope stands for; None for one that is always granted."""
    if not isinstance(scope, dict):
        raise DelegationError("A scope of the request is no object.")
    if narrowing := sorted(scope.keys() - {"interface", "method", "protocol"}):
        raise DelegationError(
            f'A scope of the request is narrowed by "{narrowing[0][:50]}"; a delegation is for whole protocols.'
        )
    if _protocol(scope) != protocol:
        raise DelegationError(f"A scope of the request is for another protocol than {protocol}.")
    method = (scope.get("interface"), scope.get("method"))
    if method in ALWAYS:
        return None
    try:
        return _NAMES[method]
    except (KeyError, TypeError):
        raise DelegationError("The request asks for a method that cannot be granted.") from None
