"""The agent: identities and their signers, a local DWN, the way to remote ones, and the sync between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

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
from web5.sync import SyncEngine
from web5.sync.registration import Registrar
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
        registrar: Registrar,
        identities: IdentityStore,
        gateway_uri: str,
    ) -> None:
        self.clock = clock
        self.crypto = crypto
        self.dwn = dwn
        self.resolver = resolver
        self.identities = identities
        self.registrar = registrar
        self.on_change: list[Callable[[str, str], None]] = []
        """Called with (tenant, message CID) after each message, local or pulled, is stored and durable."""
        self._close_platform = close_platform
        self._http = http
        self._remote = remote
        self._gateway_uri = gateway_uri
        self.sync = SyncEngine(
            dwn=dwn,
            remote=remote,
            resolver=resolver,
            clock=clock,
            signer_for=self._sync_signer,
            registrar=registrar,
        )
        self._publisher = Publisher(identities, self._publish, clock, self._published)
        dwn.after_commit.append(self._tell)

    async def open(self) -> None:
        """Make ready: the sync ledger, the own DIDs in the resolver, unfinished publications."""
        await self.sync.open()
        for identity in self.identities.list():
            self.resolver.seed(await self.identities.portable_did(identity.did))
            await self.sync.register(identity.did)
        self._publisher.start()

    async def close(self) -> None:
        """Stop sync, wait for what is being written, and close the store. Safe to call twice."""
        self._publisher.stop()
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
            IdentityError: it is malformed, without usable keys, or here already. Nothing is changed.
        """
        portable_did, name = parse_portable_identity(portable_identity)
        return await self._add(portable_did, name)

    async def export_identity(self, did: str) -> dict[str, Any]:
        """The identity with its private keys, as `@web5/agent`'s import takes it.

        Raises:
            IdentityError: it is not on this agent.
        """
        portable_did = await self.identities.portable_did(did)
        return export_portable_identity(portable_did, self.identities.get(did).name)

    async def publish_all(self) -> bool:
        """Publish at once what is not published yet, instead of in the background; True when all is out."""
        return await self._publisher.publish_all()

    async def signer(self, did: str) -> MessageSigner:
        """What signs as `did`. Raises IdentityError if it is not on this agent."""
        return await self.identities.signer(did)

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

    async def _add(self, portable_did: PortableDid, name: str) -> Identity:
        published = self.clock.now() if portable_did.metadata.get("published") else None
        await self.identities.add(portable_did, name, published)
        self.resolver.seed(portable_did)
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


def _checked(reply: Reply) -> Reply:
    status = reply["status"]
    if status["code"] >= 300:
        raise DwnError.from_status(status["code"], status["detail"])
    return reply
