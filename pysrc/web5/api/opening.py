"""The way from nothing to an agent whose vault is open, for all the ways to connect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from web5.agent.agent import Agent
from web5.agent.recovery import recover
from web5.errors import InvalidArgument, VaultLocked
from web5.platform import open_agent
from web5.settings import Progress


@asynccontextmanager
async def open_or_use_agent(
    agent: Agent | None, gateway_uris: Sequence[str], on_progress: Progress, platform_options: dict[str, Any]
) -> AsyncIterator[Agent]:
    """Give the agent that was passed, or open the platform's own, which is closed again if the block fails."""
    if agent is not None:
        yield agent
        return
    own = await open_agent(gateway_uris=gateway_uris, on_progress=on_progress, **platform_options)
    try:
        yield own
    except BaseException:
        await own.close()
        raise


async def ensure_unlocked(
    agent: Agent,
    password: str | None,
    recovery_phrase: str | None,
    endpoints: Sequence[str],
    on_progress: Progress,
) -> str | None:
    """Unlock the vault, making it on the first launch.

    Returns:
        The words, if it was made just now.

    Raises:
        VaultLocked, WrongPassword, RecoveryError, InvalidArgument: as `Web5.connect` says.
    """
    vault = agent.vault
    if recovery_phrase is not None:
        await recover(agent, recovery_phrase, password, on_progress)
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
