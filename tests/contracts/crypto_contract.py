"""What every Crypto port promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a port. Signatures of fixed keys were made by the reference packages (`@web5/crypto`, `@noble/curves`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.contracts.expect import expect
from web5.crypto.ecdsa import CURVES, low_s
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import key_bytes, key_material, public_jwk
from web5.errors import CryptoError
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm, Signed

SIGNING: dict[KeyAlgorithm, str] = {"Ed25519": "EdDSA", "secp256k1": "ES256K", "P-256": "ES256"}
MESSAGE = "a message, ünïcode and all".encode()

Case = Callable[[Crypto], Awaitable[None]]

REFERENCE: list[tuple[KeyAlgorithm, Jwk, str]] = [
    (
        "Ed25519",
        {
            "crv": "Ed25519",
            "d": "Lu1SdCkvJs5A6KqqkM84A8meO7C3U-TTZWBhWDUGIs8",
            "kty": "OKP",
            "x": "Jvm3FJa9sZTBSpI6jQT9gVOg1tKpZnum-vlZVyezTHY",
            "kid": "vhVDbwoLamQFrx9NzHkLbkjTw4iFx50bbkacbuLRoUg",
            "alg": "EdDSA",
        },
        "_FiTLrSn-WEvc6aCAzoyzRzqi4Thg0Pw2vJKOQtvDMlCN8XJBGIOfsEViG5NBamwVkvRNUBtAZlNSs-AiVMeAw",
    ),
    (
        "secp256k1",
        {
            "kty": "EC",
            "crv": "secp256k1",
            "d": "zRTfdSbi0oikF1SemoiA8MgnWjUm2yvXIsoIO8rgH1A",
            "x": "AJMI3N37fIxSv5FJ8SD5VGzzYQWeNpaeBtrxqsZzMdU",
            "y": "CCyhxQZYIbZ9DgemBoAzirhTM3uVwqyZPSUWBz8la-E",
            "kid": "RLDXrrQNX-Gte8PuDUlPapgp5Lg2xj-iUVU5mlEazJs",
            "alg": "ES256K",
        },
        "iytyTPjbRvJ0bDeFPrcdB2B26DT4iIt6aNDqKVMrreYZ8jjnzxpL21oYWs16PaZl-gMQAAi2w-SbwqP1fZJVzw",
    ),
    (
        "P-256",
        {
            "kty": "EC",
            "crv": "P-256",
            "d": "dPfWudD8_8eH8pfA5mA9d79Z4Ghg-2mYq4jnGsOPxow",
            "x": "HuBTCzn5r6_ewQxxNYPWD3-hXIDslF8aanlC0MXb8ug",
            "y": "rC_Jtd06YbHeBFmjK96bILMMwyaMMBFdd5PiYAXBxm8",
            "kid": "yW5fV5lOHSwEXgxn_8spsMP3L3MWZC1V-ZJNpv6X51E",
            "alg": "ES256",
        },
        "ZJiyHfErG9AoytSKcC3p0cnDktDkmpHneoDp2BSK9HjfXDijHvq8XHHDXJRbKqp0JlXXgiiwDTVrqxijSJbihg",
    ),
]


async def case_generated_keys_are_bare_private_jwks(crypto: Crypto) -> None:
    for algorithm in ("Ed25519", "X25519"):
        jwk = await crypto.generate_key(algorithm)
        assert jwk.keys() == {"kty", "crv", "x", "d"}, jwk.keys()
        assert (jwk["kty"], jwk["crv"]) == ("OKP", algorithm)
        assert len(b64url_decode(jwk["d"])) == len(b64url_decode(jwk["x"])) == 32
    for algorithm in ("secp256k1", "P-256"):
        jwk = await crypto.generate_key(algorithm)
        assert jwk.keys() == {"kty", "crv", "x", "y", "d"}, jwk.keys()
        assert (jwk["kty"], jwk["crv"]) == ("EC", algorithm)
        assert {len(b64url_decode(jwk[member])) for member in ("d", "x", "y")} == {32}
        x, y = (int.from_bytes(b64url_decode(jwk[member]), "big") for member in ("x", "y"))
        curve = CURVES[algorithm]
        assert (y * y - x**3 - curve.a * x - curve.b) % curve.p == 0


async def case_generated_keys_differ(crypto: Crypto) -> None:
    for algorithm in (*SIGNING, "X25519"):
        assert len({(await crypto.generate_key(algorithm))["d"] for _ in range(3)}) == 3  # type: ignore[arg-type]


BEGIN_WITH_ZERO = [
    (bytes([0, 7]) * 16, "CctcBfhMhLAAuladGTvzTjNu4tr_LKNa5L04MT389y4"),
    ((134).to_bytes(2, "big") * 16, "AKeT9_mlhihNGFx38Z7zlTD1kI0lw2vyH7wvB9SovKQ"),
    ((261).to_bytes(2, "big") * 16, "APB8GYzA82qA1li8F05YLuIctXncmllVW2oeDUJkAzY"),
]
"""Private keys of Ed25519 and their public ones; one of the two begins with a zero."""


async def case_what_a_key_signs_it_verifies(crypto: Crypto) -> None:
    for algorithm, jose in SIGNING.items():
        jwk = await crypto.generate_key(algorithm)
        signer = await crypto.signer(jwk)
        assert signer.algorithm == jose
        for data in (b"", MESSAGE, bytes(range(256)) * 400):
            signature = await signer.sign(data)
            assert isinstance(signature, bytes) and len(signature) == 64
            assert await crypto.verify(public_jwk(jwk), data, signature) is True


async def case_the_references_signatures_verify(crypto: Crypto) -> None:
    for algorithm, jwk, signature in REFERENCE:
        assert await crypto.verify(public_jwk(jwk), MESSAGE, b64url_decode(signature)) is True, algorithm


async def case_the_references_private_keys_sign(crypto: Crypto) -> None:
    for _, jwk, _ in REFERENCE:
        signer = await crypto.signer(jwk)
        assert await crypto.verify(public_jwk(jwk), MESSAGE, await signer.sign(MESSAGE))


async def case_ed25519_signatures_are_deterministic(crypto: Crypto) -> None:
    _, jwk, signature = REFERENCE[0]
    assert b64url_encode(await (await crypto.signer(jwk)).sign(MESSAGE)) == signature


async def case_any_change_makes_a_signature_wrong(crypto: Crypto) -> None:
    for algorithm, jwk, text in REFERENCE:
        signature, public = b64url_decode(text), public_jwk(jwk)
        for at in (0, 31, 32, 63):
            changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
            assert await crypto.verify(public, MESSAGE, changed) is False, (algorithm, at)
        assert await crypto.verify(public, MESSAGE + b"!", signature) is False
        another = public_jwk(await crypto.generate_key(algorithm))
        assert await crypto.verify(another, MESSAGE, signature) is False


async def case_a_signature_of_the_wrong_length_is_wrong(crypto: Crypto) -> None:
    for _, jwk, text in REFERENCE:
        signature = b64url_decode(text)
        for wrong in (b"", signature[:-1], signature + b"\0", bytes(64), b"\xff" * 64):
            assert await crypto.verify(public_jwk(jwk), MESSAGE, wrong) is False


async def case_secp256k1_signs_with_low_s_and_takes_both(crypto: Crypto) -> None:
    _, jwk, text = REFERENCE[1]
    signer = await crypto.signer(jwk)
    for number in range(8):
        signature = await signer.sign(bytes([number]))
        assert low_s("secp256k1", signature) == signature
    signature = b64url_decode(text)
    high = CURVES["secp256k1"].n - int.from_bytes(signature[32:], "big")
    assert await crypto.verify(public_jwk(jwk), MESSAGE, signature[:32] + high.to_bytes(32, "big")) is True


async def case_verifying_with_a_private_jwk_uses_its_public_part(crypto: Crypto) -> None:
    for _, jwk, signature in REFERENCE:
        assert await crypto.verify(jwk, MESSAGE, b64url_decode(signature)) is True


async def case_a_malformed_public_key_is_a_crypto_error(crypto: Crypto) -> None:
    for algorithm, jwk, text in REFERENCE:
        public, signature = public_jwk(jwk), b64url_decode(text)
        wrong: list[Any] = [
            {},
            [],
            None,
            "did:key:z",
            {**public, "crv": "P-521"},
            {**public, "crv": ["Ed25519"]},
            {**public, "kty": "RSA"},
            {**public, "x": public["x"][:-2]},
            {**public, "x": public["x"] + "="},
            {**public, "x": "*" * 43},
            {**public, "x": 7},
            {**public, "x": None},
            {name: value for name, value in public.items() if name != "x"},
        ]
        if "y" in public:
            wrong += [
                {name: value for name, value in public.items() if name != "y"},
                {**public, "y": public["x"]},
                {**public, "y": b64url_encode(b"\xff" * 32)},
            ]
        for malformed in wrong:
            await expect(CryptoError, crypto.verify(malformed, MESSAGE, signature), (algorithm, malformed))


async def case_a_key_that_cannot_sign_is_a_crypto_error(crypto: Crypto) -> None:
    x25519 = await crypto.generate_key("X25519")
    await expect(CryptoError, crypto.signer(x25519), "X25519")
    await expect(CryptoError, crypto.verify(public_jwk(x25519), MESSAGE, bytes(64)), "X25519")
    for algorithm, jwk, _ in REFERENCE:
        other = await crypto.generate_key(algorithm)
        wrong: list[Any] = [
            public_jwk(jwk),
            {**jwk, "d": jwk["d"][:-2]},
            {**jwk, "d": 7},
            {**jwk, "crv": "P-384"},
            {**public_jwk(other), "d": jwk["d"]},
            None,
        ]
        if "y" in jwk:
            wrong += [{**jwk, "d": b64url_encode(bytes(32))}, {**jwk, "d": b64url_encode(b"\xff" * 32)}]
        for malformed in wrong:
            await expect(CryptoError, crypto.signer(malformed), (algorithm, malformed))


async def case_an_unknown_algorithm_is_a_crypto_error(crypto: Crypto) -> None:
    for algorithm in ("RSA", "P-384", "ed25519", ""):
        await expect(CryptoError, crypto.generate_key(algorithm), algorithm)  # type: ignore[arg-type]


async def case_keys_that_begin_with_a_zero_are_keys(crypto: Crypto) -> None:
    for number in range(64):
        jwk = await crypto.private_key("Ed25519", bytes([0, number]) * 16)
        signature = await (await crypto.signer(jwk)).sign(MESSAGE)
        assert await crypto.verify(public_jwk(jwk), MESSAGE, signature), number
        assert not await crypto.verify(public_jwk(jwk), MESSAGE + b"!", signature), number
    one, other = [await crypto.private_key("X25519", bytes([0, number]) * 16) for number in (1, 2)]
    assert await crypto.shared_secret(one, public_jwk(other)) == await crypto.shared_secret(other, public_jwk(one))
    for private, x in BEGIN_WITH_ZERO:
        assert (await crypto.private_key("Ed25519", private))["x"] == x


async def case_more_keys_than_any_cache_holds(crypto: Crypto) -> None:
    signed = []
    for number in range(300):
        jwk = await crypto.generate_key("Ed25519")
        data = number.to_bytes(2, "big")
        signed.append((public_jwk(jwk), data, await (await crypto.signer(jwk)).sign(data)))
    for public, data, signature in [*signed, *signed[:5]]:
        assert await crypto.verify(public, data, signature)
        assert not await crypto.verify(public, data + b"!", signature)


async def case_many_are_verified_as_each_alone(crypto: Crypto) -> None:
    signed = [
        Signed(public, data, signature)
        for _, jwk, text in REFERENCE
        for public in (public_jwk(jwk), {**public_jwk(jwk), "x": "*" * 43})
        for data in (MESSAGE, MESSAGE + b"!")
        for signature in (b64url_decode(text), bytes(64), b"")
    ]
    found = await crypto.verify_each(signed)
    assert [good for good in found if good is True] == [True] * len(REFERENCE)
    for one, good in zip(signed, found, strict=True):
        if isinstance(good, CryptoError):
            await expect(CryptoError, crypto.verify(*one), one)
        else:
            assert good is await crypto.verify(*one), one
    assert await crypto.verify_each([]) == []


async def case_compressed_points_are_those_of_the_key(crypto: Crypto) -> None:
    for algorithm in ("secp256k1", "P-256"):
        material = key_material(await crypto.generate_key(algorithm))
        compressed = key_bytes(
            {"kty": "EC", "crv": algorithm, "x": b64url_encode(material.x), "y": b64url_encode(material.y)}
        )
        assert compressed[1:] == material.x and compressed[0] == 2 + material.y[-1] % 2


CASES: list[Case] = [case for name, case in list(globals().items()) if name.startswith("case_")]
