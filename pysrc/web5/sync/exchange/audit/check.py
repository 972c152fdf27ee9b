"""The comparison of the messages that the local node and an endpoint really hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from web5.dwn.store.protocols import superseded
from web5.errors import Web5Error
from web5.patience import slow_of
from web5.sync.exchange.audit.displaced import standing
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.peer import Peer
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import SLOW, Outcome, classify_error
from web5.sync.plan.variants import DISPLACED
from web5.sync.states import EndpointReport, State

ASKED = 200
"""The most messages, unlisted against the ledger, that an endpoint is asked for one by one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between one endpoint and the local node, by the messages that they hold.

    Parameters:
        both, only_here, only_there: the number of messages that are at both, and the CIDs of the others.
        unlisted: messages that the endpoint holds but does not list, so that others do not learn of them from it. A
            dwn-server that was killed in the middle of a write is left so (it stores a message, then its event).
        unexplained: messages of both lists that the ledger did not have as unsettled, so that sync would not have
            mended it by itself. `check` hands them to the ledger, and the next visit mends it.
        error: why the endpoint could not be compared, as (code, detail).
        variants: messages there that a stranger made from what is held here; not counted above. They stay there.
        displaced: IDs of the records that the endpoint has lost to them; sync puts back what it can (`unsettled`).
    """

    tenant: str
    endpoint: str
    both: int = 0
    unlisted: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    only_there: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    error: tuple[int, str] | None = None
    variants: tuple[str, ...] = ()
    displaced: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """True if the endpoint could be compared, and holds what is here and nothing else."""
        return not (self.only_here or self.only_there or self.error or self.displaced)


async def check_all(context: SyncContext, endpoints: Sequence[Endpoint]) -> list[Difference]:
    """Compare several endpoints with the local node; those that are slow are given up once others have ended."""
    reports = {one: EndpointReport(one.tenant, one.url) for one in endpoints}
    tasks = {one: asyncio.create_task(check(context, one, report)) for one, report in reports.items()}
    try:
        slow = await slow_of(tasks, lambda one: reports[one].progress, lambda one: reports[one].awaited > 0)
        return [
            Difference(one.tenant, one.url, error=(SLOW.code, SLOW.detail)) if one in slow else task.result()
            for one, task in tasks.items()
        ]
    finally:
        for task in tasks.values():
            task.cancel()


async def check(context: SyncContext, endpoint: Endpoint, report: EndpointReport) -> Difference:
    """Compare an endpoint with the local node, and hand the unexplained differences to the ledger."""
    try:
        peer = await context.peer(endpoint, report)
        listings = await peer.list_everything()
    except Web5Error as error:
        listings = classify_error(error)
    if isinstance(listings, Outcome):
        return Difference(endpoint.tenant, endpoint.url, error=(listings.code, listings.detail))
    ledger = context.ledger
    known = ledger.inbox.variants(endpoint.id)
    listed = {cid for listing in listings.values() for cid in listing.cids}
    there = listed.difference(known)
    store = context.dwn.store
    superseded_here = superseded(store, store.tenant(endpoint.tenant)) - there  # where they are kept
    # A set that keeps the order of the log.
    here = {cid: None for _, cid in ledger.outbox.events(endpoint.tenant) if cid not in superseded_here}
    unsettled = ledger.outbox.unsettled(endpoint.id)
    out = {entry.cid for entry in unsettled}
    in_ = {entry.cid for entry in ledger.inbox.unsettled(endpoint.id)}
    unexplained = [cid for cid in here if cid not in there and cid not in out]
    unlisted = [cid for cid in unexplained[:ASKED] if await _holds(peer, cid)]
    there.update(unlisted)
    unexplained = [cid for cid in unexplained if cid not in there]
    unexplained += [cid for cid in there if cid not in here and cid not in in_]
    if unexplained:
        ledger.relisted(endpoint, listings, there - set(here), context.clock.now())
        await ledger.database.flush()
    doubtful = {known[cid] for cid in listed.intersection(known)} | context.dwn.store.large_records(endpoint.tenant)
    pending = {entry.cid for entry in unsettled if entry.state is not State.DISPLACED}
    displaced = await _displaced(context, peer, sorted(doubtful - {""}), pending)
    return Difference(
        endpoint.tenant,
        endpoint.url,
        len(there.intersection(here)),
        tuple(unlisted),
        tuple(cid for cid in here if cid not in there),
        tuple(sorted(there.difference(here))),
        tuple(unexplained),
        variants=tuple(sorted(listed.intersection(known))),
        displaced=tuple(displaced),
    )


async def _displaced(context: SyncContext, peer: Peer, records: list[str], pending: set[str]) -> list[str]:
    """Return those of the records that the endpoint does not show as they are here; the next visit looks after them.

    These are records that have variants there, and those with large data: the reference loses data of which a stranger
    sends it a second copy, and lists nothing of it.
    """
    found, endpoint = [], peer.endpoint
    for record_id in records[:ASKED]:
        row = context.held.newest_write(endpoint.tenant, record_id=record_id)
        if row is not None and row.cid not in pending and await standing(peer, row) is DISPLACED:
            found.append(record_id)
    context.suspects.setdefault(peer.endpoint.id, set()).update(found)
    return found


async def _holds(peer: Peer, cid: str) -> bool:
    async with peer.read(cid) as reply:
        return not isinstance(reply, Outcome)
