"""The tasks that keep a page, or its worker, from answering, as Chromium's trace has them.

A task counts by the processor's time that it has taken: what else the machine does makes it no longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.bench.stage import BenchError, Rows
from tests.browser.world import Device

TRACED = ("toplevel", "blink.user_timing")
TRACE_KB = 1_000_000
"""A first sync of many notes is many tasks."""

TASKS = ("RunTask", "ThreadControllerImpl::RunTask")
ASKED = "DevToolsSession"
"""Of what is done because the bench asks for it, and no person would."""

HERE = "web5-bench"
"""A mark by which the page's process is found in a trace."""

MAIN, WORKER = "CrRendererMain", "DedicatedWorker thread"
LONG_MS = 50
QUIET_SECONDS = 2.0
"""After a scene: what it leads to is part of it."""


class Figures(Rows):
    """Rows of a name, a value, and its unit."""

    def add_tasks(self, scene: str, tasks: list[float]) -> None:
        """Add the tasks over 50 ms of a scene: their number, and the longest."""
        self.rows.append((f"{scene}: tasks over 50 ms", len(tasks), ""))
        self.rows.append((f"{scene}: the longest of them", max(tasks, default=0), "ms"))


@asynccontextmanager
async def scene(device: Device, figures: Figures, name: str, *, worker: bool = False) -> AsyncIterator[None]:
    """Note what kept the main thread during the block and shortly after it.

    Parameters:
        worker: note the worker's longest task, too.
    """
    browser = device.context.browser
    assert browser is not None
    session, events, complete = await browser.new_browser_cdp_session(), list[dict[str, Any]](), asyncio.Event()
    session.on("Tracing.dataCollected", lambda found: events.extend(found["value"]))
    session.on("Tracing.tracingComplete", lambda _: complete.set())
    config = {"includedCategories": list(TRACED), "excludedCategories": ["*"], "traceBufferSizeInKb": TRACE_KB}
    await session.send("Tracing.start", {"traceConfig": config})
    yield
    await asyncio.sleep(QUIET_SECONDS)
    await device.page.evaluate("name => void performance.mark(name)", HERE)
    await session.send("Tracing.end")
    await complete.wait()
    await session.detach()
    if not any(event["name"] == HERE for event in events):
        raise BenchError(f"the trace of {name} was too long for Chromium: its end is not in it")
    figures.add_tasks(name, [ms for ms in _tasks(events, MAIN) if ms > LONG_MS])
    if worker:
        figures.rows.append((f"{name}: the worker's longest task", max(_tasks(events, WORKER), default=0), "ms"))


def _tasks(events: list[dict[str, Any]], thread: str) -> list[float]:
    """Return the milliseconds of the tasks of a page's thread, without what runs within another, or for the bench."""
    process = next(event["pid"] for event in events if event["name"] == HERE)
    threads = {
        event["tid"]
        for event in events
        if event["name"] == "thread_name" and event["pid"] == process and event["args"]["name"].startswith(thread)
    }
    here = [event for event in events if event["pid"] == process and event["tid"] in threads and "tdur" in event]
    asked = {event["ts"] for event in here if ASKED in str(event.get("args"))}
    tasks = [event for event in here if event["name"] in TASKS]
    found, end = list[float](), dict[int, float]()
    for task in sorted(tasks, key=lambda task: (task["ts"], -task["dur"])):
        if task["ts"] >= end.get(task["tid"], 0):
            end[task["tid"]] = until = task["ts"] + task["dur"]
            if task["tdur"] <= LONG_MS * 1000 or not any(task["ts"] <= moment < until for moment in asked):
                found.append(task["tdur"] / 1000)
    return found
