"""The start of the page in pieces, so that the browser can answer between them."""

import asyncio

_PIECES = (
    "ui.kit.form",
    "ui.screens.notes.alone",
    "ui.screens.notes.uploads",
    "ui.screens.messages.screen",
    "ui.screens.data.screen",
    "ui.screens.nodes.nodes",
    "ui.screens.settings.keys.recovery",
    "ui.screens.home.screen",
    "ui.main",
)
"""Modules, each with what it imports that has not come before: some 20 ms on a small machine."""


async def start():
    """Import everything."""
    for name in _PIECES:
        await asyncio.sleep(0)
        __import__(name)
