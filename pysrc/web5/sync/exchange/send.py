"""`send`: one message to every endpoint of a target, at once."""

from __future__ import annotations

import asyncio

from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.errors import InvalidArgument
from web5.sync.exchange.links import Lines
from web5.sync.exchange.local import Local
from web5.sync.exchange.peer import Peer
from web5.sync.exchange.push import give
from web5.sync.exchange.visit import Visitor
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import Verdict
from web5.sync.plan.push import Item
from web5.sync.states import SendResult


class Sender:
    """Sends a message with what it depends on: the initial write of its record."""

    def __init__(self, local: Local, lines: Lines, visitor: Visitor, resolver: DidResolver) -> None:
        self._local = local
        self._lines = lines
        self._visitor = visitor
        self._resolver = resolver

    async def send(self, tenant: str, message_cid: str, target: str) -> list[SendResult]:
        """See `SyncEngine.send`."""
        items = self._local.with_initial(tenant, message_cid)
        if not items:
            raise InvalidArgument(f"no message {message_cid} of {tenant} is held here")
        if target == tenant and tenant in self._local.ledger.tenants():
            await self._lines.refresh_soon([tenant])
            peers = [await self._visitor.peer(endpoint) for endpoint in self._local.ledger.endpoints(tenant)]
            results = await asyncio.gather(*(self._to_own(peer, items) for peer in peers))
            await self._local.ledger.database.flush()
        else:
            urls = await dwn_endpoints(self._resolver, target)
            results = await asyncio.gather(*(self._to_other(tenant, target, url, items) for url in urls))
        return list(results)

    async def _to_own(self, peer: Peer, items: list[Item]) -> SendResult:
        """The ledger keeps what came of it."""
        for item in items:
            verdict = await give(self._local, peer, item)
            self._local.record_sent(peer.endpoint.id, [(item, verdict)])
            if not verdict.settled:
                break
        return _result(peer.endpoint, verdict)

    async def _to_other(self, tenant: str, target: str, url: str, items: list[Item]) -> SendResult:
        """Nothing is kept: whether others hold the message is not this node's account."""
        endpoint = Endpoint(0, target, url, None, None, None, None)
        peer = await self._visitor.peer(endpoint, signer_of=tenant)
        for item in items:
            stored = await self._local.dwn.read_stored(tenant, item.cid)
            if stored is None:
                raise InvalidArgument(f"message {item.cid} was replaced meanwhile")
            verdict = await peer.give(stored.message, stored.data)
            if not verdict.settled:
                break
        return _result(endpoint, verdict)


def _result(endpoint: Endpoint, verdict: Verdict) -> SendResult:
    return SendResult(endpoint.url, verdict.settled, verdict.code, verdict.detail or verdict.name)
