"""`web5.identities`: the identities on this agent, which are the same on all of its devices."""

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

    async def rename(self, did: str, name: str) -> None:
        """Give it another name.

        Raises:
            IdentityError: it is not on this agent, or the name is blank.
        """
        await self._agent.identities.rename(did, name)

    async def choose(self, did: str) -> None:
        """Make it the one that `Web5.connect` gives on this device. Raises IdentityError if it is not on this agent."""
        await self._agent.identities.choose(did)

    async def set_dwn_endpoints(self, did: str, urls: Sequence[str]) -> None:
        """Choose its remote DWNs. The DID document is published anew; sync fills a node that is added, and lets go of
        one that is not named any more, which keeps what it has.

        Raises:
            InvalidArgument: a URL is none of http or https.
            IdentityError: it is not on this agent.
        """
        await self._agent.set_dwn_endpoints(did, urls)

    async def delete(self, did: str) -> None:
        """Delete it with its keys, on all devices of this agent. Without an export nothing brings it back; what its
        remote DWNs hold stays there.

        Raises:
            IdentityError: it is not on this agent.
        """
        await self._agent.identities.delete(did)

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
