"""A page of the site's origin whose worker uses the library, as an app beside the notes does."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager

from playwright.async_api import BrowserContext, Page

from tests.browser.world import World

WORKER = """
import { loadPyodide } from "./boot/interpreter.mjs";
const starting = loadPyodide({});
self.onmessage = async ({ data: { id, code, life } }) => {
  if (life) return self.dispatchEvent(new Event(life));
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
  document.addEventListener("freeze", () => {
    worker.postMessage({ life: "freeze" });
    for (const end = performance.now() + 500; performance.now() < end; );
  });
  document.addEventListener("resume", () => worker.postMessage({ life: "resume" }));
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


class Program:
    """A page whose worker uses the library."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def run(self, code: str) -> object:
        """Run Python there; the value of its last line."""
        return await self.page.evaluate("(code) => python(code)", code)

    async def connect(self) -> str:
        """Connect; the DID."""
        return str(await self.run(CONNECT))

    async def write(self, text: str) -> None:
        """Write what the page takes for a note."""
        await self.run(WRITE.format(text=text))

    async def texts(self) -> list[str]:
        """The notes that are there."""
        found: list[str] = json.loads(str(await self.run(TEXTS)))
        return found


def with_library(world: World) -> AbstractContextManager[None]:
    """Serve the worker for the time of the block."""
    return world.deployed({"library.mjs": WORKER})


async def open_program(context: BrowserContext, world: World) -> Program:
    """Open such a page; its worker is starting."""
    page = await context.new_page()
    await page.goto(f"{world.origin}assets/mark.svg")
    await page.evaluate(PAGE)
    return Program(page)
