"""What a recovery phrase makes, before it is in a vault."""

from __future__ import annotations

from dataclasses import dataclass, replace

from web5.crypto import jwe
from web5.crypto.jwe import Direct
from web5.dids.models import DidDocument, PortableDid
from web5.ports.crypto import Crypto


@dataclass(frozen=True, repr=False)
class VaultSecrets:
    """The content key and the DID of an agent.

    Parameters:
        portable_did: with its private keys; its document names no DWNs until `with_document`.
    """

    content_key: bytes
    portable_did: PortableDid
    crypto: Crypto

    @property
    def did(self) -> str:
        return self.portable_did.uri

    def with_document(self, document: DidDocument, metadata: dict[str, object]) -> VaultSecrets:
        """The same with the document as it is published."""
        known = self.portable_did.model_copy(update={"document": document, "metadata": dict(metadata)})
        return replace(self, portable_did=known)

    async def encrypt(self, plaintext: bytes) -> str:
        """As `Vault.encrypt` of the vault that these are to be in."""
        return await jwe.encrypt(self.crypto, plaintext, Direct(self.content_key))

    async def decrypt(self, jwe_text: str) -> bytes:
        """What was encrypted. Raises CryptoError if it was another's, or was changed."""
        return await jwe.decrypt(self.crypto, jwe_text, Direct(self.content_key))
