"""The vault: it keeps the agent's secrets, and opens with a password or, without one, on this device alone.

What the agent encrypts is encrypted by one content key, which the recovery phrase makes. The vault keeps that key
wrapped: under the password (PBES2-HS512+A256KW, as `HdIdentityVault` of `@web5/agent`), or sealed by the device's key.

Invariants:
1. The content key, the agent's private keys and the recovery phrase reach the database only encrypted.
2. A vault has exactly one wrapping of its content key. Another takes its place in one transaction, and the pages of
   the database are then rid of what was there.
3. A wrong password costs the same as the right one, and changes nothing; several of them make the next one wait.
4. The content key is in memory only while the vault is unlocked. A `lock` wins over whatever is still opening it; what
   had begun to encrypt or decrypt ends as if it had come before.
5. What changes the vault runs one at a time; a change that is refused changes nothing.

Passwords are taken as they are, as UTF-8 and without normalization, because the reference does.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

from web5.agent.vault import wrapping
from web5.agent.vault.guesses import Guesses
from web5.agent.vault.secrets import VaultSecrets, derive_secrets
from web5.agent.vault.store import Protection, VaultStore, Wrapping
from web5.crypto import mnemonic
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import Direct
from web5.dids.models import PortableDid
from web5.dwn.store.database import Database
from web5.errors import VaultError, VaultLocked
from web5.ports.crypto import Crypto, Sealer
from web5.strict_json import parse

State = Literal["new", "locked", "unlocked"]


class Vault:
    """The vault of an agent, in tables of `database` that are no part of the DWN.

    Parameters:
        sealer: protects the content key where there is no password.

    Attributes:
        before_change: awaited before another key opens the vault, or another vault takes its place; what one of them
            raises is raised, and nothing is changed.
    """

    def __init__(self, database: Database, sealer: Sealer, crypto: Crypto) -> None:
        self._store = VaultStore(database)
        self._crypto = crypto
        self._wrap = partial(wrapping.wrap, sealer=sealer, crypto=crypto)
        self._unwrap = partial(wrapping.unwrap, sealer=sealer, crypto=crypto)
        self._content_key: bytes | None = None
        self._guesses = Guesses()
        self._locks = 0
        self._changing = asyncio.Lock()
        self.before_change: list[Callable[[], Awaitable[None]]] = []

    @property
    def state(self) -> State:
        """The state; "new" where there is no vault yet."""
        if self._content_key is not None:
            return "unlocked"
        return "new" if self._store.agent_did() is None else "locked"

    @property
    def protection(self) -> Protection | None:
        """The key that opens the vault: the password's or the device's; None where there is no vault yet."""
        stored = self._store.wrapping()
        return None if stored is None else stored.protection

    @property
    def agent_did(self) -> str | None:
        """The agent's DID, which may be known while the vault is locked; None where there is no vault yet."""
        return self._store.agent_did()

    async def create(
        self, *, password: str | None, recovery_phrase: str | None, dwn_endpoints: Sequence[str]
    ) -> PortableDid:
        """Make the vault and the agent's DID, durable and unlocked on return.

        Parameters:
            password: None protects it by the device's key: whoever can use this device's profile can open it.
            recovery_phrase: of an agent that exists already. By default a new one, which the vault keeps until
                `forget_recovery_phrase`; one that is given is not kept.
            dwn_endpoints: the DWNs that the DID document is to name.

        Raises:
            VaultError: there is a vault already.
            InvalidArgument: the password is too short.
            RecoveryError: the phrase is none.
        """
        async with self._change() as unlocked:
            if self.agent_did is not None:
                raise VaultError(f"There is a vault here already, that of {self.agent_did}.")
            wrapping.check_new_password(password)
            phrase = mnemonic.generate() if recovery_phrase is None else recovery_phrase
            secrets = await derive_secrets(phrase, self._crypto, dwn_endpoints)
            wrapped = await self._wrap(secrets.content_key, password, secrets.unlock_salt)
            did_jwe = await self._encrypted_did(secrets.content_key, secrets.portable_did)
            kept = await secrets.encrypt(phrase.encode()) if recovery_phrase is None else None
            await self._store.create(secrets.did, did_jwe, wrapped, kept)
            unlocked(secrets.content_key)
        return secrets.portable_did

    async def install(self, secrets: VaultSecrets, password: str | None) -> None:
        """Make this the vault of a recovery phrase's agent, durable and unlocked on return.

        If it is that already, only the password becomes another one. Else all that it kept before is erased.

        Parameters:
            password: as in `create`.

        Raises:
            InvalidArgument: the password is too short.
        """
        async with self._change() as unlocked:
            wrapping.check_new_password(password)
            wrapped = await self._wrap(secrets.content_key, password)
            await self._about_to_change()
            if secrets.did == self.agent_did:
                await self._store.rewrap(wrapped)
            else:
                did_jwe = await self._encrypted_did(secrets.content_key, secrets.portable_did)
                await self._store.replace(secrets.did, did_jwe, wrapped)
                self._content_key = None
            unlocked(secrets.content_key)

    async def unlock(self, password: str | None = None) -> None:
        """Open the vault. Unlocking twice is no error, but checks the password again.

        Parameters:
            password: None for a vault that the device's key protects.

        Raises:
            WrongPassword: it does not open with this one.
            VaultLocked: it has a password and none was given, or it was locked meanwhile.
            VaultError: there is no vault yet, it has no password, or this device's key does not open it.
        """
        locks = self._locks
        content_key = await self._opened_by(password)
        if self._locks != locks:
            raise VaultLocked("The vault was locked while it was being unlocked. Unlock it again.")
        self._content_key = content_key

    def lock(self) -> None:
        """Forget the content key. Safe to call at any time.

        Python cannot overwrite it in memory: it is gone when the memory is used again.
        """
        self._locks += 1
        self._content_key = None

    async def change_password(self, old: str | None, new: str | None) -> None:
        """Wrap the content key anew; durable and unlocked on return.

        The salt is a fresh one, where the reference keeps its own: what somebody has computed against the old wrapping
        is worth nothing against the new one. The header has the reference's shape, so that it opens this too.

        Parameters:
            old, new: None stands for the device's key.

        Raises:
            as `unlock`, for the old password.
            InvalidArgument: the new one is too short.
        """
        async with self._change() as unlocked:
            wrapping.check_new_password(new)
            content_key = await self._opened_by(old)
            wrapped = await self._wrap(content_key, new)
            await self._about_to_change()
            await self._store.rewrap(wrapped)
            unlocked(content_key)

    async def portable_did(self) -> PortableDid:
        """Return the agent's DID with its private keys.

        Raises:
            VaultLocked: unlock it first.
            VaultError: there is no vault yet.
        """
        plaintext = await self.decrypt(self._store.did_jwe() or "")
        return PortableDid.from_wire(parse(plaintext.decode()))

    async def secrets(self) -> VaultSecrets:
        """Return what opens this agent on another device, without the words.

        Raises:
            VaultLocked: unlock it first.
        """
        content_key = self._key()
        # The salt is for the first password of a vault that is made from words, and of no use to any other.
        return VaultSecrets(content_key, os.urandom(32), await self.portable_did(), self._crypto)

    async def encrypt(self, plaintext: bytes) -> str:
        """Encrypt into a compact JWE that only this vault opens: `dir`, A256GCM, under the content key.

        Raises:
            VaultLocked: unlock it first.
        """
        return await jwe.encrypt(self._crypto, plaintext, Direct(self._key()))

    async def decrypt(self, jwe_text: str) -> bytes:
        """Decrypt what `encrypt` made, of this vault or of another with the same recovery phrase.

        Raises:
            VaultLocked: unlock it first.
            CryptoError: another's, or it was changed.
        """
        return await jwe.decrypt(self._crypto, jwe_text, Direct(self._key()))

    async def recovery_phrase(self) -> str | None:
        """Return the words, as long as they are kept; None once they are forgotten.

        Raises:
            VaultLocked: unlock it first.
        """
        content_key, kept = self._key(), self._store.phrase_jwe()
        return None if kept is None else (await jwe.decrypt(self._crypto, kept, Direct(content_key))).decode()

    @property
    def keeps_recovery_phrase(self) -> bool:
        """True as long as nobody has said that the words are written down; known while it is locked, too."""
        return self._store.phrase_jwe() is not None

    async def forget_recovery_phrase(self) -> None:
        """Keep the words no longer, because the person has them.

        Raises:
            VaultLocked: unlock it first.
        """
        self._key()
        async with self._changing:
            await self._store.forget_phrase()

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[Callable[[bytes], None]]:
        """Make one change at a time (invariant 5), then unlock, unless it was locked meanwhile (invariant 4)."""
        locks = self._locks

        def unlocked(content_key: bytes) -> None:
            if self._locks == locks:
                self._content_key = content_key

        async with self._changing:
            yield unlocked

    async def _about_to_change(self) -> None:
        for prepare in self.before_change:
            await prepare()

    async def _opened_by(self, password: str | None) -> bytes:
        if password is None:
            return await self._unwrap(self._wrapping(), None)
        async with self._guesses.one():
            return await self._unwrap(self._wrapping(), password)

    def _key(self) -> bytes:
        if self._content_key is None:
            self._wrapping()
            raise VaultLocked("The vault is locked. Unlock it first.")
        return self._content_key

    def _wrapping(self) -> Wrapping:
        stored = self._store.wrapping()
        if stored is None:
            raise VaultError("There is no vault yet. Create it first.")
        return stored

    async def _encrypted_did(self, content_key: bytes, portable_did: PortableDid) -> str:
        plaintext = json.dumps(portable_did.to_wire()).encode()
        return await jwe.encrypt(self._crypto, plaintext, Direct(content_key), header={"cty": "json"})
