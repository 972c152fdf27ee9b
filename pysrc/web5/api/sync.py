"""`web5.sync`: when this agent syncs, and how that stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web5.agent.agent import Agent
from web5.sync import EndpointStatus, SyncReport, Unsettled


class SyncApi:
    def __init__(self, agent: Agent, did: str) -> None:
        self._sync = agent.sync
        self._did = did

    @property
    def interval(self) -> str:
        """As it was given to `start`; "off" while sync is stopped."""
        return self._sync.interval

    async def start(self, interval: str = "2m") -> None:
        """Sync now and then again after every interval.

        Parameters:
            interval: as npm's `ms` takes it: "2m", "30s", "1 hour"; or "off".

        Raises:
            InvalidArgument: it is none of these.
        """
        await self._sync.start(interval)

    async def stop(self) -> None:
        """Stop at once; what was under way is taken up again by the next sync."""
        await self._sync.stop()

    async def now(self, direction: str | None = None) -> SyncReport:
        """Sync all identities once.

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

    @property
    def listeners(self) -> list[Callable[[Any], None]]:
        """Called with each event of the sync engine."""
        return self._sync.listeners
