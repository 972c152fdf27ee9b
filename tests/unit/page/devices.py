"""A notes service on a real agent, asked as the page asks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from app.change_notifier import ChangeNotifier
from app.service import Service, answer
from app.session import Session

from web5.agent.agent import Agent


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
        self.session = Session(agent, self.notifier, endpoints)
        self.service = Service(self.session)

    async def ask(self, name: str, **arguments: Any) -> Any:
        """What the page gets; an error as its kind."""
        answered = await ask(self.service, name, **arguments)
        return answered["error"]["kind"] if "error" in answered else answered["ok"]


async def ask(service: Service, name: str, **arguments: Any) -> Any:
    return json.loads(await answer(service, name, json.dumps(arguments)))
