"""What the pages fetch from a server that compresses nothing, and what of it on a later visit.

The sizes are the build's, whichever machine it is.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.world import Device, World, copy_site
from web5_build.site import weights

pytestmark = pytest.mark.asyncio(loop_scope="session")


class _Counting(SimpleHTTPRequestHandler):
    """A static server that knows how many bytes of each file it has sent, and breaks off where it is told to."""

    sent: ClassVar[dict[str, int]] = {}
    breaking: ClassVar[set[str]] = set()
    """The paths whose next answer ends in the middle."""

    def log_message(self, format: str, *args: Any) -> None: ...

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        path = urlsplit(self.path).path
        if path in self.breaking:
            self.breaking.remove(path)
            content = content[: len(content) // 2]
        outputfile.write(content)
        self.sent[path] = self.sent.get(path, 0) + len(content)


@pytest_asyncio.fixture(loop_scope="session")
async def static_host(world: World, tmp_path: Path) -> AsyncIterator[str]:
    config = {"dwn_endpoints": [], "did_dht_gateways": [f"{world.origin}dht"]}
    site = copy_site(world.site, tmp_path / "site", config)
    _Counting.sent.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Counting, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    await asyncio.to_thread(server.shutdown)
    server.server_close()


def _named(site: Path, page: str) -> set[str]:
    return {f"/{path}".removesuffix("index.html") for path in weights.fetched(site, page)}


async def test_the_notes(browser: Browser, world: World, static_host: str) -> None:
    device = Device(await browser.new_context(), static_host)
    broken = [path for path in weights.fetched(world.site, weights.NOTES) if path.endswith(".wasm.gz")]
    _Counting.breaking |= {f"/{path}" for path in broken}
    await device.open()
    await device.ready()
    assert _Counting.breaking == set()  # each went on where it was, or began anew: this server knows no Range
    await device.at("Settings")
    await expect(device.page.get_by_text("This page opens without a network, too.")).to_be_visible()
    again = sum((world.site / path).stat().st_size for path in broken) // 2
    assert set(_Counting.sent) == _named(world.site, weights.NOTES)
    assert sum(_Counting.sent.values()) - again <= weights.LIMITS[weights.NOTES]

    await device.page.close()
    _Counting.sent.clear()
    await device.open()
    await device.ready()
    assert set(_Counting.sent) == {"/config.json"}
    await device.context.close()


async def test_the_ten_lines(browser: Browser, world: World, static_host: str) -> None:
    device = Device(await browser.new_context(), f"{static_host}examples/hello.html")
    page = await device.open()
    await expect(page.locator("#note")).to_have_text("Hello, Web5")
    assert {path for path in _Counting.sent if "library" in path or "tools" in path} == set()
    assert sum(_Counting.sent.values()) <= weights.LIMITS[weights.TEN_LINES]
    assert set(_Counting.sent) <= _named(world.site, weights.TEN_LINES)
    await device.context.close()


async def test_a_line_that_stays_broken_is_told_of(browser: Browser, static_host: str) -> None:
    context = await browser.new_context(service_workers="block")
    await context.route("**/boot/web5.*.gz", lambda route: route.abort())
    page = await Device(context, static_host).open()
    await expect(page.locator("#boot-hint")).to_contain_text("The connection is broken")
    await expect(page.locator("#boot-words")).to_have_text("Your node is not running")
    await context.close()
