"""The calls that the tab which leads carries out, its own and other tabs'."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any

from web5.browser.tabs.locks import hold
from web5.browser.tabs.tab_channel import TabChannel
from web5.browser.tabs.tab_errors import error_to_wire
from web5.errors import InvalidArgument, StorageBusy
from web5.tasks import TaskSet

Handler = Callable[[str, str], Awaitable[str]]

CALLER: ContextVar[str] = ContextVar("the tab that has made the call which is being answered")

MAX_CALLS = 1000
"""Calls that are carried out at once; another tab that calls beyond that is told to try again."""


class Answers:
    """The answers under way.

    Parameters:
        name: the node's name.
        shared: the names of the calls that other tabs may make.
        channel: takes the answers to those.
        gone: is called with the name of a tab that has called and is no more.
    """

    def __init__(
        self, name: str, shared: Collection[str], channel: TabChannel, gone: Callable[[str], None] | None
    ) -> None:
        self._name = name
        self._shared = shared
        self._channel = channel
        self._gone = gone
        self._running: set[asyncio.Task[None]] = set()
        self._called_by: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._watched: set[str] = set()
        self._watching = TaskSet("a tab that has gone was not noticed")

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin to carry out a call of this tab's own."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def begin(self, handler: Handler, caller: str, content: object) -> None:
        """Begin to carry out a call, and answer it.

        Parameters:
            caller: the tab that has posted it.
            content: what it has posted, not checked yet.
        """
        task = self.run(self._answer(handler, caller, content))
        self._watch(caller)
        if isinstance(content, dict):
            key = (caller, str(content.get("id")))
            self._called_by[key] = task
            task.add_done_callback(lambda _: self._called_by.pop(key, None))

    def cancel(self, caller: str, content: Mapping[str, Any]) -> None:
        """Cancel a call, if whoever has made it wants that."""
        task = self._called_by.get((caller, str(content.get("id"))))
        if task is not None:
            task.cancel()

    def cancel_all(self) -> list[asyncio.Task[None]]:
        """Cancel all calls; return those that may take a moment to end."""
        running = list(self._running)
        for task in running:
            task.cancel()
        return running

    async def close(self) -> None:
        """Wait for no tab to go any more."""
        await self._watching.cancel()

    async def _answer(self, handler: Handler, caller: str, content: object) -> None:
        async def if_shared(name: str, args: str) -> str:
            CALLER.set(caller)
            if name not in self._shared:
                raise InvalidArgument(f"No other tab can call {name[:50]!r}.")
            if len(self._running) > MAX_CALLS:
                raise StorageBusy("too many calls at once; try again")
            return await handler(name, args)

        match content:
            case {"id": str(id), "name": str(name), "args": str(args)}:
                reply = await carried_out(if_shared, name, args)
                try:
                    await self._channel.post_sealed("reply", caller, {"id": id, **reply})
                except InvalidArgument as error:
                    await self._channel.post_sealed("reply", caller, {"id": id, "error": error_to_wire(error)})

    def _watch(self, tab: str) -> None:
        if self._gone is not None and tab not in self._watched and len(self._watched) < MAX_CALLS:
            self._watched.add(tab)
            self._watching.start(self._wait_for_the_end_of(tab, self._gone))

    async def _wait_for_the_end_of(self, tab: str, gone: Callable[[str], None]) -> None:
        (await hold(f"{self._name}.tab.{tab}"))()
        self._watched.discard(tab)
        gone(tab)


async def carried_out(handler: Handler, name: str, args: str) -> dict[str, Any]:
    """Call a handler; return its result, or its error, as they go to another tab."""
    try:
        return {"result": await handler(name, args)}
    except Exception as error:
        return {"error": error_to_wire(error)}
