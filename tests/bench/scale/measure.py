"""Many notes, part of `build.py bench`: what the page asks while most of them wait for a node, their first sync, and
a later visit to the page that has them.

On CPython, and in Chromium in the notes page itself, with our own node. What is asked while sync runs takes as long
with many notes as with few, and three times the notes take three times as long to sync. A page with 50,000 notes opens
within a second more than an empty one, and its process has less than 500 MB.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.bench.stage import CHROMIUM, ROOT, SHELL, WORKER, BenchError, embedded_defaults, open_device, say
from tests.chromium import FLAGS
from web5 import Web5

sys.path.append(str(ROOT / "web"))

from tests.bench.scale.steps import Steps

HERE = Path(__file__).parent
NODE = "dwn0"
OFF = "localStorage.setItem('web5-sync-mode', 'off')"
SYNCED = "a note of the first sync"
IDLE = "a visit with nothing to do"
OPENED = "until notes are shown"
MEMORY = "memory of its process, MB"
LATER = "a later visit"


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        notes: that wait for the node, one size after the other, each on a device of its own.
        repeat: how often each question is asked.
        kept: notes on devices that are opened again, in turn; the first of them has next to nothing.
        openings: of each of them.
    """

    notes: tuple[int, ...]
    repeat: int
    kept: tuple[int, ...]
    openings: int


SIZES = {
    "full": Sizes((1_000, 3_000, 10_000), 20, (1, 10_000, 50_000), 5),
    "every": Sizes((1_000, 3_000, 10_000, 30_000), 20, (1, 10_000, 50_000, 100_000), 10),
    "quick": Sizes((20, 60), 3, (1, 60), 1),
}


@dataclass
class Figures:
    """Everything that was measured: milliseconds by row, platform and number of notes; lower is better."""

    values: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    def add(self, name: str, platform: str, notes: int, ms: float) -> None:
        self.values.setdefault((name, platform), {})[notes] = ms

    def text(self) -> str:
        """The table, with how much longer it takes with the most notes than with the fewest."""
        sizes = sorted({size for row in self.values.values() for size in row})
        lines = [f"{'with so many notes':44} " + " ".join(f"{size:>10,}" for size in sizes) + f" {'grown':>8}"]
        for (name, platform), row in self.values.items():
            cells = " ".join(f"{row[size]:10.2f}" if size in row else " " * 10 for size in sizes)
            few, many = row[min(row)], row[max(row)]
            grown = f"{many / few:.1f}x" if few else ""
            lines.append(f"{f'{name}, {platform}':44} {cells} {grown:>8}".rstrip())
        return "\n".join([*lines, "milliseconds, but for memory; medians, but the first sync, which is a whole run"])

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "platform": platform, "notes": notes, "ms": ms}
            for (name, platform), row in self.values.items()
            for notes, ms in row.items()
        ]


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table, one after the other."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(_site(folder), folder / "data"))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.push_async_callback(browser.close)
        for notes in sizes.notes:
            say(f"scale: {notes:,} notes, CPython")
            await _on_cpython(origin, folder / f"device-{notes}", notes, sizes.repeat, figures)
            say(f"scale: {notes:,} notes, Chromium")
            await _in_chromium(browser, origin, notes, sizes.repeat, figures)
        await _later_visits(browser, origin, sizes, figures)


def _add(figures: Figures, platform: str, notes: int, asked: dict[str, float]) -> None:
    for name, ms in asked.items():
        figures.add(name, platform, notes, ms)


async def _on_cpython(origin: str, folder: Path, notes: int, repeat: int, figures: Figures) -> None:
    async def connect(**options: Any) -> Web5:
        return (await Web5.connect(sync="off", data_path=folder, allow_local=True, **options)).web5

    steps = Steps(connect)
    await steps.open(dwn_endpoints=[f"{origin}/{NODE}"], did_dht_gateways=[f"{origin}/dht"])
    try:
        await steps.fill(notes)
        _add(figures, "CPython", notes, await steps.ask(repeat))
        figures.add(SYNCED, "CPython", notes, await steps.sync() / notes)
        figures.add(IDLE, "CPython", notes, statistics.median([await steps.sync() for _ in range(repeat)]))
    finally:
        await steps.web5.close()


