"""This tab's node, or the way to the tab that is the node. boot/agent.mjs runs it in the worker.

The page calls `ask`; what changes is told to all pages on the BroadcastChannel "web5-events".
"""

import asyncio

import js
from app.announcer import Announcer
from app.service import Service, answer, refusal

from web5 import Web5
from web5.browser.tabs import Tabs
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
    """Wait until this tab leads, then open the store and answer for all tabs."""
    await tabs.lead()
    try:
        connection = await Web5.connect(sync="live", on_progress=announcer.boot)
    except Exception as error:
        failure = refusal(error)

        async def refuse(name: str, arguments: str) -> str:
            return failure

        tabs.serve(refuse)
        return
    service = Service(connection.web5)
    announcer.watch(connection.web5)

    async def serve(name: str, arguments: str) -> str:
        return await answer(service, name, arguments)

    tabs.serve(serve)


tasks = [asyncio.ensure_future(be_the_node())]
