"""The way from nothing to an agent whose vault is unlocked, for all the ways to connect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from web5.agent.agent import Agent
from web5.agent.delegation.authorize import accept_delegation
from web5.agent.delegation.delegation import Delegation
from web5.agent.identities import Identity
from web5.agent.leases import Lease
from web5.agent.publication.dwn_service import checked_endpoints
from web5.agent.recovery import recover
from web5.api import arguments
from web5.api.devices import JoinDevice
from web5.api.nodes.registering import OnRegistration
from web5.dids.models import PortableDid
from web5.errors import InvalidArgument, VaultLocked
from web5.platform import OPTIONS, Config, leased_agent, settings_of
from web5.settings import Progress, Settings
from web5.sync.schedule.intervals import parse_interval

if TYPE_CHECKING:
    from web5.agent.delegation.connect.app import WalletConnect

DEFAULT_SYNC_INTERVAL = "2m"


@dataclass(frozen=True)
class Opened:
    """An agent whose vault is unlocked.

    Parameters:
        lease: this connection's share in it; None: it was given by the app, and is the app's to close.
        endpoints: the DWN endpoints for what it makes.
        recovery_phrase: its words, if it was made just now.
    """

    agent: Agent
    lease: Lease | None
    endpoints: Sequence[str]
    recovery_phrase: str | None = field(repr=False)

    async def sync(self, interval: str | None) -> None:
        """Start sync; None: by the usual interval, unless somebody else here has the agent open already."""
        if interval is None and (self.agent.joined or (self.lease is not None and not self.lease.is_first)):
            return
        await self.agent.sync.start(interval or DEFAULT_SYNC_INTERVAL)


@dataclass(frozen=True, kw_only=True, repr=False)
class Asked:
    """The arguments of a connection, as `Web5.connect` has them.

    Raises:
        InvalidArgument: one cannot be used.
    """

    sync: str | None
    dwn_endpoints: Sequence[str] | None
    did_dht_gateways: Sequence[str] | None
    config: Config | None
    password: str | None
    recovery_phrase: str | None = None
    agent: Agent | None
    on_progress: Progress
    registration: OnRegistration | None
    join: JoinDevice | None = None
    platform_options: Mapping[str, Any]

    def __post_init__(self) -> None:
        parse_interval(self.sync or DEFAULT_SYNC_INTERVAL)
        if self.dwn_endpoints is not None:
            checked_endpoints(arguments.texts("dwn_endpoints", self.dwn_endpoints))
        if self.did_dht_gateways is not None:
            arguments.texts("did_dht_gateways", self.did_dht_gateways)
        if unknown := sorted(self.platform_options.keys() - OPTIONS):
            raise arguments.unknown_name("argument", unknown[0], sorted({*_NAMED, *OPTIONS}), of="connect()")
        arguments.callback("registration", self.registration)
        if self.join is not None and not isinstance(self.join, JoinDevice):
            raise InvalidArgument(f"join={arguments.shown(self.join)} has to be a JoinDevice.")
        if self.join is not None and self.recovery_phrase is not None:
            raise InvalidArgument("join and recovery_phrase are two ways to the same: give one of them.")

    @property
    def says_where(self) -> bool:
        """True if the caller said where DIDs are published, or that they are not."""
        return not (self.agent is None and self.did_dht_gateways is None and self.config is None)


_NAMED = {*Asked.__dataclass_fields__, "wallet"} - {"platform_options"}


@asynccontextmanager
async def unlocked_agent(asked: Asked) -> AsyncIterator[Opened]:
    """Yield an agent. The platform's own is given up if the block fails."""
    agent, config, gateways = asked.agent, asked.config, asked.did_dht_gateways
    all_given = config is None and asked.dwn_endpoints is not None and (agent is not None or gateways is not None)
    settings = Settings() if all_given else await settings_of(config, asked.on_progress)
    endpoints = settings.dwn_endpoints if asked.dwn_endpoints is None else asked.dwn_endpoints
    named = settings.did_dht_gateways if gateways is None and config is not None else gateways
    if agent is not None:
        if named is not None:
            agent.use_gateways(named)
        words = await _ensure_unlocked(asked, agent, endpoints)
        yield Opened(agent, None, endpoints, words)
        return
    async with leased_agent(
        gateway_uris=named,
        default_gateway_uris=settings.did_dht_gateways,
        on_progress=asked.on_progress,
        **asked.platform_options,
    ) as lease:
        words = await _ensure_unlocked(asked, lease.agent, endpoints)
        yield Opened(lease.agent, lease, endpoints, words)


async def _ensure_unlocked(asked: Asked, agent: Agent, endpoints: Sequence[str]) -> str | None:
    vault, password = agent.vault, asked.password
    if asked.join is not None:
        await _join(await agent.as_node(), asked.join, endpoints, password, asked.on_progress)
        return None
    if asked.recovery_phrase is not None:
        await recover(await agent.as_node(), asked.recovery_phrase, password, asked.on_progress)
    elif vault.state == "new":
        await (await agent.as_node()).initialize(password=password, dwn_endpoints=endpoints)
        return await (await agent.as_node()).vault.recovery_phrase()
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


async def _join(
    agent: Agent, join: JoinDevice, endpoints: Sequence[str], password: str | None, on_progress: Progress
) -> None:
    from web5.agent.devices.joining import join as begin  # a start has no use for it

    joining = await begin(agent, join.code, join.name, endpoints)
    join.on_number(joining.number)
    await joining.finish(password, on_progress)


async def ask_for_delegation(agent: Agent, wallet: WalletConnect) -> Delegation:
    """Return what the person's wallet grants; raises NotConnected if it does not."""
    from web5.agent.delegation.connect.app import WalletConnect, ask_wallet  # a start has no use for it

    if not isinstance(wallet, WalletConnect):
        raise InvalidArgument(f"wallet={arguments.shown(wallet)} has to be a WalletConnect.")
    return await ask_wallet(agent, wallet)


async def accepted(
    asked: Asked, opened: Opened, delegation: Delegation, name: str, keys: PortableDid | None = None
) -> tuple[Identity, bool]:
    """Accept a delegation, and fetch what it allows; return the identity, and True if it is new here."""
    agent = opened.agent
    created = all(one.did != delegation.delegate_did for one in agent.identities.list())
    identity = await accept_delegation(await agent.as_node(), delegation, name or "Delegate", keys)
    await agent.identities.choose(identity.did)
    if asked.sync != "off":
        asked.on_progress("sync", 0, 1)
        await agent.sync.now("pull", delegation.connected_did)
    await opened.sync(asked.sync)
    return identity, created
