"""`web5.dwn.protocols`: configure protocols, and see which are configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.agent import needs
from web5.agent.acting import Actor
from web5.agent.agent import Agent
from web5.dwn import compose


@dataclass(frozen=True)
class Protocol:
    """A configured protocol.

    Parameters:
        definition: in the wire's shape.
        message: the ProtocolsConfigure that configured it.
    """

    definition: dict[str, Any]
    message: dict[str, Any]


class ProtocolsApi:
    """Acts as `actor`; a delegate with grants, without which GrantMissing is raised."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did

    async def configure(self, definition: Mapping[str, Any]) -> Protocol:
        """Configure a protocol in the local DWN, or replace its definition; sync brings it to the remote ones.

        Parameters:
            definition: `protocol`, `published`, `types` and `structure`, as in the DWN specification.

        Raises:
            DwnError: the definition is refused; Conflict if a newer one is there.
        """
        right = await self._actor.right_to(needs.to_configure(definition))
        message = await compose.protocols_configure(
            right.signer, self._agent.clock, definition=definition, delegated_grant=right.delegated_grant
        )
        await self._agent.process(self._did, message)
        return _protocol(message)

    async def query(self, protocol: str | None = None, *, from_: str | None = None) -> list[Protocol]:
        """The configured protocols, or the one with this URL.

        Parameters:
            from_: the DID whose remote DWN is asked instead of the local one; of another's, the published ones.

        Raises:
            DwnError, RemoteError: the DWN refused, or could not be reached.
        """
        right = await self._actor.right_to(needs.to_see_protocols(protocol), from_)
        message = await compose.protocols_query(
            right.signer, self._agent.clock, protocol=protocol, permission_grant_id=right.grant_id
        )
        reply = await (
            self._agent.request(from_, message) if from_ is not None else self._agent.process(self._did, message)
        )
        return [_protocol(entry) for entry in reply["entries"]]


def _protocol(message: dict[str, Any]) -> Protocol:
    return Protocol(message["descriptor"]["definition"], message)
