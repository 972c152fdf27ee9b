"""The secrets that a recovery phrase makes: the vault's content key and the agent's DID.

They are those that `@web5/agent` makes of it (src/hd-identity-vault.ts, `initialize`): one phrase is one agent in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web5.crypto import mnemonic
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import Direct
from web5.crypto.kdf import hkdf, slip10
from web5.dids import dht
from web5.dids.models import RELATIONSHIPS, PortableDid
from web5.ports.crypto import Crypto

_VAULT = "m/44'/0'/0'/0'/0'"
_IDENTITY = "m/44'/0'/1708523827'/0'/0'"
_SIGNING = "m/44'/0'/1708523827'/0'/1'"
"""The account of the DID's keys is the time at which the reference fixed it."""


@dataclass(frozen=True, repr=False)
class VaultSecrets:
    """The secrets of an agent.

    Parameters:
        content_key: encrypts what the vault keeps (A256GCM); 32 bytes.
        unlock_salt: goes into the key that is derived from the first password; 32 bytes.
        portable_did: the agent's DID with its private keys, `#0` and `#sig`.
    """

    content_key: bytes
    unlock_salt: bytes
    portable_did: PortableDid
    crypto: Crypto

    @property
    def did(self) -> str:
        """The agent's DID."""
        return self.portable_did.uri

    async def encrypt(self, plaintext: bytes) -> str:
        """Encrypt as `Vault.encrypt` of the vault that these are to be in."""
        return await jwe.encrypt(self.crypto, plaintext, Direct(self.content_key))

    async def decrypt(self, jwe_text: str) -> bytes:
        """Decrypt as `Vault.decrypt` of that vault."""
        return await jwe.decrypt(self.crypto, jwe_text, Direct(self.content_key))


async def derive_secrets(phrase: str, crypto: Crypto, dwn_endpoints: Sequence[str] = ()) -> VaultSecrets:
    """Derive the secrets of a recovery phrase; the DID is not published by that.

    Parameters:
        dwn_endpoints: the URLs of the agent's DWNs; without, its document has no DWN service.

    Raises:
        RecoveryError: the phrase is none.
    """
    seed = await mnemonic.seed(phrase, crypto)
    vault = slip10(seed, _VAULT).private
    # SLIP-0010 writes the public key with a zero byte before it, and that is what the reference hashes.
    public = b"\0" + b64url_decode((await crypto.private_key("Ed25519", vault))["x"])
    identity = await crypto.private_key("Ed25519", slip10(seed, _IDENTITY).private)
    signing = await crypto.private_key("Ed25519", slip10(seed, _SIGNING).private)
    purposes = [purpose for purpose in RELATIONSHIPS if purpose != "keyAgreement"]
    portable_did = await dht.create(
        crypto,
        verification_methods=[
            dht.KeySpec("Ed25519", "0", purposes, private_jwk=identity),
            dht.KeySpec("Ed25519", "sig", ("assertionMethod", "authentication"), private_jwk=signing),
        ],
        services=dht.identity_defaults(dwn_endpoints)["services"],
    )
    return VaultSecrets(
        content_key=hkdf("sha512", vault, info=b"vault_cek"),
        unlock_salt=hkdf("sha512", public, info=b"vault_unlock_salt"),
        portable_did=portable_did,
        crypto=crypto,
    )
