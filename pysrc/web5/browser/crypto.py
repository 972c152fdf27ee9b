"""The Crypto port in the browser: WebCrypto, and a bundled ES module for secp256k1, which WebCrypto has not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

from web5.browser.webcrypto import crypto_errors, js_object, secp256k1
from web5.crypto.curves import CURVES, decompress
from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import KEY_TYPES, KeyMaterial, PublicMembers, key_material, public_members
from web5.errors import CryptoError
from web5.ports.crypto import JoseAlgorithm, Jwk, KeyAlgorithm, Signed

VERIFY_KEYS = 256
"""Imported public keys that are kept; importing one costs as much as verifying."""

_JOSE: dict[str, JoseAlgorithm] = {"Ed25519": "EdDSA", "secp256k1": "ES256K", "P-256": "ES256"}
_MEMBERS = {"OKP": ("kty", "crv", "d", "x"), "EC": ("kty", "crv", "d", "x", "y")}


_JS_KEY_ALGORITHM = {
    "Ed25519": "Ed25519",
    "X25519": "X25519",
    "P-256": js_object(name="ECDSA", namedCurve="P-256"),
}
_JS_SIGN_ALGORITHM = {"Ed25519": "Ed25519", "P-256": js_object(name="ECDSA", hash="SHA-256")}
_JS_GENERATE_USAGES = {curve: to_js(["sign", "verify"]) for curve in _JS_SIGN_ALGORITHM} | {
    "X25519": to_js(["deriveBits"])
}
_JS_SIGN = to_js(["sign"])
_JS_VERIFY = to_js(["verify"])

_js_webcrypto_verifier = run_js(
    "(algorithm, key) => (signature, data) => crypto.subtle.verify(algorithm, key, signature, data)"
)
_js_secp256k1_verifier = run_js(
    "(module, key) => (signature, data) => signature.length === 64 && module.verify(signature, data, key)"
)
# One crossing for all of them, since a promise that Python awaits costs as much as the signature: a text is an error.
_js_verify_each = run_js(
    """
    (signed) => Promise.all(signed.map(async ([verifier, signature, data]) => {
      try {
        return await verifier(signature, data);
      } catch (error) {
        return String(error);
      }
    }))
    """
)

Sign = Callable[[bytes], Awaitable[bytes]]


class _Signer:
    def __init__(self, algorithm: JoseAlgorithm, sign: Sign) -> None:
        self._algorithm = algorithm
        self._sign = sign

    @property
    def algorithm(self) -> JoseAlgorithm:
        return self._algorithm

    async def sign(self, data: bytes) -> bytes:
        return await self._sign(data)


class BrowserCrypto:
    """`web5.ports.crypto.Crypto`; secp256k1 comes from a JavaScript module of this package, loaded at its first use."""

    def __init__(self) -> None:
        self._js_verifiers: OrderedDict[PublicMembers, Any] = OrderedDict()

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        kty = KEY_TYPES.get(algorithm)
        if kty is None:
            raise CryptoError(f"cannot make a key of algorithm {algorithm!r}: {', '.join(KEY_TYPES)} would do")
        if algorithm == "secp256k1":
            return await self._generate_secp256k1()
        with crypto_errors(f"a key of {algorithm} could not be made"):
            js_pair = await js.crypto.subtle.generateKey(
                _JS_KEY_ALGORITHM[algorithm], True, _JS_GENERATE_USAGES[algorithm]
            )
            js_jwk = await js.crypto.subtle.exportKey("jwk", js_pair.privateKey)
            return {member: str(getattr(js_jwk, member)) for member in _MEMBERS[kty]}

    async def signer(self, private_jwk: Jwk) -> _Signer:
        material = key_material(private_jwk)
        if material.curve not in _JOSE:
            raise CryptoError(f"a key of curve {material.curve} cannot sign")
        if not material.d:
            raise CryptoError("signing needs a private key, and this JWK is public")
        operation = self._secp256k1_sign if material.curve == "secp256k1" else _webcrypto_sign
        return _Signer(_JOSE[material.curve], await operation(material))

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        [good] = await self.verify_each([Signed(public_jwk, data, signature)])
        if isinstance(good, CryptoError):
            raise good
        return good

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        found: list[bool | CryptoError] = [False] * len(signed)
        requests = {}
        for place, (public_jwk, data, signature) in enumerate(signed):
            try:
                requests[place] = (await self._js_verifier(public_members(public_jwk)), signature, data)
            except CryptoError as error:
                found[place] = error
        js_verdicts = await _js_verify_each(to_js(list(requests.values())))
        for place, verdict in zip(requests, js_verdicts.to_py(), strict=True):
            found[place] = verdict if isinstance(verdict, bool) else CryptoError(f"verifying failed: {verdict}")
        return found

    async def _js_verifier(self, members: PublicMembers) -> Any:
        js_verifier = self._js_verifiers.get(members)
        if js_verifier is None:
            js_verifier = self._js_verifiers[members] = await self._import_verifier(members)
            if len(self._js_verifiers) > VERIFY_KEYS:
                self._js_verifiers.popitem(last=False)
        else:
            self._js_verifiers.move_to_end(members)
        return js_verifier

    async def _import_verifier(self, members: PublicMembers) -> Any:
        material = key_material(members._asdict())
        if material.curve not in _JOSE:
            raise CryptoError(f"a key of curve {material.curve} cannot verify")
        if material.curve in CURVES:
            decompress(material.curve, material.point)
        if material.curve == "secp256k1":
            return _js_secp256k1_verifier(await secp256k1(), to_js(material.point))
        with crypto_errors(f"this JWK is not a public key of {material.curve}"):
            js_key = await js.crypto.subtle.importKey(
                "raw", to_js(material.point), _JS_KEY_ALGORITHM[material.curve], False, _JS_VERIFY
            )
        return _js_webcrypto_verifier(_JS_SIGN_ALGORITHM[material.curve], js_key)

    async def _generate_secp256k1(self) -> Jwk:
        js_module = await secp256k1()
        with crypto_errors("a key of secp256k1 could not be made"):
            js_private = js_module.generatePrivateKey()
            point = js_module.getPublicKey(js_private).to_bytes()
            private = js_private.to_bytes()
        x, y = point[1:33], point[33:]
        members = {"d": private, "x": x, "y": y}
        return {"kty": "EC", "crv": "secp256k1"} | {name: b64url_encode(value) for name, value in members.items()}

    async def _secp256k1_sign(self, material: KeyMaterial) -> Sign:
        js_module = await secp256k1()
        js_private = to_js(material.d)
        with crypto_errors("this JWK is not a private key of secp256k1"):
            point = js_module.getPublicKey(js_private).to_bytes()
        if point != material.point:
            raise CryptoError("the private and the public part of this JWK do not belong together")

        async def sign(data: bytes) -> bytes:
            with crypto_errors("signing failed"):
                return bytes(js_module.sign(to_js(data), js_private).to_bytes())

        return sign


async def _webcrypto_sign(material: KeyMaterial) -> Sign:
    members = {"kty": KEY_TYPES[material.curve], "crv": material.curve}
    members |= {name: b64url_encode(getattr(material, name)) for name in ("d", "x", "y") if getattr(material, name)}
    js_algorithm = _JS_SIGN_ALGORITHM[material.curve]
    with crypto_errors(f"this JWK is not a private key of {material.curve}"):
        js_key = await js.crypto.subtle.importKey(
            "jwk", js_object(**members), _JS_KEY_ALGORITHM[material.curve], False, _JS_SIGN
        )

    async def sign(data: bytes) -> bytes:
        with crypto_errors("signing failed"):
            return bytes((await js.crypto.subtle.sign(js_algorithm, js_key, to_js(data))).to_bytes())

    return sign
