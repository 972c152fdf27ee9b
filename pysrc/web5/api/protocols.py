"""`web5.dwn.protocols`: configure protocols, and see which are configured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api import arguments
from web5.api.arguments import keywords, shown
from web5.api.sending import SendReport
from web5.dwn import compose
from web5.dwn.encryption.protocol_keys import required_types, without_marks
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument


class ConfiguredProtocol:
    """A protocol as a DWN has it: `Protocol` of `@web5/api`.

    Parameters:
        message: the ProtocolsConfigure that configured it.
    """

    def __init__(self, agent: Agent, did: str, message: Message) -> None:
        self._agent = agent
        self._did = did
        self.message = message

    @property
    def protocol(self) -> str:
        """The protocol's URI."""
        protocol: str = self.definition["protocol"]
        return protocol

    @property
    def definition(self) -> dict[str, Any]:
        """The definition, in the wire's shape."""
        definition: dict[str, Any] = self.message["descriptor"]["definition"]
        return definition

    async def send(self, target: str | None = None) -> SendReport:
        """Bring the configuration to the remote DWNs of `target` at once.

        Parameters:
            target: a DID, whose DWNs take it if this identity may configure protocols there; by default the own one.

        Returns:
            The answer of each endpoint.

        Raises:
            InvalidArgument: the target is no DID.
            DidError: it cannot be resolved.
            DwnError, RemoteError: no endpoint took it, or the target names none.
        """
        arguments.did_or_none("target", target)
        cid = message_cid(self.message)
        if await self._agent.held.has(self._did, cid):
            report = SendReport(await self._agent.sync.send(self._did, cid, target))
        else:
            report = SendReport(
                await self._agent.sync.send_messages(self._did, target or self._did, [(self.message, None)])
            )
        report.raise_if_undelivered()
        return report

    def to_json(self) -> dict[str, Any]:
        """Return the ProtocolsConfigure, as the wire has it."""
        return dict(self.message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfiguredProtocol) and self.message == other.message

    def __hash__(self) -> int:
        return hash(self.protocol)

    def __repr__(self) -> str:
        return f"<ConfiguredProtocol {self.protocol}>"


class ProtocolsApi:
    """The protocols of this identity's DWN. A delegate needs grants, without which GrantMissing is raised."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did

    @keywords
    async def configure(self, definition: Mapping[str, Any], *, encryption: bool = False) -> ConfiguredProtocol:
        """Configure a protocol in the local DWN, or replace its definition; sync brings it to the remote ones.

        It is dated after the one that it replaces, also if that comes from a device whose clock is ahead. A definition
        that is configured already is left as it is, so that an app may do this at each start.

        Parameters:
            definition: `protocol`, `published`, `types` and `structure`, as in the DWN specification. A type may have
                `"encryptionRequired": True` besides: then every path that ends in it gets a key for encryption.
            encryption: give every path one. Where there is a key, `records.create` encrypts.

        Raises:
            InvalidArgument: it is none.
            DwnError: it is refused.
        """
        _check_definition(definition)
        signer, invocation = await self._actor.authorize(operations.configure(definition))
        definition = await self._with_keys(definition, None if encryption else required_types(definition))
        if (same := await self._agent.held.configured(self._did, definition)) is not None:
            return ConfiguredProtocol(self._agent, self._did, same)
        configure = partial(compose.protocols_configure, signer, definition=definition, **invocation)
        message = await self._agent.messages.replace(self._did, configure)
        return ConfiguredProtocol(self._agent, self._did, message)

    @keywords
    async def query(self, protocol: str | None = None, *, from_: str | None = None) -> list[ConfiguredProtocol]:
        """Return the configured protocols, or the one with this URL.

        Parameters:
            from_: the DID whose remote DWN is asked instead of the local one; of another's, the published ones.

        Raises:
            InvalidArgument: `from_` is no DID.
            DwnError, DidError, RemoteError: the DWN refused, or could not be found or reached.
        """
        arguments.did_or_none("from_", from_)
        signer, invocation = await self._actor.authorize(operations.query_protocols(protocol), from_)
        query = partial(compose.protocols_query, signer, protocol=protocol, **invocation)
        reply = await self._agent.messages.ask(self._did, from_, query)
        return [ConfiguredProtocol(self._agent, self._did, entry) for entry in reply["entries"]]

    async def _with_keys(self, definition: Mapping[str, Any], types: set[str] | None) -> Mapping[str, Any]:
        if types == set():
            return without_marks(definition)
        return await self._agent.record_keys.with_keys(self._did, definition, types)


def _check_definition(definition: object) -> None:
    if not isinstance(definition, Mapping):
        raise InvalidArgument(f"definition={shown(definition)} has to be a mapping, as in the DWN specification.")
    for name, kind in {"protocol": str, "types": Mapping, "structure": Mapping}.items():
        if not isinstance(definition.get(name), kind):
            raise InvalidArgument(
                f"definition[{name!r}] is {shown(definition.get(name))}; a definition has a URI as `protocol`, its"
                " `types` by name, and the `structure` in which they lie."
            )
    arguments.text("definition['protocol']", definition["protocol"])
    for name, one in definition["types"].items():
        arguments.text("a name in definition['types']", name)
        if not isinstance(one, Mapping):
            raise InvalidArgument(f"definition['types'][{name!r}] is {shown(one)}; it has to be a mapping, maybe {{}}.")
