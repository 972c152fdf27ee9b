"""Sending messages at once to all endpoints of somebody, because an app asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from web5.errors import InvalidArgument
from web5.patience import slow_of
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.displaced import standing
from web5.sync.exchange.peer import Peer
from web5.sync.exchange.push import push_message
from web5.sync.plan.policy import SLOW, Outcome
from web5.sync.plan.push import Item
from web5.sync.plan.variants import DISPLACED
from web5.sync.states import SendResult
from web5.tasks import TaskSet


async def send(
    context: SyncContext, peers: Sequence[Peer], items: Sequence[Item], sending: TaskSet, *, author: str | None = None
) -> list[SendResult]:
    """Send messages to all these peers, each up to the first that fails.

    Parameters:
        sending: keeps what goes on with peers that are slow.
        author: whose messages they are, if they go to somebody else's endpoints, of whom the ledger keeps nothing.

    Raises:
        InvalidArgument: a message was replaced meanwhile.
    """
    works = [
        asyncio.create_task(_to_own(context, one, items) if author is None else _to_other(context, one, author, items))
        for one in peers
    ]
    try:
        reports = [one.report for one in peers]
        slow = await slow_of(
            dict(enumerate(works)), lambda at: reports[at].progress, lambda at: reports[at].awaited > 0
        )
    finally:
        for work in works:
            if not work.done():
                sending.keep(work)
    return [_result(peers[at], SLOW) if at in slow else work.result() for at, work in enumerate(works)]


async def _to_own(context: SyncContext, peer: Peer, items: Sequence[Item]) -> SendResult:
    """Send to an endpoint of the messages' own tenant; the ledger keeps the outcomes."""
    for item in items:
        outcome = await push_message(context, peer, item)
        context.record_sent(peer.endpoint.id, [(item, outcome)])
        if not outcome.settled:
            break
    await context.ledger.database.flush()
    return _result(peer, outcome)


async def _to_other(context: SyncContext, peer: Peer, author: str, items: Sequence[Item]) -> SendResult:
    for item in items:
        stored = await context.dwn.read_stored(author, item.cid)
        if stored is None:
            raise InvalidArgument(f"message {item.cid} was replaced meanwhile")
        outcome = await peer.send(stored.message, stored.data)
        if outcome.code == 409 and (row := context.newest_write(author, cid=item.cid)) is not None:
            found = await standing(peer, row)
            outcome = found if found is DISPLACED else outcome
        if not outcome.settled:
            break
    return _result(peer, outcome)


def _result(peer: Peer, outcome: Outcome) -> SendResult:
    return SendResult(peer.endpoint.url, outcome.settled, outcome.code, outcome.detail or outcome.name)
