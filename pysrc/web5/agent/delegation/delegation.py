"""A delegation: what an owner hands to a delegate, and the permissions that may be asked for.

Sources: `createPermissionRequestForProtocol` in `@web5/agent` src/connect.ts, `createPermissionGrants` in src/oidc.ts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from web5.dids.models import PortableDid
from web5.dwn.messages.parsing import parse_write
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import DataEncodedRecordsWrite
from web5.dwn.permissions.grants import encoded_data
from web5.dwn.permissions.records import check_genuine, check_permission_data
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url
from web5.errors import CryptoError, DelegationError, DidError, DwnError, InvalidArgument

Scope = dict[str, str]
Permission = Literal["read", "write", "delete", "query", "subscribe", "configure"]

METHODS: Mapping[str, tuple[str, str]] = {
    "read": ("Records", "Read"),
    "write": ("Records", "Write"),
    "delete": ("Records", "Delete"),
    "query": ("Records", "Query"),
    "subscribe": ("Records", "Subscribe"),
    "configure": ("Protocols", "Configure"),
}
"""The permissions. The delegate signs these in the owner's name, so that their grants are delegated ones."""

ALWAYS = (("Protocols", "Query"), ("Messages", "Read"), ("Messages", "Query"), ("Messages", "Subscribe"))
"""Granted besides, to see the protocol and to sync. The delegate invokes these in its own name."""

USUAL: tuple[Permission, ...] = ("read", "write", "delete", "query", "subscribe")
"""The default. Not to configure: whoever changes a protocol may let in anybody."""

_GRANT = Schema("RecordsWrite", DataEncodedRecordsWrite, is_write=True)


@dataclass(frozen=True, slots=True)
class ProtocolPermissions:
    """The permissions of a delegate for the records of one protocol.

    Parameters:
        definition: the protocol's, in the wire's shape; it is configured for the owner if it is not yet.
        permissions: any of "read", "write", "delete", "query", "subscribe" and, not by default, "configure".
    """

    definition: Mapping[str, Any]
    permissions: Sequence[Permission] = USUAL

    def __hash__(self) -> int:
        return hash((self.definition.get("protocol"), frozenset(self.permissions)))

    def __repr__(self) -> str:
        return f"<ProtocolPermissions {self.definition.get('protocol')}: {', '.join(self.permissions)}>"

    def scopes(self) -> list[Scope]:
        """Return the scopes to be granted.

        Raises:
            InvalidArgument: there is no such permission.
            BadRequest: the protocol's URL cannot be normalized.
        """
        unknown = sorted(set(self.permissions) - set(METHODS))
        if unknown:
            raise InvalidArgument(f"Unknown permission {', '.join(unknown)}; there are {', '.join(METHODS)}.")
        protocol = normalize_url(self.definition["protocol"])
        asked = dict.fromkeys((*ALWAYS, *(METHODS[name] for name in self.permissions)))
        return [{"interface": interface, "method": method, "protocol": protocol} for interface, method in asked]


def is_delegated(scope: Mapping[str, Any]) -> bool:
    """Return True if a message under this scope is signed in the owner's name (`shouldUseDelegatePermission`)."""
    return (scope["interface"], scope["method"]) in METHODS.values()


@dataclass(frozen=True, slots=True)
class Delegation:
    """A DID that may act for another one, with the grants by which it may.

    Parameters:
        grants: RecordsWrites with their `encodedData`, by `connected_did` for `delegate_did`.
        portable_did: the delegate's, **with its private keys**; None if the delegate has them already.
    """

    connected_did: str
    delegate_did: str
    grants: tuple[Message, ...]
    portable_did: PortableDid | None = None

    def __hash__(self) -> int:
        return hash((self.connected_did, self.delegate_did))

    def __repr__(self) -> str:
        keys = "" if self.portable_did is None else ", with its keys"
        return f"<Delegation of {self.connected_did} to {self.delegate_did}: {len(self.grants)} grants{keys}>"

    def to_json(self) -> dict[str, Any]:
        """Return the form in which `@web5/agent`'s connect flow hands it over (`WalletConnect.initClient`)."""
        keys = {} if self.portable_did is None else {"delegatePortableDid": self.portable_did.to_wire()}
        return {
            "connectedDid": self.connected_did,
            "delegateDid": self.delegate_did,
            **keys,
            "delegateGrants": list(self.grants),
        }

    @staticmethod
    def from_json(value: Any) -> Delegation:
        """Read that form; `delegateDid` may be left out where the keys are there.

        Raises:
            DelegationError: it has not that form, or a grant in it is not one of this owner to this delegate.
        """
        match value:
            case {"connectedDid": str(connected), "delegateGrants": [*grants]}:
                pass
            case _:
                raise DelegationError(
                    'This is no delegation: an object with "connectedDid", "delegatePortableDid" and "delegateGrants"'
                    " is expected."
                )
        keys = value.get("delegatePortableDid")
        try:
            portable = None if keys is None else PortableDid.from_wire(keys)
        except DidError as error:
            raise DelegationError(f"The delegate's portable DID is malformed: {error}") from error
        delegate = value.get("delegateDid", portable.uri if portable else None)
        if not isinstance(delegate, str) or (portable is not None and portable.uri != delegate):
            raise DelegationError(
                'The delegation names no delegate, or has the keys of another one than "delegateDid".'
            )
        checked = tuple(check_grant(grant, connected, delegate) for grant in grants)
        return Delegation(connected, delegate, checked, portable)


def check_grant(value: Any, connected_did: str, delegate_did: str) -> Message:
    """Return the grant of this owner to this delegate that a JSON value is.

    Whether the owner signed it is for `accept_delegation`: here, nobody's key is known.

    Raises:
        DelegationError: it is none.
    """
    try:
        message = _GRANT.check(value)
        grant = parse_write(message)
        check_genuine(message)
        check_permission_data(grant.descriptor, encoded_data(message))
    except (DwnError, CryptoError, InvalidArgument) as error:
        raise DelegationError(f"A grant of the delegation is malformed: {error}") from error
    if not grant.is_initial or (grant.author, grant.descriptor.get("recipient")) != (connected_did, delegate_did):
        raise DelegationError(f"A grant of the delegation is not one of {connected_did} to {delegate_did}.")
    return message
