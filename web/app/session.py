"""The agent behind the page: the state of its vault, the identity in use, and how it syncs.

Invariants:
1. `web5` is there while the vault is unlocked and nothing is being recovered; whoever asks else gets VaultLocked.
2. While it is there, sync runs as was chosen last.
3. Changes of the vault run one at a time, and each may be asked for twice.
4. The identity in use is one of the agent's: when another device deletes it, the oldest takes its place.
5. What the page shows before its node is up is gone before a password is set, or another identity is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from app import storage
from app.change_notifier import ChangeNotifier, Steps
from app.last_hour import LastHour
from app.messages.messages import Messages
from app.notes import notes
from app.notes.files import Files
from app.notes.note_search import Search
from app.notes.preview import Preview, Store
from app.pairing import Pairing
from web5 import Web5
from web5.agent.agent import Agent
from web5.agent.identities import Identity
from web5.agent.recovery import recover
from web5.agent.vault.secrets import derive_secrets
from web5.agent.vault.wrapping import check_new_password
from web5.errors import StorageError, VaultError, VaultLocked, WrongPassword
from web5.settings import Progress
from web5.tasks import TaskSet

FIRST_NAME = "Default"
"""The name of an identity that is made because there is none."""


class Session:
    """The session of all tabs of this origin.

    Parameters:
        notifier: is notified of every change of the vault, and of the progress of a recovery.
        dwn_endpoints: the remote nodes of an agent and an identity that are made now.
        store: for the copy of the newest notes.

    Attributes:
        preview: that copy.
        hour: what flowed in the last hour.
    """

    def __init__(self, agent: Agent, notifier: ChangeNotifier, dwn_endpoints: Sequence[str], store: Store) -> None:
        self._agent = agent
        self._notifier = notifier
        self._dwn_endpoints = dwn_endpoints
        self._web5: Web5 | None = None
        self._messages: Messages | None = None
        self._search: Search | None = None
        self._files: Files | None = None
        self._closing = TaskSet("the conversations could not be closed")
        self._interval = "off"
        self._recovering = False
        self._changing = asyncio.Lock()
        self._pairing = Pairing(agent, dwn_endpoints)
        self.hour = LastHour(lambda: self._web5.sync.status() if self._web5 else ())
        agent.on_change.append(self.hour.wrote)
        agent.sync.listeners.append(self.hour.hear)
        self.preview = Preview(store, lambda count: notes.newest(self.web5, count), self._owner_of_preview)
        notifier.on_notes.append(self.preview.changed)
        agent.identities.on_removed.append(self._on_removed)

    @property
    def web5(self) -> Web5:
        """The API for the identity in use.

        Raises:
            VaultLocked: see invariant 1.
        """
        if self._web5 is None:
            raise VaultLocked("The vault is locked, or another agent is just coming back here.")
        return self._web5

    @property
    def messages(self) -> Messages:
        """The conversations of the identity in use. Raises VaultLocked, as `web5`."""
        if self._messages is None:
            self._messages = Messages(self.web5, lambda: self._notifier.changed("messages"), self._notifier.file)
        return self._messages

    @property
    def search(self) -> Search:
        """The texts of the notes of the identity in use. Raises VaultLocked, as `web5`."""
        if self._search is None:
            self._search = Search(self.web5, lambda: self._notifier.changed("notes"))
        return self._search

    @property
    def files(self) -> Files:
        """The files of the identity in use. Raises VaultLocked, as `web5`."""
        if self._files is None:
            self._files = Files(self.web5, self._notifier.file)
        return self._files

    def _use(self, web5: Web5 | None) -> None:
        """Go on with another identity, or none; what was known of the last one's records is forgotten."""
        self._web5 = web5
        if self._messages is not None:
            messages, self._messages = self._messages, None
            self._closing.start(messages.close())
        if self._search is not None:
            search, self._search = self._search, None
            self._closing.start(search.close())
        if self._files is not None:
            files, self._files = self._files, None
            self._closing.start(files.close())
        notes.forget()

    @property
    def pairing(self) -> Pairing:
        """The other device that is being taken along, or takes this one."""
        return self._pairing

    @property
    def is_open(self) -> bool:
        return self._web5 is not None

    def vault(self) -> dict[str, Any]:
        """Return the state of the vault in the shape the page shows; `words`: they are not written down yet."""
        state = "recovering" if self._recovering else "unlocked" if self.is_open else "locked"
        vault = self._agent.vault
        return {"state": state, "protection": vault.protection, "words": vault.keeps_recovery_phrase}

    def storage(self) -> dict[str, Any]:
        """Return the state of what this browser stores, in the shape the page shows."""
        return storage.of(self._agent)

    @property
    def is_in_memory_alone(self) -> bool:
        """True while what is here is stored nowhere, so that no other tab could go on with it."""
        return storage.is_in_memory_alone(self._agent)

    async def open(self) -> None:
        """Connect; on the first launch, make the agent and an identity. A vault with a password stays locked."""
        try:
            connection = await Web5.connect(
                agent=self._agent,
                sync=self._interval,
                dwn_endpoints=self._dwn_endpoints,
                on_progress=self._notifier.boot,
            )
        except VaultLocked:
            self._use(None)
        else:
            self._use(connection.web5)
        if self._owner_of_preview() is None:
            with suppress(StorageError):  # it was erased before there was a password, but perhaps kept at that moment
                await self.preview.forget()
        else:
            self.preview.changed()

    def _owner_of_preview(self) -> str | None:
        """Return the DID of the identity whose newest notes may lie here as anybody can read them."""
        may = self._web5 is not None and self._agent.vault.protection == "device"
        return self._web5.connected_did if may and self._web5 else None

    async def leave(self) -> None:
        """Do nothing any more with the agent, which somebody else closes."""
        self._use(None)
        await self._closing.join()
        await self.preview.close()

    async def close(self) -> None:
        """Stop sync and close the store."""
        await self.leave()
        await self._agent.close()

    async def choose(self, did: str) -> None:
        """Use another identity of the agent."""
        chosen = await self.web5.use(did)
        await self.preview.forget()
        self._use(chosen)
        self._notify()

    async def set_interval(self, interval: str) -> None:
        """Sync live, by an interval, or only when asked; nothing changes if it does so already."""
        self._interval = interval
        if self._web5 and interval != self._web5.sync.interval:
            await self._web5.sync.start(interval)

    # -- the vault

    async def lock(self) -> None:
        """Forget every key until `unlock`.

        Raises:
            VaultError: it has no password, so anybody could unlock it.
        """
        async with self._changing:
            if self._agent.vault.protection != "password":
                raise VaultError("There is no password to unlock it with. Set one first.")
            self._use(None)
            await self._agent.lock()
        self._notify()

    async def unlock(self, password: str | None) -> None:
        """Unlock the vault. Raises WrongPassword."""
        async with self._changing:
            if self.is_open:
                await self._agent.vault.unlock(password)
                return
            await self._agent.unlock(password)
            await self.open()
        self._notify()

    async def prove(self, password: str | None) -> None:
        """Make sure that the person is here who knows the password, if the vault has one; and unlock it.

        Raises:
            WrongPassword: it is another one, or none was given.
            VaultLocked: it is locked, and none was given.
        """
        if self._agent.vault.protection == "password":
            if password is None and self.web5:
                raise WrongPassword("This needs the password.")
            await self.unlock(password)

    async def change_password(self, old: str | None, new: str | None) -> None:
        """Change the password of the vault; None stands for this browser's own key.

        Raises:
            WrongPassword, VaultError, VaultLocked: `old` is not what opens it.
            InvalidArgument: the new one is too short.
        """
        check_new_password(new)
        try:
            if not self.is_open and old is not None:
                await self.unlock(old)
            vault = self.web5.vault
            async with self._changing:
                try:
                    await self.preview.forget()
                    await vault.change_password(old, new)
                finally:
                    self.preview.changed()
        except VaultError:
            if not await self._opens_with(new):
                raise
        self._notify()

    async def forget_words(self) -> None:
        """Forget the words, since they are written down."""
        await self.web5.vault.forget_recovery_phrase()
        self._notify()

    async def recover(self, words: str, password: str | None) -> Steps:
        """Bring back the agent that has these words; the oldest identity that it had is in use then.

        Returns:
            The progress, with "nodes" if not all of them could be read; what is missing comes by sync.

        Raises:
            RecoveryError, InvalidArgument: nothing is changed.
        """
        await derive_secrets(words, self._agent.crypto)  # words that are none disturb nobody
        return await self.bring_in(lambda on_progress: recover(self._agent, words, password, on_progress))

    async def bring_in(self, work: Callable[[Progress], Awaitable[None]]) -> Steps:
        """Have another agent take the place of the one that is here; an identity that it had is in use then.

        Parameters:
            work: does it, and tells how far it is; what it raises is raised.
        """
        steps = Steps()

        def on_progress(step: str, done: int, total: int) -> None:
            steps[step] = {"done": done, "total": total}
            self._notifier.recovery(steps)

        async with self._changing:
            self._recovering = True
            self._use(None)
            try:
                await self.preview.forget()
                await work(on_progress)
            finally:
                self._recovering = False
                self._notifier.recovery({})
                await self.open()
                self._notify()
        return steps

    async def _opens_with(self, password: str | None) -> bool:
        """Return True if a call that is repeated has nothing left to do."""
        if password is None:
            return self._agent.vault.protection == "device"
        try:
            await self.unlock(password)
        except VaultError:
            return False
        return True

    async def _on_removed(self, identity: Identity) -> None:
        """Invariants 4 and 5."""
        await self.preview.forget()
        if self._web5 and identity.did in (self._web5.connected_did, self._web5.delegate_did):
            left = self._agent.identities.chosen()
            if left is None:
                left = await self._agent.create_identity(FIRST_NAME, self._dwn_endpoints, by_default=True)
            self._use(await self._web5.use(left.did))
        self._notify()

    def tell_move(self, step: str, done: int, total: int) -> None:
        """Tell the pages how far a move between nodes has come; no step ends that."""
        self._notifier.move(step, done, total)

    def _notify(self) -> None:
        self._notifier.changed("messages", "notes", "state")
