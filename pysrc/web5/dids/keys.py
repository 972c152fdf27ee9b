"""The private key of a DID that is being made."""

from __future__ import annotations

from web5.crypto.jwk import key_material, with_ids
from web5.errors import InvalidArgument
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm


async def own_key(crypto: Crypto, algorithm: KeyAlgorithm, given: Jwk | None) -> Jwk:
    """The key that was given, or a new one; with `kid` and `alg`.

    Raises:
        InvalidArgument: the key given is not a private one of `algorithm`.
        CryptoError: it is malformed.
    """
    private = with_ids(await crypto.generate_key(algorithm) if given is None else given)
    material = key_material(private)
    if material.curve != algorithm or not material.d:
        raise InvalidArgument(f"The key given is not a private one of {algorithm}")
    return private
