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

from collections.abc import Iterator, Sequence

from web5.dwn import Applied, Dwn
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.grants import Grant, with_encoded_data
from web5.dwn.store.search import Found, search
from web5.dwn.store.store import parse_stored
from web5.dwn.store.terms import record_terms
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import Web5Error
from web5.ports.clock import Clock

SYNCED_BY = frozenset({"Query", "Read"})
"""The methods of Messages without which a delegate can read nothing. Without one to subscribe, it polls."""

_OF_THE_OWNER = frozenset({"ownerSignature", "ownerDelegatedGrant"})


class GrantBook:
    """Finds grants and caches them; `applied` has to be called with every message that is stored."""

    def __init__(self, dwn: Dwn, clock: Clock) -> None:
        self._dwn = dwn
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Grant, ...]] = {}

    def applied(self, applied: Applied) -> None:
        """Drop cached grants that a stored message may change (the engine's hook, invariant 2)."""
        descriptor = (applied.initial_write or applied.message)["descriptor"]
        if descriptor.get("protocol") == permissions.URI:
            self.forget(applied.tenant)

    def forget(self, tenant: str) -> None:
        """Drop the cached grants of a tenant whose messages are erased."""
        self._known = {pair: grants for pair, grants in self._known.items() if tenant not in pair}

    def all(self, tenant: str, delegate: str) -> Sequence[Grant]:
        """Return the grants of `tenant` to `delegate`, ended ones included, the one that lasts longest first."""
        known = self._known.get((tenant, delegate))
        if known is None:
            found: dict[str, Grant] = {}
            for grant in (*self._find(delegate, delegate), *self._find(tenant, delegate)):
                other = found.get(grant.id)
                if grant.grantor == tenant and (other is None or grant.date_ends < other.date_ends):
                    found[grant.id] = grant
            known = tuple(sorted(found.values(), key=lambda grant: (grant.date_ends, grant.id), reverse=True))
            self._known[tenant, delegate] = known
        return known

    def held(self, tenant: str, delegate: str) -> list[Grant]:
        """Return the grants that hold now."""
        now = format_timestamp(self._clock.now())
        return [grant for grant in self.all(tenant, delegate) if grant.date_granted <= now < grant.date_ends]

    def protocols(self, tenant: str, delegate: str) -> list[str] | None:
        """Return the protocols that a delegate can sync by its grants; None for everything.

        Grants that begin in the future, because of clock skew, count. Where the grants do not suffice for any protocol,
        all that they name are given: sync then says what is missing.
        """
        now = format_timestamp(self._clock.now())
        scopes = [grant.scope or {} for grant in self.all(tenant, delegate) if now < grant.date_ends]
        of_messages = [scope for scope in scopes if scope.get("interface") == "Messages"]
        by_method = [
            {scope.get("protocol") for scope in of_messages if scope.get("method") == method} for method in SYNCED_BY
        ]
        if all(None in protocols for protocols in by_method):
            return None
        named = {protocol for scope in scopes if (protocol := scope.get("protocol")) is not None}
        synced = {one for one in named if all(protocols & {None, one} for protocols in by_method)}
        return sorted(synced or named)

    def _find(self, holder: str, delegate: str) -> Iterator[Grant]:
        store = self._dwn.store
        tenant = store.tenant(holder)
        filter = {"protocol": permissions.URI, "protocolPath": permissions.GRANT, "recipient": delegate}
        terms = list(record_terms(filter, holder, asked_by=holder))
        for found in search(store.connection, tenant, [terms], method="Write"):
            try:
                yield _grant(found, store.first_child_date(tenant, found.record_id, permissions.REVOCATION))
            except Web5Error:
                continue


def _grant(found: Found, date_revoked: str | None) -> Grant:
    message = parse_stored(found.body, found.cid)
    authorization = message["authorization"]
    # That its keeper signed it concerns nobody but the keeper's own DWN.
    message["authorization"] = {name: authorization[name] for name in authorization if name not in _OF_THE_OWNER}
    return Grant.parse(with_encoded_data(message, found.data or b""), date_revoked)
