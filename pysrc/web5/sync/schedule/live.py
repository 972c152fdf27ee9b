"""Live sync: a subscription at every endpoint wakes its link, and local writes wake all of their tenant.

Invariants:
1. After every gap in a subscription the endpoint is visited, so that events of the gap are caught up by cursor.
2. An endpoint that cannot be subscribed to is polled instead; one that does not know the tenant is subscribed to once
   a visit has succeeded.
3. An event of a message that is held here (most are echoes of messages sent from here) wakes nothing.
4. Events whose visits bring nothing lead to a few visits a minute; who goes on with them is subscribed to anew, later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from web5.budget import Budget
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument, NoWebSocket, Web5Error
from web5.remote.socket import SocketSubscription
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.links import Link, Work
from web5.sync.plan.budget import EVENTS
from web5.sync.plan.policy import RECONNECT, classify
from web5.sync.states import SyncEvent
from web5.tasks import first_of

log = logging.getLogger(__name__)

POLL_SECONDS = 10.0
"""The time between two polls of an endpoint that has no WebSocket."""

POLLS = 30
"""The number of polls after which the WebSocket is tried again."""

MOST_IGNORED = 1000
"""Events that lead to no visit after which a subscription is given up for a while."""

STEADY_SECONDS = 30.0
"""After a subscription that lasted this long, the next failure counts as the first."""


class Flood:
    """Events of one subscription since one last led to a visit that brought something.

    Attributes:
        rose: set once there were too many.
    """

    def __init__(self, pulled: int) -> None:
        self.rose = asyncio.Event()
        self._begin(pulled)

    def _begin(self, pulled: int) -> None:
        self._pulled, self._visits, self._ignored = pulled, Budget(*EVENTS), 0

    def may_visit(self, pulled: int, now: float, *, is_new: bool) -> bool:
        """Return True if an event may lead to a visit; count it, if not.

        Parameters:
            pulled: the number of messages that were pulled up to now.
            is_new: no visit is requested already.
        """
        if pulled > self._pulled:
            self._begin(pulled)
        if is_new and self._visits.left(now) >= 1:
            self._visits.spend(1, now)
            return True
        self._ignored += 1
        if self._ignored >= MOST_IGNORED:
            self.rose.set()
        return False


class Live:
    """Subscriptions for the links, while live sync is on; `jitter` returns numbers from 0 to 1."""

    def __init__(self, context: SyncContext, jitter: Callable[[], float]) -> None:
        self._context = context
        self._clock = context.clock
        self._jitter = jitter
        self._on = False
        self._listeners: dict[Link, asyncio.Task[None]] = {}

    def start(self, links: Iterable[Link]) -> None:
        """Turn live sync on, for these links and those that are added later."""
        self._on = True
        for link in links:
            self.add(link)

    def add(self, link: Link) -> None:
        """Subscribe, and keep subscribed, if live sync is on."""
        if self._on and link not in self._listeners:
            link.set_auto_retry(True)
            self._listeners[link] = asyncio.create_task(self._listen(link))

    def remove(self, link: Link) -> None:
        """Unsubscribe, and let the link retry nothing any more."""
        link.set_auto_retry(False)
        if (task := self._listeners.pop(link, None)) is not None:
            task.cancel()

    async def stop(self) -> None:
        """Unsubscribe everywhere; return when that is done."""
        self._on = False
        tasks = list(self._listeners.values())
        for link in tuple(self._listeners):
            self.remove(link)
        if tasks:
            await asyncio.wait(tasks)

    async def reconnect(self) -> None:
        """Subscribe anew everywhere: connections that look alive may not be, after a sleep or on another network."""
        listeners = dict(self._listeners)
        for task in listeners.values():
            task.cancel()
        if listeners:
            # Only when the last of its subscriptions has ended is a socket given up.
            await asyncio.wait(listeners.values())
        for link, task in listeners.items():
            if self._listeners.get(link) is task:
                self._listeners[link] = asyncio.create_task(self._listen(link))

    async def _listen(self, link: Link) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._subscribe(link)
                failures = 0 if self._clock.monotonic() > began + STEADY_SECONDS else failures + 1
            except NoWebSocket:
                link.visit(Work.ALL)
                await self._poll(link)
                continue
            except Web5Error as error:
                log.info("no subscription at %s: %s", link.url, error)
                failures += 1
                if failures == 1:
                    link.visit(Work.ALL)  # it may be only the socket that fails
            await self._clock.sleep(RECONNECT.spread(max(1, failures), self._jitter()))

    async def _subscribe(self, link: Link) -> None:
        """Subscribe, catch up (invariant 1), and return when the subscription has ended."""
        endpoint = self._context.ledger.endpoint(link.tenant, link.url)
        if endpoint is None:
            return
        peer = await self._context.peer(endpoint, link.total)
        subscriptions: list[SocketSubscription] = []
        flood = Flood(link.total.pulled)
        try:
            for remote_log in peer.logs:
                subscription = await peer.subscribe(remote_log, lambda event: self._receive(link, event, flood))
                subscriptions.append(subscription)
                if subscription.reply.get("status", {}).get("code") != 200:
                    outcome = classify(subscription.reply)
                    log.info("%s does not subscribe: %s", link.url, outcome.detail)
                    link.visit(Work.ALL)
                    await (link.wait_for_success() if outcome.unregistered else self._poll(link))
                    return
            self._set_connected(link, True)
            link.visit(Work.ALL)
            await first_of(flood.rose.wait(), *(subscription.ended() for subscription in subscriptions))
        finally:
            self._set_connected(link, False)
            for subscription in subscriptions:
                with suppress(Web5Error):
                    await subscription.close()

    def _set_connected(self, link: Link, connected: bool) -> None:
        if link.connected != connected:
            link.connected = connected
            self._context.notify(SyncEvent("endpoint", link.tenant, link.url))

    def _receive(self, link: Link, event: Message, flood: Flood) -> None:
        try:
            cid = message_cid(event["message"])
        except (InvalidArgument, KeyError, TypeError):
            cid = ""
        if not self._context.dwn.store.has(link.tenant, cid):
            is_new = not link.is_requested(Work.PULL)
            if flood.may_visit(link.total.pulled, self._clock.monotonic(), is_new=is_new):
                link.wake(Work.PULL)

    async def _poll(self, link: Link) -> None:
        for _ in range(POLLS):
            await self._clock.sleep(POLL_SECONDS * (0.75 + self._jitter() / 2))
            link.wake(Work.PULL)
