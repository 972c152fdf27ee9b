"""A browser that runs for a part of the time only, as on a slow phone: its processes are stopped and continued.

Chromium's own throttle of the processor leaves workers alone.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

RUN_SECONDS = 0.01
"""The time for which the processes run; then they are stopped for so much longer that they are as slow as is wanted."""

LOOK_AGAIN = 10
"""Turns after which new processes are looked for."""


@asynccontextmanager
async def slowed(times: float) -> AsyncIterator[None]:
    """Slow down all browsers that were started from this process, in the block."""
    slowing = asyncio.ensure_future(_slow_down(RUN_SECONDS * (times - 1)))
    try:
        yield
    finally:
        slowing.cancel()
        await asyncio.wait([slowing])


async def _slow_down(stopped_seconds: float) -> None:
    turn, browsers = 0, list[int]()
    try:
        while True:
            if turn % LOOK_AGAIN == 0:
                browsers = _browsers()
            turn += 1
            _signal(browsers, signal.SIGSTOP)
            await asyncio.sleep(stopped_seconds)
            _signal(browsers, signal.SIGCONT)
            await asyncio.sleep(RUN_SECONDS)
    finally:
        _signal(browsers, signal.SIGCONT)


def _signal(processes: list[int], which: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, which)


def _browsers() -> list[int]:
    """Return the processes below this one that are Chromium's."""
    parents, commands = dict[int, int](), dict[int, bytes]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            process = int(folder.name)
            commands[process] = (folder / "cmdline").read_bytes()
            parents[process] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    of_chromium = (b"--user-data-dir=", b"--type=")
    found = [process for process, command in commands.items() if any(one in command for one in of_chromium)]
    return [process for process in found if _is_ours(process, parents)]


def _is_ours(process: int, parents: dict[int, int]) -> bool:
    while process in parents and process != os.getpid():
        process = parents[process]
    return process == os.getpid()
