"""Grants that end: noticed before, asked for again, and fetched when they were given again.

A delegate whose grants to sync have ended cannot sync new ones. But whoever was granted something may always query the
grantor's DWN for it (the permissions protocol's rule for the recipient of a grant), and anybody may read a revocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Delegate
from web5.agent.delegation.authorize import store_grants
from web5.agent.delegation.delegation import check_grant
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.messages.parsing import parse_write
from web5.dwn.messages.records_write import SCHEMA
from web5.dwn.permissions import protocol as permissions
from web5.dwn.permissions.compose import permission_request
from web5.dwn.permissions.grants import Grant, permission_data, with_encoded_data
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.errors import BadRequest, DelegationError, NotFound

PATIENCE = 7 * 86_400 * 1_000_000
"""Microseconds. After so long without a grant, it is asked for again."""


def ending(agent: Agent, actor: Delegate, within: int) -> list[Grant]:
    """Return the grants that have expired or soon will and that no other of the same scope replaces, earliest first.

    Those that were revoked are not among them.

    Parameters:
        within: microseconds from now.
    """
    soon = format_timestamp(agent.clock.now() + within)
    of_each_scope: dict[Any, Grant] = {}
    for grant in actor.grants.all(actor.did, actor.delegate_did):  # the one that lasts longest first
        if grant.date_revoked is None:
            of_each_scope.setdefault(_terms(grant.message), grant)
    return sorted((one for one in of_each_scope.values() if one.date_ends <= soon), key=lambda one: one.date_ends)


async def renewal_requests(agent: Agent, actor: Delegate, within: int) -> list[Message]:
    """Make requests for grants like those that end; each is to be sent, and then stored in the delegate's DWN.

    What is requested in the delegate's DWN, and not longer ago than `PATIENCE`, is not requested again. A request from
    later than now was made while the clock was ahead, and says nothing of when that was.

    Parameters:
        within: microseconds from now, as for `ending`.
    """
    signer, delegate = await actor.signer_of(actor.delegate_did), actor.delegate_did
    now = agent.clock.now()
    filter = {
        "protocol": permissions.URI,
        "protocolPath": permissions.REQUEST,
        "author": delegate,
        "dateCreated": {"from": format_timestamp(now - PATIENCE), "to": format_timestamp(now)},
    }
    query = await compose.records_query(signer, agent.clock, filter=filter)
    requested = [_terms(entry) for entry in (await agent.messages.process(delegate, query))["entries"]]
    return [
        await permission_request(
            signer,
            agent.clock,
            scope=grant.scope or {},
            delegated=grant.delegated,
            conditions=grant.conditions or None,
            description=f"Renewal of the grant {grant.id}, which ends at {grant.date_ends}.",
        )
        for grant in ending(agent, actor, within)
        if _terms(grant.message) not in requested
    ]


def _terms(message: Message) -> Any:
    """Return the terms of a request or a grant, to compare them."""
    says = permission_data(message)
    scope, conditions = says.get("scope", {}), says.get("conditions", {})
    return frozenset(scope.items()), says.get("delegated") is True, frozenset(conditions.items())


async def refresh(agent: Agent, actor: Delegate) -> None:
    """Fetch the owner's grants to the delegate, and their revocations, from the owner's remote DWN, past sync.

    Raises:
        DwnError, DidError, RemoteError: the DWN refused, or could not be found or reached.
    """
    signer = await actor.signer_of(actor.delegate_did)
    filter = {
        "protocol": permissions.URI,
        "protocolPath": permissions.GRANT,
        "author": actor.did,
        "recipient": actor.delegate_did,
    }
    query = partial(compose.records_query, signer, filter=filter)
    reply = await agent.messages.ask(actor.did, actor.did, query)
    await store_grants(agent, actor.delegate_did, list(_genuine(actor, reply.get("entries"))))
    held = actor.grants.held(actor.did, actor.delegate_did)
    ended = [await _revocation(agent, actor, signer, grant) for grant in held]
    await store_grants(agent, actor.delegate_did, [one for one in ended if one is not None])


def _genuine(actor: Delegate, entries: Any) -> Iterator[Message]:
    for entry in entries if isinstance(entries, list) else ():
        with suppress(DelegationError):
            yield check_grant(entry, actor.did, actor.delegate_did)


async def _revocation(agent: Agent, actor: Delegate, signer: MessageSigner, grant: Grant) -> Message | None:
    filter = {"parentId": grant.id, "protocol": permissions.URI, "protocolPath": permissions.REVOCATION}
    read = partial(compose.records_read, signer, filter=filter)
    try:
        entry = (await agent.messages.ask(actor.did, actor.did, read)).get("entry")
        match entry:
            case {"recordsWrite": dict(write), "data": DataStream() as data}:
                is_genuine = parse_write(SCHEMA.check(write)).author == actor.did
                if is_genuine and data.size is not None and data.size <= MAX_INLINE_BYTES:
                    return with_encoded_data(write, await data.read())
                await data.close()
    except (NotFound, BadRequest):
        pass
    return None
