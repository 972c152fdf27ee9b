"""What many open tabs cost, part of `build.py bench`: memory of each tab's process, and how soon another takes over.

The memory of a tab is what the PSS of all processes that render pages has grown by, once it was open and at rest: the
proportional set size of the Linux kernel, in which what processes share counts in shares. Milliseconds of a takeover
are from the end of the leading tab to a note that another has saved.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright

from tests.bench.stage import CHROMIUM, ROOT, embedded_defaults, say
from tests.bench.stage import Rows as Figures
from tests.chromium import FLAGS

SETTLE_SECONDS = 4.0
"""Until a browser has given back what a start needed for a moment, and a successor has started."""

SHOWN = "() => performance.getEntriesByName('web5-ready').length && document.getElementById('boot').hidden"
WRITE = """async (text) => {
  const created = Date.now() * 1000;
  await web5Ask("create_note", JSON.stringify({ text, created }));
}"""


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        tabs: that are open at once.
        takeovers: leading tabs that are closed, one after the other.
    """

    tabs: int
    takeovers: int


SIZES = {"full": Sizes(tabs=10, takeovers=5), "quick": Sizes(tabs=3, takeovers=1)}


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(ROOT / "dist/site", folder / "data"))
        playwright = await stack.enter_async_context(async_playwright())
        context = await playwright.chromium.launch_persistent_context(
            folder / "profile", executable_path=CHROMIUM, args=FLAGS
        )
        stack.push_async_callback(context.close)
        assert context.browser is not None
        cdp = await context.browser.new_browser_cdp_session()
        await _tabs(context, cdp, origin, sizes, figures)


async def _tabs(context: BrowserContext, cdp: CDPSession, origin: str, sizes: Sizes, figures: Figures) -> None:
    tabs: list[Page] = []
    first_content: list[float] = []
    memory = [await _memory(cdp)]
    for number in range(sizes.tabs):
        say(f"tabs: tab {number + 1} of {sizes.tabs}")
        page = await context.new_page()
        await page.goto(origin)
        await page.wait_for_function(SHOWN, timeout=60_000)
        first_content.append(float(await page.evaluate("performance.getEntriesByName('web5-ready')[0].startTime")))
        tabs.append(page)
        if number in (0, 1, sizes.tabs - 1):
            memory.append(await _memory(cdp))
    none, one, two, all_of_them = memory
    figures.rows.append(("the leading tab", one - none, "MB"))
    figures.rows.append(("the tab that is to lead next", two - one, "MB"))
    figures.rows.append(("each tab that waits", (all_of_them - two) / (sizes.tabs - 2), "MB"))
    figures.rows.append((f"all {sizes.tabs} tabs", all_of_them - none, "MB"))
    figures.rows.append(("first tab, page load to ready", first_content[0], "ms"))
    figures.rows.append(("another tab, page load to ready, median", statistics.median(first_content[1:]), "ms"))
    took = []
    for number in range(sizes.takeovers):
        say(f"tabs: takeover {number + 1} of {sizes.takeovers}")
        leader = tabs.pop(0)
        begun = time.perf_counter()
        await leader.close()
        await tabs[-1].evaluate(WRITE, f"after takeover {number}")
        took.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(SETTLE_SECONDS)
    figures.rows.append(("another tab takes over, median", statistics.median(took), "ms"))
    figures.rows.append(("another tab takes over, longest", max(took), "ms"))


async def _memory(cdp: CDPSession) -> float:
    """All processes that render pages, at rest, in MB."""
    await asyncio.sleep(SETTLE_SECONDS)
    found = await cdp.send("SystemInfo.getProcessInfo")
    return sum(_pss(process["id"]) for process in found["processInfo"] if process["type"] == "renderer")


def _pss(process: int) -> float:
    """A process's proportional set size in MB; 0 if it is just gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
