"""The operator's page of a node that runs, in Chromium: what is seen and done there, by keyboard, light and dark."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.accessibility import faults
from tests.browser.processes import Server, free_port
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids import jwk
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "a token that nobody guesses"
CRYPTO, CLOCK = CPythonCrypto(), SystemClock()


class Tenant:
    """A person who writes to a node."""

    def __init__(self, url: str, portable: Any, signer: Any) -> None:
        self._remote, self._url = RemoteDwn(HttpxHttp()), url
        self.did, self._signer = portable.uri, signer

    @classmethod
    async def make(cls, url: str) -> Tenant:
        portable = await jwk.create(CRYPTO)
        return cls(url, portable, await signer_for(portable, CRYPTO))

    async def write(self, data: bytes = b"text") -> int:
        message = await compose.records_write(self._signer, CLOCK, data=data, data_format="text/plain")
        reply = await self._remote.process_message(self._url, self.did, message, data)
        return int(reply["status"]["code"])


@pytest_asyncio.fixture(loop_scope="session")
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A node whose operator has a page."""
    port, file = free_port(), tmp_path / "node.toml"
    file.write_text(f'data = "{tmp_path / "data"}"\nport = {port}\nadmin_token = "{TOKEN}"\n')
    server = Server(["-m", "web5.node", "serve", "--config", str(file)], f"http://127.0.0.1:{port}/health")
    await server.start()
    yield f"http://127.0.0.1:{port}"
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, url: str) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1200, "height": 900})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{url}/admin")
    yield page
    assert [one for one in asked if not one.startswith(f"{url}/admin")] == []
    await context.close()
    assert [one for one in complaints if "401" not in one] == []


async def enter(page: Page, token: str = TOKEN) -> None:
    await page.get_by_label("Token").fill(token)
    await page.get_by_label("Token").press("Enter")


async def test_the_operator_enters_sees_and_acts(page: Page, url: str, tmp_path: Path) -> None:
    ann, bob = [await Tenant.make(url) for _ in range(2)]
    for _ in range(3):
        assert await ann.write(b"x" * 50_000) == 202
    assert await bob.write() == 202
    await expect(page.get_by_label("Token")).to_be_focused()
    assert await faults(page) == []
    await enter(page, "a guess")
    await expect(page.get_by_role("alert").filter(has_text="not the token")).to_be_visible()
    await enter(page)
    table = page.get_by_role("region", name="Tenants")
    rows = table.get_by_role("row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text(ann.did)  # who keeps most comes first
    await expect(rows.nth(1)).to_contain_text("3")
    assert await page.get_by_role("img").count() == 4

    suspend = page.get_by_role("button", name=f"Suspend {bob.did}")
    await suspend.focus()
    await page.keyboard.press("Enter")
    resume = page.get_by_role("button", name=f"Resume {bob.did}")
    await expect(resume).to_be_visible()
    assert await bob.write() == 401
    await resume.click()
    await expect(suspend).to_be_visible()
    assert await bob.write() == 202

    quota = page.get_by_role("button", name=f"Quota {ann.did}")
    await quota.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Quota")
    await dialog.get_by_label("Messages").fill("3")
    assert await faults(page) == []
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(rows.nth(1)).to_contain_text("3 of 3")
    assert await ann.write() == 507
    await quota.click()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()

    part = next(part for at in range(len(bob.did)) if (part := bob.did[at : at + 12]) not in ann.did)
    await page.get_by_label("Find a tenant by a part of its DID").fill(part)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(2)
    await page.get_by_label("Find a tenant by a part of its DID").fill("")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(3)

    await page.get_by_label("For whom").fill("<b>the choir</b>")
    await page.get_by_role("button", name="Make a code").click()
    await expect(page.locator("#code")).to_have_text(re.compile(r"^(\w{4}-){4}\w{4}$"))
    invitations = page.get_by_role("region", name="Invitations")
    await expect(invitations).to_contain_text("<b>the choir</b>")
    await expect(invitations.locator("b")).to_have_count(0)
    await invitations.get_by_role("button", name="Revoke").click()
    await expect(invitations).to_be_hidden()

    await page.get_by_role("button", name="Leave").click()
    await expect(page.get_by_label("Token")).to_be_focused()
    assert ann.did not in await page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1200, 900), (390, 844)], ids=["desk", "phone"])
async def test_it_is_accessible_and_fits(
    page: Page, url: str, scheme: Any, size: tuple[int, int], tmp_path: Path
) -> None:
    for number in range(4):
        await (await Tenant.make(url)).write(b"x" * 40_000 * (number + 1))
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(color_scheme=scheme)
    await page.screenshot(path=tmp_path / "enter.png")
    assert await faults(page) == []
    state: dict[str, Any] = {}

    async def with_a_day(route: Any) -> None:
        """Put a day's figures in the place of a minute's."""
        answer = await route.fetch()
        state.update(await answer.json())
        now, names = 1_790_000_000, state["figures"]["names"]
        state["figures"]["samples"] = [
            [
                {"at": now + 60 * minute, "requests": 40 + minute % 97 + (minute // 60) * 9}.get(name)
                or {"failed": minute % 211 // 205 * 20, "milliseconds": 3 + minute % 31 / 10}.get(name)
                or (minute * 900 if name == "bytes" else minute % 40)
                for name in names
            ]
            for minute in range(1440)
        ]
        await route.fulfill(json=state)

    await page.route("**/api/state*", with_a_day)
    await enter(page)
    await expect(page.get_by_role("region", name="Tenants").get_by_role("row")).to_have_count(5)
    await page.get_by_label("For whom").fill("the choir")
    await page.get_by_role("button", name="Make a code").click()
    await expect(page.get_by_role("region", name="Invitations")).to_be_visible()
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.screenshot(path=tmp_path / "inside.png", full_page=True)
    await page.get_by_role("button", name="Quota").first.click()
    await page.screenshot(path=tmp_path / "quota.png")
    assert await faults(page) == []
