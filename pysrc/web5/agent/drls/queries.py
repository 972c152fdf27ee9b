"""The answers to questions that DRLs ask, as a DWN's read-only routes give them.

Invariants:
1. An identity of this agent is asked in its DWN here, while the vault is unlocked: its own pages see all that it has.
2. Others' DWNs are asked without a signature, for what they have published.
3. No answer has more than `MOST` records; the rest follows by its cursor.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.reading.drl import DrlQuery
from web5.dwn.signatures.signing import Invocation
from web5.dwn.values.types import Message
from web5.errors import DelegationError, Forbidden, IdentityError, NotFound, Unauthorized
from web5.ports.clock import Clock

MOST = 200


async def answered(agent: Agent, question: DrlQuery, own: Actor | None) -> Any:
    """Return the JSON that answers a question.

    Parameters:
        own: the identity of this agent that is asked, if it is one.

    Raises:
        NotFound: there is no such protocol, or it is not published.
        Whatever asking the DWNs of the DID does.
    """
    reply = None if own is None else await _asked_here(agent, question, own)
    if reply is None:
        reply = await agent.messages.request(question.did, await _made(question, None, agent.clock))
    if question.records is not None:
        return reply
    if question.protocol is None:
        return reply["entries"]
    if not reply["entries"]:
        raise NotFound("", "Not Found")
    return reply["entries"][0]


async def _asked_here(agent: Agent, question: DrlQuery, own: Actor) -> dict[str, Any] | None:
    """Return the reply of the DWN here; None where this device may not ask it."""
    records = question.records
    asks = operations.query_protocols(question.protocol) if records is None else operations.query(records["filter"])
    try:
        context = await own.authorize(asks)
        made = partial(_made, question, context.signer, **context.invocation)
        return await agent.messages.ask(own.did, None, made)
    except (DelegationError, Forbidden, IdentityError, Unauthorized):
        return None


async def _made(
    question: DrlQuery, signer: MessageSigner | None, clock: Clock, **invocation: Unpack[Invocation]
) -> Message:
    if question.records is None:
        return await compose.protocols_query(signer, clock, protocol=question.protocol, **invocation)
    pages = question.records["pagination"] or {}
    limit = pages.get("limit", MOST)
    if isinstance(limit, int):
        limit = min(limit, MOST)
    asked = {**question.records, "pagination": {**pages, "limit": limit}}
    return await compose.records_query(signer, clock, **asked, **invocation)
