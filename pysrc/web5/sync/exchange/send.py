"""Sending messages at once to the endpoints of their own tenant, because an app asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from web5.errors import StorageError
from web5.patience import slow_of
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.exchange.push import push_message
from web5.sync.plan.policy import SLOW, Outcome
from web5.sync.plan.push import Item
from web5.sync.states import SendResult
from web5.tasks import TaskSet


async def send(
    context: SyncContext, peers: Sequence[Peer], items: Sequence[Item], sending: TaskSet
) -> list[SendResult]:
    """Send messages to these endpoints of their own tenant, each up to the first that fails; the outcomes are kept.

    Parameters:
        sending: keeps what goes on with peers that are slow.
    """
    works = [asyncio.create_task(_send(context, one, items)) for one in peers]
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


async def _send(context: SyncContext, peer: Peer, items: Sequence[Item]) -> SendResult:
    for item in items:
        outcome = await push_message(context, peer, item)
        context.record_sent(peer.endpoint.id, [(item, outcome)])
        if not outcome.settled:
            break
    with suppress(StorageError):  # what is not kept of it is sent again; it went where it went
        await context.ledger.database.flush()
    return _result(peer, outcome)


def _result(peer: Peer, outcome: Outcome) -> SendResult:
    pending = not (outcome.settled or outcome.is_for_good)
    return SendResult(peer.endpoint.url, outcome.settled, outcome.code, outcome.detail or outcome.name, pending)
