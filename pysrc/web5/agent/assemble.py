"""Joins a platform's adapters into an agent; the part of the composition that both platforms share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from web5.agent.agent import Agent
from web5.agent.did_cache import StoredDids
from web5.agent.identities import IdentityStore
from web5.agent.messages import Messages
from web5.agent.publication.store import PublicationStore
from web5.agent.records import AgentRecords
from web5.agent.vault.vault import Vault
from web5.crypto.signature_cache import SignatureCache
from web5.dids.dht.gateways import Gateways
from web5.dids.resolver import default_resolver
from web5.dids.web import DidWeb
from web5.dwn import Dwn
from web5.dwn.store.database import Database
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto, Sealer
from web5.ports.http import Http
from web5.ports.websocket import WebSockets
from web5.remote.dwn import RemoteDwn
from web5.remote.registration import RegistrationClient
from web5.sync.exchange.registrar import Registrar


@dataclass(frozen=True)
class Platform:
    """One adapter for each port.

    Parameters:
        sockets: None where subscriptions over the network are not wanted.
        close: gives all of them free, the database first.
    """

    database: Database
    blobs: Blobs
    crypto: Crypto
    http: Http
    sockets: WebSockets | None
    clock: Clock
    sealer: Sealer
    close: Callable[[], Awaitable[None]]


async def assemble(platform: Platform, *, gateway_uris: Sequence[str]) -> Agent:
    """An agent that is open and ready, not yet syncing.

    Parameters:
        gateway_uris: the DID DHT gateways, for publishing and resolving, the preferred one first.

    Raises:
        InvalidArgument: there is no gateway.
    """
    http, clock, cache = platform.http, platform.clock, StoredDids(platform.database)
    resolver = default_resolver(
        http, platform.crypto, clock, *gateway_uris, cache=cache, web=DidWeb(http, allow_localhost=True)
    )
    crypto = SignatureCache(platform.crypto)
    dwn = Dwn(
        database=platform.database,
        blobs=platform.blobs,
        resolver=resolver,
        crypto=crypto,
    )
    await dwn.open()
    vault = Vault(platform.database, platform.sealer, platform.crypto)
    remote = RemoteDwn(platform.http, platform.sockets)
    messages = Messages(dwn, resolver, remote)
    records = AgentRecords(messages, vault, platform.clock)
    dwn.after_commit.append(records.applied)
    registrar = Registrar(RegistrationClient(platform.http), platform.database, platform.clock)
    agent = Agent(
        close_platform=platform.close,
        crypto=platform.crypto,
        http=http,
        clock=clock,
        resolver=resolver,
        dwn=dwn,
        remote=remote,
        messages=messages,
        vault=vault,
        records=records,
        identities=IdentityStore(platform.database, records, crypto, verify=platform.crypto.verify),
        publications=PublicationStore(platform.database),
        gateways=Gateways(http, platform.crypto, gateway_uris, clock),
        registrar=registrar,
    )
    await agent.open()
    return agent
