"""The parts of an agent that another interpreter may have: what the API asks of them, asked of the node.

What is read without waiting is the state as it was told last; where this interpreter is the node, as it is.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

from web5.agent.delegation.actor import Delegate, SigningContext
from web5.agent.delegation.operations import Operation
from web5.agent.identities import Identity
from web5.agent.shared.port import Shared
from web5.agent.shared.service import Service, from_base64, to_base64
from web5.agent.vault.store import Protection
from web5.agent.vault.vault import State as VaultState
from web5.crypto.jose.jws import MessageSigner
from web5.dids.models import DidResolutionResult, PortableDid
from web5.dwn.data import DataSource
from web5.dwn.encryption.content import ContentKey, Target
from web5.dwn.encryption.derivation import Scheme
from web5.dwn.permissions.grants import Grant
from web5.dwn.signatures.signing import Invocation
from web5.dwn.values.types import Message
from web5.errors import IdentityError, StorageBusy
from web5.ports.clock import Clock
from web5.ports.crypto import RawSigner
from web5.sync import Demands, Difference
from web5.sync.engine import PAGE
from web5.sync.events import SyncEvents
from web5.sync.exchange.grants import GrantBook
from web5.sync.ledger.ledger import Tenant
from web5.sync.states import (
    ANY,
    Direction,
    EndpointStatuses,
    SendResult,
    SyncEvent,
    SyncReport,
    Unsettled,
    UnsettledMessages,
    Wanted,
)

T = TypeVar("T")


class _Part:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._do = shared.do


class SharedHoldings(_Part):
    """As `Holdings`."""

    async def has(self, tenant: str, message_cid: str) -> bool:
        return await self._do(Service.has, tenant, message_cid)

    async def message(self, tenant: str, message_cid: str) -> Message | None:
        return await self._do(Service.message, tenant, message_cid)

    async def log(
        self, tenant: str, method: str | None, cursor: Mapping[str, str] | None, limit: int, newest_first: bool
    ) -> tuple[list[tuple[str, Message]], dict[str, str] | None]:
        after = None if cursor is None else dict(cursor)
        return await self._do(Service.log, tenant, method, after, limit, newest_first)

    async def record(self, tenant: str, record_id: str) -> list[Message]:
        return await self._do(Service.record, tenant, record_id)

    async def initial_write(self, tenant: str, record_id: str) -> Message | None:
        return await self._do(Service.initial_write, tenant, record_id)

    async def definition(self, tenant: str, protocol: str) -> dict[str, Any] | None:
        return await self._do(Service.definition, tenant, protocol)

    async def configured(self, tenant: str, definition: Mapping[str, Any]) -> Message | None:
        return await self._do(Service.configured, tenant, dict(definition))

    async def newest_date(self, tenant: str, message: Message) -> str | None:
        return await self._do(Service.newest_date, tenant, message)


class SharedResolver(_Part):
    """As `DidResolver`."""

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        return DidResolutionResult.from_wire(await self._do(Service.resolve, did_uri))


class SharedRecordKeys(_Part):
    """As `RecordKeys`."""

    async def content_key(self, did: str, message: Message) -> ContentKey:
        key, iv = await self._do(Service.content_key, did, message)
        return ContentKey(from_base64(key), from_base64(iv))

    async def own_target(self, did: str, scheme: Scheme, path: Sequence[str]) -> Target | None:
        return await self._do(Service.own_target, did, scheme, list(path))

    async def of_recipient(self, did: str, scheme: Scheme) -> Target:
        return await self._do(Service.of_recipient, did, scheme)

    async def of_context(self, did: str, context: str) -> Target | None:
        return await self._do(Service.of_context, did, context)

    async def key_recipient(self, did: str, options: Mapping[str, Any], *, encrypted: bool) -> Target | None:
        return await self._do(Service.key_recipient, did, dict(options), encrypted)

    async def deliver_context_key(self, did: str, message: Message, recipient: Target) -> None:
        await self._do(Service.deliver_context_key, did, message, recipient)

    async def share_context(self, did: str, message: Message, recipient: str) -> None:
        await self._do(Service.share_context, did, message, recipient)

    async def with_keys(self, did: str, definition: Mapping[str, Any], types: Collection[str] | None) -> dict[str, Any]:
        return await self._do(Service.with_keys, did, dict(definition), None if types is None else sorted(types))


async def shared_signer(shared: Shared, did: str) -> MessageSigner:
    """Return the signer of a DID, whose key stays with the node."""
    key_id, algorithm = await shared.do(Service.signer, did)

    async def sign(data: bytes) -> bytes:
        return from_base64(await shared.do(Service.sign, did, to_base64(data)))

    return MessageSigner(key_id, RawSigner(algorithm, sign))


class SharedGrants(GrantBook):
    """As `GrantBook`, of the delegates of the agent."""

    def __init__(self, shared: Shared, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock

    def all(self, tenant: str, delegate: str) -> Sequence[Grant]:
        if self._shared.real is not None:
            return self._shared.real.sync.grants.all(tenant, delegate)
        found = self._shared.state.grants
        return [Grant.parse(message, revoked) for *of, message, revoked in found if of == [tenant, delegate]]


class SharedDelegate(Delegate):
    """As `Delegate`; the node decides which grant allows what."""

    def __init__(self, shared: Shared, did: str, delegate_did: str) -> None:
        self.did = did
        self.delegate_did = delegate_did
        self.signer_of = shared.signer
        self.grants = shared.grants
        self._shared = shared

    async def authorize(self, operation: Operation, target: str | None = None) -> SigningContext:
        found = await self._shared.do(
            Service.authorize,
            self.did,
            self.delegate_did,
            dict(operation.descriptor),
            operation.record,
            operation.record_id,
            target,
        )
        return SigningContext(await self.signer_of(self.delegate_did), cast(Invocation, found))


class SharedIdentities(_Part):
    """As `IdentityStore`."""

    def list(self) -> builtins.list[Identity]:
        real = self._shared.real
        return list(self._shared.state.identities) if real is None else real.identities.list()

    def get(self, did: str) -> Identity:
        for identity in self.list():
            if identity.did == did:
                return identity
        raise IdentityError(f"{did} is not on this agent. Import it first.")

    def chosen(self) -> Identity | None:
        return next((one for one in self.list() if one.chosen), None)

    def is_delegate(self, did: str) -> bool:
        return any(one.did == did and one.connected_did is not None for one in self.list())

    async def rename(self, did: str, name: str) -> None:
        await self._shared.change(Service.rename, did, name)

    async def choose(self, did: str) -> None:
        await self._shared.change(Service.choose, did)

    async def keep_choice(self) -> None:
        await self._shared.change(Service.keep_choice)

    async def delete(self, did: str) -> None:
        await (await self._shared.as_node()).identities.delete(did)
        await self._shared.refresh()

    async def portable_did(self, did: str) -> PortableDid:
        return await (await self._shared.as_node()).identities.portable_did(did)


class SharedGateways(_Part):
    """As `Gateways`, to look at."""

    @property
    def uris(self) -> tuple[str, ...]:
        real = self._shared.real
        return self._shared.state.gateways if real is None else tuple(real.gateways.uris)


class SharedVault(_Part):
    """As `Vault`. Whatever has to do with passwords and words makes this interpreter the node."""

    @property
    def state(self) -> VaultState:
        real = self._shared.real
        return self._shared.state.vault if real is None else real.vault.state

    @property
    def protection(self) -> Protection | None:
        real = self._shared.real
        return self._shared.state.protection if real is None else real.vault.protection

    @property
    def agent_did(self) -> str | None:
        real = self._shared.real
        return self._shared.state.agent_did if real is None else real.vault.agent_did

    @property
    def keeps_recovery_phrase(self) -> bool:
        real = self._shared.real
        return self._shared.state.keeps_recovery_phrase if real is None else real.vault.keeps_recovery_phrase

    async def change_password(self, old: str | None, new: str | None) -> None:
        await (await self._shared.as_node()).vault.change_password(old, new)
        await self._shared.refresh()

    async def recovery_phrase(self) -> str | None:
        return await (await self._shared.as_node()).vault.recovery_phrase()

    async def forget_recovery_phrase(self) -> None:
        await (await self._shared.as_node()).vault.forget_recovery_phrase()
        await self._shared.refresh()


class SharedRegistrar(_Part):
    """As `Registrar`."""

    async def demands(self, endpoint: str) -> Demands:
        return await self._do(Service.demands, endpoint)

    async def accept_terms(self, endpoint: str, terms_hash: str) -> None:
        await (await self._shared.as_node()).registrar.accept_terms(endpoint, terms_hash)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        await (await self._shared.as_node()).registrar.accept_work(endpoint, hashes)

    async def use_invitation(self, endpoint: str, code: str) -> None:
        await (await self._shared.as_node()).registrar.use_invitation(endpoint, code)


class SharedSync(_Part):
    """As `SyncEngine`."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.listeners: list[Callable[[SyncEvent], None]] = []
        self.grants = shared.grants

    @property
    def interval(self) -> str:
        real = self._shared.real
        return self._shared.state.interval if real is None else real.sync.interval

    async def start(self, interval: str) -> None:
        await self._shared.change(Service.start, interval)

    async def stop(self) -> None:
        await self._shared.change(Service.stop)

    async def revive(self) -> None:
        await self._do(Service.revive)

    async def now(self, direction: Direction | None = None, tenant: str | None = None) -> SyncReport:
        return await self._refreshed(self._do(Service.now, direction, tenant))

    async def register(self, tenant: str, protocols: Sequence[str] | None = None, delegate: str | None = None) -> None:
        await self._shared.change(Service.register, tenant, None if protocols is None else list(protocols), delegate)

    def registered(self, tenant: str) -> Tenant | None:
        if self._shared.real is not None:
            return self._shared.real.sync.registered(tenant)
        return next((one for one in self._shared.state.registered if one.did == tenant), None)

    def prioritize(self, tenant: str, filter: Mapping[str, Any]) -> None:
        if self._shared.real is not None:
            self._shared.real.sync.prioritize(tenant, filter)
        else:
            self._shared.background.start(self._do(Service.prioritize, tenant, dict(filter)))

    async def retry(
        self, tenants: Collection[str], endpoint: str | None = None, message_cid: str | None = None
    ) -> SyncReport:
        return await self._refreshed(self._do(Service.retry, list(tenants), endpoint, message_cid))

    async def check(self, tenants: Collection[str]) -> list[Difference]:
        return await self._refreshed(self._do(Service.check, list(tenants)))

    async def send(self, tenant: str, message_cid: str, target: str | None = None) -> list[SendResult]:
        return await self._refreshed(self._do(Service.send, tenant, message_cid, target))

    async def send_messages(
        self, author: str, target: str, messages: Sequence[tuple[Message, DataSource | None]]
    ) -> list[SendResult]:
        return await self._refreshed(self._shared.send_messages(author, target, messages))

    async def withdraw(
        self, author: str, target: str | None = None, *, message_cid: str | None = None, record_id: str | None = None
    ) -> int:
        return await self._refreshed(self._do(Service.withdraw, author, target, message_cid, record_id))

    def status(self, tenant: str | None = None) -> EndpointStatuses:
        if self._shared.real is not None:
            return self._shared.real.sync.status(tenant)
        found = EndpointStatuses(one for one in self._shared.state.statuses if tenant in (None, one.tenant))
        found.deliveries = [one for one in self._shared.state.deliveries if tenant in (None, one.tenant)]
        return found

    def unsettled(
        self,
        tenant: str | Collection[str] | None = None,
        wanted: Wanted = ANY,
        *,
        limit: int | None = PAGE,
        cursor: str | None = None,
    ) -> UnsettledMessages:
        tenants = [tenant] if isinstance(tenant, str) else tenant
        if self._shared.real is not None:
            return self._shared.real.sync.unsettled(tenants, wanted, limit=limit, cursor=cursor)
        state = self._shared.state
        found = state.matching(tenants, wanted)
        is_all = state.all_told or (limit is not None and len(found) >= limit)
        if cursor is not None or not is_all:
            raise StorageBusy(
                f"Another tab is the node, and tells of {len(state.unsettled)} unsettled messages at once. Ask for"
                " fewer of them, or iterate over `all_unsettled()`."
            )
        return UnsettledMessages(found[:limit])

    async def unsettled_page(
        self, tenant: Collection[str], wanted: Wanted, cursor: str | None
    ) -> tuple[list[Unsettled], str | None]:
        return await self._do(Service.unsettled_page, list(tenant), wanted, cursor)

    def damaged(self, tenant: str | None = None) -> list[Unsettled]:
        if self._shared.real is not None:
            return self._shared.real.sync.damaged(tenant)
        return [one for one in self._shared.state.damaged if tenant in (None, one.tenant)]

    def events(self) -> SyncEvents:
        return SyncEvents(self.listeners)

    async def _refreshed(self, work: Awaitable[T]) -> T:
        try:
            return await work
        finally:
            await self._shared.refresh()
