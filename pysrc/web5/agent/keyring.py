"""The signers of this agent: its own, and those of its identities."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from web5.agent.identities import IdentityStore
from web5.agent.vault.vault import Vault
from web5.crypto.jws import MessageSigner
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.errors import VaultLocked
from web5.ports.crypto import Crypto


class Keyring:
    """The agent's own DID, whose keys the vault keeps, and the identities, whose keys are its records."""

    def __init__(self, vault: Vault, identities: IdentityStore, crypto: Crypto) -> None:
        self._vault = vault
        self._identities = identities
        self._crypto = crypto
        self._own: MessageSigner | None = None
        self._temporary: dict[str, MessageSigner] = {}

    async def open(self) -> MessageSigner:
        """Return the agent's own signer, once the vault is unlocked.

        Raises:
            VaultLocked: it is not.
        """
        self._own = await signer_for(await self._vault.portable_did(), self._crypto)
        return self._own

    def close(self) -> None:
        """Forget the agent's key, since the vault is being locked."""
        self._own = None

    @contextmanager
    def temporary_signer(self, signer: MessageSigner) -> Iterator[None]:
        """Sign with this too while the block runs; its DID is known to be published."""
        self._temporary[signer.did] = signer
        try:
            yield
        finally:
            del self._temporary[signer.did]

    def is_temporary(self, did: str) -> bool:
        """Return True while the signer of a DID is a temporary one."""
        return did in self._temporary

    def dids(self) -> list[str]:
        """Return the agent's DID, then those of the identities."""
        own = [self._own.did] if self._own else []
        return own + [identity.did for identity in self._identities.list()]

    async def signer(self, did: str) -> MessageSigner:
        """Return the signer of a DID.

        Raises:
            IdentityError: it is not on this agent.
            VaultLocked: the vault is locked.
        """
        if did in self._temporary:
            return self._temporary[did]
        own = self._agent()
        return own if did == own.did else await self._identities.signer(did)

    async def portable_did(self, did: str) -> PortableDid:
        """Return a DID with its private keys. Raises as `signer` does."""
        if did == self._agent().did:
            return await self._vault.portable_did()
        return await self._identities.portable_did(did)

    async def replace(self, portable_did: PortableDid) -> None:
        """Store another document of a DID. Raises as `signer` does."""
        if portable_did.uri == self._agent().did:
            await self._vault.store_did(portable_did)
        else:
            await self._identities.replace(portable_did)

    def _agent(self) -> MessageSigner:
        if self._own is None:
            raise VaultLocked("The vault is locked, and the keys with it: unlock it with its password.")
        return self._own
