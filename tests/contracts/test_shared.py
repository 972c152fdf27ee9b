"""`Web5.connect()` in every tab of an origin: one agent, also when the tab that is the node is killed in any call."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Page

from tests.chromium import crash
from tests.contracts.chromium_harness import heard, python

pytestmark = pytest.mark.asyncio(loop_scope="module")

Pages = tuple[Page, Page, Page]


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


async def connected(pages: Pages, space: str) -> None:
    """The first page is the node."""
    [one, *others] = [json.loads(await python(page, "connect_here", space)) for page in pages]
    assert one[1:] == [False, False]
    assert others == [[one[0], True, False]] * 2


async def test_every_tab_has_the_same_agent(pages: Pages, space: str) -> None:
    await connected(pages, space)
    written = [await python(page, "write_note", space, str(number)) for number, page in enumerate(pages)]
    for page in pages:
        assert json.loads(await python(page, "texts", space)) == ["0", "1", "2"]
        assert await python(page, "read_note", space, written[1]) == "1"
    [record, digest] = json.loads(await python(pages[1], "upload", space, 20))
    for page in pages:
        assert await python(page, "download", space, record) == digest
    assert [await python(page, "is_node", space) for page in pages] == [True, False, False]
    for page in pages:
        assert json.loads(await python(page, "disconnect", space)) == []


async def test_many_connect_at_once(pages: Pages, space: str) -> None:
    found = [json.loads(one) for one in await asyncio.gather(*(python(page, "connect_here", space) for page in pages))]
    assert len({did for did, *_ in found}) == 1
    assert sorted(joined for _, joined, _ in found) == [False, True, True]


async def test_a_cell_that_runs_again_and_a_second_worker_get_what_is_there(pages: Pages, space: str) -> None:
    await connected(pages, space)
    for page in pages[:2]:
        assert json.loads(await python(page, "connect_here", space))[2]
    did = await pages[1].evaluate(
        """(space) => new Promise((resolve, reject) => {
          const second = new Worker("worker.mjs", { type: "module" });
          second.onmessage = ({ data }) => {
            if (data.ready) second.postMessage({ id: 1, name: "connect_here", args: [space] });
            else if (data.id === 1) "error" in data ? reject(new Error(data.error)) : resolve(data.result);
          };
        })""",
        space,
    )
    assert json.loads(did)[1]


async def test_close_right_after_connect_leaves_nothing_behind(pages: Pages, space: str) -> None:
    assert json.loads(await python(pages[0], "connect_and_close", space)) == []
    await connected(pages, space)


async def test_what_is_asked_of_a_tab_that_has_closed_says_so(pages: Pages, space: str) -> None:
    await connected(pages, space)
    for page in (pages[1], pages[0]):  # one that works through another, and the node
        assert set(json.loads(await python(page, "ask_when_closed", space))) == {"StorageClosed"}
    await python(pages[2], "write_note", space, "still here")
    assert [await python(page, "is_node", space) for page in pages[2:]] == [True]


@pytest.mark.parametrize("done", [False, True])
async def test_a_write_goes_on_when_the_node_is_killed(pages: Pages, space: str, done: bool) -> None:
    await connected(pages, space)
    await _stall(pages[0], space, "process", 1, done=done)
    writing = asyncio.ensure_future(python(pages[1], "write_note", space, "once"))
    await heard(pages[0], "stalling")
    await crash(pages[0])
    await pages[0].close()
    record = await writing
    for page in pages[1:]:
        assert json.loads(await python(page, "texts", space)) == ["once"]
        assert await python(page, "read_note", space, record) == "once"


@pytest.mark.parametrize("call", ["texts", "read_note"])
async def test_a_question_goes_on_when_the_node_is_killed(pages: Pages, space: str, call: str) -> None:
    await connected(pages, space)
    record = await python(pages[2], "write_note", space, "kept")
    await _stall(pages[0], space, "process", 1, done=True)
    asking = asyncio.ensure_future(python(pages[1], call, space, *([record] if call == "read_note" else [])))
    await heard(pages[0], "stalling")
    await crash(pages[0])
    await pages[0].close()
    assert await asking == ("kept" if call == "read_note" else '["kept"]')


async def test_an_upload_goes_on_when_the_node_is_killed(pages: Pages, space: str) -> None:
    await connected(pages, space)
    await _stall(pages[0], space, "put", 5, done=False)
    uploading = asyncio.ensure_future(python(pages[1], "upload", space, 20))
    await heard(pages[0], "stalling")
    await crash(pages[0])
    await pages[0].close()
    [record, digest] = json.loads(await uploading)
    assert [await python(page, "download", space, record) for page in pages[1:]] == [digest] * 2


async def test_a_download_goes_on_when_the_node_is_killed(pages: Pages, space: str) -> None:
    await connected(pages, space)
    [record, digest] = json.loads(await python(pages[2], "upload", space, 20))
    await _stall(pages[0], space, "take", 4, done=False)
    downloading = asyncio.ensure_future(python(pages[1], "download", space, record))
    await heard(pages[0], "stalling")
    await crash(pages[0])
    await pages[0].close()
    assert await downloading == digest


async def test_a_subscription_goes_on_when_the_node_is_killed(pages: Pages, space: str) -> None:
    await connected(pages, space)
    for page in pages[1:]:
        await python(page, "follow", space)
    for number in range(3):
        await python(pages[number], "write_note", space, str(number))
    await _stall(pages[0], space, "process", 1, done=True)
    writing = asyncio.ensure_future(python(pages[2], "write_note", space, "3"))
    await heard(pages[0], "stalling")
    await crash(pages[0])
    await pages[0].close()
    await writing
    await python(pages[1], "write_note", space, "4")
    for page in pages[1:]:
        await heard(page, "heard 4")
        assert await page.evaluate("told.filter((one) => one.startsWith('heard'))") == [f"heard {n}" for n in range(5)]


async def test_what_concerns_keys_makes_the_tab_the_node(pages: Pages, space: str) -> None:
    await connected(pages, space)
    record = await python(pages[0], "write_note", space, "kept")
    assert json.loads(await python(pages[1], "export", space)) == [True, True]
    for page in pages:
        assert await python(page, "read_note", space, record) == "kept"
    assert [await python(page, "is_node", space) for page in pages] == [False, True, False]
    for name, args in (("export_identity", "{}"), ("lead", "{}"), ("recovery_phrase", "{}")):
        assert name == "lead" or "InvalidArgument" in await python(pages[1], "ask_node", space, name, args)


async def test_the_first_result_of_a_query_in_a_second_tab(pages: Pages, space: str, record_property: object) -> None:
    await python(pages[0], "connect_here", space)
    await python(pages[0], "write_note", space, "there")
    milliseconds = await python(pages[1], "first_query", space)
    assert callable(record_property)
    record_property("first query in a second tab, ms", milliseconds)
    print(f"first result of a query in a second tab: {milliseconds:.0f} ms")


async def _stall(page: Page, space: str, call: str, times: int, *, done: bool) -> None:
    await python(page, "stall_in", space, call, times, done)
