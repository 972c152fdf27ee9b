"""`web5.dwn.protocols`: configure protocols, and see which are configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.dwn import compose
from web5.dwn.encryption.protocol_keys import required_types, with_keys, without_marks


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
    """The protocols of this identity's DWN. A delegate needs grants, without which GrantMissing is raised."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did

    async def configure(self, definition: Mapping[str, Any], *, encryption: bool = False) -> Protocol:
        """Configure a protocol in the local DWN, or replace its definition; sync brings it to the remote ones.

        It is dated after the one that it replaces, also if that comes from a device whose clock is ahead.

        Parameters:
            definition: `protocol`, `published`, `types` and `structure`, as in the DWN specification. A type may have
                `"encryptionRequired": True` besides: then every path that ends in it gets a key for encryption.
            encryption: give every path one. Where there is a key, `records.create` encrypts.

        Raises:
            DwnError: the definition is refused.
        """
        signer, invocation = await self._actor.authorize(operations.configure(definition))
        definition = await self._with_keys(definition, None if encryption else required_types(definition))
        configure = partial(compose.protocols_configure, signer, definition=definition, **invocation)
        message = await self._agent.messages.replace(self._did, configure)
        return _protocol(message)

    async def query(self, protocol: str | None = None, *, from_: str | None = None) -> list[Protocol]:
        """Return the configured protocols, or the one with this URL.

        Parameters:
            from_: the DID whose remote DWN is asked instead of the local one; of another's, the published ones.

        Raises:
            DwnError, DidError, RemoteError: the DWN refused, or could not be found or reached.
        """
        signer, invocation = await self._actor.authorize(operations.query_protocols(protocol), from_)
        query = partial(compose.protocols_query, signer, protocol=protocol, **invocation)
        reply = await self._agent.messages.ask(self._did, from_, query)
        return [_protocol(entry) for entry in reply["entries"]]

    async def _with_keys(self, definition: Mapping[str, Any], types: set[str] | None) -> Mapping[str, Any]:
        if types == set():
            return without_marks(definition)
        root = await self._agent.keyring.root_key(self._did)
        return await with_keys(definition, root, self._agent.crypto, types=types)


def _protocol(message: dict[str, Any]) -> Protocol:
    return Protocol(message["descriptor"]["definition"], message)
