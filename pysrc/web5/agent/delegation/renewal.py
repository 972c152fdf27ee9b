"""Grants that end: noticed before, asked for again, and fetched when they were given again.

A delegate whose grants to sync have ended cannot sync new ones. But whoever was granted something may always query the
grantor's DWN for it (the permissions protocol's rule for the recipient of a grant), and anybody may read a revocation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Delegate
from web5.agent.delegation.authorize import keep
from web5.agent.delegation.delegation import Delegation
from web5.crypto.encoding import b64url_encode
from web5.crypto.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.compose_permissions import PermissionRecord, permission_request
from web5.dwn.data import DataStream
from web5.dwn.messages.parsing import parse_write
from web5.dwn.messages.records_write import SCHEMA
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.grants import encoded_data, permission_data
from web5.dwn.timestamps import format_timestamp
from web5.errors import BadRequest, DelegationError, NotFound
from web5.sync.exchange.grants import HeldGrant

DAY = 86_400 * 1_000_000
"""Microseconds."""

NOTICE = 7 * DAY
"""A grant that ends sooner is told of."""

PATIENCE = 7 * DAY
"""After so long without a grant, what was asked for is asked for again."""

Message = Mapping[str, Any]


def ending(actor: Delegate, notice: int = NOTICE) -> list[HeldGrant]:
    """The grants that have expired or soon will, and that no other grant of the same scope replaces; the first to end
    first. Those that were revoked are not among them.

    Parameters:
        notice: microseconds.
    """
    soon = format_timestamp(actor.clock.now() + notice)
    of_each_scope: dict[Any, HeldGrant] = {}
    for one in actor.grants.all(actor.did, actor.delegate_did):  # the one that lasts longest first
        if one.revoked is None:
            of_each_scope.setdefault(_terms(one), one)
    return sorted((one for one in of_each_scope.values() if one.ends <= soon), key=lambda one: one.ends)


async def ask_again(agent: Agent, actor: Delegate, one: HeldGrant) -> PermissionRecord:
    """A request for a grant like this one. It is to be sent, and then kept (`requested` looks for it)."""
    return await permission_request(
        await actor.signer_of(actor.delegate_did),
        agent.clock,
        scope=one.grant.scope or {},
        delegated=one.delegated,
        conditions=one.grant.conditions or None,
        description=f"Renewal of the grant {one.grant.id}, which ends at {one.ends}.",
    )


async def requested(agent: Agent, actor: Delegate) -> list[Any]:
    """The terms of the requests that the delegate made lately."""
    signer, delegate = await actor.signer_of(actor.delegate_did), actor.delegate_did
    since = format_timestamp(agent.clock.now() - PATIENCE)
    filter = {
        "protocol": permissions.URI,
        "protocolPath": permissions.REQUEST,
        "author": delegate,
        "dateCreated": {"from": since},
    }
    query = await compose.records_query(signer, agent.clock, filter=filter)
    entries = (await agent.messages.process(delegate, query))["entries"]
    return [_key(**_request(entry)) for entry in entries]


def is_requested(one: HeldGrant, requests: list[Any]) -> bool:
    """Whether a request for the like of it is among them."""
    return _terms(one) in requests


async def refresh(agent: Agent, actor: Delegate) -> None:
    """Fetch grants and revocations from the owner's remote DWN, past sync; what there is no grant of the owner's to the
    delegate, or no revocation of the owner's, is left.

    Raises:
        DwnError, RemoteError: the DWN refused, or could not be reached.
    """
    signer = await actor.signer_of(actor.delegate_did)
    filter = {
        "protocol": permissions.URI,
        "protocolPath": permissions.GRANT,
        "author": actor.did,
        "recipient": actor.delegate_did,
    }
    reply = await agent.messages.request(actor.did, await compose.records_query(signer, agent.clock, filter=filter))
    await keep(agent, actor.delegate_did, list(_grants(actor, reply.get("entries"))))
    held = actor.grants.held(actor.did, actor.delegate_did)
    ended = [await _revocation(agent, actor, signer, one) for one in held]
    await keep(agent, actor.delegate_did, [one for one in ended if one is not None])


def _grants(actor: Delegate, entries: Any) -> Iterator[Message]:
    given = {"connectedDid": actor.did, "delegateDid": actor.delegate_did}
    for entry in entries if isinstance(entries, list) else ():
        with suppress(DelegationError):
            yield from Delegation.from_json({**given, "delegateGrants": [entry]}).grants


async def _revocation(agent: Agent, actor: Delegate, signer: MessageSigner, one: HeldGrant) -> Message | None:
    filter = {"parentId": one.grant.id, "protocol": permissions.URI, "protocolPath": permissions.REVOCATION}
    read = await compose.records_read(signer, agent.clock, filter=filter)
    try:
        entry = (await agent.messages.request(actor.did, read)).get("entry")
        match entry:
            case {"recordsWrite": dict(write), "data": DataStream() as data}:
                encoded = b64url_encode(await data.read())
                if parse_write(SCHEMA.check(write)).author == actor.did:
                    return {**write, "encodedData": encoded}
    except (NotFound, BadRequest):
        pass
    return None


def _terms(one: HeldGrant) -> Any:
    return _key(one.grant.scope or {}, one.delegated, one.grant.conditions)


def _request(entry: Message) -> dict[str, Any]:
    says = permission_data(encoded_data(entry))
    return {
        "scope": says.get("scope", {}),
        "delegated": says.get("delegated") is True,
        "conditions": says.get("conditions", {}),
    }


def _key(scope: Message, delegated: bool, conditions: Message) -> Any:
    return frozenset(scope.items()), delegated, frozenset(conditions.items())
