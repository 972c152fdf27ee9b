"""The site from a plain static server, at any path, and the example page that uses the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.processes import free_port, plain_files
from tests.browser.world import Device, World, copy_site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_site_works_below_any_path(browser: Browser, world: World, tmp_path: Path) -> None:
    config = {"dwn_endpoints": world.endpoints, "did_dht_gateways": [f"{world.origin}dht"]}
    copy_site(world.site, tmp_path / "some" / "deep path", config)
    port = free_port()
    server = plain_files(port, tmp_path)
    await server.start()
    try:
        device = Device(
            await browser.new_context(service_workers="block"), f"http://127.0.0.1:{port}/some/deep%20path/"
        )
        asked: list[str] = []
        device.context.on("request", lambda request: asked.append(request.url))
        await device.open()
        await device.ready()
        await expect(device.page.locator("#origin-note")).to_contain_text("should have an address of its own")
        await device.write("Far from the root")
        await device.sync()
        await device.summary("All synced")
        assert device.complaints == []
        # Nothing comes from anywhere else: no CDN, and nothing from above the site's folder.
        own = (device.url, world.origin, world.second_endpoint, "blob:")
        assert [url for url in asked if not url.startswith(own)] == []
        await device.context.close()
    finally:
        await server.stop()


async def test_the_ten_lines(browser: Browser, world: World) -> None:
    device = Device(await browser.new_context(service_workers="block"), f"{world.origin}examples/hello.html")
    asked: list[str] = []
    device.context.on("request", lambda request: asked.append(request.url))
    page = await device.open()
    await expect(page.locator("#note")).to_have_text("Hello, Web5")
    await expect(page.locator("#did")).to_contain_text("did:dht:")
    assert f"{world.origin}config.json" in asked  # though the worker's address is a blob's, and the page's is below it
    assert device.complaints == []
    await device.context.close()
