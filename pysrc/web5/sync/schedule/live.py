"""Live sync: a subscription at every endpoint wakes its line, and local writes wake all of their tenant.

Invariants:
1. After every gap in a subscription the endpoint is visited, so that what happened meanwhile is caught up by cursor.
2. An endpoint that cannot be subscribed to is polled instead; one that does not know the tenant is subscribed to once
   a visit has succeeded.
3. An event of a message that is held here (most are echoes of what was sent from here) wakes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from web5.dwn.cid import message_cid
from web5.errors import InvalidArgument, NoWebSocket, Web5Error
from web5.sync.exchange.link import Line, Want
from web5.sync.exchange.peer import RemoteSubscription
from web5.sync.exchange.visit import Visitor
from web5.sync.plan.policy import RECONNECT, judge
from web5.sync.states import Message, SyncEvent
from web5.tasks import first_of

log = logging.getLogger(__name__)

POLL_SECONDS = 10.0
"""Between two questions to an endpoint that has no WebSocket."""

POLLS = 30
"""So many polls, and it is asked again whether it has a WebSocket now."""

STEADY_SECONDS = 30.0
"""A subscription that lasted so long was a good one: the next failure is the first again."""


class Live:
    """Keeps each line subscribed while live sync is on.

    Parameters:
        jitter: gives numbers from 0 to 1.
    """

    def __init__(self, visitor: Visitor, jitter: Callable[[], float]) -> None:
        self._visitor = visitor
        self._local = visitor.local
        self._clock = visitor.local.clock
        self._jitter = jitter
        self._listeners: dict[Line, asyncio.Task[None]] = {}

    def add(self, line: Line) -> None:
        """Subscribe, and stay subscribed."""
        if line not in self._listeners:
            line.by_itself(True)
            self._listeners[line] = asyncio.create_task(self._listen(line))

    def remove(self, line: Line) -> None:
        """Unsubscribe, and act by itself no more."""
        line.by_itself(False)
        if (task := self._listeners.pop(line, None)) is not None:
            task.cancel()

    async def stop(self) -> None:
        """Unsubscribe everywhere; return when that is done."""
        tasks = list(self._listeners.values())
        for line in tuple(self._listeners):
            self.remove(line)
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
        for line, task in listeners.items():
            if self._listeners.get(line) is task:
                self._listeners[line] = asyncio.create_task(self._listen(line))

    async def _listen(self, line: Line) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._subscribed(line)
                failures = 0 if self._clock.monotonic() > began + STEADY_SECONDS else failures + 1
            except NoWebSocket:
                line.visit(Want.ALL)
                await self._poll(line)
                continue
            except Web5Error as error:
                log.info("no subscription at %s: %s", line.url, error)
                failures += 1
                if failures == 1:
                    line.visit(Want.ALL)  # it may be only the socket that fails
            await self._clock.sleep(RECONNECT.spread(max(1, failures), self._jitter()))

    async def _subscribed(self, line: Line) -> None:
        """Subscribe, and return when that has ended; what came before is caught up (invariant 1)."""
        endpoint = self._local.ledger.endpoint(line.tenant, line.url)
        if endpoint is None:
            return
        peer = await self._visitor.peer(endpoint)
        peer.report = line.total
        subscriptions: list[RemoteSubscription] = []
        try:
            for feed in peer.feeds:
                subscriptions.append(await peer.subscribe(feed, lambda event: self._heard(line, event)))
                if subscriptions[-1].reply.get("status", {}).get("code") != 200:
                    log.info("%s does not subscribe: %s", line.url, judge(subscriptions[-1].reply).detail)
                    line.visit(Want.ALL)
                    await (line.success() if judge(subscriptions[-1].reply).unregistered else self._poll(line))
                    return
            self._connected(line, True)
            line.visit(Want.ALL)
            await first_of(*(subscription.ended() for subscription in subscriptions))
        finally:
            self._connected(line, False)
            for subscription in subscriptions:
                with suppress(Web5Error):
                    await subscription.close()

    def _connected(self, line: Line, connected: bool) -> None:
        if line.connected != connected:
            line.connected = connected
            self._local.notify(SyncEvent("endpoint", line.tenant, line.url))

    def _heard(self, line: Line, event: Message) -> None:
        try:
            cid = message_cid(event["message"])
        except (InvalidArgument, KeyError, TypeError):
            cid = ""
        if not self._local.dwn.store.has(line.tenant, cid):
            line.wake(Want.PULL)

    async def _poll(self, line: Line) -> None:
        for _ in range(POLLS):
            await self._clock.sleep(POLL_SECONDS * (0.75 + self._jitter() / 2))
            line.wake(Want.PULL)
