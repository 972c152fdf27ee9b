"""Signed requests to one endpoint, and the outcomes of its replies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from web5.crypto.jose.jws import MessageSigner
from web5.dwn import compose
from web5.dwn.codes import Code
from web5.dwn.data import MAX_INLINE_BYTES, DataStream, data_of
from web5.dwn.permissions.grants import Grant
from web5.dwn.values.types import Message
from web5.errors import AskedToWait, IdentityError, NoWebSocket, RemoteError
from web5.remote.clocks import NodeClock
from web5.remote.dwn import RemoteDwn
from web5.remote.socket import SocketSubscription
from web5.sync.exchange.grants import SYNCED_BY
from web5.sync.ledger.cursors import Cursor
from web5.sync.ledger.ledger import Endpoint, Tenant
from web5.sync.plan.dependencies import is_initial
from web5.sync.plan.policy import GARBAGE, SOON, Outcome, classify, classify_error
from web5.sync.plan.pull import is_cursor
from web5.sync.states import EndpointReport, Listing, State

SignerFor = Callable[[str], Awaitable[MessageSigner]]

GrantsOf = Callable[[str, str], Sequence[Grant]]
"""Returns the grants by which a delegate may sync (`grants.GrantBook.held`), given the tenant and the delegate."""


@dataclass(frozen=True, slots=True)
class RemoteLog:
    """One log that is read from an endpoint.

    Parameters:
        name: the key of its cursor in the ledger.
        grants: the IDs of the grants that a delegate invokes, by method; none for the tenant itself.
    """

    name: str
    filters: Sequence[dict[str, Any]]
    grants: Mapping[str, str] = field(default_factory=dict)


def logs_of(tenant: Tenant, grants_of: GrantsOf, unknown: Collection[str] = ()) -> list[RemoteLog]:
    """Return the logs of a tenant: one, or for a delegate, whose grants are for one protocol each, one a protocol.

    A protocol whose grants have ended is not read any more; that must not keep the others from being read.

    Parameters:
        unknown: the IDs of grants that the endpoint has said not to know, the last one last: others are invoked, if
            there are any, and else the first, which may have come there since.

    Raises:
        IdentityError: the delegate may not query or read anything.
    """
    protocols = tenant.protocols
    if tenant.delegate is None:
        name = "all" if protocols is None else " ".join(protocols)
        return [RemoteLog(name, [{"protocol": one} for one in protocols or ()])]
    order = {grant: place for place, grant in enumerate(unknown)}
    held = sorted(grants_of(tenant.did, tenant.delegate), key=lambda one: order.get(one.id, -1))
    logs = [
        RemoteLog(one or "all", [{"protocol": one}] if one else [], grants)
        for one in protocols or (None,)
        if (grants := _grants(held, one)).keys() >= SYNCED_BY
    ]
    if not logs:
        what = f"the protocols {', '.join(protocols)}" if protocols else "everything"
        raise IdentityError(
            f"{tenant.delegate} has no grant of {tenant.did} for MessagesQuery and MessagesRead of {what} that holds"
            " now"
        )
    return logs


def _grants(held: Sequence[Grant], protocol: str | None) -> dict[str, str]:
    """Return the ID of a grant for each method of Messages."""
    grants: dict[str, str] = {}
    for one in held:
        scope = one.scope or {}
        if scope.get("interface") == "Messages" and scope.get("protocol") in (None, protocol):
            grants.setdefault(str(scope.get("method")), one.id)
    return grants


WANTS_DATA = ("RecordsWriteMissingDataInPrevious", "RecordsWriteDataCidMismatch", "RecordsWriteDataSizeMismatch")
"""The codes for a message without data whose data are not those that its record has."""

CID = re.compile("b[a-z2-7]{58}")
"""A message's CID: version 1, dag-cbor, sha2-256, in base32."""

NO_LIST = replace(GARBAGE, detail="BadReply: the reply has no list of messages")
"""Not the same as an empty list, which would say that the endpoint holds nothing."""


ENDLESS_LIST = replace(GARBAGE, detail="BadReply: the list of messages does not end")
MOST_PAGES = 100
LONG = 1000
"""The length of a list that a node may have cut short (our own gives no fewer at a time), so that there is more."""


