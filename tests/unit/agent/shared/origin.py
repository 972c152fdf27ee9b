"""An origin in memory: interpreters that share one store, of which one is the node, and JSON alone between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tests.unit.conftest import World
from web5 import Web5
from web5.agent.agent import Agent
from web5.agent.shared.shared_agent import SharedAgent
from web5.browser.tabs.tab_errors import error_from_wire, error_to_wire
from web5.cpython.crypto import CPythonCrypto
from web5.errors import NodeGone, StorageBusy
from web5.ports.clock import SystemClock


class Origin:
    """Elects the node, and carries calls to it.

    Attributes:
        before: called with each call's name before the node has it.
        after: likewise, before its answer is given.
    """

    def __init__(self, world: World, name: str = "origin") -> None:
        self._world = world
        self._name = name
        self.turn = asyncio.Lock()
        self.node: Interpreter | None = None
        self.changed = asyncio.Condition()
        self.before: Callable[[str], Awaitable[None]] | None = None
        self.after: Callable[[str], Awaitable[None]] | None = None
        self.made = 0

    async def open_store(self) -> Agent:
        return await self._world.device(self._name)

    async def set_node(self, node: Interpreter | None) -> None:
        async with self.changed:
            self.node = node
            self.changed.notify_all()

    async def interpreter(self) -> Web5:
        self.made += 1
        one = Interpreter(self, f"interpreter {self.made}")
        web5, _ = await Web5.connect(
            agent=cast(Agent, await one.open()), dwn_endpoints=self._world.endpoints, sync="off"
        )
        return web5


class Interpreter:
    """One of them."""

    def __init__(self, origin: Origin, name: str) -> None:
        self.name = name
        self._origin = origin
        self._opened = asyncio.Event()
        http = cast(Any, None)
        self.agent = SharedAgent(
            self, take_lead=self._take_lead, leave=self._leave, clock=SystemClock(), crypto=CPythonCrypto(),
            own=(http, None), guarded=(http, None),
        )  # fmt: skip
        self.agent.platform = self  # type: ignore[attr-defined]
        self._under_way: set[asyncio.Task[str]] = set()
        self._candidate: asyncio.Task[None] | None = None

    async def open(self) -> SharedAgent:
        self._candidate = asyncio.create_task(self._be_the_node())
        if self._origin.node is not None:
            await self.agent.join()
        else:
            await self._opened.wait()
        return self.agent

    async def _be_the_node(self) -> None:
        await self._origin.turn.acquire()
        try:
            agent = await self._origin.open_store()
            if self.agent.closed:
                await agent.close()
                raise asyncio.CancelledError
            await self.agent.lead(agent)
        except BaseException:
            self._origin.turn.release()
            raise
        self._opened.set()
        await self._origin.set_node(self)

    async def _take_lead(self) -> None:
        node = self._origin.node
        if node is not None:
            await node.hand_over()
        await self._opened.wait()

    async def hand_over(self) -> None:
        self._opened.clear()
        await self._origin.set_node(None)
        await self.agent.step_back()
        self._break_off()
        self._origin.turn.release()
        self._candidate = asyncio.create_task(self._be_the_node())

    async def kill(self) -> None:
        """End as a tab does that is closed: nothing that is under way is answered."""
        await self._origin.set_node(None)
        self._break_off()
        self.agent.closed = True
        real, self.agent.real, self.agent._service, self.agent._office = self.agent.real, None, None, None
        assert real is not None
        await real.close()
        self._origin.turn.release()

    def _break_off(self) -> None:
        for task in self._under_way:
            task.cancel()

    async def _leave(self) -> None:
        if self._candidate is not None and not self._candidate.done():
            if not self._origin.turn.locked() or self._origin.node is not None:
                self._candidate.cancel()
            await asyncio.wait([self._candidate])
        if self._origin.node is self:
            await self._origin.set_node(None)
            self._break_off()
            await self.agent.step_back()
            self._origin.turn.release()
        elif self._origin.node is not None:
            self._origin.node.agent.gone(self.name)

    async def call(self, name: str, args: str, *, idempotent: bool) -> str:
        while True:
            async with self._origin.changed:
                await self._origin.changed.wait_for(lambda: self._origin.node is not None)
            node = self._origin.node
            assert node is not None
            task = asyncio.ensure_future(self._carried(node, name, args))
            node._under_way.add(task)
            try:
                return await task
            except asyncio.CancelledError:
                if self._origin.node is node:
                    task.cancel()
                    raise
                if not idempotent:
                    raise NodeGone("gone") from None
            finally:
                node._under_way.discard(task)

    async def _carried(self, node: Interpreter, name: str, args: str) -> str:
        if self._origin.before is not None and self is not node:
            await self._origin.before(name)
        try:
            answer = await node.agent.answer(self.name, name, args)
        except Exception as error:
            raise error_from_wire(error_to_wire(error)) from error
        if self._origin.after is not None and self is not node:
            await self._origin.after(name)
        return answer


def platform_of(web5: Web5) -> Interpreter:
    """Return the interpreter of an API."""
    return cast(Interpreter, cast(Any, web5.agent).platform)


__all__ = ["Origin", "StorageBusy", "platform_of"]
