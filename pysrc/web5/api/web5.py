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
from web5.api.vault import VaultApi
from web5.errors import InvalidArgument, RecoveryError, VaultLocked
from web5.platform import Progress, Settings, default_settings, no_progress, open_agent
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
        recovery_phrase: the words of an agent that this connection made, to be written down; else None.
    """

    def __init__(self, web5: Web5, *, created: bool, recovery_phrase: str | None = None) -> None:
        self.web5 = web5
        self.did = web5.connected_did
        self.created = created
        self.recovery_phrase = recovery_phrase

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
        self.vault = VaultApi(agent)

    @classmethod
    async def connect(
        cls,
        *,
        sync: str = DEFAULT_SYNC_INTERVAL,
        dwn_endpoints: Sequence[str] | None = None,
        did_dht_gateway: str | None = None,
        did_dht_gateways: Sequence[str] | None = None,
        password: str | None = None,
        recovery_phrase: str | None = None,
        agent: Agent | None = None,
        on_progress: Progress = no_progress,
        **platform_options: Any,
    ) -> Connection:
        """Open this device's DWN and give its identity, making one on the first launch.

        Nothing here waits for the network, recovery excepted: the identity is published, and sync runs, in the
        background.

        Parameters:
            sync: the interval, as npm's `ms` takes it ("2m", "30s", "1 hour"), "live", or "off".
            dwn_endpoints: URLs of the remote DWNs of an agent and an identity that are made now; by default what the
                site's or the platform's settings say.
            did_dht_gateways: URLs of DID DHT gateways, the preferred one first; by default as above.
            did_dht_gateway: the same for a single one; with both, it is the preferred one.
            password: unlocks the vault; on the first launch, what it is to be unlocked with from then on. Without one a
                key of this device protects it, see `VaultApi.protection`.
            recovery_phrase: the words of an agent that is to come back here, with all its identities and their records;
                on the agent's own device they give it the new password.
            agent: an agent that is open already; by default the platform's own.
            on_progress: called with (step, done, total) while the store is being opened and an agent recovered.
            platform_options: passed to the platform: `name` (the store's name) in the browser, `data_path` on CPython.

        Raises:
            InvalidArgument: `sync` is none of these, or a password is given for a vault that has none.
            VaultLocked: the vault has a password, and none is given.
            WrongPassword: it is another one.
            RecoveryError: the words are none, or nothing can be recovered by them; nothing is changed.
            StorageBusy: another tab or process is the node.
            StorageError: the store cannot be opened.
        """
        check_interval(sync)
        settings = Settings() if agent and dwn_endpoints is not None else await default_settings()
        opened = agent is None
        if agent is None:
            gateways = [*([did_dht_gateway] if did_dht_gateway else ()), *(did_dht_gateways or ())]
            gateways = gateways or settings.did_dht_gateways
            agent = await open_agent(gateway_uris=gateways, on_progress=on_progress, **platform_options)
        endpoints = settings.dwn_endpoints if dwn_endpoints is None else dwn_endpoints
        try:
            phrase = await _unlocked(agent, password, recovery_phrase, endpoints, on_progress)
            identity = agent.identities.chosen()
            if created := identity is None:
                if recovery_phrase is not None:
                    raise RecoveryError("The agent is back, but its nodes hold no identity. Connect again to make one.")
                on_progress("identity", 0, 1)
                identity = await agent.create_identity("Default", endpoints, by_default=True)
            await agent.sync.start(sync)
        except BaseException:
            if opened:
                await agent.close()
            raise
        on_progress("ready", 1, 1)
        return Connection(cls(agent, identity.did), created=created, recovery_phrase=phrase)

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


async def _unlocked(
    agent: Agent, password: str | None, recovery_phrase: str | None, endpoints: Sequence[str], on_progress: Progress
) -> str | None:
    """Have the vault unlocked; the words, if it was made just now."""
    vault = agent.vault
    if recovery_phrase is not None:
        await agent.recover(recovery_phrase, password, on_progress)
    elif vault.state == "new":
        await agent.initialize(password=password, dwn_endpoints=endpoints)
        return await vault.recovery_phrase()
    elif vault.protection == "password":
        if vault.state == "locked" and password is None:
            raise VaultLocked("The vault is locked: connect with its password, or with the recovery phrase.")
        if password is not None:
            await agent.unlock(password)
    elif password is not None:
        raise InvalidArgument(
            "This vault has no password yet. Connect without one, then set it: vault.change_password."
        )
    elif vault.state == "locked":
        await agent.unlock()
    return None
