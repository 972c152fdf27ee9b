"""The agent of an origin, wherever its node is: in this tab, worker or cell, or in another.

The first one is the node. The others work through it (`web5.agent.shared`), queue up behind it, and take its place.

A browser stops a page that is frozen together with its worker. A worker to which its page passes on the events "freeze"
and "resume" lets another be the node before that, and queues up again after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import js
from pyodide.ffi import create_proxy

from web5.agent.agent import Agent
from web5.agent.shared.office import DESK_CALLS
from web5.agent.shared.service import CALLS
from web5.agent.shared.shared_agent import SharedAgent
from web5.browser.crypto import BrowserCrypto
from web5.browser.network.guard import GuardedFetchHttp
from web5.browser.network.http import FetchHttp
from web5.browser.network.websocket import BrowserWebSockets
from web5.browser.runtime import is_local, open_agent
from web5.browser.tabs.answers import CALLER
from web5.browser.tabs.tabs import Tabs
from web5.dwn.store.durable.health import Ill
from web5.ports.clock import SystemClock
from web5.settings import Progress, ignore_progress
from web5.tasks import report

SHARED = frozenset({*CALLS, *DESK_CALLS, "join"})
"""The calls that one interpreter makes to another, and that any page of the origin can make."""

_LEAD = "lead"  # is shared with nobody: who calls it is the node when it is answered

_LIFE = ("freeze", "resume")

_AGAIN = 1.0
"""Seconds after which a store is opened again that could not be, when this tab's turn had come."""


async def open_shared_agent(
    *, gateway_uris: Sequence[str], on_progress: Progress, name: str = "web5", share_sockets: bool = False
) -> Agent:
    """Return the agent of this origin, which is opened here if no other tab, worker or cell has it.

    Parameters and errors are those of `web5.browser.runtime.open_agent`, but that it is no error if another has it.
    """
    member = _Member(gateway_uris, on_progress, name, share_sockets)
    await member.open()
    return cast(Agent, member.shared)


class _Member:
    """This interpreter among those that share a store; the `Line` to the node."""

    def __init__(self, gateway_uris: Sequence[str], on_progress: Progress, name: str, share_sockets: bool) -> None:
        self._gateway_uris = gateway_uris
        self._on_progress = on_progress
        self._name = name
        self._share_sockets = share_sockets
        http, sockets = FetchHttp(), BrowserWebSockets()
        self.shared = SharedAgent(
            self,
            take_lead=self._take_lead,
            leave=self._leave,
            clock=SystemClock(),
            crypto=BrowserCrypto(),
            own=(http, sockets),
            guarded=(http if is_local() else GuardedFetchHttp(), sockets),
            share_sockets=share_sockets,
        )
        version = int(getattr(js, "WEB5_BUILT", None) or 0)
        self._tabs = Tabs(f"{name}.api", SHARED, self._hand_over, version, self.shared.gone)
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turning = asyncio.Lock()
        self._turn = asyncio.ensure_future(self._be_the_node())
        self._handing: asyncio.Future[None] | None = None
        self._on_life = create_proxy(self._lives)
        if not hasattr(js, "document"):  # in a page itself nothing goes on any more once it was told
            for event in _LIFE:
                js.self.addEventListener(event, self._on_life)

    async def open(self) -> None:
        """Return once the agent is open here, or the node, which is elsewhere, has told its state."""
        joining = asyncio.ensure_future(self._join())
        try:
            await asyncio.wait([self._opened, joining], return_when=asyncio.FIRST_COMPLETED)
            if self._opened.done():
                self._opened.result()
            else:
                joining.result()
        except BaseException:
            await self.shared.close()
            raise
        finally:
            joining.cancel()
            with suppress(BaseException):
                await joining

    async def _join(self) -> None:
        await self._tabs.led()  # who is the node does without, which is soon known: a call takes time to make ready
        await self.shared.join()

    async def call(self, name: str, args: str, *, idempotent: bool) -> str:
        """Call the node, as `Line.call`."""
        return await self._tabs.call(name, args, idempotent=idempotent)

    async def _be_the_node(self) -> None:
        """Wait for the turn, be the node until cancelled, then let another be it."""
        while True:
            try:
                await self._tabs.lead()
            except Exception as error:  # the browser gives this page no locks, or the tab is being closed
                self._failed(error)
                return
            try:
                agent = await open_agent(
                    gateway_uris=self._gateway_uris,
                    on_progress=ignore_progress if self.shared.joined else self._on_progress,
                    name=self._name,
                    share_sockets=self._share_sockets,
                )
                await self.shared.lead(agent)
                if not self._opened.done():
                    self._opened.set_result(None)
                if not self.shared.joined:
                    await self.shared.ready_for_others.wait()
                await self._tabs.serve(self._answer)
                await asyncio.Event().wait()
            except Exception as error:
                self._failed(error)
            finally:
                await self._tabs.resign(self.shared.step_back)
            await asyncio.sleep(_AGAIN)

    def _failed(self, error: Exception) -> None:
        if not self._opened.done() and not self.shared.joined:
            self._opened.set_exception(error)
            self._opened.exception()  # `open` may be gone
        elif not self.shared.closed:
            report("this tab could not be the node", error)

    async def _answer(self, name: str, args: str) -> str:
        return "null" if name == _LEAD else await self.shared.answer(CALLER.get(), name, args)

    async def _take_lead(self) -> None:
        await self._tabs.call(_LEAD, "{}", idempotent=True)

    def _hand_over(self) -> None:
        self._handing = asyncio.ensure_future(self._step_back())

    async def _step_back(self) -> None:
        await self._pause()
        await self._queue_up()

    def _lives(self, js_event: Any) -> None:
        life = self._pause() if js_event.type == "freeze" else self._queue_up()
        self._handing = asyncio.ensure_future(life)

    async def _pause(self) -> None:
        """Let another be the node, unless what is here is stored nowhere, where that would find it."""
        node = self.shared.real
        trouble = node.dwn.database.health.trouble if node is not None else None
        if trouble is not None and trouble.kind == Ill.LOST:
            return
        async with self._turning:
            self._turn.cancel()
            await asyncio.wait([self._turn])
            self.shared.joined = True

    async def _queue_up(self) -> None:
        async with self._turning:
            if self._turn.done() and not self.shared.closed:
                self._turn = asyncio.ensure_future(self._be_the_node())

    async def _leave(self) -> None:
        async with self._turning:
            self._turn.cancel()
            await asyncio.wait([self._turn])
        for event in _LIFE:
            js.self.removeEventListener(event, self._on_life)
        self._on_life.destroy()
        await self._tabs.close()
