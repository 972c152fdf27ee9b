"""`web5.identities`: the identities on this agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from web5.agent.agent import Agent
from web5.agent.identities import Identity


class IdentitiesApi:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def list(self) -> list[Identity]:
        """All of them, the oldest first."""
        return self._agent.identities.list()

    async def create(self, name: str, *, dwn_endpoints: Sequence[str]) -> Identity:
        """Make another identity. It is published in the background."""
        return await self._agent.create_identity(name, dwn_endpoints)

    async def export(self, did: str) -> dict[str, Any]:
        """A portable identity, **with its private keys**, as `@web5/agent` exports it.

        Raises:
            IdentityError: it is not on this agent.
        """
        return await self._agent.export_identity(did)

    async def import_(self, portable_identity: Any) -> Identity:
        """Take a portable identity of ours or of `@web5/agent`; sync begins to fill it.

        Raises:
            IdentityError: it is malformed, without usable keys, or here already. Nothing is changed.
        """
        return await self._agent.import_identity(portable_identity)
