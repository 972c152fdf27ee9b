"""The one in whose name messages are made, and the grants that allow it.

Invariants:
1. What a delegate signs for another goes out with a grant that allows it, or it does not go out at all: what no grant
   allows is refused here, with the scope that is missing, before anything is signed.
2. In the DWN of somebody else, where published records are for everybody, a delegate without a grant asks in its own
   name, as `@web5/api` does (`src/dwn-api.ts`). It never does so in the DWN of the one for whom it acts, where the
   answer would look as if there were nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from pydantic.alias_generators import to_snake

from web5.agent.delegation.operations import Operation
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import Dwn
from web5.dwn.permissions import rules
from web5.dwn.permissions.grants import Grant
from web5.dwn.services import allows
from web5.dwn.signatures.signing import Invocation
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import GrantEnded, GrantMissing, GrantTooNarrow, NotFound
from web5.ports.clock import Clock
from web5.sync.exchange.grants import GrantBook

SignerOf = Callable[[str], Awaitable[MessageSigner]]

INVOKED = frozenset({("Protocols", "Query")})
"""The messages that have no place for a delegated grant: the delegate signs in its own name, and names the grant."""


class SigningContext(NamedTuple):
    """The signer of a message, and the grant that it invokes, if any."""

    signer: MessageSigner
    invocation: Invocation

    def invoking(self, protocol_role: str | None, permission_grant_id: str | None = None) -> SigningContext:
        """Return the same with a role, and with a grant that the signer uses in its own name, if it is given."""
        invocation = Invocation({**self.invocation, "protocol_role": protocol_role})
        if permission_grant_id is not None:
            invocation["permission_grant_id"] = permission_grant_id
        return SigningContext(self.signer, invocation)


class Actor:
    """Somebody whose keys are here, and who makes messages with them.

    Attributes:
        did: the DID in whose name messages are made, and whose DWN the local one is.
        delegate_did: the DID that signs for it; None: it signs itself.
    """

    delegate_did: str | None = None

    def __init__(self, did: str, signer_of: SignerOf) -> None:
        self.did = did
        self.signer_of = signer_of

    async def authorize(self, operation: Operation, target: str | None = None) -> SigningContext:
        """Return the signer and the grant for an operation.

        Parameters:
            target: the DID whose DWN is asked; None: its own.

        Raises:
            GrantMissing: a delegate may not do this; GrantEnded if it could before, GrantTooNarrow if it may ask for a
                part of it.
            NotFound: a delegate asks for a record that is not here.
            IdentityError: the keys are not on this agent.
        """
        return SigningContext(await self.signer_of(self.did), {})


class Delegate(Actor):
    """Somebody who acts for `did` with its grants."""

    delegate_did: str

    def __init__(
        self, did: str, delegate_did: str, signer_of: SignerOf, grants: GrantBook, dwn: Dwn, clock: Clock
    ) -> None:
        super().__init__(did, signer_of)
        self.delegate_did = delegate_did
        self.grants = grants
        self._store = dwn.store
        self._clock = clock

    async def authorize(self, operation: Operation, target: str | None = None) -> SigningContext:
        operation = self._with_held_record(operation, here=target is None)
        invoked = (operation.descriptor["interface"], operation.descriptor["method"]) in INVOKED
        grant = self._grant_for(operation, delegated=not invoked)
        if grant is None and target in (None, self.did):
            raise self._too_narrow(operation) or self._missing(operation.scope)
        signer = await self.signer_of(self.delegate_did)
        if grant is None:
            return SigningContext(signer, {})
        return SigningContext(
            signer, {"permission_grant_id": grant.id} if invoked else {"delegated_grant": grant.message}
        )

    def _with_held_record(self, operation: Operation, *, here: bool) -> Operation:
        """Fill in the record that is held here.

        Raises:
            NotFound: the DWN here is asked for a record that it does not hold, and nothing else is known of it.
        """
        if operation.record_id is None:
            return operation
        held = self._store.initial_write(self._store.tenant(self.did), operation.record_id)
        if held is None and here and "protocol" not in operation.scope:
            raise NotFound("", f"Record {operation.record_id} is not held here.")
        return operation if held is None else replace(operation, record=held)

    def _grant_for(self, operation: Operation, *, delegated: bool) -> Grant | None:
        held = self.grants.held(self.did, self.delegate_did)
        return next((one for one in held if one.delegated >= delegated and self._allows(one, operation)), None)

    def _allows(self, grant: Grant, operation: Operation) -> bool:
        now = format_timestamp(self._clock.now())
        message = {"descriptor": {**operation.descriptor, "messageTimestamp": now}}
        use = rules.Use(self._store, grant, message, self.did, self.delegate_did, record=operation.record, now=now)
        return allows(lambda: rules.authorize(use))()

    def _too_narrow(self, operation: Operation) -> GrantTooNarrow | None:
        """Return the error of a question that a grant would allow if it asked for less, or None."""
        for grant in self.grants.held(self.did, self.delegate_did):
            narrowed, narrower = operation.narrowed_to(grant.scope or {})
            if narrower and grant.delegated and self._allows(grant, narrowed):
                filters = {to_snake(name): value for name, value in narrower.items()}
                named = ", ".join(f"{name}={value!r}" for name, value in filters.items())
                method = "{interface}{method}".format(**operation.scope)
                message = f"The grant of {self.did} for {method} is for less than is asked for. Narrow it to {named}."
                return GrantTooNarrow(message, operation.scope, filters)
        return None

    def _missing(self, scope: Mapping[str, str]) -> GrantMissing:
        what = f"{scope['interface']}{scope['method']}"
        what += f" of {scope['protocol']}" if "protocol" in scope else ""
        what += f" at {scope['protocolPath']}" if "protocolPath" in scope else ""
        now = format_timestamp(self._clock.now())
        for grant in self.grants.all(self.did, self.delegate_did):
            if grant.date_ends <= now and _covers(grant.scope or {}, scope):
                how = "was revoked" if grant.date_revoked == grant.date_ends else "expired"
                return GrantEnded(
                    f"The grant of {self.did} for {what} {how} at {grant.date_ends}. Ask for another.", scope
                )
        more = "" if "protocol" in scope else " It may be that one would fit if the call named the protocol."
        return GrantMissing(f"{self.delegate_did} has no grant of {self.did} for {what}.{more}", scope)


def _covers(granted: Mapping[str, str], scope: Mapping[str, str]) -> bool:
    return all(granted.get(name) == scope[name] for name in ("interface", "method")) and granted.get("protocol") in (
        None,
        scope.get("protocol"),
    )
