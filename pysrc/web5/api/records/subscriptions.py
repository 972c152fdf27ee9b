"""Events of records for an app: to a handler, or to be iterated over.

Invariants:
1. Events come in their order, one after the other, also to a handler that is `async def`.
2. What a handler raises goes to the event loop's exception handler, and the next event is handled all the same.
3. `MOST_WAITING` events wait at the most. Where there would be more, only the newest state of each record is kept; if
   that is not enough, reading raises SubscriptionOverrun.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from web5.errors import SubscriptionOverrun, Web5Error
from web5.tasks import report

MOST_WAITING = 10_000
"""Events that wait to be read."""


class HasId(Protocol):
    """A record, by its ID."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=HasId)

Handler = Callable[[R], Awaitable[object] | object]
"""Takes a record in its new state; may be `async def`."""

Closing = Callable[[], Awaitable[object]]
Opening = Callable[["RecordSubscription[R]"], Awaitable[Closing]]
"""Subscribes, and has the subscription's `put` and `end` called; returns what ends it."""


class RecordSubscription(Generic[R]):
    """A subscription to records: `await` it, iterate over it, or use it in `async with`; each opens it if need be.

    Parameters:
        handler: None: events are read by iterating.
    """

    def __init__(self, opening: Opening[R], handler: Handler[R] | None = None) -> None:
        self._opening = opening
        self._handler = handler
        self._closing: Closing | None = None
        self._opened: asyncio.Future[None] | None = None
        self._waiting: deque[R] = deque()
        self._more = asyncio.Event()
        self._ended: Web5Error | bool = False
        self._overrun = self._woken = False
        self._handling: asyncio.Task[None] | None = None

    def __await__(self) -> Generator[Any, None, Self]:
        return self._open().__await__()

    async def __aenter__(self) -> Self:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[R]:
        await self._open()
        try:
            while True:
                while self._waiting:
                    yield self._waiting.popleft()
                if self._overrun:
                    raise _overrun()
                if isinstance(self._ended, Web5Error):
                    raise self._ended
                if self._ended:
                    return
                self._more.clear()
                await self._more.wait()
        finally:
            await self.close()

    async def some(self) -> list[R] | None:
        """Return all events that wait, at least one unless `wake` was called; None once there are no more.

        Raises:
            DwnError: the DWN has ended the subscription.
            SubscriptionOverrun: more came than is kept; the next call goes on from now.
        """
        await self._open()
        while not (self._waiting or self._overrun or self._ended or self._woken):
            self._more.clear()
            await self._more.wait()
        if self._overrun:
            self._overrun = False
            self._waiting.clear()
            raise _overrun()
        if self._waiting or self._woken:
            found = list(self._waiting)
            self._waiting.clear()
            self._woken = False
            return found
        if isinstance(self._ended, Web5Error):
            raise self._ended
        return None

    def wake(self) -> None:
        """Have `some` return, though nothing waits."""
        self._woken = True
        self._more.set()

    async def close(self) -> None:
        """End the subscription. Safe to call twice."""
        closing, self._closing = self._closing, None
        if closing is not None:
            await closing()
        self.end(None)
        self._waiting.clear()
        handling, self._handling = self._handling, None
        if handling is not None and handling is not asyncio.current_task():
            handling.cancel()

    def put(self, record: R) -> None:
        """Give an event to the handler, or keep it until it is its turn."""
        if self._ended or self._overrun:
            return
        if self._handler is not None and self._handling is None:
            if inspect.isawaitable(answer := self._handle(self._handler, record)):
                self._handling = asyncio.create_task(self._handle_on(self._handler, answer))
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting = deque({one.id: one for one in self._waiting if one.id != record.id}.values())
        if len(self._waiting) >= MOST_WAITING:
            self._overrun = True
        else:
            self._waiting.append(record)
        self._more.set()

    def end(self, error: Web5Error | None) -> None:
        """Give no more events; an error is raised at the reader's."""
        if not self._ended:
            self._ended = error or True
            self._more.set()
            if error is not None and self._handler is not None:
                report("a subscription has ended", error)

    async def _open(self) -> Self:
        if self._opened is None:
            self._opened = asyncio.get_running_loop().create_future()
            try:
                self._closing = await self._opening(self)
            except BaseException as error:
                opened, self._opened = self._opened, None
                opened.set_exception(error)
                opened.exception()  # who waits beside this gets it, and nobody need
                raise
            self._opened.set_result(None)
        else:
            await self._opened
        return self

    @staticmethod
    def _handle(handler: Handler[R], record: R) -> object:
        try:
            return handler(record)
        except Exception as error:
            report("the handler of a subscription failed", error)
            return None

    async def _handle_on(self, handler: Handler[R], answer: Awaitable[object]) -> None:
        """Wait for a handler, and give it what has come meanwhile."""
        while True:
            try:
                await answer
            except Exception as error:
                report("the handler of a subscription failed", error)
            while True:
                if self._overrun:
                    report("a subscription has ended", _overrun())
                    await self.close()
                if not self._waiting:
                    self._handling = None
                    return
                following = self._handle(handler, self._waiting.popleft())
                if inspect.isawaitable(following):
                    answer = following
                    break


def _overrun() -> SubscriptionOverrun:
    return SubscriptionOverrun(
        f"More than {MOST_WAITING} records changed before they were read. Query anew, and read faster."
    )
