"""One walk through the notes page, in each browser: from the first launch to a day without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.world import make_world
from tests.browsers.tab import Browser, Tab

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNTIL = """(argument) => new Promise((resolve, reject) => {
  const look = () => ((CONDITION)(argument) ? done() : null);
  const seen = new MutationObserver(look);
  const states = ({ installing, waiting, active }) => [installing, waiting, active].map((one) => one?.state);
  const late = async () => {
    const kept = (await navigator.serviceWorker.getRegistrations()).map(states);
    reject(new Error(`its service workers are ${JSON.stringify(kept)}, the page shows ${document.body.innerText}`));
  };
  const timer = setTimeout(late, 120000);
  const done = () => { seen.disconnect(); clearTimeout(timer); resolve(); };
  seen.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})"""
"""Resolved once a condition holds, which depends on the document alone; rejected after two minutes."""
READY = """() => document.getElementById("boot").hidden
  && (document.querySelector("#note-list > li") || !document.getElementById("notes-empty").hidden)"""
SHOWN = """(texts) => {
  const notes = document.getElementById("note-list");
  return notes.children.length === texts.length && texts.every((one) => notes.innerText.includes(one));
}"""
SAID = "(words) => document.getElementById('summary-words').textContent === words"
KEPT = "() => !document.getElementById('protection-offline').hidden"
WRITE = """(text) => {
  const field = document.getElementById("note-text");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("note-save").click();
}"""
SYNC = "() => document.getElementById('sync-now').click()"


class Notes:
    """The page in a tab."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    async def until(self, condition: str, argument: Any = None) -> None:
        await self.tab.evaluate(UNTIL.replace("CONDITION", condition), argument)

    async def open(self, url: str) -> Notes:
        await self.tab.goto(url)
        await self.until(READY)
        return self

    async def reload(self) -> None:
        await self.tab.reload()
        await self.until(READY)

    async def write(self, text: str) -> None:
        await self.tab.evaluate(WRITE, text)

    async def did(self) -> str:
        return str(await self.tab.evaluate("document.getElementById('identity').dataset.did"))

    async def asks(self, name: str, **arguments: Any) -> Any:
        return json.loads(
            await self.tab.evaluate("([name, text]) => web5Ask(name, text)", [name, json.dumps(arguments)])
        )


@pytest.mark.timeout(300)
async def test_the_page_from_the_first_launch_to_a_day_offline(browser: Browser, site: Path, tmp_path: Path) -> None:
    world = make_world(site, tmp_path)
    async with world.running():
        first = await Notes(await browser.new_tab()).open(world.origin)
        did = await first.did()
        assert did.startswith("did:dht:")
        await first.write("one")
        await first.until(SHOWN, ["one"])
        await first.reload()
        await first.until(SHOWN, ["one"])
        assert await first.did() == did

        second = await Notes(await browser.new_tab()).open(world.origin)
        await second.until(SHOWN, ["one"])
        assert await second.did() == did
        await second.write("two")
        await second.until(SHOWN, ["one", "two"])
        await first.until(SHOWN, ["one", "two"])

        await first.tab.evaluate(SYNC)
        await first.until(SAID, "All synced")
        await first.tab.close()
        await second.write("three")
        await second.until(SHOWN, ["one", "two", "three"])

        await second.until(KEPT)
        await world.main.stop()
        await world.second.stop()
        await second.reload()
        await second.until(SHOWN, ["one", "two", "three"])
        await second.write("four")
        await second.until(SHOWN, ["one", "two", "three", "four"])

        await world.main.start()
        await world.second.start()
        await second.tab.evaluate(SYNC)
        await second.until(SAID, "All synced")
        assert await second.asks("check_store") == []
        await second.tab.close()
