"""A sync of many notes: it says how far it is, and may be broken off."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, Route

from tests.browser.conftest import Booted, NewDevice
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY = 300
FEW = 120
TAKEN = 40

# What is said below the nodes, from now on.
LISTEN = """() => {
  const words = document.getElementById("sync-words");
  globalThis.said = [];
  new MutationObserver(() => said.push(words.textContent)).observe(words, { childList: true });
}"""

IN_NUMBERS = re.compile(r"^(\d+) of (\d+) messages")


async def _until_it_says(page: Page, how_far: int) -> None:
    counted = "(least) => said.some((words) => parseInt(/^(\\d+) of \\d+ messages/.exec(words)?.[1]) >= least)"
    await page.wait_for_function(counted, arg=how_far)


async def _texts(device: Device) -> set[str]:
    return {note["text"] for note in (await device.ask("notes", limit=MANY * 2))["notes"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def source(booted: Booted) -> tuple[str, set[str]]:
    """An identity with many notes on both nodes, exported; their texts."""
    device = await booted.get("source")
    written = await device.fill(MANY)
    await device.summary("All synced")
    return await device.export(), written


async def test_an_import_says_in_numbers_how_far_it_is_and_ends_with_all_notes(
    new_device: NewDevice, source: tuple[str, set[str]], world: World
) -> None:
    exported, written = source
    other = await (await new_device()).ready()
    await other.page.evaluate(LISTEN)
    await other.import_(exported)
    await other.summary("All synced")
    assert await _texts(other) == written
    progress = [found.groups() for words in await other.page.evaluate("said") if (found := IN_NUMBERS.match(words))]
    counts = [int(done) for done, _ in progress]
    assert counts
    assert counts == sorted(counts)
    # Once for each node: what came from one waits for the other, until that has named it too.
    most = MANY * len(world.endpoints)
    assert all(int(done) <= int(total) <= most for done, total in progress), progress


async def _take_no_more_than(count: int, device: Device, world: World) -> None:
    """Each node takes so many messages, and leaves those that follow without an answer."""

    def answer(taken: Iterator[int]) -> Callable[[Route], Awaitable[None]]:
        async def act(route: Route) -> None:
            if "RecordsWrite" not in _method(route.request) or next(taken) < count:
                await route.continue_()

        return act

    for endpoint in world.endpoints:
        await device.context.route(endpoint, answer(itertools.count()))


def _method(request: Request) -> str:
    descriptor = json.loads(request.headers["dwn-request"])["params"]["message"]["descriptor"]
    return str(descriptor["interface"] + descriptor["method"])


async def test_a_tab_that_is_closed_in_the_middle_of_sending_loses_nothing(device: Device, world: World) -> None:
    await device.summary("All synced")
    await device.at("Nodes")
    await device.page.select_option("#sync-mode", "off")
    written = await device.fill(FEW)
    await _take_no_more_than(TAKEN, device, world)
    await device.page.evaluate(LISTEN)
    await device.page.click("#sync-now")
    await _until_it_says(device.page, 2 * TAKEN)
    await device.write("saved now")  # and with it, in the same store, all that was done before
    await device.page.close()
    await device.context.unroute_all(behavior="ignoreErrors")

    await device.open()
    await device.ready()
    state = await device.ask("state")
    assert [node["pending_out"] for node in state["endpoints"]] == [FEW + 1 - TAKEN] * 2
    await device.sync()
    await device.summary("All synced")
    exported = await device.export()
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == {*written, "saved now"}
    assert await device.ask("check_store") == []


async def test_a_tab_that_is_closed_in_the_middle_of_fetching_loses_nothing(
    new_device: NewDevice, source: tuple[str, set[str]]
) -> None:
    exported, written = source
    other = await (await new_device()).ready()
    await other.page.evaluate(LISTEN)
    await other.at("Settings")
    await other.page.click("#import-open")
    await other.page.fill("#import-text", exported)
    await other.page.click("#import-save")
    await _until_it_says(other.page, 1)
    await other.page.close()

    await other.open()
    await other.ready()
    if await other.did() != json.loads(exported)["portableDid"]["uri"]:  # it was closed before the identity was chosen
        await other.import_(exported)
    await other.summary("All synced")
    assert await _texts(other) == written
    assert await other.ask("check_store") == []
