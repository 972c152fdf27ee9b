"""The agents that are open in this interpreter, each shared by all who ask for it.

Invariants:
1. In one event loop, a store has one agent: who asks while it is open gets that one.
2. It is closed with the last lease. A lease that nobody has any more, as after a notebook's cell ran again, is none.
3. Nobody gets an agent while another is making it ready, or while it is being closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from web5.agent.agent import Agent
from web5.errors import InvalidArgument
from web5.tasks import to_the_end


class Lease:
    """One user's share in an agent that is open.

    Attributes:
        agent: the agent.
        is_first: True if it was opened for this lease.
    """

    def __init__(self, shared: _Shared, agent: Agent, *, is_first: bool) -> None:
        self.agent = agent
        self.is_first = is_first
        self._shared = shared

    async def close(self) -> None:
        """Give the share up; the agent is closed with the last one. Safe to call twice."""
        await to_the_end(self._shared.give_up(self))


class _Shared:
    """The state of one store's agent, open or not."""

    def __init__(self) -> None:
        self.agent: Agent | None = None
        self.options: Mapping[str, Any] = {}
        self.leases: WeakSet[Lease] = WeakSet()
        self.busy = asyncio.Lock()

    async def give_up(self, lease: Lease) -> None:
        async with self.busy:
            if lease not in self.leases:
                return
            self.leases.discard(lease)
            if not self.leases:
                self.agent, self.options = None, {}
                await lease.agent.close()


_open: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def leased(
    store: Hashable, given: Mapping[str, Any], options: Mapping[str, Any], open_: Callable[[], Awaitable[Agent]]
) -> AsyncIterator[Lease]:
    """Yield a lease of the store's agent, which is opened if it is not; the lease ends if the block fails.

    Parameters:
        given: the options that this user named; they must be those of the agent that is open.
        options: all that the agent would be opened with.

    Raises:
        InvalidArgument: the open agent has another option.
        Whatever `open_` raises.
    """
    shared = _open.setdefault(asyncio.get_running_loop(), {}).setdefault(store, _Shared())
    async with shared.busy:
        agent = None if shared.agent is None or shared.agent.closed else shared.agent
        if agent is not None:
            _check_same(given, shared.options)
            lease = Lease(shared, agent, is_first=False)
        else:
            lease = Lease(shared, await open_(), is_first=True)
            shared.agent, shared.options = lease.agent, options
            shared.leases.clear()
        try:
            yield lease
            await lease.agent.ready()
        except BaseException:
            if lease.is_first:
                shared.agent = None
                await lease.agent.close()
            raise
        shared.leases.add(lease)


def _check_same(given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value != options.get(name):
            raise other_option(name, value, options.get(name))


def other_option(name: str, value: object, used: object) -> InvalidArgument:
    """Return the error for an option that is not that of the agent that is open."""
    return InvalidArgument(
        f"{name}={value!r}: the agent is open here already, with {name}={used!r}. Leave it out, or close what is open"
        " first."
    )
