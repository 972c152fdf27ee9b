"""Several tabs, one node: election, forwarded calls, and what becomes of them when the leader goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.contracts.chromium_harness import heard, python

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


async def _join(pages: tuple[Page, Page, Page], name: str) -> asyncio.Task[None]:
    """Both take part and the first leads; the task ends when the second leads."""
    one, other, _third = pages
    await python(one, "join", name)
    await python(other, "join", name)
    await python(one, "lead", name, "one")
    return asyncio.ensure_future(python(other, "lead", name, "other"))


async def test_both_tabs_reach_the_leader(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    for page in pages[:2]:
        answer = await python(page, "call", name, "greet", '{"who": "ü"}', False)
        assert json.loads(answer) == ["one", "greet", {"who": "ü"}]
    assert [await python(page, "leads", name) for page in pages[:2]] == [True, False]
    assert not succession.done()
    await python(pages[0], "leave", name)
    await succession


async def test_a_tab_that_joins_later_finds_the_leader(pages: tuple[Page, Page, Page], name: str) -> None:
    one, other, _third = pages
    await python(one, "join", name)
    await python(one, "lead", name, "one")
    await python(other, "join", name)
    assert json.loads(await python(other, "call", name, "greet", "1", False)) == ["one", "greet", 1]


async def test_calls_wait_for_the_first_leader(pages: tuple[Page, Page, Page], name: str) -> None:
    one, other, _third = pages
    await python(one, "join", name)
    await python(other, "join", name)
    waiting = [asyncio.ensure_future(python(page, "call", name, "greet", "1", False)) for page in (one, other)]
    # The workers take what they are sent in order, so both calls are made when these answer.
    assert [await python(page, "leads", name) for page in (one, other)] == [False, False]
    assert not any(task.done() for task in waiting)
    await python(one, "lead", name, "one")
    assert [json.loads(answer)[0] for answer in await asyncio.gather(*waiting)] == ["one", "one"]


async def test_the_handlers_error_is_the_callers(pages: tuple[Page, Page, Page], name: str) -> None:
    await _join(pages, name)
    for page in pages[:2]:
        assert await python(page, "call", name, "refuse", "1", False) == "Conflict: TestConflict: no"


async def test_the_other_tab_leads_when_the_leader_is_closed(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    await pages[0].close()
    await asyncio.wait_for(succession, 20)
    assert await python(pages[1], "leads", name)
    assert json.loads(await python(pages[1], "call", name, "greet", "2", False)) == ["other", "greet", 2]


async def test_a_call_under_way_fails_when_its_leader_goes(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    asked = asyncio.ensure_future(python(pages[1], "call", name, "stall", '"one"', False))
    await heard(pages[0], "stalling")
    await pages[0].close()
    await succession
    assert await asked == "NodeGone: the tab that was the node has gone; try again"


async def test_an_idempotent_call_goes_to_the_next_leader(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    asked = asyncio.ensure_future(python(pages[1], "call", name, "stall", '"one"', True))
    await heard(pages[0], "stalling")
    await pages[0].close()
    await succession
    assert json.loads(await asked) == ["other", "stall", "one"]


async def test_a_third_tab_is_served_by_the_successor(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    third = pages[2]
    await python(third, "join", name)
    idempotent = asyncio.ensure_future(python(third, "call", name, "stall", '"one"', True))
    single = asyncio.ensure_future(python(third, "call", name, "stall", '"one"', False))
    await heard(pages[0], "stalling", 2)
    await pages[0].close()
    await succession
    assert json.loads(await idempotent)[0] == "other"
    assert (await single).startswith("NodeGone")
    assert json.loads(await python(third, "call", name, "greet", "3", False))[0] == "other"


async def test_a_leader_that_resigns_has_closed_its_store_before_the_next_leads(
    pages: tuple[Page, Page, Page], name: str
) -> None:
    succession = await _join(pages, name)
    asked = [asyncio.ensure_future(python(page, "call", name, "stall", '"one"', True)) for page in pages[:2]]
    await heard(pages[0], "stalling", 2)
    resigned = asyncio.ensure_future(python(pages[0], "resign", name))
    await heard(pages[0], "closing")
    late = asyncio.ensure_future(python(pages[1], "call", name, "greet", "4", True))
    assert [await python(page, "leads", name) for page in pages[:2]] == [True, False]
    assert not succession.done()
    await python(pages[0], "closed", name)
    await resigned
    await succession
    assert [json.loads(answer)[:2] for answer in await asyncio.gather(*asked, late)] == [
        ["other", "stall"],
        ["other", "stall"],
        ["other", "greet"],
    ]


async def test_a_leader_that_resigned_may_lead_again(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    resigned = asyncio.ensure_future(python(pages[0], "resign", name))
    await heard(pages[0], "closing")
    await python(pages[0], "closed", name)
    await asyncio.gather(resigned, succession)
    again = asyncio.ensure_future(python(pages[0], "lead", name, "one again"))
    assert json.loads(await python(pages[0], "call", name, "greet", "5", False))[0] == "other"
    await python(pages[1], "leave", name)
    await again
    assert json.loads(await python(pages[0], "call", name, "greet", "6", False))[0] == "one again"


async def test_what_a_leader_has_dropped_is_not_waited_for_when_it_leads_again(
    pages: tuple[Page, Page, Page], name: str
) -> None:
    one, other, _third = pages
    await python(one, "join", name)
    await python(one, "lead", name, "one")
    await python(other, "join", name)  # and does not wait for the lead, as a frozen tab
    idempotent = asyncio.ensure_future(python(other, "call", name, "stall", '"one"', True))
    single = asyncio.ensure_future(python(other, "call", name, "stall", '"one"', False))
    await heard(one, "stalling", 2)
    resigned = asyncio.ensure_future(python(one, "resign", name))
    await heard(one, "closing")
    await python(one, "closed", name)
    await resigned
    await python(one, "lead", name, "one again")
    assert json.loads(await idempotent) == ["one again", "stall", "one"]
    assert (await single).startswith("NodeGone")


async def test_a_leader_answers_as_soon_as_it_can_be_seen(pages: tuple[Page, Page, Page], name: str) -> None:
    one, other, _third = pages
    await python(one, "join", name)
    await python(one, "linger", name)
    leading = asyncio.ensure_future(python(one, "lead", name, "one"))
    await heard(one, "shown")
    await python(other, "join", name)
    try:
        assert json.loads(await python(other, "call", name, "greet", "1", False)) == ["one", "greet", 1]
    finally:
        await python(one, "go_on", name)
    await leading


LISTEN = """name => {
  window.posted = [];
  window.channel = new BroadcastChannel(`${name}.tabs`);
  channel.onmessage = ({ data }) => posted.push(data);
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def stranger(context: BrowserContext, address: str, name: str) -> AsyncIterator[Page]:
    """Another page of the origin, which hears what the tabs post."""
    page = await context.new_page()
    await page.goto(f"{address}assets.json")
    await page.evaluate(LISTEN, name)
    yield page
    await page.close()


async def _posted(stranger: Page) -> str:
    text: str = await stranger.evaluate("posted.join('\\n')")
    return text


async def test_a_call_that_is_not_shared_makes_the_caller_the_leader(
    pages: tuple[Page, Page, Page], stranger: Page, name: str
) -> None:
    succession = await _join(pages, name)
    answer = await python(pages[1], "call", name, "tell", '"a secret"', False)
    assert json.loads(answer) == ["other", "tell", "a secret"]
    await succession
    assert json.loads(await python(pages[0], "call", name, "greet", '"a greeting"', False))[0] == "other"
    assert json.loads(await python(pages[0], "call", name, "tell", '"another secret"', False))[0] == "one"
    heard_there = await _posted(stranger)
    assert '"hand over"' in heard_there and '"call"' in heard_there
    assert "secret" not in heard_there and "greet" not in heard_there


async def test_whoever_asks_for_the_lead_goes_before_those_who_wait(pages: tuple[Page, Page, Page], name: str) -> None:
    succession = await _join(pages, name)
    third = pages[2]
    await python(third, "join", name)
    own = asyncio.ensure_future(python(third, "lead", name, "third"))
    assert json.loads(await python(third, "call", name, "tell", "1", False))[0] == "third"
    await own
    assert not succession.done()
    for page in (third, pages[0]):  # who waits comes before or behind the first, which has queued up again
        await python(page, "leave", name)
    await succession


async def test_a_stranger_cannot_make_a_call_that_is_not_shared(pages: tuple[Page, Page, Page], name: str) -> None:
    await _join(pages, name)
    await python(pages[2], "join", name, "tell")  # it has our code, and takes this for shared
    refusal = "InvalidArgument: No other tab can call 'tell'."
    assert await python(pages[2], "call", name, "tell", "1", False) == refusal
    assert await python(pages[0], "leads", name)


async def test_who_only_says_to_lead_gets_no_calls(pages: tuple[Page, Page, Page], stranger: Page, name: str) -> None:
    await _join(pages, name)
    claimed = await python(pages[2], "claim", name)
    # The workers take messages in order, so the claim was heard before this call is made.
    assert json.loads(await python(pages[1], "call", name, "greet", "1", False))[0] == "one"
    assert f'"to": "{claimed}"' not in await _posted(stranger)
    await python(pages[2], "disown", name)


async def test_a_call_does_not_wait_for_ever_for_a_leader_that_does_not_hand_over(
    pages: tuple[Page, Page, Page], name: str
) -> None:
    one, other, _third = pages
    await python(one, "join", name, "", False)
    await python(other, "join", name)
    await python(one, "lead", name, "one")
    await python(other, "be_patient", 0.2)
    try:
        assert (await python(other, "call", name, "tell", "1", True)).startswith("StorageBusy: another tab is the node")
        await heard(one, "asked to hand over")
        assert json.loads(await python(other, "call", name, "greet", "1", False))[0] == "one"
    finally:
        await python(other, "be_patient", 30)


NEWER = "StorageNewer: A tab with a newer version of this page has your data. Reload this one."


async def test_the_newer_version_leads_and_the_older_is_told(pages: tuple[Page, Page, Page], name: str) -> None:
    old, new, waiting = pages
    await python(old, "join", name, "", True, 1)
    await python(waiting, "join", name, "", True, 1)
    await python(old, "lead", name, "old")
    in_turn = asyncio.ensure_future(python(waiting, "lead", name, "old too"))
    told = [asyncio.ensure_future(python(page, "superseded", name)) for page in (old, waiting)]
    under_way = asyncio.ensure_future(python(old, "call", name, "stall", '"old"', True))
    await heard(old, "stalling")

    await python(new, "join", name, "", True, 2)
    await python(new, "lead", name, "new")  # nobody has called, and another tab stood in the queue before it
    await asyncio.gather(*told)
    assert json.loads(await under_way)[0] == "new"
    for page in pages:
        assert json.loads(await python(page, "call", name, "greet", "1", False)) == ["new", "greet", 1]
    for page in (old, waiting):
        assert await python(page, "call", name, "tell", "1", True) == NEWER
    assert json.loads(await python(new, "call", name, "tell", "2", False))[0] == "new"
    assert not in_turn.done()

    await python(new, "leave", name)  # then an older one is better than none
    assert json.loads(await python(old, "call", name, "greet", "3", True))[0].startswith("old")


async def test_an_older_version_does_not_get_the_lead_by_asking(pages: tuple[Page, Page, Page], name: str) -> None:
    new, old, _third = pages
    await python(new, "join", name, "", True, 2)
    await python(new, "lead", name, "new")
    await python(old, "join", name, "", True, 1)
    waiting = asyncio.ensure_future(python(old, "lead", name, "old"))
    assert await python(old, "call", name, "tell", "1", True) == NEWER
    await python(old, "superseded", name)
    assert await new.evaluate("told") == []
    assert not waiting.done()
    await python(new, "leave", name)
    await waiting


async def test_no_call_goes_to_an_older_version(pages: tuple[Page, Page, Page], name: str) -> None:
    old, new, _third = pages
    await python(old, "join", name, "", False, 1)
    await python(old, "lead", name, "old")
    await python(new, "join", name, "", True, 2)
    await python(new, "be_patient", 0.2)
    try:
        refused = await python(new, "call", name, "greet", "1", True)
        assert refused.startswith("StorageBusy: another tab is the node, and does not hand over")
    finally:
        await python(new, "be_patient", 30)
    await heard(old, "asked to hand over")


async def test_what_strangers_post_disturbs_nobody(pages: tuple[Page, Page, Page], stranger: Page, name: str) -> None:
    await _join(pages, name)
    key = "A" * 43
    posted = [
        None,
        7,
        {"kind": "leading"},
        "",
        "[" * 100_000,
        '{"kind": {}}',
        '{"kind": "leading", "from": 3}',
        '{"kind": "hand over"}',
        '{"kind": "hand over", "from": "x", "to": "y"}',
        json.dumps({"kind": "hand over", "from": key, "to": key}),
        json.dumps({"kind": "hand over", "from": key, "to": key, "version": "-1"}),
        json.dumps({"kind": "hand over", "from": key, "to": key, "version": "9" * 1000}),
        '{"kind": "call", "from": {}, "to": [], "sealed": 1}',
        json.dumps({"kind": "call", "from": key, "to": key, "sealed": "x"}),
        json.dumps({"kind": "reply", "from": key, "to": key, "sealed": "!"}),
    ]
    await stranger.evaluate("messages => messages.forEach((message) => channel.postMessage(message))", posted)
    call = json.loads(await _one_call(pages[1], stranger, name))
    forged = [
        {**call, "from": key},
        {**call, "sealed": call["sealed"][:-4] + "AAAA"},
        {**call, "sealed": "AAAA"},
        {**call, "kind": "reply", "from": call["to"], "to": call["from"]},
    ]
    for message in forged:
        await stranger.evaluate("message => channel.postMessage(message)", json.dumps(message))
    for page in pages[:2]:
        assert json.loads(await python(page, "call", name, "greet", "2", False)) == ["one", "greet", 2]


async def _one_call(caller: Page, stranger: Page, name: str) -> str:
    """A call as it was heard by a stranger."""
    await python(caller, "call", name, "greet", "1", False)
    text: str = await stranger.evaluate("posted.find((text) => JSON.parse(text).kind === 'call')")
    return text


async def test_a_store_has_one_owner(pages: tuple[Page, Page, Page], name: str) -> None:
    assert await python(pages[0], "own", name, 0.2) == "owned"
    assert (await python(pages[1], "own", name, 0.2)).startswith("StorageBusy")
    patient = asyncio.ensure_future(python(pages[1], "own", name, 20))
    await python(pages[0], "disown", name)
    assert await patient == "owned"
