"""Messages from the past on their way to an endpoint (`web5.dwn.history`), and deletes that came too late there.

An endpoint judges what it is sent by what holds now. So what it refuses for that is handed to it once more by the
tenant's word. Nodes that know no such thing, as the reference's, refuse it for good: then it waits, with their reason;
but a delete, which a later write keeps out there, is made anew with a later date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from web5.dwn import compose
from web5.dwn.permissions.grants import is_grant
from web5.dwn.values.timestamps import parse_timestamp
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import InvalidArgument
from web5.ports.clock import LaterClock
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.plan.dependencies import ordering_key, record_key
from web5.sync.plan.policy import SLOWLY, Outcome
from web5.sync.plan.push import Item
from web5.sync.states import State

RENEWED = Outcome("made anew with a later date, because the node has a later write", None)

OUTLIVED = Outcome("the node has a later write of what was deleted", State.WAITING, backoff=SLOWLY, code=409)


def is_from_the_past(context: SyncContext, tenant: str, message: Message, outcome: Outcome) -> bool:
    """Return True if an endpoint that knows messages from the past may take one that it has not taken now."""
    if outcome.may_be_of_the_past:
        return True
    method = method_of(message)
    if method == "Records.Delete":
        return outcome.code in (404, 409)
    if outcome.code != 409:
        return False
    if method == "Records.Write" and not is_grant(message["descriptor"]):
        return False
    return context.held.is_of_history(tenant, message)


async def hand_on(context: SyncContext, peer: Peer, item: Item, on_sent: Callable[[int], None]) -> Outcome | None:
    """Hand a message to an endpoint by the tenant's word; None: it is a delegate who syncs, or it knows no such thing.

    Raises:
        BlobMissing: the data was replaced or deleted here meanwhile.
    """
    if peer.is_delegate or peer.endpoint.url in context.without_history:
        return None
    stored = await context.dwn.read_stored(peer.endpoint.tenant, item.cid)
    if stored is None:
        return None
    outcome = await peer.replicate(stored.message, stored.data, on_sent)
    if outcome is None:
        context.without_history.add(peer.endpoint.url)
    return outcome


async def renewed(context: SyncContext, peer: Peer, message: Message, conflict: Outcome) -> Outcome:
    """Make a delete anew that an endpoint did not take because it has a later write, if it has.

    The owner may delete any record of its own, whoever deleted it before.
    """
    tenant, record_id = peer.endpoint.tenant, ordering_key(message)
    lost = replace(OUTLIVED, waits_for=record_key(record_id))
    if peer.is_delegate:
        return replace(lost, detail=f"{OUTLIVED.name}; only the owner's agent can end it")
    found = await peer.newest(record_id)
    if isinstance(found, Outcome):
        return found
    moment = _moment_of(found)
    if moment is None:
        return conflict
    if not context.may_restore(peer.endpoint.id, record_id):
        return replace(lost, detail=f"{OUTLIVED.name}; it was ended before, and will be again")
    later = LaterClock(context.clock, max(moment, parse_timestamp(message["descriptor"]["messageTimestamp"])) + 1)
    delete = await compose.records_delete(
        await context.signer_for(tenant), later, record_id=record_id, prune=message["descriptor"]["prune"]
    )
    reply = await context.dwn.process_message(tenant, delete, replicated=True)
    if reply["status"]["code"] != 202:
        return replace(lost, detail=f"{OUTLIVED.name}; it cannot be ended: {reply['status']['detail']}")
    return RENEWED


def _moment_of(found: Message | None) -> int | None:
    """Return when a write that an endpoint shows was made; None if it shows no write."""
    if found is None or method_of(found) != "Records.Write":
        return None
    try:
        return parse_timestamp(found["descriptor"]["messageTimestamp"])
    except (InvalidArgument, KeyError, TypeError):
        return None
