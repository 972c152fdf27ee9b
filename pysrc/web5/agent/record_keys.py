"""The keys of identities from which those of encrypted records are derived.

Invariants:
1. Every key comes from the identity's own keys, or was given by another person and is kept as a record: what an
   identity can read, it can read on any device that has it.
2. No root stays in memory: it is asked for anew each time, so that a locked vault locks the records too. Keys that
   others gave stay until `forget`.
"""

from __future__ import annotations

from web5.agent.keyring import Keyring
from web5.crypto.jwk import key_material
from web5.dids.keys import encryption_method, private_key, signing_method
from web5.dids.resolver import DidResolver
from web5.dwn.encryption.derivation import DerivedKey, RootKey, fallback_root
from web5.errors import EncryptionError, IdentityError
from web5.ports.crypto import Crypto, Jwk


class RecordKeys:
    """The keys of the encrypted records of this agent's identities.

    Attributes:
        received: keys of contexts that others gave, by the DID they were given to, the root's ID and the context.
    """

    def __init__(self, keyring: Keyring, resolver: DidResolver, crypto: Crypto) -> None:
        self.crypto = crypto
        self.received: dict[tuple[str, str, str], DerivedKey] = {}
        self._keyring = keyring
        self._resolver = resolver

    def forget(self) -> None:
        """Drop the keys that are in memory; they are read again when they are needed."""
        self.received.clear()

    async def root(self, did: str) -> RootKey:
        """Return the root key: the secp256k1 key for key agreement, else one derived from the signing key.

        Raises:
            IdentityError: it is not on this agent.
            VaultLocked: the vault is locked.
            DidError: its keys are not with it.
        """
        portable_did = await self._keyring.portable_did(did)
        document = portable_did.document
        agreement = encryption_method(document)
        method = agreement or signing_method(document)
        private = key_material(private_key(portable_did, method)).d
        make = RootKey if agreement else fallback_root
        return make(document.absolute(method.id), private)

    async def root_if_here(self, did: str) -> RootKey | None:
        """Return the root key of an identity; None if it is not on this agent, which then acts as its delegate."""
        try:
            return await self.root(did)
        except IdentityError:
            return None

    async def public(self, did: str) -> tuple[str, Jwk]:
        """Return the key with which records are encrypted for anybody's DID: its ID and public JWK.

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
