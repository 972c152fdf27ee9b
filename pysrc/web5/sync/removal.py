"""The last fetch from endpoints that a tenant is about to give up, since nobody asks them again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from web5.errors import NodeNeeded
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.links import Link, Links, Work
from web5.tasks import first_of

PATIENCE = 10.0
"""Seconds for the fetch; what is left then is still being fetched."""


async def fetch_the_rest(context: SyncContext, links: Links, tenant: str, urls: Collection[str]) -> None:
    """Fetch what these endpoints of a tenant have and no other.

    Parameters:
        urls: as `same_endpoint` writes them.

    Raises:
        NodeNeeded: one of them still has something, or cannot be asked whether it has.
    """
    if not urls or context.ledger.tenant(tenant) is None:
        return
    await links.refresh_with_timeout([tenant])
    leaving = [link for link in links.of([tenant]) if link.url in urls]
    for link in leaving:
        link.visit(Work.PULL)
    if leaving:
        await first_of(_ended(leaving), context.clock.sleep(PATIENCE))
    for link in leaving:
        _check(context, link, urls)


async def _ended(leaving: Collection[Link]) -> None:
    await asyncio.gather(*(link.wait_until_idle() for link in leaving))


def _check(context: SyncContext, link: Link, urls: Collection[str]) -> None:
    ledger = context.ledger
    endpoint = ledger.endpoint(link.tenant, link.url)
    if endpoint is None:
        return
    others = [one for one in ledger.endpoints(link.tenant) if one.url not in urls]
    elsewhere = {entry.cid for other in others for entry in ledger.inbox.unsettled(other.id)}
    alone = [entry for entry in ledger.inbox.unsettled(endpoint.id) if entry.cid not in elsewhere]
    failure = link.failure
    if alone:
        reason = "they are being fetched" if link.visiting else alone[0].detail or "they could not be fetched"
        raise NodeNeeded(link.url, len(alone), (failure.detail if failure else "") or reason)
    if link.visiting:
        raise NodeNeeded(link.url, None, "it has not answered yet")
    if failure is None or failure.is_fruitless:
        return
    if failure.is_own and endpoint.last_success is None:
        return  # nothing could be signed for the tenant yet, so nobody there knows it
    raise NodeNeeded(link.url, None, failure.detail)
