"""A subscription to the local DWN that goes on at the next node when the one that has it goes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from web5.agent.shared.office import Desk
from web5.agent.shared.port import Shared
from web5.dwn.events import Event, Handler, Subscription
from web5.dwn.values.types import Message
from web5.errors import NodeGone, Web5Error
from web5.tasks import notify


class Following:
    """A subscription that goes from node to node.

    Attributes:
        on_end: called if it ends because what allowed it has ended.
    """

    def __init__(self, shared: Shared, tenant: str, message: Message, handler: Handler) -> None:
        self.on_end: Callable[[], None] | None = None
        self._name = uuid.uuid4().hex
        self._shared = shared
        self._tenant = tenant
        self._message = message
        self._handler = handler
        self._after: int | None = None
        self._here: Subscription | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def open(self) -> None:
        """Subscribe at the node that there is, from the last event on that was given.

        Raises:
            DwnError: it refused.
        """
        async with self._opening:
            self._shared.subscriptions[self._name] = self
            try:
                while not self._closed:
                    with suppress(NodeGone):
                        await self._open()
                        return
            except BaseException:
                self._forget()
                raise

    async def open_again(self) -> None:
        """Subscribe at another node; what it refuses has ended."""
        try:
            await self.open()
        except Web5Error:
            self._end()

    async def close(self) -> None:
        """End it. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._forget()
        if self._here is not None:
            await self._here.close()
        elif self._shared.real is None and not self._shared.closed:
            with suppress(Web5Error):
                await self._shared.guest.at_desk(Desk.unsubscribe, self._name)

    def told(self, seq: int, event: dict[str, Any] | None) -> None:
        """Take what the node tells of it."""
        if event is not None:
            again = Event(event)
            again.seq = seq
            self._heard(again)
        elif seq < 0:
            self._shared.background.start(self.open_again())
        else:
            self._end()

    async def _open(self) -> None:
        agent = self._shared.real
        if agent is None:
            self._here = None
            last = await self._shared.guest.at_desk(
                Desk.subscribe, self._name, self._tenant, self._message, self._after
            )
        else:
            reply = await agent.messages.process(self._tenant, self._message, None, self._heard)
            self._here = reply["subscription"]
            assert self._here is not None
            self._here.on_end = self._end
            last = agent.dwn.last_published
            if self._after is not None:
                agent.dwn.catch_up(self._here, self._tenant, self._after)
        self._after = max(last, self._after or 0)

    def _heard(self, event: Event) -> None:
        if self._closed or (self._after is not None and event.seq <= self._after):
            return
        self._after = event.seq
        self._handler(event)

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._forget()
            if self.on_end is not None:
                notify("what waits for the end of a subscription failed", [self.on_end])

    def _forget(self) -> None:
        self._shared.subscriptions.pop(self._name, None)
