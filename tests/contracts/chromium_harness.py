"""Chromium with a page whose worker runs Pyodide and web5 as the built site has them, served beside it."""

from __future__ import annotations

import asyncio
import functools
import io
import os
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import BrowserContext, Page, async_playwright

from tests.chromium import TEST_FLAGS

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_PORT_FILE = "DevToolsActivePort"
PAGE = b"""<!doctype html>
<link rel="icon" href="data:,">
<script>
  const worker = new Worker("worker.mjs", { type: "module" });
  const waiting = new Map();
  let last = 0;
  window.told = [];
  const listeners = new Set();
  // When the worker has told `text` (null: anything) `count` times. Timers and frames would sleep in a hidden page.
  window.heard = (text, count) =>
    new Promise((resolve) => {
      const look = () => {
        if (told.filter((one) => text === null || one === text).length < count) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
    });
  window.ready = new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
    worker.onmessage = ({ data }) => {
      if (data.ready) return resolve();
      if (data.failed) return reject(new Error(data.failed));
      if ("told" in data) {
        told.push(data.told);
        return listeners.forEach((look) => look());
      }
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
    ours = {
        "/": ("text/html", PAGE),
        "/worker.mjs": ("text/javascript", (HERE / "worker.mjs").read_bytes()),
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
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, args=TEST_FLAGS
        )
        try:
            yield context
        finally:
            await context.close()


@asynccontextmanager
async def mortal_browser(
    chromium: str, profile: Path, *, no_defaults: bool = False
) -> AsyncIterator[tuple[BrowserContext, Callable[[], None]]]:
    """A browser of our own, and a function that kills all its processes at once (SIGKILL).

    Parameters:
        no_defaults: leave out what Playwright does to every page; it makes each believe that it is seen, and a page
            that is seen is never frozen.
    """
    process = await asyncio.to_thread(_start, chromium, profile)

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    try:
        port = await asyncio.to_thread(_port, profile / _PORT_FILE, process)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=no_defaults)
            yield browser.contexts[0], kill
    finally:
        kill()


def _start(chromium: str, profile: Path) -> subprocess.Popen[bytes]:
    (profile / _PORT_FILE).unlink(missing_ok=True)
    arguments = [
        "--headless=new",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        *TEST_FLAGS,
        "about:blank",
    ]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen([chromium, *arguments], stdout=nowhere, stderr=nowhere, start_new_session=True)


def _port(port_file: Path, process: subprocess.Popen[bytes]) -> str:
    """Where Chromium listens; it says so in this file, and nowhere else."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"Chromium ended with code {process.returncode}")
        if port_file.exists() and (lines := port_file.read_text().split()):
            return lines[0]
        time.sleep(0.05)
    raise RuntimeError("Chromium did not say where it listens")


async def open_page(context: BrowserContext, address: str) -> Page:
    """A page whose worker is ready."""
    page = await context.new_page()
    await page.goto(address)
    await page.evaluate("ready")
    return page


async def heard(page: Page, text: str | None = None, count: int = 1) -> None:
    """Return once the page's worker has told `text` (or anything, if None) so often."""
    await page.evaluate("([text, count]) => heard(text, count)", [text, count])


class Evaluates(Protocol):
    """A page of Playwright's, or a tab of another browser (`tests.browsers.tab`)."""

    async def evaluate(self, expression: str, arg: Any = None, /) -> Any: ...


async def python(page: Evaluates, name: str, *args: object) -> Any:
    """Call a function of `in_worker` in the page's worker.

    Raises:
        playwright.async_api.Error, ScriptError: it raised; the message holds its traceback.
    """
    return await page.evaluate("([name, args]) => python(name, ...args)", [name, list(args)])


def _source() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(HERE.glob("*.py")):
            archive.write(path, path.relative_to(ROOT))
    return packed.getvalue()
