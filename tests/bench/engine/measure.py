"""Engine throughput, part of `build.py bench`: ours on CPython and in Chromium, the reference in Node and in Chromium.

One tenant with 1,000, 10,000 and 100,000 records. Messages are signed before the clock starts and verified while it
runs. Filling the reference with 100,000 records takes many minutes, so it stops at 10,000 unless every size is asked
for.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from playwright.async_api import async_playwright

from tests.bench.engine.steps import Steps
from tests.bench.stage import CHROMIUM, ROOT, SHELL, WORKER, say
from tests.chromium import FLAGS
from tests.interop.reference import reference_script
from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.dwn.store.database import open_file
from web5.node.http.server import listen
from web5.node.static import create_site

HERE = Path(__file__).parent
SDK_BUNDLE = ROOT / "tests/interop/node_modules/@tbd54566975/dwn-sdk-js/dist/bundles/dwn.js"
WARM_UP = 25
STEPS: dict[str, tuple[str, dict[str, int]]] = {
    "write": ("write", {"count": 100}),
    "write, 10 in flight": ("write_at_once", {"count": 100, "at_once": 10}),
    "read": ("read", {"count": 100}),
    "query, newest 20": ("query", {"count": 50}),
    "events to 50 subscribers": ("fan_out", {"count": 20, "subscribers": 50}),
}

Call = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        records: of the tenant, one size after the other.
        of_reference: those of them that the reference is filled to in time.
        effort: share of the operations that are timed.
    """

    records: tuple[int, ...]
    of_reference: tuple[int, ...]
    effort: float = 1.0

    def count(self, full: int) -> int:
        """Return how many operations to time; those that write are soon enough for a query's newest 20."""
        return max(min(full, 10), round(full * self.effort))


SIZES = {
    "full": Sizes((1_000, 10_000, 100_000), (1_000, 10_000)),
    "every": Sizes((1_000, 10_000, 100_000), (1_000, 10_000, 100_000)),
    "quick": Sizes((50, 100), (50, 100), effort=0.1),
}


@dataclass(frozen=True)
class Side:
    """An engine on a platform."""

    name: str
    open: Callable[[], AbstractAsyncContextManager[Call]]
    is_reference: bool = False


@dataclass
class Figures:
    """Everything that was measured: operations a second by row, number of records and side; higher is better."""

    values: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)

    def add(self, name: str, size: int, side: Side, per_second: float) -> None:
        self.values.setdefault((name, size), {})[side.name] = per_second

    def text(self) -> str:
        """The table, with how far ahead of the reference in the same browser ours is."""
        heads = " ".join(f"{side.name:>20}" for side in SIDES)
        lines = [f"{'operations a second':26} {'records':>8} {heads} {'ratio':>7}"]
        for (name, size), values in self._rows():
            cells = [f"{values[side.name]:20,.0f}" if side.name in values else " " * 20 for side in SIDES]
            ours, theirs = (values.get(side.name) for side in SIDES if "Chromium" in side.name)
            ratio = f"{ours / theirs:6.1f}x" if ours and theirs else ""
            lines.append(f"{name:26} {size:8,} {' '.join(cells)} {ratio:>7}".rstrip())
        return "\n".join(lines)

    def as_json(self) -> list[dict[str, Any]]:
        return [{"name": name, "records": size, "per_second": values} for (name, size), values in self._rows()]

    def _rows(self) -> list[tuple[tuple[str, int], dict[str, float]]]:
        return sorted(self.values.items(), key=lambda row: list(STEPS).index(row[0][0]))


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table, one after the other."""
    for side in SIDES:
        async with side.open() as call:
            await call("open", store="bench-engine")
            await call("fill", start=0, count=WARM_UP)
            for step, arguments in STEPS.values():  # what is slow only the first time
                await call(step, **{**arguments, "count": sizes.count(WARM_UP)})
            filled = WARM_UP
            for size in sizes.of_reference if side.is_reference else sizes.records:
                say(f"engine: {side.name}, {size:,} records")
                await call("fill", start=filled, count=size)
                filled = size
                for name, (step, arguments) in STEPS.items():
                    timed = {**arguments, "count": sizes.count(arguments["count"])}
                    figures.add(name, size, side, (await call(step, **timed))["per_second"])


@asynccontextmanager
async def _ours_on_cpython() -> AsyncIterator[Call]:
    with tempfile.TemporaryDirectory() as folder:

        async def open_parts(store: str) -> dict[str, Any]:
            database = open_file(Path(folder) / f"{store}.sqlite3")
            return {"database": database, "blobs": FileBlobs(Path(folder) / store), "crypto": CPythonCrypto()}

        steps = Steps(open_parts)

        async def call(step: str, **arguments: Any) -> Any:
            return await getattr(steps, step)(**arguments)

        yield call


@asynccontextmanager
async def _theirs_in_node() -> AsyncIterator[Call]:
    with tempfile.TemporaryDirectory() as folder:
        async with reference_script(str(HERE / "node.mjs"), BENCH_FOLDER=folder) as script:
            yield script.call


@asynccontextmanager
async def _in_chromium(page_name: str) -> AsyncIterator[Call]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(_served(_site(folder)))
        playwright = await stack.enter_async_context(async_playwright())
        # A profile on the disk, as users have one: IndexedDB of a private window lies in memory.
        context = await playwright.chromium.launch_persistent_context(
            folder / "profile", executable_path=CHROMIUM, args=FLAGS
        )
        stack.push_async_callback(context.close)
        page = await context.new_page()
        page.on("console", lambda message: print(f"  page: {message.text}", file=sys.stderr))
        await page.goto(f"{origin}/engine-{page_name}.html")
        await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)

        async def call(step: str, **arguments: Any) -> Any:
            result: str = await page.evaluate("([name, args]) => bench(name, args)", [step, json.dumps(arguments)])
            return json.loads(result)

        yield call


def _site(folder: Path) -> Path:
    """A copy of the built site with the bench's two pages; the app's own settings start the same interpreters."""
    site = folder / "site"
    shutil.copytree(ROOT / "dist/site", site)
    pyscript = next(site.glob("pyscript-*")).name
    for page in ("ours", "peer"):
        text = (HERE / f"{page}.html").read_text().replace("pyscript/", f"{pyscript}/")
        (site / f"engine-{page}.html").write_text(text)
    (site / "engine-page.json").write_text(json.dumps(SHELL))
    (site / "engine-worker.json").write_text(json.dumps({**WORKER, "files": {"./steps.py": "./steps.py"}}))
    for script in ("worker.py", "steps.py", "steps.mjs", "peer.mjs"):
        shutil.copy(HERE / script, site)
    shutil.copy(SDK_BUNDLE, site / "dwn.mjs")
    return site


@asynccontextmanager
async def _served(site: Path) -> AsyncIterator[str]:
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_site(site), log_level="warning"))
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield f"http://localhost:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


SIDES = (
    Side("web5-py, CPython", _ours_on_cpython),
    Side("dwn-sdk-js, Node", _theirs_in_node, is_reference=True),
    Side("web5-py, Chromium", lambda: _in_chromium("ours")),
    Side("dwn-sdk-js, Chromium", lambda: _in_chromium("peer"), is_reference=True),
)
