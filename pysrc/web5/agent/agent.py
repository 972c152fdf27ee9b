"""The agent: identities and their signers, a local DWN, the way to remote ones, and the sync between them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from web5.agent.acting import Delegate, Owner
from web5.agent.identities import Identity, IdentityStore, export_portable_identity, parse_portable_identity
from web5.agent.publishing import Publisher
from web5.crypto.jws import MessageSigner
from web5.dids import dht
from web5.dids.models import PortableDid
from web5.dids.resolver import UniversalResolver
from web5.dwn import Applied, Dwn
from web5.dwn.data import DataSource, DataStream
from web5.errors import DwnError, IdentityError, RemoteError, Unreachable
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.ports.http import Http
from web5.sync import SendResult, SyncEngine
from web5.sync.endpoints import resolve_endpoints
from web5.sync.grants import granted_protocols
from web5.sync.policy import judge, judge_error
from web5.sync.remote import RemoteDwn

Reply = dict[str, Any]


class Agent:
    """Acts for the identities it holds; made by `web5.agent.assemble`."""

    def __init__(
        self,
        *,
        close_platform: Callable[[], Awaitable[None]],
        crypto: Crypto,
        http: Http,
        clock: Clock,
        resolver: UniversalResolver,
        dwn: Dwn,
        remote: RemoteDwn,
        identities: IdentityStore,
        gateway_uri: str,
    ) -> None:
        self.clock = clock
        self.crypto = crypto
        self.dwn = dwn
        self.resolver = resolver
        self.identities = identities
        self.on_change: list[Callable[[str, str], None]] = []
        """Called with (tenant, message CID) after each message, local or pulled, is stored and durable."""
        self._close_platform = close_platform
        self._http = http
        self._remote = remote
        self._gateway_uri = gateway_uri
        self.sync = SyncEngine(dwn=dwn, remote=remote, resolver=resolver, clock=clock, signer_for=self._sync_signer)
        self._publisher = Publisher(identities, self._publish, clock, self._published)
        self._background: dict[str, asyncio.Task[None]] = {}
        dwn.after_commit.append(self._tell)

    async def open(self) -> None:
        """Make ready: the sync ledger, the own DIDs in the resolver, unfinished publications."""
        await self.sync.open()
        for identity in self.identities.list():
            self.resolver.seed(await self.identities.portable_did(identity.did))
            if identity.connected_did is None and self.sync.registered(identity.did) is None:
                await self.sync.register(identity.did)
        self._publisher.start()

    async def close(self) -> None:
        """Stop sync, wait for what is being written, and close the store. Safe to call twice."""
        self._publisher.stop()
        for running in self._background.values():
            running.cancel()
        await asyncio.gather(*self._background.values(), return_exceptions=True)
        await self.sync.stop()
        await self._close_platform()

    async def create_identity(self, name: str, dwn_endpoints: Sequence[str]) -> Identity:
        """Make a `did:dht` identity as web5-js makes it, store it, and publish it in the background.

        Parameters:
            name: how the person knows it.
            dwn_endpoints: the URLs of its remote DWNs; none makes an identity that lives only here.
        """
        portable_did = await dht.create(self.crypto, **dht.identity_defaults(dwn_endpoints))
        return await self._add(portable_did, name)

    async def import_identity(self, portable_identity: Any) -> Identity:
        """Take an identity that this or `@web5/agent`'s export gave.

        Raises:
            IdentityError: it is malformed, without usable keys, or here already; or it is a delegate's, and the one
                for whom it acts, or another delegate of that one, is here. Nothing is changed.
        """
        portable_did, name, connected_did = parse_portable_identity(portable_identity)
        if connected_did is not None:
            self._check_is_new(connected_did)
        return await self._add(portable_did, name, connected_did)

    async def export_identity(self, did: str) -> dict[str, Any]:
        """The identity with its private keys, as `@web5/agent`'s import takes it.

        Raises:
            IdentityError: it is not on this agent.
        """
        identity = self.identities.get(did)
        return export_portable_identity(await self.identities.portable_did(did), identity.name, identity.connected_did)

    async def publish_all(self) -> bool:
        """Publish at once what is not published yet, instead of in the background; True when all is out."""
        return await self._publisher.publish_all()

    async def signer(self, did: str) -> MessageSigner:
        """What signs as `did`. Raises IdentityError if it is not on this agent."""
        return await self.identities.signer(did)

    def owner(self, did: str) -> Owner:
        """Somebody who acts with the keys of `did`."""
        return Owner(did, self.signer)

    def delegate(self, connected_did: str, delegate_did: str) -> Delegate:
        """Somebody who acts for `connected_did` with its grants and the keys of `delegate_did`."""
        return Delegate(connected_did, delegate_did, self.signer, self.sync.grants, self.dwn, self.clock)

    def in_background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run this until it ends or the agent is closed, in place of what else ran by this name."""
        if (running := self._background.get(name)) is not None:
            running.cancel()
        task = self._background[name] = asyncio.ensure_future(work)
        task.add_done_callback(_tell_failure)

    def granted_protocols(self, delegate_did: str) -> list[str] | None:
        """The protocols that the grants of a delegate let it sync; None: everything.

        Raises:
            IdentityError: it is not on this agent, or no delegate.
        """
        return granted_protocols(self.sync.grants.lasting(self._connected(delegate_did), delegate_did))

    async def sync_as_delegate(self, delegate_did: str, protocols: Sequence[str] | None) -> None:
        """Sync the DWN of the one for whom a delegate acts, with the delegate's grants; durable.

        Parameters:
            protocols: the URIs of the protocols; None: everything.

        Raises:
            IdentityError: it is not on this agent, or no delegate.
            InvalidArgument: there are no protocols to sync.
        """
        await self.sync.register(self._connected(delegate_did), protocols, delegate_did)

    async def process(
        self,
        tenant: str,
        message: dict[str, Any],
        data: DataSource | None = None,
        subscription_handler: Callable[[dict[str, Any]], None] | None = None,
    ) -> Reply:
        """Give a message to the local DWN.

        Parameters:
            subscription_handler: called with each event, if the message subscribes.

        Raises:
            DwnError: the kind that fits the reply's status, if that is not a success.
        """
        return _checked(await self.dwn.process_message(tenant, message, data, subscription_handler))

    async def request(self, target: str, message: dict[str, Any], data: bytes | DataStream | None = None) -> Reply:
        """Give a message to the first remote DWN of `target` that answers.

        Raises:
            DwnError: it answered with something other than success.
            RemoteError: none answered, or the DID names none.
        """
        document = (await self.resolver.resolve(target)).did_document
        failures: list[str] = []
        for endpoint in document.dwn_endpoints if document else ():
            try:
                return _checked(await self._remote.process_message(endpoint, target, message, data))
            except RemoteError as error:
                failures.append(f"{endpoint}: {error}")
        raise Unreachable("; ".join(failures) or f"{target} names no DWN in its DID document.")

    async def deliver(self, target: str, message: dict[str, Any], data: bytes) -> list[SendResult]:
        """Give a message that need not be stored here to every remote DWN of `target`.

        Raises:
            DidError: the target cannot be resolved.
        """

        async def give(url: str) -> SendResult:
            try:
                verdict = judge(await self._remote.process_message(url, target, message, data), message)
            except RemoteError as error:
                verdict = judge_error(error)
            return SendResult(url, verdict.settled, verdict.code, verdict.detail or verdict.name)

        return list(await asyncio.gather(*map(give, await resolve_endpoints(self.resolver, target))))

    def _connected(self, delegate_did: str) -> str:
        connected_did = self.identities.get(delegate_did).connected_did
        if connected_did is None:
            raise IdentityError(f"{delegate_did} is nobody's delegate.")
        return connected_did

    def _check_is_new(self, connected_did: str) -> None:
        for one in self.identities.list():
            if one.did == connected_did:
                raise IdentityError(f"{connected_did} itself is on this agent and needs no delegate here.")
            if one.connected_did == connected_did:
                raise IdentityError(f"{one.did} acts for {connected_did} here already. Ask for more grants to it.")

    async def _add(self, portable_did: PortableDid, name: str, connected_did: str | None = None) -> Identity:
        published = self.clock.now() if portable_did.metadata.get("published") else None
        await self.identities.add(portable_did, name, published, connected_did)
        self.resolver.seed(portable_did)
        if connected_did is None:
            await self.sync.register(portable_did.uri)
        self._publisher.start()
        return self.identities.get(portable_did.uri)

    async def _publish(self, portable_did: PortableDid) -> PortableDid:
        return await dht.publish(portable_did, self._http, self.crypto, self._gateway_uri, clock=self.clock)

    async def _sync_signer(self, did: str) -> MessageSigner:
        """What signs for remote nodes. They cannot check anything signed by a DID that is not published, and remember
        for a while that they did not find it; so nothing is sent before it is.

        Raises:
            IdentityError: it is not published, with the gateway's reason.
        """
        if did in self.identities.unpublished():
            await self._publisher.publish_all()
        if did in self.identities.unpublished():
            reason = self.identities.get(did).publish_error
            raise IdentityError(f"The DID is not published yet, so remote nodes could not know it: {reason}")
        return await self.identities.signer(did)

    def _published(self, portable_did: PortableDid) -> None:
        self.resolver.seed(portable_did)
        self.sync.wake(portable_did.uri)

    def _tell(self, applied: Applied) -> None:
        for callback in self.on_change:
            callback(applied.tenant, applied.message_cid)


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        asyncio.get_running_loop().call_exception_handler({"message": "background work failed", "exception": error})


def _checked(reply: Reply) -> Reply:
    status = reply["status"]
    if status["code"] >= 300:
        raise DwnError.from_status(status["code"], status["detail"])
    return reply
