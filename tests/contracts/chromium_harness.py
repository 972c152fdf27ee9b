"""Chromium with a page whose worker runs Pyodide and this checkout's Python, served beside the built site."""

from __future__ import annotations

import functools
import io
import json
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PAGE = b"""<!doctype html>
<link rel="icon" href="data:,">
<script>
  const worker = new Worker("worker.mjs", { type: "module" });
  const waiting = new Map();
  let last = 0;
  window.told = [];
  window.ready = new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
    worker.onmessage = ({ data }) => {
      if (data.ready) return resolve();
      if ("told" in data) return void told.push(data.told);
      const { resolve: good, reject: bad } = waiting.get(data.id);
      "error" in data ? bad(new Error(data.error)) : good(data.result);
    };
  });
  window.python = async (name, ...args) => {
    await ready;
    return new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, name, args });
    });
  };
</script>
"""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, ours: dict[str, tuple[str, bytes]], **kwargs: Any) -> None:
        self.ours = ours
        super().__init__(*args, **kwargs)

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        if self.path not in self.ours:
            super().do_GET()
            return
        kind, body = self.ours[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve the site with our page, worker and source over it; gives the page's address."""
    (runtime,) = site.glob("pyodide-*")
    wheels = [f"wheels/{path.name}" for path in sorted((site / "wheels").iterdir()) if "web5_py" not in path.name]
    ours = {
        "/": ("text/html", PAGE),
        "/worker.mjs": ("text/javascript", (HERE / "worker.mjs").read_bytes()),
        "/assets.json": ("application/json", json.dumps({"runtime": runtime.name, "wheels": wheels}).encode()),
        "/source.zip": ("application/zip", _source()),
    }
    handler = functools.partial(_Handler, directory=str(site), ours=ours)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def browser_context(chromium: str, profile: Path) -> AsyncIterator[BrowserContext]:
    """A browser whose profile is on disk, so that IndexedDB is what people have."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=FLAGS)
        try:
            yield context
        finally:
            await context.close()


async def open_page(context: BrowserContext, address: str) -> Page:
    """A page whose worker is ready."""
    page = await context.new_page()
    await page.goto(address)
    await page.evaluate("ready")
    return page


async def python(page: Page, name: str, *args: object) -> Any:
    """Call a function of `in_worker` in the page's worker.

    Raises:
        playwright.async_api.Error: it raised; the message holds its traceback.
    """
    return await page.evaluate("([name, args]) => python(name, ...args)", [name, list(args)])


def _source() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for folder, top in ((ROOT / "pysrc" / "web5", ROOT / "pysrc"), (HERE, ROOT)):
            for path in sorted(folder.rglob("*.py")):
                archive.write(path, path.relative_to(top))
    return packed.getvalue()
