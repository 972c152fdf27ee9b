"""Creation and acceptance of delegations.

Invariants:
1. A delegation is accepted whole, its grants really signed by the owner, or not at all.
2. A delegate's DID is for that alone: it acts for one DID, and what it syncs is that one's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.delegation import Delegation, ProtocolPermissions, is_delegated
from web5.agent.identities import Identity, export_portable_identity
from web5.dids import jwk
from web5.dids.models import PortableDid
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import Grant, split_encoded_data
from web5.dwn.signatures.authentication import Verifier
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp, microseconds
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url
from web5.errors import Conflict, DelegationError, IdentityError, InvalidArgument, Web5Error

A_YEAR = timedelta(days=365)
"""The default time that a grant lasts; before it ends, the delegate asks for another."""

_MICROSECOND = timedelta(microseconds=1)


async def create_delegation(
    agent: Agent,
    did: str,
    permissions: Sequence[ProtocolPermissions],
    *,
    delegate_did: str | None = None,
    expires: datetime | timedelta = A_YEAR,
    description: str | None = None,
) -> Delegation:
    """Let a delegate act for `did`.

    Parameters and errors are those of `Web5.authorize`. A new delegate is a `did:jwk`, whose keys are in the delegation
    and nowhere else.
    """
    scopes = [scope for one in permissions for scope in one.scopes()]
    if not scopes:
        raise InvalidArgument("A delegation of nothing: name at least one protocol and what may be done with it.")
    date_expires = _end(agent, expires)
    portable = await jwk.create(agent.crypto) if delegate_did is None else None
    grantee = delegate_did or (portable.uri if portable else "")
    protocols = [await _configured(agent, did, one) for one in permissions]
    signer, grants = await agent.signer(did), []
    for scope in scopes:
        terms: dict[str, Any] = {"date_expires": date_expires, "scope": scope, "delegated": is_delegated(scope)}
        grant = await permission_grant(signer, agent.clock, granted_to=grantee, description=description, **terms)
        await agent.messages.process(did, *split_encoded_data(grant))
        grants.append(grant)
    for messages in (protocols, grants):
        await asyncio.gather(*(_send(agent, did, message) for message in messages))
    return Delegation(did, grantee, tuple(grants), portable)


async def accept_delegation(
    agent: Agent, delegation: Delegation, name: str, keys: PortableDid | None = None
) -> Identity:
    """Keep a delegation, or more grants for a delegate that is here; sync begins to fetch what they allow.

    Parameters and errors are those of `Web5.connect_as_delegate`.
    """
    now = format_timestamp(agent.clock.now())
    if all(Grant.parse(grant).date_expires <= now for grant in delegation.grants):
        raise DelegationError("The delegation has no grants that have not expired, so nothing could be done with it.")
    verifier = Verifier(agent.resolver, agent.crypto)
    for refusal in await verifier.authenticate_each(delegation.grants):
        if refusal is not None:
            raise DelegationError(
                f"That {delegation.connected_did} granted this cannot be verified: {refusal}"
            ) from refusal
    known = next((one for one in agent.identities.list() if one.did == delegation.delegate_did), None)
    if known is not None and known.connected_did != delegation.connected_did:
        raise IdentityError(f"{delegation.delegate_did} is on this agent already, and not as this owner's delegate.")
    if known is None:
        portable = delegation.portable_did or keys
        if portable is None or portable.uri != delegation.delegate_did:
            raise DelegationError(f"The private keys of {delegation.delegate_did} are neither here nor in it.")
        await agent.import_identity(export_portable_identity(portable, name, delegation.connected_did))
    await store_grants(agent, delegation.delegate_did, delegation.grants)
    return agent.identities.get(delegation.delegate_did)


async def store_grants(agent: Agent, delegate_did: str, records: Sequence[Message]) -> None:
    """Store grants, or revocations of grants that are there, in the delegate's own DWN, and sync what is granted now.

    The delegate signs them as the owner of that DWN (`processConnectedGrants` of `@web5/api`).

    Parameters:
        records: with their `encodedData`; one that is there already is no error.

    Raises:
        DwnError: one is refused.
        IdentityError: the DID is not on this agent, or no delegate.
    """
    owner, grants = agent.identities.get(delegate_did).connected_did, agent.sync.grants
    if owner is None:
        raise IdentityError(f"{delegate_did} is nobody's delegate.")
    signer, before = await agent.signer(delegate_did), grants.protocols(owner, delegate_did)
    for record in records:
        message, data = split_encoded_data(record)
        with suppress(Conflict):
            await agent.messages.process(delegate_did, await sign_as_owner(message, signer), data)
    granted, registered = grants.protocols(owner, delegate_did), agent.sync.registered(owner)
    if granted == [] or (registered is not None and granted == before):
        return
    if granted is not None and registered is not None:
        # Of what could be synced before, only what was chosen still is.
        more = set(granted) - set(before or ())
        granted = sorted(more.union(registered.protocols or granted))
    await agent.sync.register(owner, granted, delegate_did)


async def _configured(agent: Agent, did: str, one: ProtocolPermissions) -> Message:
    """Return the ProtocolsConfigure of the protocol, made if there is none (`prepareProtocol` in src/oidc.ts)."""
    signer = await agent.signer(did)
    protocol = normalize_url(one.definition["protocol"])
    query = await compose.protocols_query(signer, agent.clock, protocol=protocol)
    found: list[Message] = (await agent.messages.process(did, query))["entries"]
    if found:
        return found[-1]
    message = await compose.protocols_configure(signer, agent.clock, definition=one.definition)
    await agent.messages.process(did, message)
    return message


async def _send(agent: Agent, did: str, message: Message) -> None:
    with suppress(Web5Error):  # it stays with sync
        await agent.sync.send(did, message_cid(message))


def _end(agent: Agent, expires: datetime | timedelta) -> str:
    now = agent.clock.now()
    if isinstance(expires, timedelta):
        end = now + expires // _MICROSECOND
    elif expires.tzinfo is None:
        raise InvalidArgument("`expires` needs a time zone, such as datetime.UTC.")
    else:
        end = microseconds(expires)
    if end <= now:
        raise InvalidArgument("`expires` has passed already.")
    return format_timestamp(end)
