"""Snapshots of Python's memory for a faster start (web/boot/snapshot.mjs): made when idle, used once, or not at all.

Most tests start the node's workers from a page that has nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Error, Page, Worker

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILES = """async () => {
  const found = {};
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) {
    if (name !== "web5-snapshots") continue;
    for await (const [file, handle] of (await root.getDirectoryHandle(name)).entries()) {
      const { size } = await handle.getFile();
      if (size) found[file] = size;
    }
  }
  return found;
}"""
COPY = """async ([name, copy, change]) => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("web5-snapshots");
  const bytes = new Uint8Array(await (await (await folder.getFileHandle(name)).getFile()).arrayBuffer());
  const writable = await (await folder.getFileHandle(copy, { create: true })).createWritable();
  await writable.write(new Function("bytes", change)(bytes) ?? bytes);
  await writable.close();
}"""
"""Copy a file of the folder, its bytes changed by the body of a function."""
MAKE = """() => new Promise((resolve, reject) => {
  const worker = new Worker("/boot/agent.mjs", { type: "module", name: "web5-snapshot" });
  worker.onerror = reject;
  worker.onmessage = ({ data: { error } }) => {
    worker.terminate();
    error ? reject(error) : resolve();
  };
})"""
MADE = f"""async () => {{
  const isBeingMade = async () => (await navigator.locks.query()).held.some(({{ name }}) => name === "web5-snapshot");
  const isThere = async () => Object.keys(await ({FILES})()).length && !(await isBeingMade());
  while (!(await isThere())) await new Promise((tick) => setTimeout(tick, 250));
}}"""
START = """() => new Promise((resolve, reject) => {
  const worker = new Worker("/boot/agent.mjs", { type: "module" });
  (globalThis.nodes ??= []).push(worker);
  worker.onerror = reject;
  worker.onmessage = ({ data: { id, answer, failed } }) => (failed ? reject(failed) : id && resolve(answer));
  worker.postMessage({ id: 1, name: "state", args: "{}" });
})"""
END = "() => { for (const worker of globalThis.nodes.splice(0)) worker.terminate(); }"
RESTORED = "performance.getEntriesByName('web5-restored').length"
CHANCE = """
import apsw, json, random, secrets, tempfile, uuid
json.dumps({"hash": hash("x"), "random": random.random(), "uuid4": str(uuid.uuid4()), "uuid7": str(uuid.uuid7()),
            "token": secrets.token_hex(), "name": tempfile.mktemp(), "sqlite": apsw.randomness(8).hex()})
"""
DAMAGES = {
    "cut off": "return bytes.subarray(0, bytes.length - 4096)",
    "another byte": "bytes[bytes.length >> 1] ^= 1",
    "no description": "bytes.fill(0, 0, 64)",
    "made by another browser": """
      const name = new TextEncoder().encode("Mozilla");
      bytes[bytes.findIndex((_, at) => name.every((byte, index) => bytes[at + index] === byte))] += 1;
    """,
}


@pytest_asyncio.fixture(loop_scope="session")
async def bare(blank: BrowserContext, world: World) -> AsyncIterator[Page]:
    page = await blank.new_page()
    await page.goto(urljoin(world.origin, "assets/mark.svg"))
    yield page


async def _started(page: Page) -> Worker:
    """Start a worker that becomes the node, or waits to be; it has answered."""
    known = set(page.workers)
    state = json.loads(await page.evaluate(START))
    assert "ok" in state, state
    return next(worker for worker in page.workers if worker not in known)


async def _is_restored(worker: Worker) -> bool:
    return bool(await worker.evaluate(RESTORED))


async def _drawn(worker: Worker) -> dict[str, Any]:
    return json.loads(await worker.evaluate("code => pyodide.runPython(code)", CHANCE))  # type: ignore[no-any-return]


async def test_a_page_that_has_been_idle_leaves_a_snapshot_from_which_the_next_one_starts(
    blank: BrowserContext, world: World
) -> None:
    device = Device(blank, world.origin)
    await device.open()
    await device.ready()
    await device.write("before")
    await device.page.evaluate(MADE)
    await device.reload()
    [worker] = [worker for worker in device.page.workers if worker.url.endswith("agent.mjs")]
    assert await _is_restored(worker)
    assert await device.page.evaluate(FILES) == {}
    await device.note("before").wait_for()
    await device.write("after")
    await device.sync()


async def test_no_two_workers_draw_the_same(bare: Page) -> None:
    await bare.evaluate(MAKE)
    [name] = await bare.evaluate(FILES)
    await bare.evaluate(COPY, [name, "copy", ""])
    first = await _started(bare)
    await bare.evaluate(MAKE)
    second = await _started(bare)
    await bare.evaluate(COPY, ["copy", name, ""])
    again = await _started(bare)  # from the one that the first had, which nobody else ever gets
    draws = [await _drawn(worker) for worker in (first, second, again)]
    assert all([await _is_restored(worker) for worker in (first, second, again)])
    for what in draws[0]:
        assert len({draw[what] for draw in draws}) == (2 if what == "hash" else 3), what
    assert draws[0]["hash"] == draws[2]["hash"]
    await bare.evaluate(END)


async def test_of_two_workers_that_start_at_once_one_gets_it(bare: Page) -> None:
    await bare.evaluate(MAKE)
    await asyncio.gather(bare.evaluate(START), bare.evaluate(START))
    assert sorted([await _is_restored(worker) for worker in bare.workers]) == [False, True]
    assert await bare.evaluate(FILES) == {}
    await bare.evaluate(END)


async def test_what_is_damaged_or_made_elsewhere_is_not_used(bare: Page) -> None:
    await bare.evaluate(MAKE)
    [name] = await bare.evaluate(FILES)
    await bare.evaluate(COPY, [name, "whole", ""])
    for what, change in DAMAGES.items():
        await bare.evaluate(COPY, ["whole", name, change])
        worker = await _started(bare)
        assert not await _is_restored(worker), what
        assert name not in await bare.evaluate(FILES), what
        await bare.evaluate(END)


async def test_those_of_older_versions_are_deleted_and_those_of_other_sites_stay(bare: Page) -> None:
    await bare.evaluate(MAKE)
    [name] = await bare.evaluate(FILES)
    site, version = name.split("!")
    older, elsewhere = f"{site}!older", f"{site}elsewhere%2F!{version}"
    await bare.evaluate(COPY, [name, older, "return bytes.subarray(0, 100)"])
    await bare.evaluate(COPY, [name, elsewhere, "return bytes.subarray(0, 100)"])
    await bare.evaluate(MAKE)
    assert set(await bare.evaluate(FILES)) == {name, elsewhere}


async def test_a_browser_without_such_files_starts_all_the_same(bare: Page, world: World) -> None:
    code = (world.site / "boot/agent.mjs").read_text()
    with world.deployed({"boot/agent.mjs": f"delete StorageManager.prototype.getDirectory;\n{code}"}):
        worker = await _started(bare)
        assert not await _is_restored(worker)
        with pytest.raises(Error, match="getDirectory"):
            await bare.evaluate(MAKE)
        await bare.evaluate(END)
