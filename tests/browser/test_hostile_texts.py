"""What others write is shown as text, and stays in its place: in notes, names, nodes' addresses, terms and answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.browser.world import Device
from tests.served import served

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = """<img src=x onerror="ran('img')"><script>ran('script')</script>"><svg onload=ran('svg')></textarea>"""
MARKUP += """<iframe srcdoc="<script>parent.ran('frame')</script>"></iframe><style>*{display:none}</style>"""
ZALGO = "".join(letter + "\u0301\u0322\u0489\u036f\u0350" * 40 for letter in "zalgo")
TEXTS = [
    MARKUP,
    "javascript:ran('link')",
    "{{7*7}}${7*7}<%=7*7%>",
    "\u202e\u2066 backwards \u202e <b>bold</b>",
    "before \x00 \x1b[31m \x07 after",
    ZALGO,
    "W" * 100_000,
    "\u0645\u0631\u062d\u0628\u0627 \u200f\u202b" * 20,
    "\n" * 500 + "far below",
    "\U000e0001\ufeff\u200b" * 300 + "x",
]
DETAIL = f"X: {MARKUP} \u202e {ZALGO} \x00 " + "A" * 3000
PHONE, DESK = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=900)

NOT_OURS = "img:not(.brand img, .qr, .code), svg:not(.plot svg)"
INJECTED = f"document.querySelectorAll('{NOT_OURS}, iframe, b, style, body script:not([type=mpy])').length"
OVERFLOWING = """() => {
  const boxes = "header, main, nav, .card, .node, .identity, .banner, .button, dialog[open]";
  const wide = [...document.querySelectorAll(boxes)]
    .filter((element) => element.getClientRects().length && element.getBoundingClientRect().right > innerWidth + 0.5)
    .map((element) => element.id || element.className);
  return document.documentElement.scrollWidth > innerWidth ? ["the page", ...wide] : wide;
}"""
# Of notes, the parts that are painted outside of their card.
SPILT = """() => [...document.querySelectorAll(".note-text, .identity-who > *, .node-name")].filter((element) =>
  getComputedStyle(element).overflowY === "visible").length"""


class HostileNode:
    """A node that refuses everything.

    Attributes:
        has_terms: True once it wants its tenants to agree to terms, with which it refuses them.
    """

    def __init__(self) -> None:
        self.has_terms = False
        cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
        routes = [
            Route("/{path:path}/info", self._info),
            Route("/{path:path}/registration/terms-of-service", self._terms),
            Route("/{path:path}/registration", self._register, methods=["POST"]),
            Route("/{path:path}", self._process, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, middleware=[cors])

    async def _info(self, request: Request) -> Response:
        wanted = ["terms-of-service"] if self.has_terms else []
        return JSONResponse({"server": MARKUP, "registrationRequirements": wanted, "sdkVersion": DETAIL})

    async def _terms(self, request: Request) -> Response:
        return PlainTextResponse("\n".join([MARKUP, ZALGO, *TEXTS]))

    async def _register(self, request: Request) -> Response:
        return PlainTextResponse(DETAIL, 400)

    async def _process(self, request: Request) -> Response:
        known = {"code": 401, "detail": "Not a registered tenant."}
        status = known if self.has_terms else {"code": 400, "detail": DETAIL}
        asked = json.loads(request.headers["dwn-request"])
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": {"reply": {"status": status}}})


async def test_other_peoples_words_run_nowhere_and_stay_in_their_place(shared_device: Device, tmp_path: Path) -> None:
    device, page = shared_device, shared_device.page
    await page.evaluate("window.did = []; window.ran = window.alert = (what) => did.push(what); 0")
    hostile = HostileNode()
    async with served(hostile.app) as address:
        await _fill(device, address)
        node = page.locator("[data-endpoint^='" + address + "']")
        await expect(node.locator("[data-slot=name]")).to_contain_text("%3Cb%3E")
        await device.at("Nodes")
        await node.get_by_text("What went wrong").click()
        await expect(node.locator("[data-slot=error-detail]")).to_contain_text("<img src=x onerror")
        await expect(page.locator(".note-text", has_text="before \ufffd")).to_contain_text("after")
        await expect(device.identity("\ufffdeman")).to_be_attached()
        for name, size in (("phone", PHONE), ("desk", DESK)):
            await page.set_viewport_size(size)
            for place in ("Notes", "Nodes", "Settings"):
                await device.at(place)
                await page.screenshot(path=tmp_path / f"{name}-{place}.png", full_page=True)
                assert await page.evaluate(OVERFLOWING) == [], (name, place)
                await _nothing_came_of_it(page)

        hostile.has_terms = True
        await device.ask("sync_now")
        await device.at("Nodes")
        await node.get_by_role("button", name="Read its terms").click()
        await expect(node.locator("[data-slot=terms]")).to_contain_text("<img src=x")
        await node.get_by_role("button", name="I agree").click()
        await expect(node.locator("[data-slot=registration-words]")).to_contain_text("Could not register: ")
        await device.at("Notes")
        await page.locator("#note-list > li").filter(has_text="WWWW").get_by_role("button", name="Show all").click()
        await page.set_viewport_size(PHONE)
        assert await page.evaluate(OVERFLOWING) == []

        await device.at("Settings")
        await page.click("#import-open")
        hostile_file = {"portableDid": {"uri": DETAIL, "document": {"id": MARKUP}, "metadata": {}, "privateKeys": []}}
        await page.fill("#import-text", json.dumps(hostile_file))
        await page.click("#import-save")
        await expect(page.locator("#import-problem")).to_contain_text("<img src=x")
        await page.screenshot(path=tmp_path / "dialog.png")
        assert await page.evaluate(OVERFLOWING) == []
        await _nothing_came_of_it(page)
        await page.click("#import-cancel")
        await page.set_viewport_size(DESK)


async def _fill(device: Device, hostile: str) -> None:
    for number, text in enumerate(TEXTS):
        await device.ask("create_note", text=text, created=1_700_000_000_000_000 + number)
    for name in (MARKUP, ZALGO, "\u202eeman", "N" * 5000):
        await device.ask("create_identity", called=name, known=[])
    await device.ask("add_node", url=f"{hostile}/<b>bold</b>'onmouseover=ran(1){'A' * 100}")
    await device.ask("sync_now")


async def _nothing_came_of_it(page: Page) -> None:
    assert await page.evaluate("did") == []
    assert await page.evaluate(INJECTED) == 0
    assert await page.evaluate(SPILT) == 0


@pytest.mark.parametrize("text", ["[" * 600 + "]" * 600, '{"portableDid":' * 3000 + "1" + "}" * 3000, "[" * 100_000])
async def test_a_file_that_is_nested_deeply_is_no_identity_and_hurts_nobody(shared_device: Device, text: str) -> None:
    page = await shared_device.at("Settings")
    await page.click("#import-open")
    await page.fill("#import-text", text)
    await page.click("#import-save")
    await expect(page.locator("#import-problem")).to_contain_text("not an exported identity")
    await page.click("#import-cancel")
    await shared_device.write(f"Alive after {len(text)}")


async def test_a_file_that_is_far_too_long_is_not_read(shared_device: Device) -> None:
    page = await shared_device.at("Settings")
    await page.click("#import-open")
    file = {"name": "large.json", "mimeType": "application/json", "buffer": b"x" * 1_000_001}
    await page.set_input_files("#import-file", file)  # type: ignore[arg-type]
    await expect(page.locator("#import-problem")).to_contain_text("far too long")
    assert await page.locator("#import-text").input_value() == ""
    await page.click("#import-cancel")
