"""The notebook, run cell by cell in JupyterLite as `build.py jupyter` makes it, and once more in a second tab."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.examples.test_examples import START
from tests.browser.world import World, copy_site
from tests.served import served
from web5.node.static import create_site
from web5_build.paths import JUPYTER, WEB

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTEBOOK = "notebook.ipynb"
SOURCES = {
    cell["id"]: "".join(cell["source"])
    for cell in json.loads((WEB / "examples" / NOTEBOOK).read_text())["cells"]
    if cell["cell_type"] == "code"
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def jupyter(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a JupyterLite that an operator gave a config.json."""
    assert (JUPYTER / "index.html").exists(), "there is no JupyterLite: run python3 build.py jupyter first"
    config = {"dwn_endpoints": world.endpoints, "did_dht_gateways": [f"{world.origin}dht"]}
    folder = copy_site(JUPYTER, tmp_path_factory.mktemp("jupyter") / "lite", config)
    async with served(create_site(folder)) as address:
        yield f"{address}/"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def context(browser: Browser, jupyter: str, world: World) -> AsyncIterator[BrowserContext]:
    """One person's browser, which has to ask nobody but JupyterLite's own site and the nodes."""
    context = await browser.new_context()
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    yield context
    await context.close()
    own = (jupyter, world.origin, world.second_endpoint, "blob:", "data:")
    assert {url for url in asked if not url.startswith(own)} == set()


async def opened(context: BrowserContext, jupyter: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{jupyter}lab/index.html?path={NOTEBOOK}")
    await expect(page.locator(".jp-CodeCell")).to_have_count(len(SOURCES), timeout=START)
    return page


async def write(page: Page, name: str, source: str) -> None:
    """Put another source into a cell."""
    editor = page.locator(".jp-CodeCell").nth(list(SOURCES).index(name)).locator(".jp-InputArea-editor")
    await editor.click()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(source)


async def run(page: Page, name: str) -> str:
    """Run a cell by keyboard; all that it puts out, once it has ended."""
    cell = page.locator(".jp-CodeCell").nth(list(SOURCES).index(name))
    prompt: Locator = cell.locator(".jp-InputPrompt")
    before = await prompt.inner_text()
    await cell.locator(".jp-InputArea-editor").click()
    await page.keyboard.press("Control+Enter")
    await expect(prompt).not_to_have_text(before)
    await expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=START)
    await expect(cell.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
    return "\n".join(await cell.locator(".jp-OutputArea-output").all_inner_texts())


async def test_the_notebook_of_a_jupyterlite(context: BrowserContext, jupyter: str) -> None:
    page = await opened(context, jupyter)
    await run(page, "install")
    did = await run(page, "connect")
    assert re.fullmatch(r"'did:dht:[a-z0-9]+'", did.strip()), did
    assert "datetime" in await run(page, "write")
    assert await run(page, "query") == "['Hello, Web5']"
    assert await run(page, "connect") == did
    assert await run(page, "query") == "['Hello, Web5']"
    assert (await run(page, "states")).split() == ["1", "so", "far", "2", "so", "far", "3", "so", "far"]

    second = await opened(context, jupyter)
    by_hand = f'import micropip\nawait micropip.install("web5-py", index_urls="{jupyter}simple")'
    await write(second, "install", by_hand)
    await run(second, "install")
    assert await run(second, "connect") == did
    await page.close()
    assert (await run(second, "query")).count("Hello") == 3
