"""Losses of an endpoint that a delegate may send to, and not ask: its grants to sync have ended.

What the delegate wrote, it alone may hold. So it sends the first and the last of its records once more. An endpoint
that has them answers with a conflict; one that takes them as new has lost them, and maybe more.
"""

from __future__ import annotations

from web5.errors import Web5Error
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.plan.policy import Outcome
from web5.sync.states import SyncEvent


async def send_again_if_lost(context: SyncContext, peer: Peer) -> bool:
    """See whether an endpoint still has what was sent there; if not, all counts as unsent. Return True if so."""
    ledger, endpoint = context.ledger, peer.endpoint
    written = context.dwn.store.delegated_writes(endpoint.tenant)
    sent = [cid for seq, cid in written if ledger.outbox.is_settled(endpoint.id, seq)]
    for cid in dict.fromkeys([*sent[:1], *sent[-1:]]):
        outcome = await _sent_again(context, peer, cid)
        if outcome is not None and outcome.code in (202, 204):
            lost = ledger.lost_all(endpoint, context.clock.now())
            context.notify(SyncEvent("refilled", endpoint.tenant, endpoint.url, "push", 0, lost))
            return True
        if outcome is not None and (outcome.code == 0 or outcome.ends_visit):
            return False  # it could not be asked; a refusal tells nothing, and would not in a minute
    ledger.holds_all(endpoint, context.clock.now())
    return False


async def _sent_again(context: SyncContext, peer: Peer, cid: str) -> Outcome | None:
    try:
        stored = await context.dwn.read_stored(peer.endpoint.tenant, cid)
        return None if stored is None else await peer.send(stored.message, stored.data)
    except Web5Error:  # its data cannot be read
        return None