@dataclass(slots=True)
class Peer:
    """Requests to one endpoint, counted in `report`. Each returns its result, or the outcome if it failed.

    Parameters:
        clock: the endpoint's, by which questions are dated.
        barred: why a delegate may ask for nothing; what it wrote while it might, it may still send.
        unknown_grants: gets the IDs of the grants that the endpoint does not know, the last one last.
    """

    endpoint: Endpoint
    report: EndpointReport
    logs: Sequence[RemoteLog]
    _remote: RemoteDwn
    _signer: MessageSigner
    clock: NodeClock
    barred: IdentityError | None = None
    unknown_grants: dict[str, None] = field(default_factory=dict)

    @property
    def is_delegate(self) -> bool:
        return self.barred is not None or any(log.grants for log in self.logs)

    async def list_messages(
        self, log: RemoteLog, cursor: Cursor | None, pages: int | None = None, *, whole: bool = False
    ) -> Listing | Outcome:
        """List what the endpoint has taken since the cursor: one request of an idle visit, more only for long lists.

        Parameters:
            pages: the number of requests at the most; None: `MOST_PAGES`.
            whole: a longer list is no list; else it is given as far as it was read, if `pages` is less than that.
        """
        listed: dict[str, None] = {}
        after: Cursor | None = None
        # The second says that the first, if it was a long one, was all.
        most = max(2 if whole else 1, MOST_PAGES if pages is None else min(pages, MOST_PAGES))
        for _ in range(most):
            page = await self._list_page(log, after or cursor)
            if isinstance(page, Outcome):
                return page
            known = len(listed)
            listed.update(dict.fromkeys(page.cids))
            after = page.cursor or after
            # A list that says nothing new is the end of it, whatever its cursor is.
            if len(page.cids) < LONG or page.cursor is None or len(listed) == known:
                return Listing(list(listed), after, cursor)
        return ENDLESS_LIST if whole or most == MOST_PAGES else Listing(list(listed), after, cursor)

    async def _list_page(self, log: RemoteLog, cursor: Cursor | None) -> Listing | Outcome:
        grant = log.grants.get("Query")
        reply = await self._ask(compose.messages_query, filters=log.filters, cursor=cursor, permission_grant_id=grant)
        if isinstance(reply, Outcome):
            return reply
        await _release(reply)
        cids, after = reply.get("entries"), reply.get("cursor")
        if not isinstance(cids, list) or not all(isinstance(cid, str) and CID.fullmatch(cid) for cid in cids):
            return NO_LIST
        return Listing(cids, after if is_cursor(after) else None, cursor)

    async def list_everything(self, pages: int | None = None) -> dict[str, Listing] | Outcome:
        """List everything, by log; each in so many requests, see `list_messages`."""
        listings: dict[str, Listing] = {}
        for log in self.logs:
            listing = await self.list_messages(log, None, pages, whole=True)
            if isinstance(listing, Outcome):
                return listing
            listings[log.name] = listing
        return listings

    async def query_page(self, query: dict[str, Any]) -> Message | Outcome:
        """Query a page of records (`PageWalk.query`)."""
        reply = await self._ask(compose.records_query, **query)
        await _release(reply)
        return reply

    async def query_protocols(self, protocol: str | None) -> list[Any] | Outcome:
        """Query the protocols that are configured there, or this one, as ProtocolsConfigure messages."""
        reply = await self._ask(compose.protocols_query, protocol=protocol)
        if isinstance(reply, Outcome):
            return reply
        await _release(reply)
        entries = reply.get("entries")
        return entries if isinstance(entries, list) else NO_LIST

    @asynccontextmanager
    async def read(self, cid: str) -> AsyncIterator[Message | Outcome]:
        """Read one message, with its data, which can be read until the end of the block.

        What a grant does not show is not there under it (404), or refused (401) by the reference. Where one is refused
        and another does not show it, it is refused: it may be there.
        """
        reply: Message | Outcome = GARBAGE
        refused: Outcome | None = None
        for grant in dict.fromkeys(log.grants.get("Read") for log in self.logs) or (None,):
            reply = await self._ask(compose.messages_read, message_cid=cid, permission_grant_id=grant)
            if not isinstance(reply, Outcome) or reply.code not in (401, 404):
                break
            refused = refused or (reply if reply.code == 401 else None)
        else:
            reply = refused or reply
        self.report.awaited += 1  # the rest of its data
        try:
            yield reply
        finally:
            self.report.awaited -= 1
            await _release(reply)

    async def newest(self, record_id: str) -> Message | Outcome | None:
        """Read the newest message of a record, as the tenant sees it; None: the endpoint shows none."""
        reply, outcome = await self._asked(compose.records_read, filter={"recordId": record_id})
        await _release(reply)
        if outcome.code not in (200, 404):
            return replace(outcome, state=State.REFUSED, backoff=SOON) if outcome.settled else outcome
        entry = reply.get("entry")
        found = entry.get("recordsWrite") or entry.get("recordsDelete") if isinstance(entry, dict) else None
        return found if isinstance(found, dict) else None

    async def subscribe(self, log: RemoteLog, on_event: Callable[[Message], None]) -> SocketSubscription:
        """Subscribe to the messages that the endpoint takes from now on.

        Raises:
            NoWebSocket: the endpoint has none, or the delegate has no grant to subscribe.
            RemoteError: no DWN answered.
        """
        if log.grants and "Subscribe" not in log.grants:
            raise NoWebSocket(f"there is no grant for MessagesSubscribe of {log.name}")
        grant = log.grants.get("Subscribe")
        subscribe = partial(
            compose.messages_subscribe, self._signer, self.clock, filters=log.filters, permission_grant_id=grant
        )
        url, tenant = self.endpoint.url, self.endpoint.tenant
        self.report.requests += 1
        subscription = await self._remote.subscribe(url, tenant, await subscribe(), on_event)
        if self.clock.learn(classify(subscription.reply).detail):
            self.report.requests += 1
            subscription = await self._remote.subscribe(url, tenant, await subscribe(), on_event)
        self._note_grant(grant, classify(subscription.reply))
        return subscription

    async def send(
        self, message: Message, data: bytes | DataStream | None, on_sent: Callable[[int], None] | None = None
    ) -> Outcome:
        """Send a message to be stored; `on_sent` gets the number of bytes of large data that have gone out.

        Large data may be there already, if the message is not its record's first: they are sent if they are asked for.
        (The reference fails if they come again, and loses them.)

        Raises:
            BlobMissing: the data was replaced or deleted here meanwhile.
        """
        if isinstance(data, DataStream) and (data.size or 0) > MAX_INLINE_BYTES and not is_initial(message):
            reply, outcome = await self._request(message)
            await _release(reply)
            self.clock.learn(outcome.detail)
            if not outcome.detail.startswith(WANTS_DATA):
                return outcome
        reply, outcome = await self._request(message, data, on_sent)
        await _release(reply)
        self.clock.learn(outcome.detail)
        return outcome

    async def replicate(
        self, message: Message, data: bytes | DataStream | None, on_sent: Callable[[int], None] | None = None
    ) -> Outcome | None:
        """Send a message as one from the past, by the tenant's word; None: the endpoint knows no such thing.

        Raises:
            BlobMissing: the data was replaced or deleted here meanwhile.
        """
        sent = await compose.messages_replicate(self._signer, self.clock, message=message)
        reply, outcome = await self._request(sent, data, on_sent, about=message)
        await _release(reply)
        return None if _is_unknown(outcome) else outcome

    async def history(self) -> list[Any] | Outcome | None:
        """Return what allowed messages once, and ended; None: the endpoint knows no such thing."""
        entries: list[Any] = []
        cursor: Cursor | None = None
        for _ in range(MOST_PAGES):
            reply = await self._ask(compose.messages_history, cursor=cursor)
            if isinstance(reply, Outcome):
                return None if _is_unknown(reply) else reply
            await _release(reply)
            page, cursor = reply.get("entries"), reply.get("cursor")
            if not isinstance(page, list):
                return NO_LIST
            entries += page
            if not page or not is_cursor(cursor):
                break
        return entries

    async def _asked(self, make: Callable[..., Awaitable[Message]], **about: Any) -> tuple[Message, Outcome]:
        """Ask with the message that a function of `compose` makes; once more if the endpoint's clock was another."""
        reply, outcome = await self._request(await make(self._signer, self.clock, **about))
        if self.clock.learn(outcome.detail):
            await _release(reply)
            reply, outcome = await self._request(await make(self._signer, self.clock, **about))
        return reply, outcome

    def _note_grant(self, grant: str | None, outcome: Outcome) -> None:
        """Remember a grant that the endpoint does not know: it may have been lost with the device that made it."""
        if grant is not None and outcome.detail.startswith(Code.GrantAuthorizationGrantMissing):
            self.unknown_grants.pop(grant, None)
            self.unknown_grants[grant] = None

    async def _ask(self, make: Callable[..., Awaitable[Message]], **about: Any) -> Message | Outcome:
        reply, outcome = await self._asked(make, **about)
        if outcome.code == 200:
            return reply
        self._note_grant(about.get("permission_grant_id"), outcome)
        await _release(reply)
        return replace(outcome, state=State.REFUSED, backoff=SOON) if outcome.settled else outcome

    async def _request(
        self,
        message: Message,
        data: bytes | DataStream | None = None,
        on_sent: Callable[[int], None] | None = None,
        about: Message | None = None,
    ) -> tuple[Message, Outcome]:
        self.report.requests += 1
        self.report.awaited += 1
        url, tenant = self.endpoint.url, self.endpoint.tenant
        try:
            reply = await self._remote.process_message(url, tenant, message, data, on_sent=on_sent)
        except RemoteError as error:
            self.report.requests -= isinstance(error, AskedToWait)  # it was not asked
            return {}, classify_error(error)
        finally:
            self.report.awaited -= 1
        return reply, classify(reply, about or message)


def _is_unknown(outcome: Outcome) -> bool:
    return outcome.code == 501 or outcome.detail.startswith(Code.SchemaValidatorSchemaNotFound)


async def _release(reply: Any) -> None:
    """Release the connection of a reply that brings data where it should bring none."""
    if (data := data_of(reply)) is not None:
        await data.close()
