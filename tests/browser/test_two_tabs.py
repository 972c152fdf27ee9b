"""Several tabs of one browser: one is the node, one is ready to be the next, and the others start no Python."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NewDevice
from tests.browser.world import PATIENCE, Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse"


async def _tab(device: Device, world: World) -> Device:
    opened = Device(device.context, world.origin)
    await opened.open()
    return await opened.ready()


def _has_python(page: Page) -> bool:
    return bool(page.workers)


async def _gets_python(page: Page) -> None:
    if not _has_python(page):
        await page.wait_for_event("worker", timeout=PATIENCE)


async def test_the_second_tab_works_through_the_first_and_takes_over(device: Device, world: World) -> None:
    await device.write("from the first tab")
    second = await _tab(device, world)
    assert await second.did() == await device.did()
    await expect(second.note("from the first tab")).to_be_visible()

    await second.write("from the second tab")
    await expect(device.note("from the second tab")).to_be_visible()
    await device.write("again from the first")
    await expect(second.note("again from the first")).to_be_visible()

    await device.page.close()
    await second.write("written after the first was closed")
    await second.sync()
    await second.reload()
    await expect(second.page.locator("#note-list > li")).to_have_count(4)
    assert await second.ask("check_store") == []
    assert second.complaints == []


async def test_one_tab_is_ready_to_be_the_next_and_the_others_start_no_python(device: Device, world: World) -> None:
    second = await _tab(device, world)
    await _gets_python(second.page)
    third, fourth = [await _tab(device, world) for _ in range(2)]
    for number, tab in enumerate((third, fourth)):
        await tab.write(f"without a Python, {number}")
        await tab.sync()
        assert not _has_python(tab.page)
    await third.page.reload()
    await third.ready()
    assert not _has_python(third.page)

    await device.page.close()  # the second leads, and another gets ready
    await third.write("through the second")
    await expect(fourth.note("through the second")).to_be_visible()
    ready = [asyncio.ensure_future(_gets_python(tab.page)) for tab in (third, fourth)]
    done, _ = await asyncio.wait(ready, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    successor, last = (third, fourth) if ready[0] in done else (fourth, third)
    assert not _has_python(last.page)

    await second.page.close()
    await last.write("through the last but one")
    await successor.page.close()
    await last.write("alone")
    assert await last.ask("check_store") == []
    assert third.complaints == fourth.complaints == []


async def test_a_tab_without_a_python_leads_for_what_never_leaves_it(new_device: NewDevice, world: World) -> None:
    first = await (await new_device()).ready()
    second = await _tab(first, world)
    await _gets_python(second.page)
    third = await _tab(first, world)
    ended = asyncio.Event()
    first.page.workers[0].on("close", lambda _: ended.set())
    await third.set_password(PASSWORD)
    await expect(first.page.locator("#protection-key")).to_contain_text("locked by your password")
    assert _has_python(third.page) and _has_python(second.page)
    await ended.wait()  # the first led, and somebody else is ready
    await first.write("through the third")
    await expect(third.note("through the third")).to_be_visible()
    assert second.complaints == third.complaints == []


FORGED = """async () => {
  const channel = new BroadcastChannel("web5.tabs");
  const heard = [];
  const callOf = (reply) => heard.find(({ kind, from }) => kind === "call" && from === reply.to);
  const reply = await new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      const last = JSON.parse(data);
      heard.push(last);
      if (last.kind === "reply" && callOf(last)) resolve(last); // not one whose call was posted before we listened
    };
  });
  const call = callOf(reply);
  const key = "A".repeat(43);
  const sealed = reply.sealed.slice(0, -4) + "AAAA";
  const posted = [
    null, 7, {}, "", "[".repeat(100000), '{"kind": {}}', '{"kind": "leading"}',
    ...[
      { ...reply, sealed }, { ...reply, from: key }, { ...reply, sealed: 1 }, reply,
      { ...call, kind: "reply", from: call.to, to: call.from },
    ].map((one) => JSON.stringify(one)),
  ];
  for (const message of posted) channel.postMessage(message);
  return heard.length;
}"""


async def test_what_strangers_post_disturbs_no_tab_without_a_python(shared_device: Device, world: World) -> None:
    second = await _tab(shared_device, world)
    await _gets_python(second.page)
    third = await _tab(shared_device, world)
    stranger = await third.context.new_page()
    await stranger.goto(f"{world.origin}config.json")
    forging = asyncio.ensure_future(stranger.evaluate(FORGED))
    while not forging.done():
        await third.ask("identities")
    assert await forging
    answered = json.loads(await third.page.evaluate("web5Link('identities', '{}')"))
    assert [one["did"] for one in answered["ok"]] == [await third.did()]
    await third.write("undisturbed")
    assert not _has_python(third.page)
    assert second.complaints == third.complaints == []
    for page in (stranger, third.page, second.page):
        await page.close()
