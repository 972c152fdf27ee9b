"""Deliveries to somebody else's nodes: each is kept first, then sent at once, and at every visit until it arrived.

Invariants:
1. What `send` has taken is in the ledger, durably, before anything of it goes out.
2. A target's endpoints are looked up anew at every visit; while that fails, those that are known are used.
3. No target waits for another, and sync with the own nodes for none.
4. What cannot be delivered as things are (no such DID, no endpoint) is refused at once, and nothing of it is kept,
   unless something is kept for that target already: then it may have changed, and all of it waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.errors import DidError, StorageError, TooManyUndelivered
from web5.patience import slow_of
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.delivery.courier import Courier
from web5.sync.exchange.delivery.letters import keep, needless
from web5.sync.ledger.deliveries import BLOB_PREFIX, Letter
from web5.sync.plan.delivery import MOST_DELIVERIES, NO_ENDPOINT, as_theirs, may_be_there_later
from web5.sync.plan.policy import SLOW, Outcome, classify_error
from web5.sync.states import SendResult, SyncEvent
from web5.tasks import TaskSet

Pair = tuple[str, str]
"""An author, and a target."""


class Deliveries:
    """The deliveries of all authors here; `jitter` returns numbers from 0 to 1."""

    def __init__(self, context: SyncContext, resolver: DidResolver, jitter: Callable[[], float]) -> None:
        self._context = context
        self._table = context.ledger.deliveries
        self._resolver = resolver
        self._jitter = jitter
        self._couriers: dict[tuple[str, str, str], Courier] = {}
        self._visits = TaskSet("a delivery failed")
        self._retries = False
        self._gone = 0

    async def open(self) -> None:
        """Go on with the pauses that endpoints asked for, and drop the blobs that a crash left behind."""
        for url, (until, code) in self._table.paused().items():
            self._context.remote.pauses.resume(url, until, code)
        kept = {key for key in self._context.dwn.others_blobs if key.startswith(BLOB_PREFIX)}
        if orphans := kept - self._table.blobs():
            await self._context.dwn.blobs.delete(orphans)

    def set_retries(self, on: bool) -> None:
        """Retry by itself what failed, as soon as it is due; or do so no more."""
        self._retries = on
        for courier in self._couriers.values():
            courier.set_retries(on)

    async def stop(self) -> None:
        """End everything at once; what was under way stays undelivered."""
        self._retries = False
        await self._visits.cancel()
        await asyncio.gather(*(courier.stop() for courier in self._couriers.values()))
        self._gone = self.delivered
        self._couriers.clear()

    def is_in_flight(self, row: int) -> bool:
        return any(row in courier.in_flight for courier in self._couriers.values())

    @property
    def delivered(self) -> int:
        """The number of messages that endpoints have taken since sync was opened."""
        return self._gone + sum(courier.report.pushed for courier in self._couriers.values())

    # -- sending

    async def send(self, author: str, target: str, letters: Sequence[Letter]) -> list[SendResult]:
        """Keep messages for a target and send them at once to all of its endpoints; one that is slow is not waited for.

        Returns:
            The answer of each endpoint; none if the target names none, and nothing is kept.

        Raises:
            DidError: there is no such DID; nothing is kept.
            TooManyUndelivered: no more may be kept.
            StorageError: there is no room to keep them.
        """
        context, was_waiting = self._context, bool(self._table.urls(author, target))
        try:
            blobs = await context.ledger.database.commit(lambda: self._keep(author, target, letters))
        except BaseException:
            await context.dwn.blobs.delete(needless(letters))
            raise
        await context.dwn.blobs.delete(blobs)
        try:
            urls = await self._place(author, target)
        except DidError as error:
            if not was_waiting and not may_be_there_later(error):
                await self._drop({(author, target, letter.cid) for letter in letters})
                raise
            return [SendResult("", False, 0, classify_error(error).detail, pending=True)]
        if not urls:
            if was_waiting:
                return [SendResult("", False, 0, NO_ENDPOINT.detail, pending=True)]
            await self._drop({(author, target, letter.cid) for letter in letters})
            return []
        couriers = {url: self._courier(author, target, url) for url in urls}
        cids = [letter.cid for letter in letters]
        answers = {url: asyncio.gather(*map(courier.outcome_of, cids)) for url, courier in couriers.items()}
        for courier in couriers.values():
            courier.visit()
        slow = await slow_of(
            answers, lambda url: couriers[url].report.progress, lambda url: couriers[url].report.awaited > 0
        )
        return [
            self._result((author, target), url, cids, [SLOW] if url in slow else answers[url].result()) for url in urls
        ]

    def _keep(self, author: str, target: str, letters: Sequence[Letter]) -> list[str]:
        before = self._table.count(author)
        blobs = keep(self._context, author, target, letters)
        if before < (after := self._table.count(author)) and after > MOST_DELIVERIES:
            raise TooManyUndelivered(author, MOST_DELIVERIES)
        return blobs

    def _result(self, pair: Pair, url: str, cids: Sequence[str], outcomes: Sequence[Outcome]) -> SendResult:
        failed = next((one for one in outcomes if not one.settled), None)
        if failed is None:
            return SendResult(url, True, outcomes[-1].code, outcomes[-1].detail or outcomes[-1].name)
        kept = any(row.url == url for cid in cids for row in self._table.rows(*pair, cid=cid))
        detail = failed.detail or failed.name
        if kept and not failed.is_for_good:
            return SendResult(url, False, failed.code, as_theirs(pair[1], failed.code, detail, failed.waits_for), True)
        return SendResult(url, False, failed.code, detail)

    # -- visits

    def visit(self, authors: Collection[str] | None = None) -> Mapping[Pair, asyncio.Task[None]]:
        """Deliver what is due, of all authors or of these; return the tasks that do so."""
        pairs = self._table.targets(authors)
        visits = {pair: asyncio.create_task(self._visit(*pair)) for pair in pairs}
        for task in visits.values():
            self._visits.keep(task)
        return visits

    def progress(self, pair: Pair) -> float:
        """Return the seconds for which the work done for a target was worth waiting (`web5.patience`)."""
        return sum(courier.report.progress for key, courier in self._couriers.items() if key[:2] == pair)

    async def _visit(self, author: str, target: str) -> None:
        try:
            urls = await self._place(author, target)
        except (DidError, StorageError):  # or there is no room to keep the endpoints
            urls = sorted(self._table.urls(author, target) - {""})
        tasks = [self._courier(author, target, url).visit() for url in urls]
        if tasks:
            await asyncio.wait(tasks)
        self._forget_idle(author, target)

    async def _place(self, author: str, target: str) -> list[str]:
        """Look up the endpoints of a target, and have its deliveries go there.

        Raises:
            DidError: it cannot be resolved.
        """
        database, now = self._context.ledger.database, self._context.clock.now()
        try:
            urls = await dwn_endpoints(self._resolver, target)
        except DidError as error:
            with database.transaction(makes_room=True):
                self._table.unplaced(author, target, classify_error(error), now)
            self._context.notify(SyncEvent("undelivered", author, target=target))
            raise
        with database.transaction():
            blobs = self._table.place(author, target, urls)
            if not urls:
                self._table.unplaced(author, target, NO_ENDPOINT, now)
        await database.flush()
        await self._context.dwn.blobs.delete(blobs)
        return urls

    def _courier(self, author: str, target: str, url: str) -> Courier:
        key = author, target, url
        if key not in self._couriers:
            self._couriers[key] = Courier(self._context, *key, self._jitter, retries=self._retries)
        return self._couriers[key]

    def _forget_idle(self, author: str, target: str) -> None:
        needed = self._table.urls(author, target)
        for key, courier in list(self._couriers.items()):
            if key[:2] == (author, target) and key[2] not in needed and courier.task is None:
                courier.set_retries(False)
                self._gone += courier.report.pushed
                del self._couriers[key]

    # -- withdrawal

    async def withdraw(
        self, author: str, target: str | None = None, *, cid: str | None = None, record: str | None = None
    ) -> int:
        """Give deliveries up: to one target, of one message, of one record, as far as these are given.

        What is under way may still arrive.

        Returns:
            The number of messages, counted once for each target.
        """
        rows = self._table.page([author], target=target, cids=None if cid is None else [cid])
        found = {(row.author, row.target, row.cid) for row in rows if record in (None, row.record)}
        await self._drop(found)
        for who, whom, what in found:
            self._context.notify(SyncEvent("withdrawn", who, direction="push", target=whom, message_cid=what))
        return len(found)

    async def _drop(self, deliveries: Collection[tuple[str, str, str]]) -> None:
        database = self._context.ledger.database
        with database.transaction(makes_room=True):
            blobs = [blob for one in deliveries for blob in self._table.drop(*one)]
        await database.flush()
        await self._context.dwn.blobs.delete(blobs)
