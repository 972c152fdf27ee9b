"""`check`: what the local node and an endpoint really hold, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from web5.errors import Web5Error
from web5.sync.ledger import Endpoint
from web5.sync.local import Local
from web5.sync.peer import Peer
from web5.sync.policy import Verdict, judge_error
from web5.sync.visit import Visitor

_WALK = 1000

ASKED = 200
"""Messages that an endpoint does not list, and sync did not expect so, of which it is asked whether it has them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One endpoint compared with the local node, by the messages that they hold.

    Parameters:
        both: how many messages are at both.
        unlisted: those of them that the endpoint holds but does not list, so that others do not hear of them from it.
            A dwn-server that was killed in the middle of a write is left so (it stores a message, then its event).
        only_here, only_there: CIDs of those that are at one of them only.
        unexplained: those of both lists that the ledger does not have as unsettled, so that sync would not have
            mended it by itself. `check` hands them to the ledger, and the next visit mends it.
        error: why the endpoint could not be compared, as (code, detail).
    """

    tenant: str
    endpoint: str
    both: int = 0
    unlisted: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    only_there: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    error: tuple[int, str] | None = None

    @property
    def same(self) -> bool:
        return not (self.only_here or self.only_there or self.error)


async def check(visitor: Visitor, local: Local, endpoint: Endpoint) -> Difference:
    """Compare an endpoint with the local node, and let the ledger know what it did not know."""
    try:
        peer = await visitor.peer(endpoint)
        listings = {feed.name: await peer.listing(feed, None) for feed in peer.feeds}
    except Web5Error as error:
        failed = judge_error(error)
        return Difference(endpoint.tenant, endpoint.url, error=(failed.code, failed.detail))
    listed = {name: listing for name, listing in listings.items() if not isinstance(listing, Verdict)}
    for listing in listings.values():
        if isinstance(listing, Verdict):
            return Difference(endpoint.tenant, endpoint.url, error=(listing.code, listing.detail))
    there = {cid for listing in listed.values() for cid in listing.cids}
    here = _held(local, endpoint.tenant)
    ledger = local.ledger
    out = {row.cid for row in ledger.outbox.unsettled(endpoint.id, endpoint.tenant)}
    in_ = {row.cid for row in ledger.inbox.unsettled(endpoint.id)}
    unexplained = [cid for cid in here if cid not in there and cid not in out]
    unlisted = [cid for cid in unexplained[:ASKED] if await _holds(peer, cid)]
    there.update(unlisted)
    unexplained = [cid for cid in unexplained if cid not in there]
    unexplained += [cid for cid in there if cid not in here and cid not in in_]
    if unexplained:
        ledger.relisted(endpoint, listed, there - set(here), local.clock.now())
        await ledger.database.flush()
    return Difference(
        endpoint.tenant,
        endpoint.url,
        len(there.intersection(here)),
        tuple(unlisted),
        tuple(cid for cid in here if cid not in there),
        tuple(sorted(there.difference(here))),
        tuple(unexplained),
    )


async def _holds(peer: Peer, cid: str) -> bool:
    async with peer.read(cid) as reply:
        return not isinstance(reply, Verdict)


def _held(local: Local, tenant: str) -> dict[str, int]:
    """CIDs of what is held here and syncs, in the order of the log."""
    found: dict[str, int] = {}
    after, protocols = 0, local.ledger.protocols(tenant)
    while entries := local.dwn.store.entries_after(tenant, after, _WALK, protocols):
        found |= {cid: seq for seq, cid in entries}
        after = entries[-1][0]
    return found