async def _in_chromium(browser: Browser, origin: str, notes: int, repeat: int, figures: Figures) -> None:
    context = await browser.new_context()
    try:
        await context.add_init_script(OFF)
        call = await open_device(context, f"{origin}/scale.html")
        await call("open", dwn_endpoints=[f"{origin}/{NODE}"], did_dht_gateways=[f"{origin}/dht"])
        await call("fill", count=notes)
        _add(figures, "Chromium", notes, await call("ask", repeat=repeat))
        await context.pages[0].close()
        page = await context.new_page()
        await page.goto(origin)
        await page.wait_for_function("document.querySelector('#note-list > li') !== null", timeout=120_000)
        each = [
            await _asked(page, "create_note", text=str(at), created=time.time_ns() // 1000) for at in range(2 * repeat)
        ]
        # A page that has just opened has other things to do: the first writes do not count.
        figures.add("a write", "the page", notes, statistics.median(each[repeat:]))
        figures.add(SYNCED, "the page", notes, await _asked(page, "sync_now") / notes)
        figures.add(IDLE, "the page", notes, statistics.median([await _asked(page, "sync_now") for _ in range(repeat)]))
    finally:
        await context.close()


async def _later_visits(browser: Browser, origin: str, sizes: Sizes, figures: Figures) -> None:
    """Open the page again and again, on one device after the other."""
    devices: dict[int, BrowserContext] = {}
    for notes in sizes.kept:
        say(f"scale: a device that keeps {notes:,} notes")
        devices[notes] = await browser.new_context()
        await devices[notes].add_init_script(OFF)
        call = await open_device(devices[notes], f"{origin}/scale.html")
        await call("open", dwn_endpoints=[f"{origin}/{NODE}"], did_dht_gateways=[f"{origin}/dht"])
        await call("fill", count=notes)
        await devices[notes].pages[0].close()
    taken: dict[int, list[tuple[float, float]]] = {notes: [] for notes in devices}
    for _ in range(sizes.openings):
        for notes, context in devices.items():
            page = await context.new_page()
            start = time.perf_counter()
            await page.goto(origin)
            await page.wait_for_function("document.querySelector('#note-list > li') !== null", timeout=120_000)
            taken[notes].append(((time.perf_counter() - start) * 1000, await _largest_page(browser)))
            await page.close()
    for notes, found in taken.items():
        figures.add(OPENED, LATER, notes, statistics.median(ms for ms, _ in found))
        figures.add(MEMORY, LATER, notes, statistics.median(size for _, size in found))
        await devices[notes].close()


async def _largest_page(browser: Browser) -> float:
    """The memory that the largest of the browser's pages has for itself, in MB; 0 where that cannot be read."""
    session = await browser.new_browser_cdp_session()
    found = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    await session.detach()
    return max((_private(one["id"]) for one in found if one["type"] == "renderer"), default=0)


def _private(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


async def _asked(page: Page, name: str, **arguments: Any) -> float:
    """Ask the page's agent; milliseconds until the answer."""
    ms, answer = await page.evaluate(
        """async ([name, args]) => {
          const start = performance.now();
          const answer = await web5Ask(name, args);
          return [performance.now() - start, answer];
        }""",
        [name, json.dumps(arguments)],
    )
    if name == "sync_now" and not json.loads(answer)["ok"]:
        raise BenchError(f"sync failed in the page: {answer[:500]}")
    return float(ms)


def _site(folder: Path) -> Path:
    """A copy of the built site with the bench's page, which works in the store of the notes page."""
    site = folder / "site"
    shutil.copytree(ROOT / "dist/site", site)
    pyscript = next(site.glob("pyscript-*")).name
    (site / "scale.html").write_text((HERE / "ours.html").read_text().replace("pyscript/", f"{pyscript}/"))
    (site / "scale-page.json").write_text(json.dumps(SHELL))
    (site / "scale-worker.json").write_text(json.dumps({**WORKER, "files": {"./steps.py": "./steps.py"}}))
    for script in ("worker.py", "steps.py"):
        shutil.copy(HERE / script, site)
    return site
