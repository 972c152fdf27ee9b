"""What a recovery phrase makes: the vault's content key and the agent's DID.

The same as `@web5/agent` makes of it (src/hd-identity-vault.ts, `initialize`), so that one phrase is one agent in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from web5.crypto import mnemonic
from web5.crypto.encoding import b64url_decode
from web5.crypto.kdf import hkdf, slip10
from web5.dids import dht
from web5.dids.models import RELATIONSHIPS, PortableDid
from web5.ports.crypto import Crypto

_VAULT = "m/44'/0'/0'/0'/0'"
_IDENTITY = "m/44'/0'/1708523827'/0'/0'"
_SIGNING = "m/44'/0'/1708523827'/0'/1'"
"""The account of the DID's keys is the time at which the reference fixed it."""


class VaultKeys(NamedTuple):
    """All of them have 32 bytes.

    Parameters:
        content_key: encrypts what the vault keeps (A256GCM).
        unlock_salt: goes into the key that is derived from the first password.
        identity, signing: private keys of Ed25519, for `#0` and `#sig` of the DID.
    """

    content_key: bytes
    unlock_salt: bytes
    identity: bytes
    signing: bytes


async def derive(phrase: str, crypto: Crypto) -> VaultKeys:
    """The keys of a recovery phrase.

    Raises:
        RecoveryError: it is none.
    """
    seed = await mnemonic.seed(phrase, crypto)
    vault = slip10(seed, _VAULT).private
    # SLIP-0010 writes the public key with a zero byte before it, and that is what the reference hashes.
    public = b"\0" + b64url_decode((await crypto.private_key("Ed25519", vault))["x"])
    return VaultKeys(
        content_key=hkdf("sha512", vault, info=b"vault_cek"),
        unlock_salt=hkdf("sha512", public, info=b"vault_unlock_salt"),
        identity=slip10(seed, _IDENTITY).private,
        signing=slip10(seed, _SIGNING).private,
    )


async def agent_did(keys: VaultKeys, dwn_endpoints: Sequence[str], crypto: Crypto) -> PortableDid:
    """The agent's DID, not published yet.

    Parameters:
        dwn_endpoints: the URLs of its DWNs; with none the document has no DWN service.
    """
    identity = await crypto.private_key("Ed25519", keys.identity)
    signing = await crypto.private_key("Ed25519", keys.signing)
    purposes = [purpose for purpose in RELATIONSHIPS if purpose != "keyAgreement"]
    return await dht.create(
        crypto,
        verification_methods=[
            dht.KeySpec("Ed25519", "0", purposes, private_jwk=identity),
            dht.KeySpec("Ed25519", "sig", ("assertionMethod", "authentication"), private_jwk=signing),
        ],
        services=dht.identity_defaults(dwn_endpoints)["services"],
    )
