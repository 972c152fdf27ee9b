"""`web5.did`: resolving DIDs and DID URLs."""

from __future__ import annotations

from web5.agent.agent import Agent
from web5.dids.models import DidDereferencingResult, DidResolutionResult
from web5.dids.resolver import dereference


class DidApi:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        """Resolve a DID. Never raises: what went wrong is in `did_resolution_metadata`."""
        return await self._agent.resolver.resolve(did_uri)

    async def dereference(self, did_url: str) -> DidDereferencingResult:
        """The key or service that a DID URL names. Never raises: see `dereferencing_metadata`."""
        return await dereference(self._agent.resolver, did_url)
