"""Records that an endpoint has lost to variants (`plan.variants`): to know of them, and to put them back.

An endpoint that was deceived takes nothing but a newer message in the place of what it has. So the owner, where it is
the author, writes the record once more, as it is; that goes to all endpoints as any write does. What is others' is not
signed in their place: it is reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from web5.dwn import compose
from web5.dwn.signatures.jws import message_author
from web5.dwn.store.store import MessageRow
from web5.errors import BadRequest, InvalidArgument
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.plan.dependencies import is_initial, record_key
from web5.sync.plan.policy import SOON, Outcome
from web5.sync.plan.push import Item
from web5.sync.plan.variants import DISPLACED, HELD, is_held
from web5.sync.states import SyncEvent

RESTORED = Outcome("written anew, because a variant had displaced it", None)

MOST = 100
"""The number of records that an endpoint is asked for in one visit because there are variants of them."""


async def standing(peer: Peer, row: MessageRow) -> Outcome:
    """Ask whether an endpoint has the newest write of a record, or a newer one: `HELD`, `DISPLACED`, or not known."""
    if peer.barred is not None:
        return HELD  # it cannot be asked
    if peer.is_delegate:
        # It may not read records; but a node keeps every initial write that it has taken.
        async with peer.read(row.cid) as reply:
            return DISPLACED if isinstance(reply, Outcome) and reply.code == 404 and is_initial(row.message) else HELD
    found = await peer.newest(row.record_id)
    if isinstance(found, Outcome):
        return found
    return HELD if is_held(row.message, row.cid, found) else DISPLACED


async def confirmed(context: SyncContext, peer: Peer, cid: str, conflict: Outcome) -> Outcome:
    """Return the outcome of a message that an endpoint says to have, or a newer one (409): see whether that is so."""
    row = context.held.newest_write(peer.endpoint.tenant, cid=cid)
    if row is None:
        return conflict
    outcome = await standing(peer, row)
    return await _restored(context, peer, row) if outcome is DISPLACED else outcome


async def look_after(context: SyncContext, peer: Peer, records: Iterable[str]) -> bool:
    """See whether records of which an endpoint has variants are still there; return True if there is news to send."""
    endpoint, news = peer.endpoint, False
    suspects = context.suspects.setdefault(endpoint.id, set())
    suspects.update(records)
    now, put_off = context.clock.monotonic(), context.put_off
    due = (one for one in sorted(suspects) if now >= put_off.get((endpoint.id, one), (0, now))[1])
    for record_id in list(islice(due, MOST)):
        row = context.held.newest_write(endpoint.tenant, record_id=record_id)
        if row is not None and not peer.is_delegate and not context.needs(endpoint.id, row.seq):
            outcome = await standing(peer, row)
            if outcome is DISPLACED:
                outcome = await _restored(context, peer, row)
                news |= outcome is RESTORED
                context.record_sent(endpoint.id, [(Item(row.seq, row.cid, row.record_id), outcome)])
            elif not outcome.settled and (outcome.code == 0 or outcome.ends_visit):
                break  # it could not be asked
            elif not outcome.settled:  # its answer says nothing: that is this record's trouble alone
                failures = put_off.get((endpoint.id, record_id), (0, now))[0] + 1
                put_off[endpoint.id, record_id] = failures, now + SOON.delay(failures)
                continue
        suspects.discard(record_id)
        put_off.pop((endpoint.id, record_id), None)
    return news


async def _restored(context: SyncContext, peer: Peer, row: MessageRow) -> Outcome:
    tenant, message = peer.endpoint.tenant, row.message
    context.notify(SyncEvent("displaced", tenant, peer.endpoint.url, "push"))
    lost = replace(DISPLACED, waits_for=record_key(row.record_id))
    if peer.is_delegate or message_author(message) != tenant or "attestation" in message:
        return replace(lost, detail=f"{DISPLACED.detail}; only its author can put it back, by a new write")
    if not context.may_restore(peer.endpoint.id, row.record_id):
        return replace(lost, detail=f"{DISPLACED.detail}; it was put back before, and will be again")
    options = compose.WriteOptions()
    if "tags" in message["descriptor"]:
        options["tags"] = message["descriptor"]["tags"]
    if "encryption" in message:
        options["encryption"] = message["encryption"]
    try:
        signer = await context.signer_for(tenant)
        update = await compose.records_write(signer, context.clock, existing=message, **options)
    except (BadRequest, InvalidArgument) as error:
        return replace(lost, detail=f"{DISPLACED.detail}; it cannot be written anew: {error}")
    reply = await context.dwn.process_message(tenant, update)
    if reply["status"]["code"] != 202:
        return replace(lost, detail=f"{DISPLACED.detail}; it cannot be written anew: {reply['status']['detail']}")
    context.notify(SyncEvent("restored", tenant, peer.endpoint.url, "push"))
    return RESTORED
