"""What the benches in Chromium share: the browser, the site with their pages, and devices to call steps on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

HERE = Path(__file__).parent
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("WEB5_CHROMIUM", "/usr/bin/chromium")
PEER_BUNDLE = ROOT / "tests/interop/node_modules/@web5/api/dist/browser.mjs"
PEER_GATEWAY = '"https://diddht.tbddev.org"'
OUR_GATEWAY = '(location.origin + "/dht/")'
SHELL = {"interpreter": "./boot/micropython.mjs"}
WORKER = {"interpreter": "./boot/interpreter.mjs", "sync_main_only": True, "packages_cache": "passthrough"}

FILL = """
import agent
from app.notes import notes
from web5.dwn import Delivery, compose
from web5.dwn.values.cid import message_cid

async def fill(count):
    session, _ = agent.opening.result()
    web5 = session.web5
    node, did = web5.agent, web5.connected_did
    signer = await node.signer(did)
    for first in range(0, count, 100):
        batch = []
        for number in range(first, first + 100):
            data = (f"Note {number} " + "lorem ipsum " * 10)[:120].encode()
            message = await compose.records_write(
                signer, node.clock, data=data, data_format=notes.FORMAT, schema=notes.SCHEMA
            )
            batch.append(Delivery(message, data, message_cid(message)))
        await node.dwn.process_writes(did, batch)

await fill(COUNT)
"""
"""What fills the store of our page, in its worker, with COUNT notes."""

Call = Callable[..., Awaitable[dict[str, Any]]]


@dataclass
class Rows:
    """Figures as rows of a name, a value, and its unit."""

    rows: list[tuple[str, float, str]] = field(default_factory=list)

    def text(self) -> str:
        """The table."""
        return "\n".join(f"{name:70} {value:10.1f} {unit}".rstrip() for name, value, unit in self.rows)

    def as_json(self) -> list[dict[str, Any]]:
        return [{"name": name, "value": value, "unit": unit} for name, value, unit in self.rows]


class BenchError(Exception):
    """A figure would mean nothing; the message says why."""


async def open_device(context: BrowserContext, page_url: str) -> Call:
    """Open a bench page in the context, which is a device with its own storage.

    Returns:
        What calls a step of the page, `globalThis.bench(name, arguments)` with both as JSON.
    """
    page = await context.new_page()
    page.on("console", _print_errors)
    await page.goto(page_url)
    await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)

    async def call(name: str, **arguments: Any) -> dict[str, Any]:
        result: str = await page.evaluate("([name, args]) => bench(name, args)", [name, json.dumps(arguments)])
        return json.loads(result)  # type: ignore[no-any-return]

    return call


def site_with_bench(folder: Path, steps: Path) -> Path:
    """A copy of the built site, in `folder`, with the bench pages `bench-ours.html` and `bench-peer.html`.

    The build gives vendored folders hashed names. In web5-js the gateway's address is built in: it is replaced in a
    copy of the bundle, because a routed request is a slower one.

    Parameters:
        steps: holds ours.py and peer.js.
    """
    site = folder / "site"
    shutil.copytree(ROOT / "dist/site", site)
    pyscript = next(site.glob("pyscript-*")).name
    (site / "bench-ours.html").write_text((HERE / "ours.html").read_text().replace("pyscript/", f"{pyscript}/"))
    (site / "bench-page.json").write_text(json.dumps(SHELL))
    (site / "bench-worker.json").write_text(json.dumps(WORKER))
    shutil.copy(HERE / "peer.html", site / "bench-peer.html")
    for script in ("ours.py", "peer.js"):
        shutil.copy(steps / script, site)
    bundle = PEER_BUNDLE.read_text()
    if PEER_GATEWAY not in bundle:
        raise BenchError(f"{PEER_BUNDLE.name} names no {PEER_GATEWAY} any more, so web5-js could not reach ours")
    (site / "web5.mjs").write_text(bundle.replace(PEER_GATEWAY, OUR_GATEWAY))
    return site


@asynccontextmanager
async def embedded_defaults(site: Path, data: Path) -> AsyncIterator[str]:
    """Site and gateway as `build.py serve` starts them; their address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "web5.node", "serve", "--paths", "/dwn0,/dwn1"),
        *("--port", "0", "--site", str(site), "--data", str(data)),
        env={**os.environ, "PYTHONPATH": str(ROOT / "pysrc")},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield line.removeprefix("Serving ").strip().rstrip("/").replace("127.0.0.1", "localhost")
    finally:
        process.terminate()
        await process.wait()


def say(text: str) -> None:
    """Tell the person who waits what is being measured."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _print_errors(message: Any) -> None:
    if message.type == "error":
        print(f"  page: {message.text}", file=sys.stderr)
