"""How soon a page is there, part of `build.py bench`: web5-py and web5-js in turn, each in a new profile of Chromium.

Beside what a person sees (something painted, the page answering, the node ready), the trace of our worker: what was
done when, in milliseconds after the navigation. First visits are made from this machine, and over a slow line (`line`);
ours alone in a slowed browser, too (`slowed`).
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, BrowserType, Page, async_playwright

from tests.bench.stage import CHROMIUM, FILL, BenchError, embedded_defaults, say, site_with_bench
from tests.bench.start.line import Line, through
from tests.bench.start.slowed import slowed
from tests.chromium import FLAGS
from tests.interop.dwn_server import reference_dwn_server

APP = Path(__file__).parents[1] / "app"
"""The pages of both sides are those of the app's bench."""

SETTLE_SECONDS = 1.5
"""Between visits: the page before ends its worker, and Chromium writes the compiled code to disk."""

READY_LISTENER = """
    const events = new BroadcastChannel('web5-events');
    events.onmessage = ({ data }) => {
      const event = typeof data === 'string' ? JSON.parse(data) : data;
      if (event.type === 'boot' && event.step === 'ready') globalThis.nodeReady ??= performance.now();
    };
"""
MAKE_SNAPSHOT = """() => new Promise((resolve, reject) => {
  const worker = new Worker("boot/agent.mjs", { type: "module", name: "web5-snapshot" });
  worker.onerror = reject;
  worker.onmessage = ({ data: { error } }) => {
    worker.terminate();
    error ? reject(error) : resolve();
  };
})"""
"""What the page does by itself once it has been idle (web/boot/idle.mjs)."""

MARKS = """() => {
  const marks = performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime]);
  const downloaded = Math.max(0, ...performance.getEntriesByType("resource").map(({ responseEnd }) => responseEnd));
  return { origin: performance.timeOrigin, marks: [["web5-downloads", downloaded], ...marks] };
}"""

VISITS = {"cold": "first visit", "again": "later, without a snapshot", "later": "later"}
SLOW = "first visit, slow line"
SLOWED = ("first visit, slowed", "later, slowed")
SHELL = "web5-shell"
"""The page's own mark, once its Python has run."""
PHASES = {
    "web5-worker": "worker started",
    "web5-program": "its program there",
    "web5-downloads": "everything downloaded",
    "web5-script": "Pyodide's script",
    "web5-runtime": "Pyodide compiled",
    "web5-extensions": "side modules compiled",
    "web5-archives": "archives there",
    "web5-files": "files laid out",
    "web5-instantiated": "Pyodide instantiated",
    "web5-python": "Python started or restored",
    "web5-store-0": "everything imported",
    "web5-store-1": "pages read, database open",
    "web5-store-2": "vault and agent open",
    "web5-identity-0": "identity being opened",
    "web5-ready-1": "node ready",
}
"""The names of the worker's marks, in the order in which they mostly come."""


