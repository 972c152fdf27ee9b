"""In whose name messages are made, and with what right.

Invariants:
1. What a delegate signs for another goes out with a grant that allows it, or it does not go out at all: what no grant
   allows is refused here, with the scope that is missing, before anything is signed.
2. In the DWN of somebody else, where published records are for everybody, a delegate without a grant asks in its own
   name, as `@web5/api` does (`src/dwn-api.ts`). It never does so in the DWN of the one for whom it acts, where the
   answer would look as if there were nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from web5.agent.delegation.required_grants import Need
from web5.crypto.jws import MessageSigner
from web5.dwn import Dwn
from web5.dwn.permissions.rules import Use, authorize
from web5.dwn.timestamps import format_timestamp
from web5.errors import GrantEnded, GrantMissing, NotFound, Unauthorized
from web5.ports.clock import Clock
from web5.sync.exchange.grants import GrantBook, HeldGrant

SignerOf = Callable[[str], Awaitable[MessageSigner]]

INVOKED = frozenset({("Protocols", "Query")})
"""What has no place for a delegated grant: the delegate signs in its own name, and names the grant."""


@dataclass(frozen=True, slots=True)
class Right:
    """What a message is made with.

    Parameters:
        delegated_grant: the grant, with its `encodedData`, for whose grantor the signer signs.
        grant_id: the record ID of a grant that is invoked in the signer's own name.
    """

    signer: MessageSigner
    delegated_grant: Mapping[str, Any] | None = None
    grant_id: str | None = None


class Actor(Protocol):
    """Who makes messages."""

    @property
    def did(self) -> str:
        """In whose name, and for whose DWN."""

    @property
    def delegate_did(self) -> str | None:
        """Who signs for it; None: it signs itself."""

    async def right_to(self, need: Need, target: str | None = None) -> Right:
        """
        Parameters:
            target: whose DWN is asked; None: its own.

        Raises:
            GrantMissing: a delegate may not do this; GrantEnded if it could before.
            NotFound: a delegate asks for a record that is not here.
            IdentityError: the keys are not on this agent.
        """


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody whose keys are here."""

    did: str
    signer_of: SignerOf

    @property
    def delegate_did(self) -> None:
        return None

    async def right_to(self, need: Need, target: str | None = None) -> Right:
        return Right(await self.signer_of(self.did))


@dataclass(frozen=True, slots=True)
class Delegate:
    """Somebody who acts for `did` with its grants."""

    did: str
    delegate_did: str
    signer_of: SignerOf
    grants: GrantBook
    dwn: Dwn
    clock: Clock

    async def right_to(self, need: Need, target: str | None = None) -> Right:
        need = self._known_better(need, here=target is None)
        invoked = (need.descriptor["interface"], need.descriptor["method"]) in INVOKED
        found = self._grant_for(need, delegated=not invoked)
        if found is None and target in (None, self.did):
            raise self._missing(need)
        signer = await self.signer_of(self.delegate_did)
        if found is None:
            return Right(signer)
        return Right(signer, grant_id=found.grant.id) if invoked else Right(signer, delegated_grant=found.message)

    def _known_better(self, need: Need, *, here: bool) -> Need:
        """What is held of the record says where it belongs.

        Raises:
            NotFound: the DWN here is asked for a record that it does not hold, and nothing else is known of it.
        """
        if need.record_id is None:
            return need
        store = self.dwn.store
        held = store.initial_write(store.tenant(self.did), need.record_id)
        if held is None and here and "protocol" not in need.scope:
            raise NotFound("", f"Record {need.record_id} is not held here.")
        return need if held is None else replace(need, record=held)

    def _grant_for(self, need: Need, *, delegated: bool) -> HeldGrant | None:
        message = {"descriptor": {**need.descriptor, "messageTimestamp": format_timestamp(self.clock.now())}}
        for one in self.grants.held(self.did, self.delegate_did):
            if delegated and not one.delegated:
                continue
            try:
                authorize(Use(self.dwn.store, one.grant, message, self.did, self.delegate_did, record=need.record))
            except Unauthorized:
                continue
            return one
        return None

    def _missing(self, need: Need) -> GrantMissing:
        scope = need.scope
        what = f"{scope['interface']}{scope['method']}"
        what += f" of {scope['protocol']}" if "protocol" in scope else ""
        what += f" at {scope['protocolPath']}" if "protocolPath" in scope else ""
        now = format_timestamp(self.clock.now())
        ended = [one for one in self.grants.all(self.did, self.delegate_did) if one.ends <= now and _covers(one, scope)]
        if ended:
            how = "was revoked" if ended[0].revoked == ended[0].ends else "expired"
            return GrantEnded(f"The grant of {self.did} for {what} {how} at {ended[0].ends}. Ask for another.", scope)
        more = "" if "protocol" in scope else " It may be that one would fit if the call named the protocol."
        return GrantMissing(f"{self.delegate_did} has no grant of {self.did} for {what}.{more}", scope)


def _covers(one: HeldGrant, scope: Mapping[str, str]) -> bool:
    granted = one.grant.scope or {}
    return all(granted.get(name) == scope[name] for name in ("interface", "method")) and granted.get("protocol") in (
        None,
        scope.get("protocol"),
    )
