"""The grants by which a delegate acts for a tenant, found in the DWNs of this node.

`@web5/agent` keeps the grants that a delegate was given in the delegate's own DWN (`src/permissions-api.ts`,
`fetchGrants`). What sync has brought of the tenant's own DWN has them too, those that came later among them, and has
the revocations. Both are looked through.

Invariants:
1. Only what a DWN here has stored is found, so that every grant's signature and data have been checked.
2. What is remembered is forgotten once anything of the permissions protocol is stored for the tenant or the delegate.
3. Whether a grant holds is decided when it is asked for: it may have expired since it was found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_encode
from web5.dwn import Applied, Dwn
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.grants import Grant, permission_data
from web5.dwn.store.search import Found, search
from web5.dwn.store.terms import record_terms
from web5.dwn.timestamps import format_timestamp
from web5.errors import Web5Error
from web5.ports.clock import Clock

Message = Mapping[str, Any]

_OF_THE_OWNER = frozenset({"ownerSignature", "ownerDelegatedGrant"})


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant that a DWN here holds.

    Parameters:
        message: the grant with its `encodedData`, as it goes along with what a delegate signs.
        delegated: whether it lets the grantee sign for the grantor.
        revoked: from when on it is revoked.
    """

    grant: Grant
    message: Message
    delegated: bool
    revoked: str | None

    def holds(self, at: str) -> bool:
        """Whether a message of that time may use it."""
        return self.grant.date_granted <= at < self.ends

    @property
    def ends(self) -> str:
        """The first moment at which it no longer holds."""
        return self.grant.date_expires if self.revoked is None else min(self.revoked, self.grant.date_expires)


class GrantBook:
    """Finds grants and remembers them; `applied` has to be called with every message that is stored."""

    def __init__(self, dwn: Dwn, clock: Clock) -> None:
        self._dwn = dwn
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[HeldGrant, ...]] = {}

    def applied(self, applied: Applied) -> None:
        """The engine's hook (invariant 2)."""
        descriptor = (applied.initial_write or applied.message)["descriptor"]
        if descriptor.get("protocol") == permissions.URI:
            self._known = {pair: grants for pair, grants in self._known.items() if applied.tenant not in pair}

    def all(self, tenant: str, delegate: str) -> Sequence[HeldGrant]:
        """The grants of `tenant` to `delegate`, the one that lasts longest first; those that have ended among them."""
        known = self._known.get((tenant, delegate))
        if known is None:
            found: dict[str, HeldGrant] = {}
            for holder in (delegate, tenant):
                for one in self._find(holder, delegate):
                    known_end = found[one.grant.id].ends if one.grant.id in found else None
                    if one.grant.grantor == tenant and (known_end is None or one.ends < known_end):
                        found[one.grant.id] = one
            known = tuple(sorted(found.values(), key=lambda one: (one.ends, one.grant.id), reverse=True))
            self._known[tenant, delegate] = known
        return known

    def held(self, tenant: str, delegate: str) -> list[HeldGrant]:
        """Those that hold now."""
        now = format_timestamp(self._clock.now())
        return [one for one in self.all(tenant, delegate) if one.holds(now)]

    def lasting(self, tenant: str, delegate: str) -> list[HeldGrant]:
        """Those that have not ended; what a grantor with a clock ahead of ours gave just now, begins to hold soon."""
        now = format_timestamp(self._clock.now())
        return [one for one in self.all(tenant, delegate) if now < one.ends]

    def _find(self, holder: str, delegate: str) -> Iterator[HeldGrant]:
        store = self._dwn.store
        tenant = store.tenant(holder)
        filter = {"protocol": permissions.URI, "protocolPath": permissions.GRANT, "recipient": delegate}
        for found in search(store.connection, tenant, [list(record_terms(filter, holder))], method="Write"):
            try:
                yield _held(found, store.first_child_date(tenant, found.record_id, permissions.REVOCATION))
            except Web5Error:
                continue


SYNCED_BY = frozenset({"Query", "Read"})
"""The methods of Messages without which a delegate can read nothing. Without one to subscribe, it polls."""


def granted_protocols(grants: Sequence[HeldGrant]) -> list[str] | None:
    """The protocols that these grants let one sync; None: everything. Where they do not suffice for any, all protocols
    that they name: sync then says what is missing."""
    scopes = [one.grant.scope or {} for one in grants]
    of_messages = [scope for scope in scopes if scope.get("interface") == "Messages"]
    by_method = [
        {scope.get("protocol") for scope in of_messages if scope.get("method") == method} for method in SYNCED_BY
    ]
    if all(None in protocols for protocols in by_method):
        return None
    named = {protocol for scope in scopes if (protocol := scope.get("protocol")) is not None}
    synced = {one for one in named if all(protocols & {None, one} for protocols in by_method)}
    return sorted(synced or named)


def _held(found: Found, revoked: str | None) -> HeldGrant:
    """
    Raises:
        BadRequest: the record cannot be read as a grant.
    """
    data, message = found.data or b"", json.loads(found.body)
    authorization = message["authorization"]
    # That its keeper signed it concerns nobody but the keeper's own DWN.
    message["authorization"] = {name: authorization[name] for name in authorization if name not in _OF_THE_OWNER}
    message["encodedData"] = b64url_encode(data)
    return HeldGrant(Grant.of(message, data), message, permission_data(data).get("delegated") is True, revoked)
