"""What is known to be good is not verified again, and nothing else passes for it."""

from __future__ import annotations

import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jwk import public_jwk
from web5.crypto.signature_cache import SignatureCache
from web5.errors import CryptoError
from web5.ports.crypto import Jwk, Signed


class Counting(CPythonCrypto):
    """Counts how often it really verifies."""

    def __init__(self) -> None:
        super().__init__()
        self.verified = 0

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        self.verified += 1
        return await super().verify(public_jwk, data, signature)


async def _verify(cache: SignatureCache, public: Jwk, data: bytes, signature: bytes) -> bool | CryptoError:
    [verified] = await cache.verify_each([Signed(public, data, signature)])
    return verified


@pytest.mark.parametrize("curve", ["Ed25519", "secp256k1", "P-256"])
async def test_what_a_key_here_signed_is_known(curve: str) -> None:
    counting = Counting()
    cache = SignatureCache(counting)
    key = await counting.generate_key(curve)
    signature = await (await cache.signer(key)).sign(b"hello")
    assert await _verify(cache, public_jwk(key), b"hello", signature) is True
    assert counting.verified == 0
    assert await counting.verify(public_jwk(key), b"hello", signature)


async def test_what_was_verified_once_is_known() -> None:
    counting = Counting()
    key = await counting.generate_key("Ed25519")
    signature = await (await counting.signer(key)).sign(b"hello")
    cache = SignatureCache(counting)
    for _ in range(3):
        assert await _verify(cache, public_jwk(key), b"hello", signature) is True
    assert counting.verified == 1


async def test_another_key_other_data_or_another_signature_is_not_known() -> None:
    counting = Counting()
    cache = SignatureCache(counting)
    key, other = await counting.generate_key("Ed25519"), await counting.generate_key("Ed25519")
    signature = await (await cache.signer(key)).sign(b"hello")
    forged = bytes([signature[0] ^ 1]) + signature[1:]
    assert await _verify(cache, public_jwk(other), b"hello", signature) is False
    assert await _verify(cache, public_jwk(key), b"hello!", signature) is False
    assert await _verify(cache, public_jwk(key), b"hello", forged) is False
    assert await _verify(cache, public_jwk(key), b"hello" + signature[:1], signature[1:]) is False
    assert await _verify(cache, public_jwk(key), b"hello", forged) is False, "a bad signature is not remembered either"
    assert counting.verified == 5


async def test_of_many_only_those_are_verified_that_are_not_known() -> None:
    counting = Counting()
    cache = SignatureCache(counting)
    key = await counting.generate_key("Ed25519")
    signer = await cache.signer(key)
    known = Signed(public_jwk(key), b"known", await signer.sign(b"known"))
    fresh = Signed(public_jwk(key), b"fresh", await (await counting.signer(key)).sign(b"fresh"))
    forged = fresh._replace(data=b"forged")
    for verified in (2, 3):
        found = await cache.verify_each([forged, known, fresh._replace(public_jwk={}), fresh])
        assert [good for good in found if not isinstance(good, CryptoError)] == [False, True, True]
        assert isinstance(found[2], CryptoError)
        assert counting.verified == verified, "the forged one again, the fresh one no more"