SLOW_LINE = Line(bits_per_second=10e6, round_trip=0.040)
QUICK_LINE = Line(bits_per_second=200e6, round_trip=0.010)


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        launches: new profiles of each side, and on each one first visit.
        notes: how many records are in the store on later visits; for each number the launches are made.
        slow_launches: first visits of each side over the slow line.
        line: that line.
        slowed_launches: new profiles of ours in a slowed browser.
        slower: how many times it is slower.
    """

    launches: int
    notes: tuple[int, ...] = (0,)
    slow_launches: int = 5
    line: Line = SLOW_LINE
    slowed_launches: int = 3
    slower: float = 6


SIZES = {
    "full": Sizes(launches=10),
    "quick": Sizes(launches=1, slow_launches=1, line=QUICK_LINE, slowed_launches=1, slower=1.5),
    "every": Sizes(launches=10, notes=(0, 10_000, 50_000)),
}


@dataclass
class Figures:
    """Everything that was measured, in milliseconds; lower is better.

    Attributes:
        seen: by what a person sees and the visit, for each side all of them.
        phases: by phase and visit.
    """

    seen: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict)
    phases: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, what: str, visit: str, side: str, ms: float) -> None:
        self.seen.setdefault((what, visit), {}).setdefault(side, []).append(ms)

    def add_phases(self, visit: str, marks: Mapping[str, float]) -> None:
        for name, ms in marks.items():
            if name in PHASES:
                self.phases.setdefault((PHASES[name], visit), []).append(ms)

    def text(self) -> str:
        """Both tables."""
        lines = [f"{'':54} {'web5-py':>10} {'web5-js':>10} {'ratio':>8}"]
        for (what, visit), sides in self.seen.items():
            medians = {side: statistics.median(values) for side, values in sides.items()}
            ours, peer = medians.get("ours"), medians.get("peer")
            ratio = f"{peer / ours:.2f}x" if ours and peer else ""
            cells = " ".join(f"{value:10.0f}" if value is not None else " " * 10 for value in (ours, peer))
            lines.append(f"{f'{what}, {visit}':54} {cells} {ratio:>8}".rstrip())
        visits = list(dict.fromkeys(visit for _, visit in self.phases))
        for visit in visits:
            lines += ["", f"our worker, {visit}"]
            found = [(name, statistics.median(ms)) for (name, of), ms in self.phases.items() if of == visit]
            lines += [f"  {name:52} {ms:10.0f}" for name, ms in sorted(found, key=lambda one: one[1])]
        return "\n".join([*lines, "milliseconds after the navigation; medians"])

    def as_json(self) -> list[dict[str, Any]]:
        seen = [
            {"what": what, "visit": visit, "side": side, "ms": ms}
            for (what, visit), sides in self.seen.items()
            for side, ms in sides.items()
        ]
        phases = [{"what": name, "visit": visit, "side": "ours", "ms": ms} for (name, visit), ms in self.phases.items()]
        return seen + phases


class Bench:
    def __init__(self, chromium: BrowserType, origin: str, dwn_server: str, figures: Figures) -> None:
        self._chromium = chromium
        self._origin = origin
        self._dwn_server = dwn_server
        self._figures = figures

    async def run(self, sizes: Sizes) -> None:
        for notes in sizes.notes:
            for number in range(sizes.launches):
                say(f"start: {notes:,} notes, launch {number + 1} of {sizes.launches}")
                await self._our_launch(notes)
                await self._their_launch(notes)
        async with through(sizes.line, int(urlsplit(self._origin).port or 80)) as port:
            origin = f"http://localhost:{port}"
            for number in range(sizes.slow_launches):
                say(f"start: slow line, launch {number + 1} of {sizes.slow_launches}")
                async with self._profile() as context:
                    await context.add_init_script(READY_LISTENER)
                    await self._add(SLOW, await _our_visit(context, origin))
                async with self._profile() as context:
                    await self._their_visit(context, origin, SLOW)
        for number in range(sizes.slowed_launches):
            say(f"start: slowed, launch {number + 1} of {sizes.slowed_launches}")
            async with self._profile() as context:
                await context.add_init_script(READY_LISTENER)
                for name in SLOWED:
                    async with slowed(sizes.slower):
                        page = await _our_visit(context, self._origin)
                    await self._add(name, page)
                    await page.evaluate(MAKE_SNAPSHOT)
                    await asyncio.sleep(SETTLE_SECONDS)
                    await page.close()
                    await asyncio.sleep(SETTLE_SECONDS)

    async def _our_launch(self, notes: int) -> None:
        async with self._profile() as context:
            await context.add_init_script(READY_LISTENER)
            for visit in VISITS:
                page = await _our_visit(context, self._origin)
                if visit != "cold" or not notes:
                    await self._add(_named(visit, notes if visit != "cold" else 0), page)
                if visit == "cold" and notes:
                    [worker] = page.workers
                    await worker.evaluate("code => pyodide.runPythonAsync(code)", FILL.replace("COUNT", str(notes)))
                if visit == "again":
                    await page.evaluate(MAKE_SNAPSHOT)
                await page.close()
                await asyncio.sleep(SETTLE_SECONDS)

    async def _their_launch(self, notes: int) -> None:
        if notes:
            return  # it reads what is stored when it is asked for
        async with self._profile() as context:
            for visit in ("cold", "later"):
                page = await self._their_visit(context, self._origin, _named(visit, 0))
                await page.close()
                await asyncio.sleep(SETTLE_SECONDS)

    async def _add(self, name: str, page: Page) -> None:
        """Add the figures of a visit of ours."""
        answering = float(await page.evaluate("name => performance.getEntriesByName(name)[0].startTime", SHELL))
        self._figures.add("node ready", name, "ours", float(await page.evaluate("nodeReady")))
        self._figures.add("page answering", name, "ours", answering)
        self._figures.add("page painted", name, "ours", await _painted(page))
        self._figures.add_phases(name, await _marks(page))

    async def _their_visit(self, context: BrowserContext, origin: str, name: str) -> Page:
        """Visit theirs, whose page answers when its node does."""
        page = await context.new_page()
        await page.goto(f"{origin}/bench-peer.html")
        await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)
        connect = "endpoints => bench('connect', JSON.stringify({ endpoints })).catch(() => 0)"
        await page.evaluate(connect, [self._dwn_server])
        self._figures.add("node ready", name, "peer", float(await page.evaluate("performance.now()")))
        self._figures.add("page painted", name, "peer", await _painted(page))
        return page

    @asynccontextmanager
    async def _profile(self) -> AsyncIterator[BrowserContext]:
        """A device with a profile on disk: only there Chromium keeps compiled code from one visit to the next."""
        with tempfile.TemporaryDirectory() as folder:
            context = await self._chromium.launch_persistent_context(folder, executable_path=CHROMIUM, args=FLAGS)
            try:
                yield context
            finally:
                await context.close()


async def _our_visit(context: BrowserContext, origin: str) -> Page:
    """Visit ours, until its node is ready."""
    page = await context.new_page()
    await page.goto(origin)
    await page.wait_for_function("globalThis.nodeReady !== undefined", timeout=120_000)
    return page


def _named(visit: str, notes: int) -> str:
    return VISITS[visit] + (f", {notes:,} notes" if notes else "")


async def _painted(page: Page) -> float:
    return float(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"))


async def _marks(page: Page) -> dict[str, float]:
    """When our worker did what, after the page's navigation began."""
    [worker] = page.workers
    found = await worker.evaluate(MARKS)
    later = found["origin"] - float(await page.evaluate("performance.timeOrigin"))
    marks = {"web5-worker": later, **{name: ms + later for name, ms in found["marks"]}}
    if missing := {"web5-runtime", "web5-python", "web5-store-1"} - set(marks):
        raise BenchError(f"our worker has no mark {', '.join(sorted(missing))}: the phases would mean nothing")
    return marks


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(site_with_bench(folder, APP), folder / "data"))
        dwn_server = await stack.enter_async_context(
            reference_dwn_server(data_dir=folder / "dwn-server", gateway_url=f"{origin}/dht")
        )
        playwright = await stack.enter_async_context(async_playwright())
        await Bench(playwright.chromium, origin, dwn_server, figures).run(sizes)
