"""The move of an identity, and of the agent with it, from one node to another.

Invariants:
1. A node is let go of only once the new one was compared, message by message, and holds the same as is here and as the
   old one; and once others find the DID with the new one, if there are gateways.
2. Whatever fails before leaves both nodes named, and can be repeated.
"""

from __future__ import annotations

from collections.abc import Collection

from web5.agent.agent import Agent
from web5.agent.publication.status import PublicationState
from web5.errors import NodeNeeded
from web5.sync import Difference
from web5.urls import same_endpoint

ROUNDS = 3
"""Times that the nodes are synced and compared: somebody may write meanwhile."""


async def check_scope(agent: Agent, dids: Collection[str], source: str) -> None:
    """Check that everything of these DIDs is synced.

    Raises:
        NodeNeeded: only some protocols are, so that the rest would stay behind.
    """
    for did in dids:
        registered = agent.sync.registered(did)
        if registered is not None and registered.protocols is not None:
            reason = "sync is limited to some protocols, and the rest would stay behind: `web5.sync.scope(None)`"
            raise NodeNeeded(source, None, reason)


async def make_same(agent: Agent, dids: Collection[str], source: str, target: str) -> None:
    """Sync until two nodes hold the same for these DIDs as is here.

    Raises:
        NodeNeeded: they do not, or one cannot be asked.
    """
    for _ in range(ROUNDS):
        for did in dids:
            await agent.sync.now(tenant=did)
        found = [one for one in await agent.sync.check(dids) if same_endpoint(one.endpoint) in (source, target)]
        missing = {(did, target) for did in dids} - {(one.tenant, same_endpoint(one.endpoint)) for one in found}
        different = [one for one in found if not one.same]
        if not different and not missing:
            return
    raise NodeNeeded(source, None, _told(different[0]) if different else f"{target} was not compared")


async def make_found(agent: Agent, dids: Collection[str], source: str) -> None:
    """Publish these DIDs as they are here, if there are gateways.

    Raises:
        NodeNeeded: others do not find one of them so.
    """
    await agent.publish_all()
    for did in dids:
        status = agent.publication(did)
        if status.state is PublicationState.PENDING:
            raise NodeNeeded(source, None, f"others do not find {did} with the new node yet: {status.reason or 'wait'}")


def _told(one: Difference) -> str:
    if one.error is not None:
        return f"{one.endpoint} cannot be compared: {one.error[1]}"
    if one.displaced:
        return f"{one.endpoint} has lost {len(one.displaced)} records to copies that strangers made"
    return f"{one.endpoint} lacks {len(one.only_here)} messages, and has {len(one.only_there)} that are not here"
