"""JSON Web Encryption; the numbers are the invariants of jwe.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose import jwe
from web5.crypto.jose.jwe import Direct, KeyManagement, Password
from web5.errors import CryptoError

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
PLAINTEXT = b"by the reference"
REFERENCE = {
    "dir": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY3R5IjoianNvbiJ9..xV13nNJPI6aUCJX3.-TdS8HESOJhZpyAEF6lOiw."
    "cM4BPcU8Q1zoJ_sxIZrwUg",
    "PBES2-HS512+A256KW": "eyJhbGciOiJQQkVTMi1IUzUxMitBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwicDJjIjoxMDAwLCJwMnMiOiJjMkZzZENC"
    "aGJtUWdjR1Z3Y0dWeSJ9.tg3v8Fal0fqo03GS9eyDzov2tkaBqyFdVEAt6aJ_DRoQQZWMN3xNhw.FQ6rb1aaUb2bub0t."
    "4qTolm1zyK5mMh-oQNObag.kKumQ38ALMfzr8UOBhjBJA",
}
"""Made by `CompactJwe` of @web5/agent."""

crypto = CPythonCrypto()
WAYS: list[KeyManagement] = [
    Direct(KEY),
    Password(b"password", iterations=10),
]
WRONG: list[KeyManagement] = [
    Direct(OTHER),
    Password(b"passwort", iterations=10),
]


def _named(key: KeyManagement) -> str:
    return key.alg


def _header(text: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(b64url_decode(text.split(".")[0]))
    return header


def _with_header(text: str, header: Any) -> str:
    return ".".join([b64url_encode(json.dumps(header).encode()), *text.split(".")[1:]])


@pytest.mark.parametrize("key", [Direct(KEY), Password(b"password")], ids=_named)
async def test_what_the_reference_encrypted_is_decrypted(key: KeyManagement) -> None:
    assert await jwe.decrypt(crypto, REFERENCE[key.alg], key) == PLAINTEXT


@pytest.mark.parametrize("key", WAYS, ids=_named)
async def test_what_was_encrypted_is_decrypted(key: KeyManagement) -> None:
    for plaintext in (b"", b"secret", bytes(range(256)) * 500):
        text = await jwe.encrypt(crypto, plaintext, key)
        assert await jwe.decrypt(crypto, text, key) == plaintext
        assert text != await jwe.encrypt(crypto, plaintext, key)


async def test_the_protected_header_has_the_members_of_the_reference_in_its_order() -> None:
    key = Password(b"password", iterations=10, salt=b"sixteen bytes it")
    text = await jwe.encrypt(crypto, b"secret", key, header={"cty": "text/plain"})
    header = _header(text)
    assert list(header) == ["alg", "enc", "cty", "p2c", "p2s"]
    assert header == {
        "alg": "PBES2-HS512+A256KW",
        "enc": "A256GCM",
        "cty": "text/plain",
        "p2c": 10,
        "p2s": b64url_encode(b"sixteen bytes it"),
    }


async def test_every_password_has_a_salt_of_its_own() -> None:
    salts = {_header(await jwe.encrypt(crypto, b"", Password(b"password", iterations=1)))["p2s"] for _ in range(5)}
    assert len(salts) == 5 and all(len(b64url_decode(salt)) == 32 for salt in salts)


@pytest.mark.parametrize(("key", "wrong"), list(zip(WAYS, WRONG, strict=True)), ids=[key.alg for key in WAYS])
async def test_3_another_key_and_a_changed_text_look_the_same(key: KeyManagement, wrong: KeyManagement) -> None:
    text = await jwe.encrypt(crypto, b"secret", key)
    parts = text.split(".")
    said = set()
    for changed_part in (part for part in range(1, 5) if parts[part]):
        changed = bytearray(b64url_decode(parts[changed_part]))
        changed[0] ^= 1
        with pytest.raises(CryptoError) as refused:
            changed_text = ".".join(
                b64url_encode(bytes(changed)) if n == changed_part else part for n, part in enumerate(parts)
            )
            await jwe.decrypt(crypto, changed_text, key)
        said.add(str(refused.value))
    with pytest.raises(CryptoError) as refused:
        await jwe.decrypt(crypto, text, wrong)
    assert said == {str(refused.value)}


async def test_2_the_header_is_authenticated_as_it_stands() -> None:
    text = await jwe.encrypt(crypto, b"secret", Direct(KEY), header={"cty": "json"})
    for header in ({**_header(text), "cty": "jsom"}, dict(reversed(_header(text).items()))):
        with pytest.raises(CryptoError, match="another key, or was changed"):
            await jwe.decrypt(crypto, _with_header(text, header), Direct(KEY))


@pytest.mark.parametrize("key", WAYS, ids=_named)
async def test_a_key_opens_only_texts_of_its_own_algorithm(key: KeyManagement) -> None:
    for other in WAYS:
        if other.alg != key.alg:
            with pytest.raises(CryptoError, match="and a key for"):
                await jwe.decrypt(crypto, await jwe.encrypt(crypto, b"secret", other), key)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"enc": "A128GCM"}, "A128GCM"),
        ({"enc": None}, "None"),
        ({"alg": "RSA-OAEP"}, "RSA-OAEP"),
        ({"alg": ["dir"]}, "dir"),
        ({"crit": ["exp"]}, "crit"),
        ({"crit": None}, "crit"),
        ({"zip": "DEF"}, "zip"),
    ],
)
async def test_2_what_is_not_understood_is_refused(members: dict[str, Any], said: str) -> None:
    text = await jwe.encrypt(crypto, b"secret", Direct(KEY))
    with pytest.raises(CryptoError, match=said):
        await jwe.decrypt(crypto, _with_header(text, {**_header(text), **members}), Direct(KEY))
    with pytest.raises(CryptoError, match=said):
        await jwe.encrypt(crypto, b"secret", Direct(KEY), header=members)


@pytest.mark.parametrize("count", [0, -1, 10_000_001, 1e3, "1000", None, True, 10**400])
async def test_iterations_that_are_none_or_absurd_are_refused(count: Any) -> None:
    text = await jwe.encrypt(crypto, b"secret", Password(b"password", iterations=1))
    with pytest.raises(CryptoError, match="p2c"):
        await jwe.decrypt(crypto, _with_header(text, {**_header(text), "p2c": count}), Password(b"password"))
    with pytest.raises(CryptoError, match="p2c"):
        await jwe.encrypt(crypto, b"secret", Password(b"password", iterations=count))


@pytest.mark.parametrize("salt", ["", b64url_encode(b"7 bytes"), "*", 7, None])
async def test_a_salt_that_is_none_or_too_short_is_refused(salt: Any) -> None:
    text = await jwe.encrypt(crypto, b"secret", Password(b"password", iterations=1))
    with pytest.raises(CryptoError, match=r"p2s|base64url"):
        await jwe.decrypt(crypto, _with_header(text, {**_header(text), "p2s": salt}), Password(b"password"))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(CryptoError, match="32 bytes"):
        Direct(bytes(length))


async def test_an_encrypted_key_beside_dir_is_refused() -> None:
    protected, _, *rest = (await jwe.encrypt(crypto, b"secret", Direct(KEY))).split(".")
    with pytest.raises(CryptoError, match="no encrypted key"):
        await jwe.decrypt(crypto, ".".join([protected, "AAAA", *rest]), Direct(KEY))


def test_keys_are_not_shown() -> None:
    for key in WAYS:
        assert not any(secret in repr(key) for secret in ("password", "\\x01"))


_SMALL = st.integers(max_value=3)
_JSON = st.recursive(
    st.none() | st.booleans() | _SMALL | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
# Iterations stay few: a million of them are allowed, and would only take long.
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from([key.alg for key in WAYS]) | _JSON,
        "enc": st.just("A256GCM") | _JSON,
        "p2c": _SMALL | st.text() | st.none() | st.integers(min_value=10**9),
        "p2s": st.binary(max_size=20).map(b64url_encode) | _JSON,
        "cty": _JSON,
    },
)
_ENCODED = st.binary(max_size=60).map(b64url_encode) | st.text(max_size=20)
_PROTECTED = _HEADERS.map(lambda header: b64url_encode(json.dumps(header).encode())) | _ENCODED
_TEXTS = st.lists(_ENCODED, min_size=3, max_size=5).flatmap(
    lambda parts: _PROTECTED.map(lambda protected: ".".join([protected, *parts]))
)


@given(text=_TEXTS | st.text() | _JSON, way=st.sampled_from(WAYS))
async def test_1_whatever_the_text_a_crypto_error_comes_out(text: Any, way: KeyManagement) -> None:
    with pytest.raises(CryptoError):
        await jwe.decrypt(crypto, text, way)


@given(place=st.integers(0), byte=st.integers(0, 127), way=st.sampled_from(WAYS))
async def test_1_a_text_with_one_character_changed_gives_the_same_or_a_crypto_error(
    place: int, byte: int, way: KeyManagement
) -> None:
    text = await jwe.encrypt(crypto, b"secret", way)
    at = place % len(text)
    changed = text[:at] + chr(byte) + text[at + 1 :]
    try:
        assert await jwe.decrypt(crypto, changed, way) == b"secret"
    except CryptoError:
        return
    assert changed == text
