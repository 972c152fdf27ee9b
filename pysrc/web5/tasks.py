"""Helpers for asyncio tasks and callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ParamSpec

P = ParamSpec("P")


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Return when one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


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


class TaskSet:
    """Background tasks. The event loop alone would not keep them from being collected as garbage."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def join(self) -> None:
        """Wait for those that run now; their errors stay theirs."""
        if self._tasks:
            await asyncio.wait(self._tasks)
