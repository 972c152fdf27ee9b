"""This tab's node, or the way to the tab that is the node. boot/agent.mjs runs it in the worker.

The page calls `ask`; what changes is told to all pages on the BroadcastChannel "web5-events".
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import js
from app.announcer import Announcer
from app.service import Service, answer, refusal

from web5 import Connection, Web5
from web5.browser.tabs import Handler, Tabs
from web5.errors import Web5Error

tabs = Tabs("web5")
channel = js.BroadcastChannel.new("web5-events")
announcer = Announcer(channel.postMessage)


async def ask(name: str, arguments: str) -> str:
    """Call a method of the notes service, in this tab or in the one that is the node.

    Parameters:
        name: one of `app.service.METHODS`.
        arguments: a JSON object.

    Returns:
        `{"ok": …}` or `{"error": {"kind", "message", "code", "detail"}}`, as JSON.
    """
    try:
        return await tabs.call(name, arguments, idempotent=True)
    except Web5Error as error:
        return refusal(error)


async def be_the_node() -> None:
    """Wait until this tab leads, then open the store and answer for all tabs; cancelled, let another tab lead."""
    await tabs.lead()
    # An opening that was broken off might still write when another tab leads, so it is always waited for.
    opening = asyncio.ensure_future(Web5.connect(sync="off", on_progress=announcer.boot))
    try:
        tabs.serve(await handler(asyncio.shield(opening)))
        announcer.leading()
        await asyncio.Event().wait()
    finally:
        await tabs.resign(lambda: close(opening))


async def handler(opening: Awaitable[Connection]) -> Handler:
    """What answers the calls of all tabs."""
    try:
        connection = await opening
    except Exception as error:
        failure = refusal(error)

        async def refuse(name: str, arguments: str) -> str:
            return failure

        return refuse
    service = Service(connection.web5)
    announcer.watch(connection.web5)

    async def serve(name: str, arguments: str) -> str:
        return await answer(service, name, arguments)

    return serve


async def close(opening: Awaitable[Connection]) -> None:
    """Close the store, if it has opened."""
    with suppress(Exception):  # why it did not open was told; what it could not write was not acknowledged
        await (await opening).web5.close()


async def freeze() -> None:
    """The browser is about to stop this tab: let another be the node, for nobody could reach this one."""
    async with turning:
        turn.cancel()
        await asyncio.wait([turn])


async def resume() -> None:
    """This tab goes on: queue up again."""
    global turn
    async with turning:
        if turn.done():
            turn = asyncio.ensure_future(be_the_node())


turning = asyncio.Lock()
turn = asyncio.ensure_future(be_the_node())
