"""The documentation as it is served: under the site's policy, and with a search that finds."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_is_read_and_searched_without_a_complaint(browser: Browser, world: World) -> None:
    device = Device(await browser.new_context(), f"{world.origin}docs/")
    page = await device.open()
    await page.get_by_role("link", name="reference", exact=True).click()
    await page.get_by_role("link", name="Typed records").last.click()
    await page.wait_for_url("**/typed.html*")  # with its scripts
    await expect(page.locator("dt", has_text="class TypedRecords")).to_be_visible()
    await page.get_by_role("searchbox", name="Search").or_(page.get_by_placeholder("Search")).first.fill("refused")
    async with page.expect_navigation(url="**/search.html?*"):  # the policy lets a script go there, and no form
        await page.keyboard.press("Enter")
    await expect(page.locator("ul.search li").first).to_be_visible()
    before = await page.locator("body").get_attribute("data-theme")
    await page.locator("button.theme-toggle:visible").click()
    await expect(page.locator("body")).not_to_have_attribute("data-theme", before or "")
    assert device.complaints == []
    await device.context.close()


async def test_the_app_leads_to_it(device: Device) -> None:
    await device.at("Settings")
    link = device.page.get_by_role("link", name="Documentation")
    address = await link.get_attribute("href")
    assert address
    response = await device.context.request.get(f"{device.url}{address}")
    assert response.ok and "Reference" in await response.text()
