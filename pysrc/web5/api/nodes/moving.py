"""The move of an identity, and of the agent with it, from one node to another.

Invariants:
1. A node is let go of only once the new one was compared, message by message, and holds the same as is here and as the
   old one; and once others find the DID with the new one, if there are gateways.
2. Whatever fails before leaves both nodes named, and can be repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from web5.agent.agent import Agent
from web5.agent.publication.status import PublicationState
from web5.errors import NodeNeeded
from web5.settings import Progress
from web5.sync import Difference, SyncEvent
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


async def make_same(
    agent: Agent, dids: Collection[str], source: str, target: str, on_progress: Progress
) -> list[Difference]:
    """Sync until two nodes hold the same for these DIDs as is here.

    Parameters:
        on_progress: called with "fill" and the messages that the new one got, and with "compare".

    Returns:
        The comparison of each DID with each of the two.

    Raises:
        NodeNeeded: they do not, or one cannot be asked.
    """
    for _ in range(ROUNDS):
        with _filling(agent, target, on_progress):
            for did in dids:
                await agent.sync.now(tenant=did)
        on_progress("compare", 0, 1)
        found = [one for one in await agent.sync.check(dids) if same_endpoint(one.endpoint) in (source, target)]
        missing = {(did, target) for did in dids} - {(one.tenant, same_endpoint(one.endpoint)) for one in found}
        different = [one for one in found if not one.same]
        if not different and not missing:
            on_progress("compare", 1, 1)
            return found
    raise NodeNeeded(source, None, _told(different[0]) if different else f"{target} was not compared")


@contextmanager
def _filling(agent: Agent, target: str, on_progress: Progress) -> Iterator[None]:
    """Tell how many messages the new node got, as long as sync runs."""
    given: dict[str, tuple[int, int]] = {}

    def tell(event: SyncEvent) -> None:
        there = event.kind == "progress" and event.direction == "push" and same_endpoint(event.endpoint) == target
        if there and event.total:
            given[event.tenant] = event.done, event.total
            on_progress("fill", *map(sum, zip(*given.values(), strict=True)))

    on_progress("fill", 0, 1)
    agent.sync.listeners.append(tell)
    try:
        yield
    finally:
        agent.sync.listeners.remove(tell)


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
