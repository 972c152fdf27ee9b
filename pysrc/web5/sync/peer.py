"""One endpoint as the driver sees it: signed requests out, replies with their verdicts in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from web5.crypto.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.data import DataStream
from web5.errors import RemoteError
from web5.ports.clock import Clock
from web5.sync.ledger import Endpoint
from web5.sync.policy import GARBAGE, SOON, Verdict, judge, judge_error, method_of
from web5.sync.states import EndpointReport, Message, State
from web5.sync.streams import guard

SignerFor = Callable[[str], Awaitable[MessageSigner]]


class Remote(Protocol):
    """How messages reach endpoints (`RemoteDwn`)."""

    async def process_message(
        self, endpoint: str, tenant: str, message: Message, data: bytes | DataStream | None = None
    ) -> Message: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """The CIDs that a MessagesQuery named, and from where to go on the next time."""

    cids: list[str]
    cursor: dict[str, Any] | None


class Peer:
    """Requests to one endpoint in the name of its tenant. Each returns its result or the verdict on its failure."""

    def __init__(self, remote: Remote, signer: MessageSigner, clock: Clock, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.report = EndpointReport(endpoint.tenant, endpoint.url)
        self._remote = remote
        self._signer = signer
        self._clock = clock

    async def list(self) -> Listing | Verdict:
        """What the endpoint has taken since the cursor: the one request of an idle round."""
        query = await compose.messages_query(self._signer, self._clock, cursor=self.endpoint.cursor)
        reply = await self._ask(query)
        if isinstance(reply, Verdict):
            return reply
        await _release(reply)
        cids, cursor = reply.get("entries", []), reply.get("cursor")
        if not isinstance(cids, list) or not all(isinstance(cid, str) for cid in cids):
            return GARBAGE
        return Listing(list(dict.fromkeys(cids)), cursor if isinstance(cursor, dict) else None)

    async def page(self, query: dict[str, Any]) -> Message | Verdict:
        """A page of records (`PageWalk.query`)."""
        reply = await self._ask(await compose.records_query(self._signer, self._clock, **query))
        await _release(reply)
        return reply

    @asynccontextmanager
    async def read(self, cid: str) -> AsyncIterator[Message | Verdict]:
        """One message, with its data, which can be read until the end of the block."""
        reply = await self._ask(await compose.messages_read(self._signer, self._clock, message_cid=cid))
        data = guard(reply)
        try:
            yield reply
        finally:
            if data is not None:
                await data.release()

    async def give(self, message: Message, data: bytes | DataStream | None) -> Verdict:
        """Send a message, and say what became of it."""
        self.report.requests += 1
        url, tenant = self.endpoint.url, self.endpoint.tenant
        try:
            reply = await self._remote.process_message(url, tenant, message, data)
        except RemoteError as error:
            return judge_error(error)
        await _release(reply)
        return judge(reply, method_of(message))

    async def _ask(self, message: Message) -> Message | Verdict:
        self.report.requests += 1
        try:
            reply = await self._remote.process_message(self.endpoint.url, self.endpoint.tenant, message)
        except RemoteError as error:
            return judge_error(error)
        verdict = judge(reply)
        if verdict.code == 200:
            return reply
        await _release(reply)
        return replace(verdict, state=State.REFUSED, backoff=SOON) if verdict.settled else verdict


async def _release(reply: Any) -> None:
    """A reply that should bring no data must not keep a connection by bringing some."""
    if (data := guard(reply)) is not None:
        await data.release()
