"""Records that strangers have published, in pages of the node's own origin: images are shown, nothing runs."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.served import served
from tests.unit.node.nodes import Served, clock
from web5.dwn import compose
from web5.node.server import create_app

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROGRAM = (
    "localStorage.setItem('ran', 'yes'); (window.opener || window.parent || window).ran = true; window.ran = true;"
)
MARKUP = f'<!doctype html><title>evil</title><script>{PROGRAM}</script><img src=x onerror="{PROGRAM}">'
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"><script>{PROGRAM}</script></svg>'

ADD = "body => document.body.append(document.createRange().createContextualFragment(body))"
USED = """<script src="{script}" onerror="window.refused = 1"></script>
<link rel="stylesheet" href="{style}" onerror="window.unstyled = 1">"""


def png(width: int, height: int) -> bytes:
    """A black image."""

    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixels) + part(b"IEND", b"")


PUBLISHED = {
    "png": ("image/png", png(3, 2)),
    "svg": ("image/svg+xml", SVG.encode()),
    "html": ("text/html", MARKUP.encode()),
    "xhtml": (
        "application/xhtml+xml",
        f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{PROGRAM}</script></html>'.encode(),
    ),
    "unknown": ("no type at all", MARKUP.encode()),
    "script": ("text/javascript", PROGRAM.encode()),
    "style": ("text/css", b"body { color: rgb(1, 2, 3) }"),
    "text": ("text/plain", MARKUP.encode()),
}


class Origin:
    """A page, and beside it a node with what a stranger has published there."""

    def __init__(self, url: str, paths: dict[str, str], page: Page) -> None:
        self.url, self.paths, self.page = url, paths, page

    async def load(self, body: str, wait: str) -> Page:
        """Show a page of the node's origin whose body names records, and wait for a condition in it."""
        await self.page.goto(f"{self.url}/page")
        await self.page.evaluate(ADD, body.format(**self.paths))
        await self.page.wait_for_function(wait)
        return self.page

    async def nothing_ran(self) -> bool:
        return await self.page.evaluate("!window.ran && !localStorage.getItem('ran')")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def origin(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Origin]:
    nodes = await Served.start(tmp_path_factory.mktemp("published"))
    paths = {}
    for name, (data_format, data) in PUBLISHED.items():
        message = await compose.records_write(nodes.signer, clock, data=data, data_format=data_format, published=True)
        reply = await nodes.dwns[""].process_message(nodes.did, message, data)
        assert reply["status"]["code"] == 202
        paths[name] = f"/{nodes.did}/records/{message['recordId']}"

    async def page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>page</title><body>")

    app = create_app({"": nodes.dwns[""]})
    app.router.routes.insert(0, Route("/page", page))
    async with served(app) as url:
        context = await browser.new_context()
        yield Origin(url, paths, await context.new_page())
        await context.close()


async def test_images_are_shown(origin: Origin) -> None:
    images = '<img id="png" src="{png}"><img id="svg" src="{svg}">'
    page = await origin.load(images, "[...document.images].every(image => image.complete)")
    sizes = await page.evaluate("[...document.images].map(image => [image.naturalWidth, image.naturalHeight])")
    assert sizes == [[3, 2], [7, 5]]
    assert await origin.nothing_ran()


@pytest.mark.parametrize("name", ["html", "xhtml", "svg", "unknown"])
async def test_what_could_hold_a_program_is_saved_where_somebody_goes_there(origin: Origin, name: str) -> None:
    await origin.page.goto(f"{origin.url}/page")
    async with origin.page.expect_download() as saving:
        await origin.page.evaluate("path => location.assign(path)", origin.paths[name])
    saved = await (await saving.value).path()
    assert await asyncio.to_thread(Path(saved).read_bytes) == PUBLISHED[name][1]
    assert origin.page.url == f"{origin.url}/page"
    assert await origin.nothing_ran()


async def test_an_image_and_a_text_can_be_gone_to(origin: Origin) -> None:
    await origin.page.goto(origin.url + origin.paths["png"])
    assert await origin.page.evaluate("document.images[0].naturalWidth") == 3
    await origin.page.goto(origin.url + origin.paths["text"])
    assert MARKUP in await origin.page.inner_text("body")
    with pytest.raises(Exception, match=r"sandbox|denied|SecurityError"):
        await origin.page.evaluate("localStorage.length")


async def test_no_program_and_no_style_is_taken_from_there(origin: Origin) -> None:
    page = await origin.load(USED, "window.refused && window.unstyled")
    assert await page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    worker = "path => navigator.serviceWorker.register(path).then(() => 'registered', error => error.name)"
    assert await page.evaluate(worker, origin.paths["script"]) == "SecurityError"
    module = "path => import(path).then(() => 'imported', error => error.name)"
    assert await page.evaluate(module, origin.paths["script"]) == "TypeError"
    assert await origin.nothing_ran()


async def test_a_frame_runs_nothing(origin: Origin) -> None:
    frames = '<iframe src="{text}" onload="window.framed = 1"></iframe><object data="{xhtml}"></object>'
    await origin.load(frames, "window.framed")
    assert await origin.nothing_ran()
