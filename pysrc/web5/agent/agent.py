"""The agent: a vault, identities and their signers, a local DWN, the way to remote ones, and the sync between them.

Invariants:
1. What needs a key needs the vault unlocked; until then the local DWN holds still, and nothing syncs.
2. The agent is a tenant of its own, synced as its identities are, so that its records reach every device it lives on.
3. Whoever this agent can sign for is known to its resolver and registered for sync; whoever it cannot, is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from web5.agent.delegation.actor import Actor, Delegate
from web5.agent.devices.known import KnownDevices
from web5.agent.did_cache import StoredDidCache
from web5.agent.holdings import Holdings
from web5.agent.identities import Identity, IdentityStore, export_portable_identity, parse_portable_identity
from web5.agent.keys.keyring import Keyring
from web5.agent.keys.record_keys import RecordKeys
from web5.agent.moves import Moves
from web5.agent.publication.changes import applied, changes_between
from web5.agent.publication.documents import Documents
from web5.agent.publication.dwn_service import checked_endpoints, with_dwn_endpoints
from web5.agent.publication.publisher import DidPublisher
from web5.agent.publication.status import PublicationStatus, publication_status
from web5.agent.publication.store import PublicationStore
from web5.agent.records import AgentRecords
from web5.agent.requests.messages import Messages
from web5.agent.vault.vault import Vault
from web5.crypto.jose.jws import MessageSigner
from web5.crypto.signature_cache import SignatureCache
from web5.dids import dht
from web5.dids.dht.gateways import Gateways
from web5.dids.models import PortableDid
from web5.dids.resolver import default_resolver
from web5.dids.web import DidWeb
from web5.dwn import Applied, Dwn
from web5.dwn.store.database import Database
from web5.errors import IdentityError
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto, Sealer
from web5.ports.http import Http
from web5.ports.websocket import WebSockets
from web5.remote.dwn import RemoteDwn
from web5.remote.registration import RegistrationClient
from web5.sync import SyncEngine
from web5.sync.exchange.registrar import Registrar
from web5.tasks import Closable, TaskSet, close_all, notify, to_the_end
from web5.urls import same_endpoint


@dataclass(frozen=True)
class Platform:
    """One adapter for each port.

    Parameters:
        sockets: None where subscriptions over the network are not wanted.
        guarded, guarded_sockets: a guarded `http`, and `sockets`, for URLs that strangers choose.
        allow_local: `guarded` is not guarded really, and did:web:localhost is resolved, for development.
        close: frees all of them, the database first.
    """

    database: Database
    blobs: Blobs
    crypto: Crypto
    http: Http
    sockets: WebSockets | None
    guarded: Http
    guarded_sockets: WebSockets | None
    allow_local: bool
    clock: Clock
    sealer: Sealer
    close: Callable[[], Awaitable[None]]


class Agent:
    """Acts for the identities it holds. `open` it once, before anything else.

    Parameters:
        gateway_uris: the DID DHT gateways, for publishing and resolving, the preferred one first. Without any, DIDs are
            made and not published, and those of others in did:dht not resolved, until `use_gateways`.
        share_sockets: let all identities use one WebSocket to an endpoint, which is thereby told that they are one
            person's. Without it, each has its own.

    Attributes:
        on_change: called with (tenant, message CID) after each message, local or pulled, is stored and durable.
        background: work that ends when the agent is locked or closed.
        open_ones: what somebody follows, who is not to wait for more once the agent is closed: it is closed then, too.
        closed: True once `close` was called.
        joined: True if another interpreter had it open before.
    """

    def __init__(self, platform: Platform, *, gateway_uris: Sequence[str], share_sockets: bool = False) -> None:
        database, crypto, http, clock = platform.database, platform.crypto, platform.http, platform.clock
        self.clock, self.crypto, self.http, self.guarded = clock, crypto, http, platform.guarded
        self.closed = self.joined = False
        self._close_platform = platform.close
        self.on_change: list[Callable[[str, str], None]] = []
        self.background = TaskSet()
        self.open_ones: WeakSet[Closable] = WeakSet()
        self._kept_running: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}

        remembering = SignatureCache(crypto)
        self.gateways = Gateways(http, crypto, gateway_uris, clock)
        self.resolver = default_resolver(
            http,
            crypto,
            clock,
            gateways=self.gateways,
            cache=StoredDidCache(database),
            web=DidWeb(platform.guarded, allow_localhost=platform.allow_local),
        )
        self.dwn = Dwn(database=database, blobs=platform.blobs, resolver=self.resolver, crypto=remembering, clock=clock)
        self.remote = remote = RemoteDwn(
            http,
            platform.sockets,
            clock=clock,
            share_sockets=share_sockets,
            is_own=lambda tenant, endpoint: self.sync.is_own(tenant, endpoint),
            guarded=(platform.guarded, platform.guarded_sockets),
        )
        self.held = Holdings(self.dwn)
        self.messages = Messages(self.dwn, self.held, self.resolver, remote)

        self.vault = Vault(database, platform.sealer, crypto)
        self.records = AgentRecords(self.messages, self.vault, clock)
        self.documents = Documents(database, self.records)
        self.identities = IdentityStore(database, self.records, self.documents, remembering, verify=crypto.verify)
        self.moves = Moves(database)
        self.devices = KnownDevices(database, self.records, clock)
        self.keyring = Keyring(self.vault, self.identities, self.documents, self.resolver, crypto)
        self.record_keys = RecordKeys(self)

        self.registrar = Registrar(RegistrationClient(lambda url: remote.way("", url)[0]), database, clock)
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=remote,
            resolver=self.resolver,
            clock=clock,
            signer_for=self._sync_signer,
            registrar=self.registrar,
        )
        self.sync.before_report.append(self.records.settled)
        self.publications = PublicationStore(database)
        self._publisher = DidPublisher(
            self.publications,
            self.gateways,
            crypto,
            clock,
            wanted=self.keyring.wanted,
            on_newer=self._on_newer,
            on_published=self._on_published,
        )
        self._changing_documents = asyncio.Lock()
        self.recovering = asyncio.Lock()
        self.documents.on_change.append(self._on_document)
        self.identities.on_added.append(self._on_added)
        self.identities.on_removed.append(self._on_removed)
        self.dwn.after_commit += [self.records.applied, self._notify]

    # -- lifecycle

    async def open(self) -> None:
        """Make ready what needs no key, and the rest too if the vault opens by this device's key alone."""
        try:
            await self.dwn.open()
            await self.sync.open()
            if self.vault.state == "locked" and self.vault.protection == "device":
                await self.unlock()
        except BaseException:
            await to_the_end(self.lock())
            raise

    async def initialize(self, *, password: str | None = None, dwn_endpoints: Sequence[str]) -> None:
        """Make the agent's vault and DID, on the first launch, with new words (`vault.recovery_phrase()`).

        Parameters:
            password: None: the vault opens by this device's key.
            dwn_endpoints: the URLs of the agent's own DWNs, through which its records reach other devices.

        Raises:
            VaultError: there is a vault already.
            InvalidArgument: the password is too short, or a URL cannot be named in a DID document.
            DidError: the document has no room for so many.
        """
        endpoints = checked_endpoints(dwn_endpoints)
        made = await self.vault.create(password=password, recovery_phrase=None, dwn_endpoints=endpoints)
        self._publisher.created(made.uri)
        await self.wake_up()

    async def unlock(self, password: str | None = None) -> None:
        """Unlock the vault and make ready what it holds. Unlocking twice is no error.

        Raises:
            WrongPassword, VaultLocked: as `Vault.unlock`.
        """
        await self.vault.unlock(password)
        await self.wake_up()

    async def pause(self) -> None:
        """Stop whatever works in the background, until `wake_up`."""
        async with AsyncExitStack() as stack:  # the last first, each whatever becomes of the others
            for stop in (self.sync.stop, self.background.cancel, self._publisher.stop):
                stack.push_async_callback(stop)

    async def lock(self) -> None:
        """Stop sync and forget every key, until `unlock`."""
        async with AsyncExitStack() as stack:  # the last first, each whatever becomes of the others
            for forget in (self.vault.lock, self.keyring.lock, self.identities.close, self.records.close):
                stack.callback(forget)
            stack.push_async_callback(self.pause)

    async def close(self) -> None:
        """Stop sync, wait for what is being written, and close the store. Safe to call twice.

        Whatever fails, or if the caller is cancelled: it returns or raises once all is closed.
        """
        self.closed = True
        await to_the_end(self._close())

    async def _close(self) -> None:
        async with AsyncExitStack() as stack:  # the last first, each whatever becomes of the others
            stack.push_async_callback(self._close_platform)
            stack.callback(self.keyring.close)
            stack.push_async_callback(self.lock)
            stack.push_async_callback(close_all, list(self.open_ones))

    async def wake_up(self) -> None:
        """Make ready what the vault holds, once it is unlocked."""
        self._publisher.start()
        signer = await self.keyring.open()
        await self._on_added(await self.keyring.portable_did(signer.did))
        await self.records.open(signer)
        await self.documents.open()
        await self.identities.open(signer.did)
        await self._let_go()
        for name, work in self._kept_running.items():
            self.background.start(work(), name)

    def keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run work in the background, in the place of what runs by the same name, and anew after each unlock."""
        self._kept_running[name] = work
        self.background.start(work(), name)

    # -- identities

    async def create_identity(self, name: str, dwn_endpoints: Sequence[str], *, by_default: bool = False) -> Identity:
        """Make a `did:dht` identity as web5-js makes it, store it, and publish it in the background.

        Parameters:
            name: how the person knows it.
            dwn_endpoints: the URLs of its remote DWNs; none makes an identity that lives only here.
            by_default: True if nobody asked for it, so that a recovered agent may do without it while it is unused.

        Raises:
            InvalidArgument: a URL cannot be named in a DID document.
            DidError: the document has no room for so many.
        """
        portable_did = await dht.create(self.crypto, **dht.identity_defaults(checked_endpoints(dwn_endpoints)))
        self._publisher.created(portable_did.uri)
        return await self.identities.add(portable_did, name, by_default=by_default)

    async def import_identity(self, portable_identity: Any) -> Identity:
        """Import an identity that this or `@web5/agent`'s export gave.

        Raises:
            IdentityError: it is malformed, without usable keys, or here already; or it is a delegate's, and the one
                for whom it acts, or another delegate of that one, is here. Nothing is changed.
        """
        portable_did, name, connected_did = parse_portable_identity(portable_identity)
        return await self.identities.add(portable_did, name, connected_did=connected_did)

    async def export_identity(self, did: str) -> dict[str, Any]:
        """Export an identity with its private keys, as `@web5/agent`'s import takes it.

        Raises:
            IdentityError: it is not on this agent.
        """
        identity = self.identities.get(did)
        return export_portable_identity(await self.identities.portable_did(did), identity.name, identity.connected_did)

    async def set_dwn_endpoints(self, did: str, urls: Sequence[str], *, force: bool = False) -> None:
        """Choose the remote DWNs of an identity, or of the agent. Its document is published anew, and sync follows.

        What those that are not named any more have, and no other, is fetched first.

        Parameters:
            force: do not, and give that up.

        Raises:
            NodeNeeded: one still has something, or cannot be asked. Nothing is changed.
            InvalidArgument: a URL cannot be named in a DID document, or the document could not be published with them.
                Nothing is changed.
            IdentityError: it is not on this agent, or its document cannot be changed.
            VaultLocked: the vault is locked.
        """
        portable_did = await self.keyring.portable_did(did)
        before = portable_did.document.dwn_endpoints
        # It refuses before anybody is asked.
        chosen = with_dwn_endpoints(portable_did, urls, self.clock.now()).document.dwn_endpoints
        if not force:
            left = set(map(same_endpoint, chosen))
            gone = [url for url in map(same_endpoint, before) if url not in left]
            await self.sync.fetch_the_rest(did, gone)
        async with self._changing_documents:
            now = await self.keyring.portable_did(did)
            # What another device has changed meanwhile was not chosen away.
            merged = applied(now.document.dwn_endpoints, changes_between(before, chosen, 0))
            changed = with_dwn_endpoints(now, merged, self.clock.now())
            await self.documents.change(now, changed.document.dwn_endpoints)
        await self._on_document(did)

    async def publish_all(self) -> bool:
        """Publish every document that no gateway shows yet; True if all of them are found then.

        Otherwise `publications` has the reason, and it is tried again in the background.
        """
        return await self._publisher.publish_all()

    def use_gateways(self, uris: Sequence[str]) -> None:
        """Publish to these DID DHT gateways, and resolve by them, from now on."""
        if tuple(uris) != self.gateways.uris:
            self.gateways.use(uris)
            self._publisher.look_again()

    def publication(self, did: str) -> PublicationStatus:
        """Return whether a DID of this agent can be found by others, or why not."""
        return publication_status(did, self.publications.get(did), self.gateways.uris)

    def may_be_known(self, did: str) -> bool:
        """Return True if others may have found this DID, since it was published, or is just being so."""
        return self._publisher.may_be_known(did)

    async def ready(self) -> None:
        """Hear that whoever opened the agent has made it ready for others."""

    async def dwn_endpoints(self, did: str) -> list[str]:
        """Return the URLs of the remote DWNs of a DID of this agent. Raises as `Keyring.portable_did`."""
        return list((await self.keyring.portable_did(did)).document.dwn_endpoints)

    async def as_node(self) -> Agent:
        """Return the agent of this interpreter, for what concerns keys, passwords and words."""
        return self

    def actor(self, did: str, delegate_did: str | None) -> Actor:
        """Return who makes messages in the name of a DID.

        Parameters:
            delegate_did: the DID that signs for it; None: it signs itself.
        """
        if delegate_did is None:
            return Actor(did, self.signer)
        return Delegate(did, delegate_did, self.signer, self.sync.grants, self.dwn, self.clock)

    async def signer(self, did: str) -> MessageSigner:
        """Return the signer of a DID of this agent. Raises as `Keyring.signer` does."""
        return await self.keyring.signer(did)

    # -- callbacks of its parts

    async def _on_added(self, portable_did: PortableDid) -> None:
        did = portable_did.uri
        self.resolver.seed(portable_did)
        registered = self.sync.registered(did)
        # One that is registered keeps its scope, but not that of a delegate, who has no DWN of its own to sync.
        if (registered is None or registered.delegate is not None) and not self.identities.is_delegate(did):
            await self.sync.register(did)
        self.sync.wake(did)
        self._publisher.keep(portable_did)

    async def _on_document(self, did: str) -> None:
        if did in self.keyring.dids():
            await self._on_added(await self.keyring.portable_did(did))

    async def _on_removed(self, identity: Identity) -> None:
        await self._publisher.forget(identity.did)
        await self.documents.forget(identity.did)
        await self._let_go()
        self.resolver.forget(identity.did)

    async def _let_go(self) -> None:
        """Sync nobody for whom nothing can be signed (invariant 3): a deletion or a recovery may have been cut off."""
        own = {identity.connected_did or identity.did for identity in self.identities.list()}
        for tenant in self.sync.tenants():
            if tenant not in own and tenant != self.vault.agent_did and not self.keyring.is_temporary(tenant):
                await self.sync.unregister(tenant)

    async def _sync_signer(self, did: str) -> MessageSigner:
        """Return the signer for remote nodes.

        They cannot check anything signed by a DID that they do not find, and remember for a while that they did not; so
        nothing is sent before a gateway shows it. Any version will do, as every version has the key that signs.

        Raises:
            IdentityError: none does, with the gateways' reason.
        """
        if not (self.keyring.is_temporary(did) or self._publisher.known(did) or await self._publisher.publish(did)):
            reason = self.publication(did).reason
            raise IdentityError(f"The DID is not published yet, so remote nodes could not know it: {reason}")
        return await self.keyring.signer(did)

    async def _on_newer(self, portable_did: PortableDid) -> None:
        await self.documents.found(portable_did)
        await self._seed_anew(portable_did.uri)

    async def _on_published(self, portable_did: PortableDid) -> None:
        await self.documents.published(portable_did)
        await self._seed_anew(portable_did.uri)

    async def _seed_anew(self, did: str) -> None:
        self.resolver.seed(await self.keyring.portable_did(did))
        self.sync.wake(did)

    def _notify(self, applied: Applied) -> None:
        notify("a callback of on_change failed", self.on_change, applied.tenant, applied.message_cid)
