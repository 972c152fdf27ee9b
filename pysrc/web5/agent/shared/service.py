"""The calls that one interpreter may make to the agent of another, with what they take and give.

None takes or gives a private key, a password or words, deletes an identity, changes where data go, or agrees to
anything in the person's name. What does needs `SharedAgent.as_node`: the interpreter in which the person does it is the
node.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Delegate
from web5.agent.delegation.operations import Operation
from web5.agent.identities import Identity
from web5.agent.shared.state import AgentState, state_of
from web5.dwn.encryption.content import Target
from web5.dwn.encryption.derivation import Scheme
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument
from web5.ports.crypto import JoseAlgorithm
from web5.sync import Demands, Difference
from web5.sync.states import Direction, SendResult, SyncReport, Unsettled, Wanted


class Service:
    """An agent, for the other interpreters of its store."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def state(self) -> AgentState:
        """Return what is read without waiting."""
        return state_of(self._agent)

    # -- what is held

    async def has(self, tenant: str, message_cid: str) -> bool:
        """As `Holdings.has`."""
        return await self._agent.held.has(tenant, message_cid)

    async def message(self, tenant: str, message_cid: str) -> Message | None:
        """As `Holdings.message`."""
        return await self._agent.held.message(tenant, message_cid)

    async def log(
        self, tenant: str, method: str | None, cursor: dict[str, str] | None, limit: int, newest_first: bool
    ) -> tuple[list[tuple[str, Message]], dict[str, str] | None]:
        """As `Holdings.log`."""
        return await self._agent.held.log(tenant, method, cursor, limit, newest_first)

    async def record(self, tenant: str, record_id: str) -> list[Message]:
        """As `Holdings.record`."""
        return await self._agent.held.record(tenant, record_id)

    async def initial_write(self, tenant: str, record_id: str) -> Message | None:
        """As `Holdings.initial_write`."""
        return await self._agent.held.initial_write(tenant, record_id)

    async def definition(self, tenant: str, protocol: str) -> dict[str, Any] | None:
        """As `Holdings.definition`."""
        return await self._agent.held.definition(tenant, protocol)

    async def configured(self, tenant: str, definition: dict[str, Any]) -> Message | None:
        """As `Holdings.configured`."""
        return await self._agent.held.configured(tenant, definition)

    async def newest_date(self, tenant: str, message: Message) -> str | None:
        """As `Holdings.newest_date`."""
        return await self._agent.held.newest_date(tenant, message)

    async def resolve(self, did_uri: str) -> dict[str, Any]:
        """Resolve a DID, to the wire's shape."""
        return (await self._agent.resolver.resolve(did_uri)).to_wire()

    # -- signing

    async def signer(self, did: str) -> tuple[str, JoseAlgorithm]:
        """Return the ID and the algorithm of the key that signs for a DID."""
        signer = await self._agent.signer(did)
        return signer.key_id, signer.algorithm

    async def sign(self, did: str, data: str) -> str:
        """Sign data for a DID; both in base64."""
        signer = await self._agent.signer(did)
        return to_base64(await signer.raw.sign(from_base64(data)))

    async def authorize(
        self, did: str, delegate: str, descriptor: dict[str, Any], record: Message | None, record_id: str | None,
        target: str | None,
    ) -> dict[str, Any] | None:  # fmt: skip
        """Return the invocation of a delegate's operation. As `Delegate.authorize`."""
        context = await self._delegate(did, delegate).authorize(Operation(descriptor, record, record_id), target)
        return dict(context.invocation)

    def _delegate(self, did: str, delegate: str) -> Delegate:
        if self._agent.identities.get(delegate).connected_did != did:
            raise InvalidArgument(f"{delegate} does not act for {did} here.")
        actor = self._agent.actor(did, delegate)
        assert isinstance(actor, Delegate)
        return actor

    # -- keys of records

    async def content_key(self, did: str, message: Message) -> tuple[str, str]:
        """As `RecordKeys.content_key`: the key and the counter, in base64."""
        found = await self._agent.record_keys.content_key(did, message)
        return to_base64(found.key), to_base64(found.iv)

    async def own_target(self, did: str, scheme: Scheme, path: list[str]) -> Target | None:
        """As `RecordKeys.own_target`."""
        return await self._agent.record_keys.own_target(did, scheme, path)

    async def of_recipient(self, did: str, scheme: Scheme) -> Target:
        """As `RecordKeys.of_recipient`."""
        return await self._agent.record_keys.of_recipient(did, scheme)

    async def of_context(self, did: str, context: str) -> Target | None:
        """As `RecordKeys.of_context`."""
        return await self._agent.record_keys.of_context(did, context)

    async def key_recipient(self, did: str, options: dict[str, Any], encrypted: bool) -> Target | None:
        """As `RecordKeys.key_recipient`."""
        return await self._agent.record_keys.key_recipient(did, options, encrypted=encrypted)

    async def deliver_context_key(self, did: str, message: Message, recipient: Target) -> None:
        """As `RecordKeys.deliver_context_key`."""
        await self._agent.record_keys.deliver_context_key(did, message, recipient)

    async def share_context(self, did: str, message: Message, recipient: str) -> None:
        """As `RecordKeys.share_context`."""
        await self._agent.record_keys.share_context(did, message, recipient)

    async def with_keys(self, did: str, definition: dict[str, Any], types: list[str] | None) -> dict[str, Any]:
        """As `RecordKeys.with_keys`."""
        return await self._agent.record_keys.with_keys(did, definition, types)

    # -- identities

    async def dwn_endpoints(self, did: str) -> list[str]:
        """As `Agent.dwn_endpoints`."""
        return await self._agent.dwn_endpoints(did)

    async def create_identity(self, name: str, dwn_endpoints: list[str]) -> Identity:
        """As `Agent.create_identity`."""
        return await self._agent.create_identity(name, dwn_endpoints)

    async def rename(self, did: str, name: str) -> None:
        """As `IdentityStore.rename`."""
        await self._agent.identities.rename(did, name)

    async def choose(self, did: str) -> None:
        """As `IdentityStore.choose`."""
        await self._agent.identities.choose(did)

    async def keep_choice(self) -> None:
        """As `IdentityStore.keep_choice`."""
        await self._agent.identities.keep_choice()

    async def lock(self) -> None:
        """As `Agent.lock`."""
        await self._agent.lock()

    # -- sync

    async def start(self, interval: str) -> None:
        """As `SyncEngine.start`."""
        await self._agent.sync.start(interval)

    async def stop(self) -> None:
        """As `SyncEngine.stop`."""
        await self._agent.sync.stop()

    async def revive(self) -> None:
        """As `SyncEngine.revive`."""
        await self._agent.sync.revive()

    async def now(self, direction: Direction | None, tenant: str | None) -> SyncReport:
        """As `SyncEngine.now`."""
        return await self._agent.sync.now(direction, tenant)

    async def register(self, tenant: str, protocols: list[str] | None, delegate: str | None) -> None:
        """As `SyncEngine.register`."""
        await self._agent.sync.register(tenant, protocols, delegate)

    async def retry(self, tenants: list[str], endpoint: str | None, message_cid: str | None) -> SyncReport:
        """As `SyncEngine.retry`."""
        return await self._agent.sync.retry(tenants, endpoint, message_cid)

    async def check(self, tenants: list[str]) -> list[Difference]:
        """As `SyncEngine.check`."""
        return await self._agent.sync.check(tenants)

    async def unsettled_page(
        self, tenants: list[str], wanted: Wanted, cursor: str | None
    ) -> tuple[list[Unsettled], str | None]:
        """As `SyncEngine.unsettled_page`."""
        return await self._agent.sync.unsettled_page(tenants, wanted, cursor)

    async def send(self, tenant: str, message_cid: str, target: str | None) -> list[SendResult]:
        """As `SyncEngine.send`."""
        return await self._agent.sync.send(tenant, message_cid, target)

    async def withdraw(self, tenant: str, target: str | None, message_cid: str | None, record_id: str | None) -> int:
        """As `SyncEngine.withdraw`."""
        return await self._agent.sync.withdraw(tenant, target, message_cid=message_cid, record_id=record_id)

    async def prioritize(self, tenant: str, filter: dict[str, Any]) -> None:
        """As `SyncEngine.prioritize`."""
        self._agent.sync.prioritize(tenant, filter)

    async def demands(self, endpoint: str) -> Demands:
        """As `Registrar.demands`."""
        return await self._agent.registrar.demands(endpoint)


CALLS = {name: method for name, method in vars(Service).items() if not name.startswith("_")}
"""The methods by which an agent can be called from elsewhere."""

CHANGES = frozenset(("lock", "rename", "choose", "keep_choice", "create_identity", "start", "stop", "register"))
"""The calls after which all are given the state anew, since nothing else tells of what they change."""


def to_base64(data: bytes) -> str:
    """Return bytes as a call has them."""
    return b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Return the bytes of a call, or raise InvalidArgument."""
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidArgument("That is no base64.") from error
