"""The way from nothing to an agent whose vault is unlocked, for all the ways to connect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from web5.agent.agent import Agent
from web5.agent.leases import Lease
from web5.agent.recovery import recover
from web5.errors import InvalidArgument, VaultLocked
from web5.platform import Config, leased_agent, settings_of
from web5.settings import Progress, Settings

if TYPE_CHECKING:
    from web5.api.devices import JoinDevice

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


@asynccontextmanager
async def unlocked_agent(
    agent: Agent | None,
    dwn_endpoints: Sequence[str] | None,
    did_dht_gateways: Sequence[str] | None,
    config: Config | None,
    password: str | None,
    recovery_phrase: str | None,
    on_progress: Progress,
    platform_options: dict[str, Any],
    join: JoinDevice | None = None,
) -> AsyncIterator[Opened]:
    """Yield an agent. Parameters are those of `Web5.connect`. The platform's own is given up if the block fails."""
    all_given = config is None and dwn_endpoints is not None and (agent is not None or did_dht_gateways is not None)
    settings = Settings() if all_given else await settings_of(config, on_progress)
    endpoints = settings.dwn_endpoints if dwn_endpoints is None else dwn_endpoints
    named = settings.did_dht_gateways if did_dht_gateways is None and config is not None else did_dht_gateways
    if agent is not None:
        if named is not None:
            agent.use_gateways(named)
        words = await _ensure_unlocked(agent, password, recovery_phrase, endpoints, on_progress, join)
        yield Opened(agent, None, endpoints, words)
        return
    async with leased_agent(
        gateway_uris=named, default_gateway_uris=settings.did_dht_gateways, on_progress=on_progress, **platform_options
    ) as lease:
        words = await _ensure_unlocked(lease.agent, password, recovery_phrase, endpoints, on_progress, join)
        yield Opened(lease.agent, lease, endpoints, words)


async def _ensure_unlocked(
    agent: Agent,
    password: str | None,
    recovery_phrase: str | None,
    endpoints: Sequence[str],
    on_progress: Progress,
    join: JoinDevice | None,
) -> str | None:
    vault = agent.vault
    if join is not None:
        await _join(await agent.as_node(), join, endpoints, password, on_progress)
        return None
    if recovery_phrase is not None:
        await recover(await agent.as_node(), recovery_phrase, password, on_progress)
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
