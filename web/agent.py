"""This tab's node, or its turn to be the node. boot/agent.mjs runs it in the worker.

The page calls `ask` (boot/place.mjs), and is told when this tab leads; changes are posted to all pages on the
BroadcastChannel "web5-events". A tab of a newer version becomes the node in the place of this one (see
`web5.browser.tabs`).
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import js
from app.change_notifier import ChangeNotifier
from app.service import SHARED, Service, answer, refusal
from app.session import Session

from web5.browser.preview import PreviewStore
from web5.browser.tabs import Handler, Tabs
from web5.errors import StorageBlocked, Web5Error
from web5.platform import open_agent, settings_of
from web5.settings import Settings

channel = js.BroadcastChannel.new("web5-events")
notifier = ChangeNotifier(channel.postMessage, js.performance.mark)


async def ask(name: str, arguments: str) -> str:
    """Call a method of the notes service; one that is not shared makes this tab the node first.

    Parameters:
        name: one of `app.service.METHODS`.
        arguments: a JSON object.

    Returns:
        `{"ok": …}` or `{"error": {"kind", "message", "code", "detail"}}`, as JSON.
    """
    try:
        return await tabs.call(name, arguments, idempotent=True)
    except Web5Error as error:
        return refusal(broken or error)


async def be_the_node() -> None:
    """Wait until this tab leads, then open the store and answer for all tabs; cancelled, let another tab lead."""
    global broken, opening
    try:
        await tabs.lead()
    except Exception as error:  # the browser gives this page no locks: there is no node here, and every call says so
        broken = error if isinstance(error, Web5Error) else StorageBlocked(str(error))
        await tabs.close()
        js.web5Leads("nobody")  # since who calls is told so here
        return
    settings = asyncio.ensure_future(settings_of(on_progress=notifier.boot))
    # An opening that was broken off might still write when another tab leads, so it is always waited for.
    opening = asyncio.ensure_future(open_session(settings))
    try:
        await tabs.serve(await handler(asyncio.shield(opening)))
        js.web5Leads(tabs.me)
        notifier.leading()
        await asyncio.Event().wait()
    finally:
        settings.cancel()  # which may take as long as the site does not answer
        try:
            await tabs.resign(lambda: close(opening))
        finally:
            js.web5Leads("")


async def open_session(asked: Awaitable[Settings]) -> Session:
    """Open the agent of this origin, once its site's settings are there; what needs its vault waits until unlocked."""
    settings = await asked
    agent = await open_agent(gateway_uris=settings.did_dht_gateways, on_progress=notifier.boot)
    try:
        notifier.watch(agent)
        session = Session(agent, notifier, settings.dwn_endpoints, PreviewStore("web5"))
        await session.open()
    except BaseException:
        await agent.close()
        raise
    return session


async def handler(opening: Awaitable[Session]) -> Handler:
    """Return the function that answers the calls of all tabs."""
    try:
        service = Service(await opening)
    except Exception as error:
        failure = refusal(error)

        async def refuse(name: str, arguments: str) -> str:
            return failure

        return refuse

    async def serve(name: str, arguments: str) -> str:
        return await answer(service, name, arguments)

    return serve


async def close(opening: Awaitable[Session]) -> None:
    """Close the store, if it has opened."""
    # Why it did not open was shown; what it could not write was not acknowledged.
    with suppress(Exception, asyncio.CancelledError):
        await (await opening).close()


async def freeze() -> None:
    """Let another tab be the node, since the browser is about to stop this one and nobody could reach it.

    It stays the node while nothing that it has is stored: the other would find an empty store.
    """
    if opening is not None and opening.done() and not opening.exception() and opening.result().is_in_memory_alone:
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


tabs = Tabs("web5", SHARED, hand_over, js.WEB5_BUILT)
broken: Web5Error | None = None
opening: asyncio.Future[Session] | None = None
turning = asyncio.Lock()
handing: asyncio.Future[None] | None = None
turn = asyncio.ensure_future(be_the_node())
