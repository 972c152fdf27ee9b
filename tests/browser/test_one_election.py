"""The notes page beside another page of its origin, whose program uses the library on the same store: one node for both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKER = """
import { loadPyodide } from "./boot/interpreter.mjs";
const starting = loadPyodide({});
self.onmessage = async ({ data: { id, code } }) => {
  try {
    self.postMessage({ id, result: await (await starting).runPythonAsync(code) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
"""
PAGE = """() => {
  const worker = new Worker("/library.mjs", { type: "module" });
  const waiting = new Map();
  worker.onmessage = ({ data: { id, result, error } }) =>
    error === undefined ? waiting.get(id).resolve(result) : waiting.get(id).reject(new Error(error));
  globalThis.python = (code) =>
    new Promise((resolve, reject) => {
      waiting.set(waiting.size, { resolve, reject });
      worker.postMessage({ id: waiting.size - 1, code });
    });
}"""
CONNECT = """
from web5 import Web5
web5, did = await Web5.connect(sync="off")
did
"""
WRITE = """
note = await web5.dwn.records.create(
    {text!r}, data_format="text/plain", schema="https://schema.org/TextDigitalDocument"
)
note.id
"""
TEXTS = """
import json
found = await web5.dwn.records.query(data_format="text/plain").all()
json.dumps(sorted([await one.data.text() for one in found]))
"""
EXPORT = "len((await web5.identities.export(did))['portableDid']['privateKeys'])"


class Program:
    """A page whose worker uses the library."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def run(self, code: str) -> object:
        """Run Python there; the value of its last line."""
        return await self.page.evaluate("(code) => python(code)", code)

    async def texts(self) -> list[str]:
        found: list[str] = json.loads(str(await self.run(TEXTS)))
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def site_with_library(world: World) -> AsyncIterator[World]:
    with world.deployed({"library.mjs": WORKER}):
        yield world


async def _program(context: BrowserContext, world: World) -> Program:
    page = await context.new_page()
    await page.goto(f"{world.origin}assets/mark.svg")
    await page.evaluate(PAGE)
    return Program(page)


async def test_a_program_works_through_the_notes_page_and_takes_over_when_it_goes(
    blank: BrowserContext, site_with_library: World
) -> None:
    notes = Device(blank, site_with_library.origin)
    await notes.open()
    await notes.ready()
    await notes.write("of the page")
    program = await _program(blank, site_with_library)
    assert await program.run(CONNECT) == await notes.did()
    assert await program.texts() == ["of the page"]
    await program.run(WRITE.format(text="of the program"))
    await expect(notes.note("of the program")).to_be_visible()

    assert await program.run(EXPORT)  # for which it is the node for a moment
    await notes.write("once the page has it back")
    assert await program.texts() == ["of the page", "of the program", "once the page has it back"]

    await notes.page.close()
    await program.run(WRITE.format(text="alone"))
    assert len(await program.texts()) == 4
    assert notes.complaints == []


async def test_the_notes_page_takes_over_from_a_program_which_works_on(
    blank: BrowserContext, site_with_library: World
) -> None:
    program = await _program(blank, site_with_library)
    did = await program.run(CONNECT)
    await program.run(WRITE.format(text="of the program"))
    notes = Device(blank, site_with_library.origin)
    await notes.open()
    await notes.ready()
    assert await notes.did() == did
    await expect(notes.note("of the program")).to_be_visible()
    await notes.write("of the page")
    assert await program.texts() == ["of the page", "of the program"]
    await notes.reload()
    await program.run(WRITE.format(text="after the reload"))
    await expect(notes.note("after the reload")).to_be_visible()
    assert notes.complaints == []
    assert await notes.ask("check_store") == []
