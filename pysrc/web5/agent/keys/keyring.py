"""The keys of this agent and of its identities: to sign, and to derive those of encrypted records from.

Invariants:
1. The keys of encrypted records come from the identity's own keys, or were given by another person and are kept as a
   record: what an identity can read, it can read on any device that has it.
2. No root key stays in memory: it is asked for anew each time, so that a locked vault locks the records too. Keys that
   others gave stay until `close`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from web5.agent.identities import IdentityStore
from web5.agent.publication.documents import Documents, Wanted
from web5.agent.vault.vault import Vault
from web5.crypto.jose.jwk import key_material
from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import encryption_method, private_key, signer_for, signing_method
from web5.dids.models import PortableDid
from web5.dids.resolver import DidResolver
from web5.dwn.encryption.derivation import DerivedKey, RootKey, fallback_root
from web5.errors import EncryptionError, IdentityError, StorageClosed, VaultLocked
from web5.ports.crypto import Crypto, Jwk


class Keyring:
    """The keys of the agent itself, which the vault keeps, and of the identities, which are its records.

    Attributes:
        received_keys: keys of contexts that others gave, by the DID they were given to, the root's ID and the context.
    """

    def __init__(
        self, vault: Vault, identities: IdentityStore, documents: Documents, resolver: DidResolver, crypto: Crypto
    ) -> None:
        self.received_keys: dict[tuple[str, str, str], DerivedKey] = {}
        self._vault = vault
        self._identities = identities
        self._documents = documents
        self._resolver = resolver
        self._crypto = crypto
        self._own: MessageSigner | None = None
        self._is_closed = False
        self._temporary: dict[str, MessageSigner] = {}

    async def open(self) -> MessageSigner:
        """Return the agent's own signer, once the vault is unlocked; forgets the keys of another.

        Raises:
            VaultLocked: it is not.
        """
        self.received_keys.clear()
        self._own = await signer_for(await self._vault.portable_did(), self._crypto)
        return self._own

    def lock(self) -> None:
        """Forget every key, since the vault is being locked."""
        self._own = None
        self.received_keys.clear()

    def close(self) -> None:
        """Forget every key for good."""
        self._is_closed = True
        self.lock()

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
        return self._documents.current(await self._held(did))

    async def wanted(self, did: str) -> Wanted:
        """Return a DID as it is to be published. Raises as `signer` does."""
        return self._documents.wanted(await self._held(did))

    async def _held(self, did: str) -> PortableDid:
        return await (self._vault.portable_did() if did == self._agent().did else self._identities.held(did))

    async def root_key(self, did: str) -> RootKey:
        """Return the root of record encryption: the secp256k1 key for key agreement, else one from the signing key.

        Raises:
            IdentityError: the DID is not on this agent.
            VaultLocked: the vault is locked.
            DidError: its keys are not with it.
        """
        portable_did = await self.portable_did(did)
        document = portable_did.document
        agreement = encryption_method(document)
        method = agreement or signing_method(document)
        private = key_material(private_key(portable_did, method)).d
        make = RootKey if agreement else fallback_root
        return make(document.absolute(method.id), private)

    async def root_key_if_here(self, did: str) -> RootKey | None:
        """Return the root key of a DID; None if it is not on this agent, which then acts as its delegate."""
        try:
            return await self.root_key(did)
        except IdentityError:
            return None

    async def encryption_key(self, did: str) -> tuple[str, Jwk]:
        """Return the ID and the public JWK of the key with which records are encrypted for anybody's DID.

        Raises:
            EncryptionError: the DID cannot be resolved, or its document names none.
        """
        result = await self._resolver.resolve(did)
        document = result.did_document
        if document is None:
            raise EncryptionError(f"Nothing can be encrypted for {did}, which does not resolve: {result.error}.")
        method = encryption_method(document)
        if method is None or method.public_key_jwk is None:
            raise EncryptionError(
                f"Nothing can be encrypted for {did}: its document has no secp256k1 key for keyAgreement."
            )
        return document.absolute(method.id), method.public_key_jwk

    def _agent(self) -> MessageSigner:
        if self._is_closed:
            raise StorageClosed
        if self._own is None:
            raise VaultLocked("The vault is locked, and the keys with it: unlock it with its password.")
        return self._own
