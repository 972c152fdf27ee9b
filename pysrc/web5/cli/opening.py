"""The agent of a folder, opened for one command: nothing syncs, and an agent is made only where one is to come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from web5.agent.agent import Agent
from web5.agent.identities import Identity
from web5.cli.terminal import password
from web5.errors import IdentityError, InvalidArgument
from web5.platform import open_agent, settings_of

VAULT_PASSWORD = "WEB5_PASSWORD"
STORE = "web5.sqlite"
"""The file that a folder with an agent has."""


@asynccontextmanager
async def opened(folder: Path, gateways: Sequence[str], *, make: bool = False) -> AsyncIterator[Agent]:
    """Yield the agent of a folder, unlocked.

    Parameters:
        gateways: URLs of DID DHT gateways; none: those of the settings.
        make: make an agent where there is none, without nodes and without a password.

    Raises:
        InvalidArgument: there is no agent in the folder.
        VaultLocked, WrongPassword: its vault has a password, which is missing, or another.
        StorageError: it cannot be opened; StorageBusy: another process has it open.
    """
    if not make and not (folder / STORE).exists():
        raise InvalidArgument(f"There is no agent in {folder}: name its folder with --data.")
    settings = await settings_of()
    agent = await open_agent(gateway_uris=gateways or settings.did_dht_gateways, data_path=folder)
    try:
        if agent.vault.state == "new":
            if not make:
                raise InvalidArgument(f"The agent in {folder} was never begun: name another folder with --data.")
            await agent.initialize(dwn_endpoints=[])
        elif agent.vault.state == "locked":
            await agent.unlock(password(VAULT_PASSWORD, f"Password of the vault in {folder}"))
        yield agent
    finally:
        await agent.close()


def chosen(agent: Agent, did: str | None) -> Identity:
    """Return the identity with this DID; None: the one that is in use.

    Raises:
        IdentityError: it is not there.
    """
    identity = agent.identities.chosen() if did is None else agent.identities.get(did)
    if identity is None:
        raise IdentityError("This agent has no identity.")
    return identity
