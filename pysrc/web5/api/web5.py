"""`Web5.connect`: an identity, a DWN on this device, and sync with the remote ones, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from web5.agent.agent import Agent
from web5.api.dids import DidApi
from web5.api.identities import IdentitiesApi
from web5.api.protocols import ProtocolsApi
from web5.api.records import RecordsApi
from web5.api.sync import SyncApi
from web5.api.vc import VcApi
from web5.platform import Progress, default_settings, no_progress, open_agent
from web5.sync.intervals import check_interval

DEFAULT_SYNC_INTERVAL = "2m"


class DwnApi:
    """`web5.dwn`: what can be asked of DWNs."""

    def __init__(self, agent: Agent, did: str) -> None:
        self.records = RecordsApi(agent, did)
        self.protocols = ProtocolsApi(agent, did)


class Connection:
    """What `Web5.connect` gives; also `web5, did = await Web5.connect()`.

    Parameters:
        created: True if this connection made the identity.
    """

    def __init__(self, web5: Web5, *, created: bool) -> None:
        self.web5 = web5
        self.did = web5.connected_did
        self.created = created

    def __iter__(self) -> Iterator[Any]:
        return iter((self.web5, self.did))


class Web5:
    """The Web5 API for one identity of an agent."""

    def __init__(self, agent: Agent, connected_did: str) -> None:
        self.agent = agent
        self.connected_did = connected_did
        self.dwn = DwnApi(agent, connected_did)
        self.did = DidApi(agent)
        self.identities = IdentitiesApi(agent)
        self.sync = SyncApi(agent, connected_did)
        self.vc = VcApi(agent, connected_did, self.dwn.records)

    @classmethod
    async def connect(
        cls,
        *,
        sync: str = DEFAULT_SYNC_INTERVAL,
        dwn_endpoints: Sequence[str] | None = None,
        did_dht_gateway: str | None = None,
        agent: Agent | None = None,
        on_progress: Progress = no_progress,
        **platform_options: Any,
    ) -> Connection:
        """Open this device's DWN and give its identity, making one on the first launch.

        Nothing here waits for the network: the identity is published, and sync runs, in the background.

        Parameters:
            sync: the interval, as npm's `ms` takes it ("2m", "30s", "1 hour"), "live", or "off".
            dwn_endpoints: URLs of the remote DWNs of an identity that is made now; by default what the site's or the
                platform's settings say.
            did_dht_gateway: the URL of the DID DHT gateway; by default as above.
            agent: an agent that is open already; by default the platform's own.
            on_progress: called with (step, done, total) while the store is being opened.
            platform_options: passed to the platform: `name` (the store's name) in the browser, `data_path` on CPython.

        Raises:
            InvalidArgument: `sync` is none of these.
            StorageBusy: another tab or process is the node.
            StorageError: the store cannot be opened.
        """
        check_interval(sync)
        settings = await default_settings()
        if agent is None:
            gateway = did_dht_gateway or settings.did_dht_gateway
            agent = await open_agent(gateway_uri=gateway, on_progress=on_progress, **platform_options)
        identity = agent.identities.chosen()
        created = identity is None
        if identity is None:
            on_progress("identity", 0, 1)
            endpoints = settings.dwn_endpoints if dwn_endpoints is None else dwn_endpoints
            identity = await agent.create_identity("Default", endpoints)
        await agent.sync.start(sync)
        on_progress("ready", 1, 1)
        return Connection(cls(agent, identity.did), created=created)

    async def use(self, did: str) -> Web5:
        """The API for another identity of the same agent, which is the chosen one from now on.

        Raises:
            IdentityError: it is not on this agent.
        """
        await self.agent.identities.choose(did)
        return Web5(self.agent, did)

    @property
    def on_change(self) -> list[Callable[[str, str], None]]:
        """Called with (tenant, message CID) after each message, made here or pulled, is durable."""
        return self.agent.on_change

    async def close(self) -> None:
        """Stop sync and close the store."""
        await self.agent.close()
