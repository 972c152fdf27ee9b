"""`web5.sync`: when this agent syncs, and how that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from web5.agent.agent import Agent
from web5.sync.states import Direction, EndpointStatus, SyncEvent, SyncReport, Unsettled


class SyncApi:
    """Times and intervals are the agent's; what is where is that of the identity `did`."""

    def __init__(self, agent: Agent, did: str) -> None:
        self._sync = agent.sync
        self._did = did

    @property
    def interval(self) -> str:
        """As it was given to `start`; "off" while sync is stopped."""
        return self._sync.interval

    async def start(self, interval: str = "2m") -> None:
        """Sync now, in the background, and then again after every interval.

        Parameters:
            interval: as npm's `ms` takes it: "2m", "30s", "1 hour"; or "off".

        Raises:
            InvalidArgument: it is none of these.
        """
        await self._sync.start(interval)

    async def stop(self) -> None:
        """Stop at once; what was under way is taken up again by the next sync."""
        await self._sync.stop()

    async def now(self, direction: Direction | None = None) -> SyncReport:
        """Sync all identities of this agent once. What failed is in the report, not raised.

        Parameters:
            direction: "push" or "pull"; by default both.
        """
        return await self._sync.now(direction)

    def status(self) -> list[EndpointStatus]:
        """How each remote DWN of this identity stands."""
        return self._sync.status(self._did)

    def unsettled(self) -> list[Unsettled]:
        """Every message that is not yet where it belongs, with the reason."""
        return self._sync.unsettled(self._did)

    def events(self) -> AsyncIterator[SyncEvent]:
        """What sync does, from now on, until the iteration is given up."""
        return self._sync.events()

    @property
    def listeners(self) -> list[Callable[[SyncEvent], None]]:
        """Called with each event; they must not raise and not take long."""
        return self._sync.listeners
