"""JWE to somebody's public key: ECDH-ES+A256KW (RFC 7518, section 4.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.crypto.jwe_keys import KEY_BYTES, NewKey, unwrapped_key, wrapped_key
from web5.crypto.jwk import key_material, public_jwk
from web5.ports.ciphers import Ciphers
from web5.ports.crypto import Crypto, Jwk


@dataclass(frozen=True, repr=False)
class Agreement:
    """A key that is agreed upon with a fresh one of the sender's wraps the content key.

    Parameters:
        jwk: the recipient's key, of X25519 or of an EC curve. For encrypting the public one will do.
        crypto: makes the sender's.
    """

    jwk: Jwk
    crypto: Crypto
    alg = "ECDH-ES+A256KW"

    async def new_key(self, ciphers: Ciphers) -> NewKey:
        ephemeral = await self.crypto.generate_key(key_material(self.jwk).curve)  # type: ignore[arg-type]
        shared = await ciphers.shared_secret(ephemeral, public_jwk(self.jwk))
        return await wrapped_key(ciphers, concat_kdf(shared, self.alg), {"epk": public_jwk(ephemeral)})

    async def content_key(self, ciphers: Ciphers, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
        shared = await ciphers.shared_secret(self.jwk, header.get("epk") or {})
        producer, recipient = (b64url_decode(header.get(name, "")) for name in ("apu", "apv"))
        wrapping_key = concat_kdf(shared, self.alg, producer, recipient)
        return await unwrapped_key(ciphers, wrapping_key, encrypted_key)


def concat_kdf(
    shared: bytes, algorithm: str, producer: bytes = b"", recipient: bytes = b"", *, length: int = KEY_BYTES
) -> bytes:
    """A key of a shared secret (RFC 7518, section 4.6.2; NIST SP 800-56A, with SHA-256).

    Parameters:
        algorithm: what the key is for, as the header names it.
        producer, recipient: what `apu` and `apv` say of the two parties.
        length: bytes.
    """
    fields = [len(field).to_bytes(4, "big") + field for field in (algorithm.encode(), producer, recipient)]
    info = b"".join(fields) + (8 * length).to_bytes(4, "big")
    rounds = range(1, -(-length // 32) + 1)
    return b"".join(hashlib.sha256(n.to_bytes(4, "big") + shared + info).digest() for n in rounds)[:length]
