"""Joins a platform's adapters into an agent; the part of the composition that both platforms share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from web5.agent.agent import Agent
from web5.agent.identities import IdentityStore
from web5.crypto.remembered import RememberedSignatures
from web5.dids.resolver import default_resolver
from web5.dwn import Dwn
from web5.dwn.store.database import Database
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.ports.http import Http
from web5.ports.sealer import Sealer
from web5.ports.websocket import WebSockets
from web5.sync.registration import Registrar
from web5.sync.registration_client import RegistrationClient
from web5.sync.registration_store import RegistrationStore
from web5.sync.remote import RemoteDwn


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


async def assemble(platform: Platform, *, gateway_uri: str) -> Agent:
    """An agent that is open and ready, not yet syncing.

    Parameters:
        gateway_uri: the DID DHT gateway, for publishing and resolving.
    """
    resolver = default_resolver(platform.http, platform.crypto, platform.clock, gateway_uri)
    crypto = RememberedSignatures(platform.crypto)
    dwn = Dwn(
        database=platform.database,
        blobs=platform.blobs,
        resolver=resolver,
        crypto=crypto,
        clock=platform.clock,
    )
    await dwn.open()
    registrar = Registrar(RegistrationClient(platform.http), RegistrationStore(platform.database), platform.clock)
    agent = Agent(
        close_platform=platform.close,
        crypto=platform.crypto,
        http=platform.http,
        clock=platform.clock,
        resolver=resolver,
        dwn=dwn,
        remote=RemoteDwn(platform.http, platform.sockets),
        registrar=registrar,
        identities=IdentityStore(platform.database, platform.sealer, crypto, verify=platform.crypto.verify),
        gateway_uri=gateway_uri,
    )
    await agent.open()
    return agent
