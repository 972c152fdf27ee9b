"""A notes service on a real agent, asked as the page asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from app.change_notifier import ChangeNotifier
from app.service import Service, answer
from app.session import Session

from web5.agent.agent import Agent


class ShownFirst:
    """The browser's place for the copy of the newest notes, in memory.

    Parameters:
        kept: has each state that the place was in.
    """

    def __init__(self) -> None:
        self.kept: asyncio.Queue[str | None] = asyncio.Queue()
        self.text: str | None = None

    async def keep(self, text: str, still: Callable[[], bool]) -> None:
        if still():
            self._put(text)

    async def erase(self) -> None:
        self._put(None)

    def _put(self, text: str | None) -> None:
        self.text = text
        self.kept.put_nowait(text)


class Device:
    """A device's agent and its notes service.

    Parameters:
        posted: what was announced to the pages.
    """

    def __init__(self, agent: Agent, endpoints: list[str]) -> None:
        self.agent = agent
        self.posted: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.notifier = ChangeNotifier(lambda text: self.posted.put_nowait(json.loads(text)))
        self.notifier.watch(agent)
        self.shown_first = ShownFirst()
        self.session = Session(agent, self.notifier, endpoints, self.shown_first)
        self.service = Service(self.session)

    async def ask(self, name: str, **arguments: Any) -> Any:
        """What the page gets; an error as its kind."""
        answered = await ask(self.service, name, **arguments)
        return answered["error"]["kind"] if "error" in answered else answered["ok"]


async def ask(service: Service, name: str, **arguments: Any) -> Any:
    return json.loads(await answer(service, name, json.dumps(arguments)))
