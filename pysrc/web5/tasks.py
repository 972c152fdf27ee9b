"""Helpers for asyncio tasks and callbacks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def off_the_loop(work: Callable[[], T]) -> T:
    """Do what may wait for a disk in a thread; a browser has none, but its files of this kind are in memory."""
    return work() if sys.platform == "emscripten" else await asyncio.to_thread(work)


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Run work to its end, though the caller be cancelled meanwhile; that is raised afterwards."""
    task = asyncio.ensure_future(work)
    if (cancelled := await _end_of(task)) is not None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            report("work failed whose caller was cancelled", failure)
        raise cancelled
    task.result()


async def outlasting(work: asyncio.Future[T], working: set[asyncio.Future[Any]]) -> T:
    """Return what work in a thread returns; a caller that is cancelled meanwhile waits for its end, too.

    Parameters:
        working: has it until then, for whoever closes what it uses.
    """
    working.add(work)
    work.add_done_callback(working.discard)
    if (cancelled := await _end_of(work)) is not None:
        if not work.cancelled():
            work.exception()  # nobody asks for it any more
        raise cancelled
    return work.result()


async def _end_of(work: asyncio.Future[Any]) -> asyncio.CancelledError | None:
    """Return once work is done, however often its caller is cancelled meanwhile, with the last cancellation.

    The server's task groups cancel at each turn of the loop.
    """
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


def notify(doing: str, callbacks: Iterable[Callable[P, object]], *arguments: P.args, **keywords: P.kwargs) -> None:
    """Call every callback; an exception of one is reported and stops nothing.

    Parameters:
        doing: the message of the report, see `report`.
    """
    for callback in tuple(callbacks):
        try:
            callback(*arguments, **keywords)
        except Exception as error:
            report(doing, error)


def report(message: str, error: BaseException) -> None:
    """Pass a failure for which nobody waits to the event loop's exception handler."""
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})


class Closable(Protocol):
    """Something that is open until it is closed; closing it twice is no error."""

    async def close(self) -> None: ...


async def close_all(open_ones: Iterable[Closable]) -> None:
    """Close each of them, whatever becomes of the others."""
    async with AsyncExitStack() as stack:
        for one in open_ones:
            stack.push_async_callback(one.close)


class TaskSet:
    """Background tasks, kept from being collected as garbage; the failure of one is reported.

    Parameters:
        failed: the message of the report, see `report`.
    """

    def __init__(self, failed: str = "background work failed") -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str | None = None) -> None:
        """Run work, in the place of what runs by the same name."""
        for task in self._tasks:
            if name is not None and task.get_name() == name:
                task.cancel()
        self.keep(asyncio.create_task(work, name=name))

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Keep a task that runs already."""
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def join(self) -> None:
        """Wait for those that run now."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Cancel all of them, and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await self.join()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            report(self._failed, error)
