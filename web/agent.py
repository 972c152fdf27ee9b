"""This tab's node, or its turn to be the node. boot/agent.mjs runs it in the worker.

The page calls `ask` (boot/place.mjs), and is told when this tab leads; changes are posted to all pages on the
BroadcastChannel "web5-events". A tab of a newer version becomes the node in the place of this one (see
`web5.browser.tabs.tabs`).
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

import js
from app.change_notifier import ChangeNotifier
from app.service import SHARED, Service, answer, refusal
from app.session import Session
from app.transfers import LENT

from web5.browser.storage.preview import PreviewStore
from web5.browser.tabs.shared import open_shared_agent
from web5.browser.tabs.tabs import Tabs
from web5.errors import StorageBlocked, StorageBusy, Web5Error
from web5.platform import settings_of
from web5.settings import Settings

Opened = tuple[Session, Service]

LENT_SECONDS = 2.0
"""For so long a page with another program of the same store keeps the agent that it has asked for."""

notifier: ChangeNotifier
tabs: Tabs
turn: asyncio.Future[None]
broken: Web5Error | None = None
shared: Any = None
settings: asyncio.Future[Settings] | None = None
opening: asyncio.Future[Opened] | None = None
turning = asyncio.Lock()
handing: asyncio.Future[None] | None = None


def start() -> None:
    """Take part in the election of the node. Until then this module has a hold of nothing of this worker's."""
    global notifier, tabs, turn
    notifier = ChangeNotifier(js.BroadcastChannel.new("web5-events").postMessage, js.performance.mark)
    tabs = Tabs("web5", SHARED, hand_over, js.WEB5_BUILT)
    turn = asyncio.ensure_future(be_the_node())


async def ask(name: str, arguments: str, blob: Any = None) -> str:
    """Call a method of the notes service; one that is not shared makes this tab the node first.

    Parameters:
        name: one of `app.service.METHODS`.
        arguments: a JSON object.
        blob: a Blob that the call is about, by the `key` in its arguments.

    Returns:
        `{"ok": …}` or `{"error": {"kind", "message", "code", "detail"}}`, as JSON.
    """
    key = json.loads(arguments)["key"] if blob is not None else ""
    if key:
        LENT[key] = blob
    try:
        return await tabs.call(name, arguments, idempotent=True)
    except Web5Error as error:
        return refusal(broken or error)
    finally:
        LENT.pop(key, None)


async def be_the_node() -> None:
    """Wait until this tab leads, then open the store and answer for all tabs; cancelled, let another tab lead."""
    global broken, opening, settings
    try:
        await tabs.lead()
    except Exception as error:  # the browser gives this page no locks: there is no node here, and every call says so
        broken = error if isinstance(error, Web5Error) else StorageBlocked(str(error))
        await tabs.close()
        js.web5Leads("nobody")  # since who calls is told so here
        return
    settings = asyncio.ensure_future(settings_of(on_progress=notifier.boot))
    # An opening that was broken off might still write when another tab leads, so it is always waited for.
    opening = asyncio.ensure_future(open_session())
    try:
        with suppress(Exception):  # which whoever calls is told
            await asyncio.shield(opening)
        await tabs.serve(serve)
        js.web5Leads(tabs.me)
        notifier.leading()
        await asyncio.Event().wait()
    finally:
        settings.cancel()  # which may take as long as the site does not answer
        try:
            await tabs.resign(close)
        finally:
            js.web5Leads("")


async def open_session(pause: float = 0.0) -> Opened:
    """Open the agent of this origin, and its API once the site's settings are there; what needs its vault waits for it.

    Where a page with another program has it, that one goes on through this one.

    Parameters:
        pause: seconds that such a page has it first.
    """
    global shared
    assert settings is not None
    await asyncio.sleep(pause)
    try:
        if shared is None:
            shared = await open_shared_agent(gateway_uris=(), on_progress=notifier.boot)
            shared.on_lost.append(lose)
        agent = await shared.as_node()
        found = await settings  # not before: the store is read while they are on their way
        agent.use_gateways(found.did_dht_gateways)
        notifier.watch(agent)
        session = Session(agent, notifier, found.dwn_endpoints, PreviewStore("web5"))
        await session.open()
        await shared.ready()
    except BaseException:
        if shared is not None:
            await shared.close()
        shared = None
        raise
    return session, Service(session)


async def serve(name: str, arguments: str) -> str:
    """Answer a call of a tab, with another agent once more if one is lost meanwhile."""
    global opening
    while True:
        current = opening
        assert current is not None
        try:
            _, service = await asyncio.shield(current)
        except Exception as error:
            if current is opening and isinstance(error, StorageBusy):
                opening = asyncio.ensure_future(open_session())  # for the next call
            return refusal(error)
        answered = await answer(service, name, arguments)
        if current is opening:
            return answered


async def lose() -> None:
    """Do without the agent, since another page's Python has to be the node, and have it back soon."""
    global opening
    before, opening = opening, asyncio.ensure_future(come_back())
    if before is not None and before.done() and not before.exception():
        session, _ = before.result()
        await session.leave()


async def come_back() -> Opened:
    """Open the agent again, once the other page has had it for a moment."""
    opened = await open_session(LENT_SECONDS)
    asyncio.get_running_loop().call_soon(notifier.leading)
    return opened


async def close() -> None:
    """Close the store, if it has opened."""
    global shared
    assert opening is not None
    if shared is not None and shared.real is None:
        opening.cancel()  # it only waits for another page
    # Why it did not open was shown; what it could not write was not acknowledged.
    with suppress(Exception, asyncio.CancelledError):
        session, _ = await opening
        await session.leave()
    if shared is not None:
        leaving, shared = shared, None
        await leaving.close()


async def freeze() -> None:
    """Let another tab be the node, since the browser is about to stop this one and nobody could reach it.

    It stays the node while nothing that it has is stored: the other would find an empty store.
    """
    if opening is not None and opening.done() and not opening.exception() and opening.result()[0].is_in_memory_alone:
        return
    async with turning:
        turn.cancel()
        await asyncio.wait([turn])


async def resume() -> None:
    """Queue up again, since this tab goes on."""
    global turn
    async with turning:
        if turn.done():
            turn = asyncio.ensure_future(be_the_node())


def hand_over() -> None:
    """Let the tab that asks for it be the node, and queue up behind it."""
    global handing
    handing = asyncio.ensure_future(step_back())


async def step_back() -> None:
    """Stop being the node, and wait for the next turn."""
    await freeze()
    await resume()
