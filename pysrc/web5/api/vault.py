"""`web5.vault`: what protects the keys of this agent, and the words that bring it back elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from web5.agent.agent import Agent


class VaultApi:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def agent_did(self) -> str | None:
        """The DID of the agent itself, whose records hold the identities; also while locked."""
        return self._agent.vault.agent_did

    @property
    def state(self) -> Literal["new", "locked", "unlocked"]:
        """ "new" before the first launch."""
        return self._agent.vault.state

    @property
    def protection(self) -> Literal["password", "device"] | None:
        """What opens it. "device": a key that no script can read, but that everybody who can use this browser profile
        (or account) can use; deleting the site's data destroys it, and without the words the identities with it."""
        return self._agent.vault.protection

    @property
    def keeps_recovery_phrase(self) -> bool:
        """True until `forget_recovery_phrase`: nobody has written the words down yet. Also while locked."""
        return self._agent.vault.keeps_recovery_phrase

    async def lock(self) -> None:
        """Stop sync and forget every key until `unlock`; what needs one raises VaultLocked meanwhile."""
        await self._agent.lock()

    async def unlock(self, password: str | None = None) -> None:
        """Unlock it; sync is to be started anew.

        Raises:
            WrongPassword: that is not its password.
            VaultLocked: it has a password, and none was given.
        """
        await self._agent.unlock(password)

    async def change_password(self, old: str | None, new: str | None) -> None:
        """Give it another password. The words stay the same, and so do the passwords of other devices.

        Parameters:
            old: None if there is none yet.
            new: None to have this device's key protect it again.

        Raises:
            WrongPassword: `old` is not its password.
            InvalidArgument: `new` is blank.
        """
        await self._agent.vault.change_password(old, new)

    async def recovery_phrase(self) -> str | None:
        """The twelve words, or None once they are written down (`forget_recovery_phrase`).

        Raises:
            VaultLocked: it is locked.
        """
        return await self._agent.vault.recovery_phrase()

    async def forget_recovery_phrase(self) -> None:
        """The words are written down: erase them from this device. Nothing can show them again."""
        await self._agent.vault.forget_recovery_phrase()

    async def set_dwn_endpoints(self, urls: Sequence[str]) -> None:
        """Choose the remote DWNs that keep the agent's own records; recovery needs at least one of them."""
        await self._agent.set_dwn_endpoints(self._agent.vault.agent_did or "", urls)
