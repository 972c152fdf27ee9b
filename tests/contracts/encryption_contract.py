"""Promises of every Crypto port about encryption, agreement and derivation of keys: `CASES` runs on any of them.

Each case takes a port. The vectors are those of the specifications; of secp256k1, `@noble/curves` made them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from tests.contracts.expect import expect
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import KEY_TYPES, public_jwk
from web5.errors import CryptoError
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

Case = Callable[[Crypto], Awaitable[None]]

_hex = bytes.fromhex

# The Galois/Counter Mode of Operation (McGrew, Viega), test cases 4 and 16
GCM_KEY = _hex("feffe9928665731c6d6a8f9467308308")
GCM_IV = _hex("cafebabefacedbaddecaf888")
GCM_PLAINTEXT = _hex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
GCM_ADDITIONAL = _hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM = [
    (
        GCM_KEY,
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    (
        GCM_KEY * 2,
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
]

# NIST SP 800-38A, F.5.1 and F.5.5
CTR_COUNTER = _hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
CTR_PLAINTEXT = _hex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
CTR = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
    ),
]

# RFC 3394, sections 4.1, 4.3 and 4.6
WRAPPED = [
    (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
    (32, 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
    (32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
]
WRAPPING_KEY = bytes(range(32))
WRAPPED_KEY = _hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")

# Made with CPython's `hashlib`, which Pyodide has without PBKDF2; the vectors of BIP-39 are those of recovery phrases.
PBKDF2: list[tuple[bytes, bytes, int, str]] = [
    (
        b"p\xc3\xa4ss",
        b"\x00salt",
        1000,
        "73ab73c0b7345bbd53d96dc56f0ca1fc6aba6809248c5f8f9549547d45bfa89f",
    ),
    (
        b"",
        b"salt",
        2,
        "cc5eacbb057f2a5982fce67bf70f79fccf4adf285f5cbae1a5a1c5df012a630a"
        "5cd035da88803f2a8b7ad7d3118025e9d848280b733c39c57a76d3fa895f244c"
        "f286c14d011fa4c6ecff1b1cb4d3b11aa74736c44adef1cd6273dbbef8fdaf29"
        "919b2104",
    ),
]


def _jwk(curve: str, **members: str) -> Jwk:
    encoded = {name: b64url_encode(_hex(value)) for name, value in members.items()}
    return {"kty": KEY_TYPES[curve], "crv": curve} | encoded


PRIVATE: list[tuple[KeyAlgorithm, Jwk]] = [
    # RFC 8032, section 7.1, test 1
    (
        "Ed25519",
        _jwk(
            "Ed25519",
            d="9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            x="d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
    ),
    # RFC 7748, section 6.1, Bob
    (
        "X25519",
        _jwk(
            "X25519",
            d="5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            x="de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ),
    ),
    # RFC 5903, section 8.1, the initiator
    (
        "P-256",
        _jwk(
            "P-256",
            d="c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
            x="dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
            y="5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        ),
    ),
    (
        "secp256k1",
        _jwk(
            "secp256k1",
            d="11" * 31 + "22",
            x="372e17b2c6239bd83517433b83aee90b84ab9c9ab21a40886e54bcbe6afbcc10",
            y="b04d7fe4efd9668fac0ac7d3d37275ca2c1c3628d9f74b1759f306baec965580",
        ),
    ),
]
PEERS = {
    "X25519": _jwk("X25519", x="8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
    "P-256": _jwk(
        "P-256",
        x="d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
        y="56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
    ),
    "secp256k1": _jwk(
        "secp256k1",
        x="d983f45f02fc0391ad85b96826505f1f503f15bbfa8e7673309559d96f02eb81",
        y="f164ea44db833630918771726b23a9b35ae90770a56a93df701e346b0d026a6e",
    ),
}
SHARED = {
    "X25519": "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    "P-256": "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    "secp256k1": "d1cf61cf52a92acc7a1f745a43180399daa8828691ec50c1d7198af0eab80378",
}
SHARED_Y = "9f84237ff8c27dc76b419bc2132a1525c1ea8c4e21cf1753431be8dd1a79bc43"


async def case_gcm_is_that_of_the_specification(crypto: Crypto) -> None:
    for key, expected in GCM:
        assert await crypto.encrypt_gcm(key, GCM_IV, GCM_PLAINTEXT, GCM_ADDITIONAL) == _hex(expected)
        assert await crypto.decrypt_gcm(key, GCM_IV, _hex(expected), GCM_ADDITIONAL) == GCM_PLAINTEXT


async def case_gcm_takes_a_long_iv(crypto: Crypto) -> None:
    """As `createCipheriv("aes-256-gcm", …)` of Node.js, which ECIES of the reference rests on."""
    encrypted = await crypto.encrypt_gcm(bytes(range(32)), bytes(range(16)), b"secret")
    assert encrypted == _hex("1409c3045c90624eedb00178d330cc088e26cf1b66f4")
    assert await crypto.decrypt_gcm(bytes(range(32)), bytes(range(16)), encrypted) == b"secret"


async def case_gcm_takes_any_length(crypto: Crypto) -> None:
    for plaintext in (b"", b"x", bytes(range(256)) * 20_000):
        encrypted = await crypto.encrypt_gcm(WRAPPING_KEY, GCM_IV, plaintext)
        assert isinstance(encrypted, bytes) and len(encrypted) == len(plaintext) + 16
        decrypted = await crypto.decrypt_gcm(WRAPPING_KEY, GCM_IV, encrypted)
        assert isinstance(decrypted, bytes) and decrypted == plaintext


async def case_gcm_notices_every_change(crypto: Crypto) -> None:
    encrypted = await crypto.encrypt_gcm(WRAPPING_KEY, GCM_IV, b"secret", b"known")
    for place in range(len(encrypted)):
        changed = encrypted[:place] + bytes([encrypted[place] ^ 1]) + encrypted[place + 1 :]
        await expect(CryptoError, crypto.decrypt_gcm(WRAPPING_KEY, GCM_IV, changed, b"known"), place)
    for length in (0, 1, 15, 16, len(encrypted) - 1):
        await expect(CryptoError, crypto.decrypt_gcm(WRAPPING_KEY, GCM_IV, encrypted[:length], b"known"), length)
    await expect(CryptoError, crypto.decrypt_gcm(WRAPPING_KEY, GCM_IV, encrypted), "no additional data")
    await expect(CryptoError, crypto.decrypt_gcm(WRAPPED_KEY, GCM_IV, encrypted, b"known"), "another key")
    await expect(CryptoError, crypto.decrypt_gcm(WRAPPING_KEY, bytes(12), encrypted, b"known"), "another iv")


async def case_gcm_refuses_other_sizes(crypto: Crypto) -> None:
    for key, iv in ((bytes(24), GCM_IV), (b"", GCM_IV), (bytes(33), GCM_IV), (bytes(16), b""), (bytes(16), bytes(15))):
        await expect(CryptoError, crypto.encrypt_gcm(key, iv, b"data"), (key, iv))
        await expect(CryptoError, crypto.decrypt_gcm(key, iv, bytes(20)), (key, iv))


async def case_ctr_is_that_of_the_specification(crypto: Crypto) -> None:
    for key, expected in CTR:
        assert await crypto.ctr(_hex(key), CTR_COUNTER, CTR_PLAINTEXT) == _hex(expected)
        assert await crypto.ctr(_hex(key), CTR_COUNTER, _hex(expected)) == CTR_PLAINTEXT
        assert await crypto.ctr(_hex(key), CTR_COUNTER, CTR_PLAINTEXT[:21]) == _hex(expected)[:21]
        assert await crypto.ctr(_hex(key), CTR_COUNTER, b"") == b""


async def case_ctr_counts_over_all_its_bits(crypto: Crypto) -> None:
    for counter in (2**128 - 2, 2**64 - 2, 2**32 - 2):
        whole = await crypto.ctr(WRAPPING_KEY, counter.to_bytes(16, "big"), bytes(64))
        following = [((counter + block) % 2**128).to_bytes(16, "big") for block in range(4)]
        assert whole == b"".join([await crypto.ctr(WRAPPING_KEY, one, bytes(16)) for one in following])


async def case_ctr_refuses_other_sizes(crypto: Crypto) -> None:
    for key, counter in ((bytes(24), bytes(16)), (bytes(16), bytes(12)), (bytes(16), b"")):
        await expect(CryptoError, crypto.ctr(key, counter, b"data"), (key, counter))


async def case_keys_are_wrapped_as_the_specification_does(crypto: Crypto) -> None:
    for wrapping, length, expected in WRAPPED:
        key = WRAPPED_KEY[:length]
        assert await crypto.wrap_key(WRAPPING_KEY[:wrapping], key) == _hex(expected)
        assert await crypto.unwrap_key(WRAPPING_KEY[:wrapping], _hex(expected)) == key


async def case_keys_of_any_whole_length_are_wrapped(crypto: Crypto) -> None:
    for length in (16, 24, 40, 64, 200):
        key = os.urandom(length)
        wrapped = await crypto.wrap_key(WRAPPING_KEY, key)
        assert len(wrapped) == length + 8
        assert await crypto.unwrap_key(WRAPPING_KEY, wrapped) == key


async def case_what_cannot_be_wrapped_is_refused(crypto: Crypto) -> None:
    for length in (0, 8, 15, 17, 31):
        await expect(CryptoError, crypto.wrap_key(WRAPPING_KEY, bytes(length)), length)
    await expect(CryptoError, crypto.wrap_key(bytes(24), bytes(32)), "a wrapping key of 24 bytes")


async def case_unwrapping_notices_every_change(crypto: Crypto) -> None:
    wrapped = await crypto.wrap_key(WRAPPING_KEY, WRAPPED_KEY)
    for place in range(0, len(wrapped), 3):
        changed = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        await expect(CryptoError, crypto.unwrap_key(WRAPPING_KEY, changed), place)
    for length in (0, 8, 16, 23, 32):
        await expect(CryptoError, crypto.unwrap_key(WRAPPING_KEY, wrapped[:length]), length)
    await expect(CryptoError, crypto.unwrap_key(WRAPPED_KEY, wrapped), "another wrapping key")
    await expect(CryptoError, crypto.unwrap_key(bytes(24), wrapped), "a wrapping key of 24 bytes")


async def case_pbkdf2_is_that_of_the_specification(crypto: Crypto) -> None:
    for password, salt, iterations, expected in PBKDF2:
        derived = await crypto.pbkdf2(password, salt, iterations, len(expected) // 2)
        assert derived == _hex(expected), password


async def case_others_run_while_pbkdf2_works(crypto: Crypto) -> None:
    deriving = asyncio.ensure_future(crypto.pbkdf2(b"password", b"salt", 100_000, 32))
    turns = 0
    while not deriving.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1 and len(await deriving) == 32


async def case_pbkdf2_refuses_what_derives_nothing(crypto: Crypto) -> None:
    for salt, iterations, length in ((b"salt", 0, 32), (b"salt", -1, 32), (b"salt", 1, 0), (b"", 1, 32)):
        await expect(CryptoError, crypto.pbkdf2(b"password", salt, iterations, length), (salt, iterations, length))


async def case_private_keys_come_with_their_public_members(crypto: Crypto) -> None:
    for algorithm, jwk in PRIVATE:
        made = await crypto.private_key(algorithm, b64url_decode(jwk["d"]))
        assert made == jwk, algorithm
        assert list(made) == [member for member in ("kty", "crv", "d", "x", "y") if member in jwk]


async def case_what_is_no_private_key_is_refused(crypto: Crypto) -> None:
    for algorithm, _ in PRIVATE:
        for private in (b"", bytes(31), b"\1" * 33):
            await expect(CryptoError, crypto.private_key(algorithm, private), (algorithm, private))
    for algorithm in ("secp256k1", "P-256"):
        for private in (bytes(32), b"\xff" * 32):
            await expect(CryptoError, crypto.private_key(algorithm, private), (algorithm, private))  # type: ignore[arg-type]
    await expect(CryptoError, crypto.private_key("P-384", b"\1" * 32), "P-384")  # type: ignore[arg-type]


async def case_shared_secrets_are_those_of_the_specifications(crypto: Crypto) -> None:
    for curve, jwk in PRIVATE:
        if curve in PEERS:
            assert await crypto.shared_secret(jwk, PEERS[curve]) == _hex(SHARED[curve]), curve


async def case_both_sides_share_the_same(crypto: Crypto) -> None:
    for curve in PEERS:
        one, other = [await _private(crypto, curve) for _ in range(2)]
        assert await crypto.shared_secret(one, public_jwk(other)) == await crypto.shared_secret(other, public_jwk(one))


async def case_the_whole_point_is_shared_too(crypto: Crypto) -> None:
    point = await crypto.shared_point(PRIVATE[3][1], PEERS["secp256k1"])
    assert point == b"\4" + _hex(SHARED["secp256k1"] + SHARED_Y)


async def case_keys_that_do_not_agree_are_refused(crypto: Crypto) -> None:
    keys = dict(PRIVATE)
    refused: list[tuple[Any, Any]] = [
        (keys["X25519"], PEERS["P-256"]),
        (keys["Ed25519"], public_jwk(keys["Ed25519"])),
        (keys["Ed25519"], PEERS["X25519"]),
        (public_jwk(keys["P-256"]), PEERS["P-256"]),
        (keys["X25519"], {**PEERS["X25519"], "x": b64url_encode(bytes(32))}),
        (keys["X25519"], {}),
        (None, PEERS["X25519"]),
    ]
    for curve in ("P-256", "secp256k1"):
        refused += [
            (keys[curve], {**PEERS[curve], "y": PEERS[curve]["x"]}),
            ({**keys[curve], "d": b64url_encode(bytes(32))}, PEERS[curve]),
            ({**keys[curve], "d": b64url_encode(b"\xff" * 32)}, PEERS[curve]),
        ]
    for private, public in refused:
        await expect(CryptoError, crypto.shared_secret(private, public), (private, public))
        await expect(CryptoError, crypto.shared_point(private, public), (private, public))
    await expect(CryptoError, crypto.shared_point(keys["P-256"], PEERS["P-256"]), "a point of P-256")


async def _private(crypto: Crypto, curve: str) -> Jwk:
    # The first byte keeps it below every curve's order.
    return await crypto.private_key(curve, b"\1" + os.urandom(31))  # type: ignore[arg-type]


CASES: list[Case] = [case for name, case in list(globals().items()) if name.startswith("case_")]
