"""HKDF: the vectors of RFC 5869, appendix A, and its limits. SLIP-0010: its own vectors for Ed25519."""

from __future__ import annotations

import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode
from web5.crypto.kdf import hkdf, slip10
from web5.errors import CryptoError, InvalidArgument

ONE = bytes(range(16))
TWO = bytes(range(0xFF, 0x41, -3))[:64]
VECTORS = [
    (
        ONE,
        "m",
        "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
        "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
        "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
    ),
    (
        ONE,
        "m/0'",
        "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
        "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
        "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c",
    ),
    (
        ONE,
        "m/0'/1'",
        "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
        "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
        "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187",
    ),
    (
        ONE,
        "m/0'/1'/2'/2'/1000000000'",
        "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
        "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
        "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
    ),
    (
        TWO,
        "m",
        "ef70a74db9c3a5af931b5fe73ed8e1a53464133654fd55e7a66f8570b8e33c3b",
        "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
        "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a",
    ),
    (
        TWO,
        "m/0'",
        "0b78a3226f915c082bf118f83618a618ab6dec793752624cbeb622acb562862d",
        "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
        "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037",
    ),
]

SIMPLE = bytes.fromhex("0b" * 22)


def test_the_simple_vector_of_the_rfc() -> None:
    derived = hkdf(
        "sha256",
        SIMPLE,
        salt=bytes.fromhex("000102030405060708090a0b0c"),
        info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
        length=42,
    )
    assert derived.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_the_vector_of_the_rfc_with_long_inputs() -> None:
    derived = hkdf(
        "sha256",
        bytes(range(0x00, 0x50)),
        salt=bytes(range(0x60, 0xB0)),
        info=bytes(range(0xB0, 0x100)),
        length=82,
    )
    assert derived.hex() == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )


def test_the_vector_of_the_rfc_without_salt_and_info() -> None:
    derived = hkdf("sha256", SIMPLE, length=42)
    assert derived.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


def test_a_shorter_result_is_the_start_of_a_longer_one() -> None:
    longest = hkdf("sha512", b"secret", info=b"what for", length=255 * 64)
    for length in (1, 63, 64, 65, 1000):
        assert hkdf("sha512", b"secret", info=b"what for", length=length) == longest[:length]


@pytest.mark.parametrize(("hash_name", "length"), [("sha256", 0), ("sha256", 255 * 32 + 1), ("sha512", 255 * 64 + 1)])
def test_a_length_that_hkdf_does_not_give_is_refused(hash_name: str, length: int) -> None:
    with pytest.raises(CryptoError, match="gives 1 to"):
        hkdf(hash_name, b"secret", length=length)


@pytest.mark.parametrize(("seed", "path", "chain_code", "private", "public"), VECTORS)
async def test_the_vectors_of_the_specification(
    seed: bytes, path: str, chain_code: str, private: str, public: str
) -> None:
    key = slip10(seed, path)
    assert (key.chain_code.hex(), key.private.hex()) == (chain_code, private)
    jwk = await CPythonCrypto().private_key("Ed25519", key.private)
    assert b64url_decode(jwk["x"]).hex() == public


@pytest.mark.parametrize("path", ["", "/0'", "m/", "m/0", "m/0'/1", "m/-1'", "m/a'", "m/0'/", "M/0'", "m/٣'", "m/0'\n"])
def test_a_path_that_is_not_of_hardened_steps_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match="hardened"):
        slip10(ONE, path)


def test_a_step_beyond_31_bits_is_refused() -> None:
    slip10(ONE, "m/2147483647'")
    with pytest.raises(InvalidArgument, match="2\\^31"):
        slip10(ONE, "m/2147483648'")


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidArgument, match="16 to 64 bytes"):
        slip10(bytes(length), "m")
