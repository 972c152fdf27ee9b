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
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from playwright.async_api import async_playwright

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "pysrc")]

from tests.bench.engine.steps import Steps  # noqa: E402
from tests.bench.stage import CHROMIUM, WORKER, say  # noqa: E402
from tests.chromium import FLAGS  # noqa: E402
from tests.interop.reference import ReferenceScript  # noqa: E402
from web5.cpython.blobs import FileBlobs  # noqa: E402
from web5.cpython.crypto import CPythonCrypto  # noqa: E402
from web5.dwn.store.database import open_file  # noqa: E402
from web5.node.serve import listen  # noqa: E402
from web5.node.static import create_site  # noqa: E402

HERE = Path(__file__).parent
SDK_BUNDLE = ROOT / "tests/interop/node_modules/@tbd54566975/dwn-sdk-js/dist/bundles/dwn.js"
WARM_UP = 25
SIZES = (1_000, 10_000, 100_000)
STEPS: dict[str, tuple[str, dict[str, int]]] = {
    "write": ("write", {"count": 100}),
    "write, 10 in flight": ("write_at_once", {"count": 100, "at_once": 10}),
    "read": ("read", {"count": 100}),
    "query, newest 20": ("query", {"count": 50}),
    "events to 50 subscribers": ("fan_out", {"count": 20, "subscribers": 50}),
}

Call = Callable[..., Awaitable[Any]]


@dataclass
class Row:
    """One line of the table: something done with so many records in the tenant, and how often a second on each side."""

    name: str
    size: int
    per_second: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """An engine on a platform. `sizes` are those it can be filled to in the time that a bench may take."""

    name: str
    sizes: tuple[int, ...]
    open: Callable[[], Any]


async def measure(*, quick: bool = False, every_size: bool = False) -> list[Row]:
    """All rows.

    Parameters:
        quick: a tenth of the records, for a look.
        every_size: also those that the reference needs many minutes to be filled to.
    """
    rows: dict[tuple[str, int], Row] = {}
    scale = 10 if quick else 1
    for side in _sides(every_size):
        async with side.open() as call:
            await call("open", store="bench-engine")
            await call("fill", start=0, count=WARM_UP)
            for step, arguments in STEPS.values():  # what is slow only the first time
                await call(step, **{**arguments, "count": WARM_UP})
            filled = WARM_UP
            for size in side.sizes:
                say(f"engine: {side.name}, {size // scale:,} records")
                await call("fill", start=filled, count=size // scale)
                filled = size // scale
                for name, (step, arguments) in STEPS.items():
                    row = rows.setdefault((name, size), Row(name, size // scale))
                    row.per_second[side.name] = (await call(step, **arguments))["per_second"]
    return sorted(rows.values(), key=lambda row: list(STEPS).index(row.name))


def table(rows: list[Row]) -> str:
    """The rows as text: operations a second, and how far ahead of the reference in the same browser."""
    sides = [side.name for side in _sides(False)]
    lines = [
        f"{'operations a second':26} {'records':>8} " + " ".join(f"{name:>20}" for name in sides) + f" {'ratio':>7}"
    ]
    for row in rows:
        cells = [f"{row.per_second[name]:20,.0f}" if name in row.per_second else " " * 20 for name in sides]
        ours, theirs = row.per_second.get(OURS_IN_CHROMIUM), row.per_second.get(THEIRS_IN_CHROMIUM)
        ratio = f"{ours / theirs:6.1f}x" if ours and theirs else ""
        lines.append(f"{row.name:26} {row.size:8,} {' '.join(cells)} {ratio:>7}")
    return "\n".join(lines)


OURS_IN_CHROMIUM, THEIRS_IN_CHROMIUM = "web5-py, Chromium", "dwn-sdk-js, Chromium"


def _sides(every_size: bool) -> list[Side]:
    return [
        Side("web5-py, CPython", SIZES, _ours_on_cpython),
        Side("dwn-sdk-js, Node", SIZES if every_size else SIZES[:2], _theirs_in_node),
        Side(OURS_IN_CHROMIUM, SIZES, lambda: _in_chromium("ours")),
        Side(THEIRS_IN_CHROMIUM, SIZES if every_size else SIZES[:2], lambda: _in_chromium("peer")),
    ]


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
        script = await ReferenceScript.start(str(HERE / "node.mjs"), env={"BENCH_FOLDER": folder})
        try:
            yield script.call
        finally:
            await script.close()


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
    page = json.loads((site / "page.json").read_text())
    (site / "engine-page.json").write_text(json.dumps({**page, "files": {}}))
    (site / "engine-worker.json").write_text(json.dumps({**WORKER, "files": {"./steps.py": "./steps.py"}}))
    for script in ("worker.py", "steps.py", "steps.mjs"):
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


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records, for a look")
    parser.add_argument("--every-size", action="store_true", help="the reference too with 100,000 records; takes long")
    options = parser.parse_args()
    print(table(asyncio.run(measure(quick=options.quick, every_size=options.every_size))))
