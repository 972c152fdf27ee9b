"""The port contracts on the browser's adapters, in Firefox and WebKitGTK."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.tab import Browser, Tab
from tests.contracts.browser_cases import *  # noqa: F403 (the tests)
from tests.contracts.chromium_harness import python, served
from web5_build.paths import WEB

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDED_AT_ANY_TIME = """async (functions) => {
  const work = `
    const { open, read, write } = eval(${JSON.stringify(functions)})();
    const said = (what) => postMessage(what);
    (async () => {
      const [database] = await open("ended-at-any-time", 1, ["a", "b"], 10000);
      await read(database, ["a", "b"], [["a", "get", 1], ["b", "get", 1]]);
      said("read");
      const puts = Array.from({ length: 20 }, (_, key) => [key % 2 ? "a" : "b", "put", new Uint8Array(20000), key]);
      for (;;) {
        await read(database, ["a"], [["a", "get", 1]]);
        await Promise.all([write(database, ["a", "b"], puts), write(database, ["a"], [["a", "delete", 1]])]);
      }
    })();`;
  const url = URL.createObjectURL(new Blob([work], { type: "text/javascript" }));
  const read = () => new Promise((resolve, reject) => {
    const worker = new Worker(url);
    const timer = setTimeout(reject, 60000, new Error("the store cannot be read any more"));
    worker.onmessage = () => (clearTimeout(timer), resolve(worker));
  });
  for (let number = 0; number < 100; number++) {
    const worker = await read();
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    worker.terminate();
  }
  return true;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(browser: Browser, site: Path) -> AsyncIterator[Tab]:
    with served(site) as address:
        tab = await browser.new_tab()
        await tab.goto(address)
        await tab.evaluate("ready")
        yield tab


async def test_the_keys_of_many_tabs_are_made(page: Tab) -> None:
    """WebKitGTK itself fails at one of 256."""
    await python(page, "make_tab_keys", 1000)
    module = b64encode((WEB / "boot" / "tab_channel.mjs").read_bytes()).decode()
    make = """async (module) => {
      const { makePair } = await import("data:text/javascript;base64," + module);
      const made = [];
      for (let number = 0; number < 1000; number++) made.push((await makePair()).publicKey.type);
      return made.every((type) => type === "public");
    }"""
    assert await page.evaluate(make, module)


async def test_a_store_can_be_read_whenever_its_worker_ends(page: Tab) -> None:
    """WebKit itself never ends a transaction that waits for others while its worker is terminated."""
    functions = await python(page, "indexed_db_functions")
    assert await page.evaluate(ENDED_AT_ANY_TIME, functions)
