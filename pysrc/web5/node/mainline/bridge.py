"""The bridge: documents of the gateway into the DHT, and those of the DHT to whoever asks the gateway.

Invariants:
1. What is answered was signed by its key, is a did:dht's packet, and not older than what was answered before.
2. A document is put by one process at a time, at most once in `again` seconds; one that could not be put stays due,
   also over a restart.
3. All that strangers can cause is bounded: lookups by address and altogether, those under way, answers that are
   remembered, documents that wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.exceptions import HTTPException

from web5.budget import Budget
from web5.dids.dht.bep44 import SignedItem
from web5.errors import DidError, StorageError
from web5.lru import LruCache
from web5.node.gateway_items import GatewayItems
from web5.node.mainline.items import MutableItems
from web5.ports.clock import Clock
from web5.tasks import TaskSet, report

log = logging.getLogger(__name__)

Relied = Callable[[], AsyncIterator[bytes]]
"""The keys of the documents that the node's tenants rely on."""


@dataclass(frozen=True)
class BridgeLimits:
    """Bounds on the use of the DHT; times in seconds.

    Parameters:
        lookups: those under way for others at a time.
        burst, per_minute: lookups for all together.
        burst_of_address, per_minute_of_address: lookups for one address.
        known: answers, and addresses, that are remembered.
        fresh, absent: the time for which a document that was found, or that there is none, is not asked for again.
        waiting: documents that wait to be put.
        puts: those that are put at a time.
        puts_per_minute: documents that are put in the long run.
        again: the time after which a document is put again. The DHT forgets it after two hours (BEP 44).
        round: the time between two looks at what is due.
    """

    lookups: int = 16
    burst: int = 120
    per_minute: int = 240
    burst_of_address: int = 30
    per_minute_of_address: int = 60
    known: int = 10_000
    fresh: float = 300
    absent: float = 60
    waiting: int = 10_000
    puts: int = 4
    puts_per_minute: int = 120
    again: int = 50 * 60
    round: float = 600


class Bridge:
    """The bridge of one gateway. `run` puts documents; `find` works without it."""

    def __init__(
        self, dht: MutableItems, items: GatewayItems, clock: Clock, limits: BridgeLimits | None = None
    ) -> None:
        self._dht = dht
        self._items = items
        self._clock = clock
        self._limits = limits = limits or BridgeLimits()
        self._known: LruCache[bytes, tuple[SignedItem | None, float]] = LruCache(limits.known)
        self._budgets: LruCache[str, Budget] = LruCache(limits.known)
        self._budget = Budget(limits.burst, limits.per_minute)
        self._pace = Budget(limits.puts, limits.puts_per_minute)
        self._asking: dict[bytes, asyncio.Task[SignedItem | None]] = {}
        self._waiting: dict[bytes, bool] = {}
        self._more = asyncio.Event()
        self._reached = True

    async def find(self, key: bytes, address: str | None) -> SignedItem | None:
        """Return the document of a key that is in the DHT.

        Parameters:
            address: who asks; None: this node itself.

        Raises:
            HTTPException: 429, that address has asked for too many; 503, all have, or no node of the DHT answers.
        """
        item, until = self._known.get(key) or (None, 0.0)
        if self._clock.monotonic() < until:
            return item
        if (asking := self._asking.get(key)) is None:
            self._charge(address)
            asking = self._asking[key] = asyncio.create_task(self._look(key))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    def publish(self, key: bytes, *, relied: bool = False) -> bool:
        """Have the document of a key put into the DHT soon, if it is due; return False where too many wait."""
        if key not in self._waiting and len(self._waiting) >= self._limits.waiting:
            return False
        self._waiting[key] = relied or self._waiting.get(key, False)
        self._more.set()
        return True

    async def run(self, relied: Relied) -> None:
        """Put what is published, and again what tenants rely on, until this is cancelled."""
        works = TaskSet("documents are not put into the DHT any more")
        try:
            for _ in range(self._limits.puts):
                works.start(self._put_waiting())
            while True:
                try:
                    await self._gather(relied)
                except StorageError as error:
                    report("what is due in the DHT could not be read", error)
                await asyncio.sleep(self._limits.round)
        finally:
            await works.cancel()

    async def _look(self, key: bytes) -> SignedItem | None:
        found = await self._dht.get(key)
        self._note(bool(found.nodes) or found.item is not None)
        known, _ = self._known.get(key) or (None, 0.0)
        item = found.item
        if item is not None:
            try:
                await self._items.check(item, known)
            except (DidError, HTTPException) as error:
                log.info("an item of the DHT is no document: %s", error)
                item = None
        if item is None and known is None and not found.nodes:
            raise HTTPException(503, "no node of the DHT answers now", {"retry-after": "60"})
        if item is None or (known is not None and known.seq >= item.seq):
            item = known
        lasts = self._limits.absent if item is None else self._limits.fresh
        self._known.put(key, (item, self._clock.monotonic() + lasts))
        return item

    def _charge(self, address: str | None) -> None:
        now, limits = self._clock.monotonic(), self._limits
        budgets = [(self._budget, limits.per_minute, 503, "all together")]
        if address is not None:
            if (own := self._budgets.get(address)) is None:
                own = Budget(limits.burst_of_address, limits.per_minute_of_address)
                self._budgets.put(address, own)
            budgets.append((own, limits.per_minute_of_address, 429, address))
        for budget, per_minute, status, whose in reversed(budgets):
            if (left := budget.left(now)) < 1:
                seconds = str(-int((left - 1) * 60 // per_minute))
                raise HTTPException(status, f"too many lookups in the DHT for {whose}", {"retry-after": seconds})
        if len(self._asking) >= limits.lookups:
            raise HTTPException(503, "too many lookups in the DHT are under way", {"retry-after": "5"})
        for budget, *_ in budgets:
            budget.spend(1, now)

    async def _gather(self, relied: Relied) -> None:
        """Have put what is due: what tenants rely on, and what was published and could not be put."""
        async for key in relied():
            if not self.publish(key, relied=True):
                return
        since = self._items.now - 2 * self._limits.again
        for key in await self._items.unannounced(since, self._limits.waiting - len(self._waiting)):
            self.publish(key)

    async def _put_waiting(self) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            key = next(iter(self._waiting))
            relied = self._waiting.pop(key)
            try:
                now = self._items.now
                if (item := await self._items.claim(key, now, self._limits.again, relied=relied)) is not None:
                    await self._put(item, now)
            except StorageError as error:
                report("a document could not be put into the DHT", error)

    async def _put(self, item: SignedItem, now: int) -> None:
        done = False
        try:
            await self._paced()
            found = await self._dht.get(item.key, thorough=True)
            if found.item is not None and found.item.seq > item.seq:
                item = await self._newer(found.item, item)
            done = await self._dht.put(item, found.nodes) > 0
            self._note(done)
        finally:
            await self._items.announced(item.key, now if done else 0)

    async def _newer(self, found: SignedItem, held: SignedItem) -> SignedItem:
        """Take over what the DHT has, if it is what should be here; return what is to be put."""
        with suppress(DidError, HTTPException):
            await self._items.take(found)
            return found
        return held

    async def _paced(self) -> None:
        now = self._clock.monotonic()
        left = self._pace.left(now)
        self._pace.spend(1, now)
        if left < 1:
            await asyncio.sleep((1 - left) * 60 / self._limits.puts_per_minute)

    def _note(self, reached: bool) -> None:
        """Write to the log when the DHT is lost, and when it is there again."""
        if reached is not self._reached:
            log.warning("the DHT is reached again" if reached else "no node of the DHT answers")
        self._reached = reached
