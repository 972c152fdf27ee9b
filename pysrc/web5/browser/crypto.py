"""The Crypto port in the browser: WebCrypto, and a bundled ES module for secp256k1 and where WebCrypto fails.

WebKitGTK's knows no key of Ed25519 or X25519 that begins with a zero, as one of 128 does in one of its parts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from web5.browser.javascript.scripts import js_function
from web5.browser.javascript.webcrypto import cipher, crypto_errors, gcm, import_key, js_object, py_bytes, secp256k1
from web5.crypto import checks
from web5.crypto.ecdsa import COORDINATE, CURVES, decompress
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jwk import SIGNING_ALG, KeyMaterial, PublicMembers, private_jwk, public_members
from web5.errors import CryptoError
from web5.lru import LruCache
from web5.ports.crypto import Jwk, KeyAlgorithm, RawSigner, Signed

VERIFY_KEYS = 256
"""Imported public keys that are kept; importing one costs as much as verifying."""

MOST_ED25519 = 0xFFFF
"""Bytes that WebCrypto signs and verifies with Ed25519: more would crash the page in WebKitGTK (libgcrypt counts
them in 16 bits)."""

_JS_SIGNATURE = {"Ed25519": js_object(name="Ed25519"), "P-256": js_object(name="ECDSA", hash="SHA-256")}
_JS_SIGNING_KEY = {"Ed25519": js_object(name="Ed25519"), "P-256": js_object(name="ECDSA", namedCurve="P-256")}
_JS_AGREEING_KEY = {"X25519": js_object(name="X25519"), "P-256": js_object(name="ECDH", namedCurve="P-256")}
_JS_KEY = _JS_AGREEING_KEY | _JS_SIGNING_KEY
_USAGES = {"Ed25519": ["sign", "verify"], "P-256": ["sign", "verify"], "X25519": ["deriveBits"]}
_JS_WRAPPED = js_object(name="HMAC", hash="SHA-256")
"""The algorithm of a wrapped key for WebCrypto: a key of HMAC has any length, one of AES has not."""

_PKCS8 = {
    "Ed25519": bytes.fromhex("302e020100300506032b657004220420"),
    "X25519": bytes.fromhex("302e020100300506032b656e04220420"),
}
"""A PKCS #8 private key up to its 32 bytes (RFC 8410): of the forms that WebCrypto takes, the one which does not want
the public part."""

_js_public_x = js_function(
    """
    async (pkcs8, algorithm, usages) => {
      const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, usages);
      return (await crypto.subtle.exportKey("jwk", key)).x;
    }
    """
)
_js_webcrypto_verifier = js_function(
    "(algorithm, key) => (signature, data) => crypto.subtle.verify(algorithm, key, signature, data)"
)
_js_secp256k1_verifier = js_function(
    "(module, key) => (signature, data) => signature.length === 64 && module.verify(signature, data, key)"
)
_js_ed25519_verifier = js_function(
    "(module, key) => (signature, data) => signature.length === 64 && module.verifyEd25519(signature, data, key)"
)
# One crossing for all of them, since a promise that Python awaits costs as much as the signature: a text is an error.
_js_verify_each = js_function(
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


class BrowserCrypto:
    """`web5.ports.crypto.Crypto`."""

    def __init__(self) -> None:
        self._js_verifiers: LruCache[PublicMembers, Any] = LruCache(VERIFY_KEYS)

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        checks.check_algorithm(algorithm)
        if algorithm == "secp256k1":
            return await self.private_key(algorithm, py_bytes((await secp256k1()).generatePrivateKey()))
        with crypto_errors(f"a key of {algorithm} could not be made"):
            try:
                js_pair = await js.crypto.subtle.generateKey(_JS_KEY[algorithm], True, to_js(_USAGES[algorithm]))
                return await _exported(js_pair.privateKey)
            except JsException:
                if algorithm in CURVES:
                    raise
        return await self.private_key(algorithm, os.urandom(COORDINATE))

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        checks.check_private(algorithm, private)
        with crypto_errors(f"these bytes are not a private key of {algorithm}"):
            return private_jwk(algorithm, private, await _public_point(algorithm, private))

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        material = checks.signing_key(private_jwk)
        make = _secp256k1_signer if material.curve == "secp256k1" else _webcrypto_signer
        return await make(material)

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        [good] = await self.verify_each([Signed(public_jwk, data, signature)])
        if isinstance(good, CryptoError):
            raise good
        return good

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        results: list[bool | CryptoError] = [False] * len(signed)
        requests = {}
        for place, (public_jwk, data, signature) in enumerate(signed):
            try:
                js_verifier = await self._js_verifier(public_members(public_jwk))
                if len(data) > MOST_ED25519 and public_jwk.get("crv") == "Ed25519":
                    js_point = to_js(checks.verifying_key(public_jwk).point)
                    js_verifier = _js_ed25519_verifier(await secp256k1(), js_point)
                requests[place] = (js_verifier, signature, data)
            except CryptoError as error:
                results[place] = error
        js_results = await _js_verify_each(to_js(list(requests.values())))
        for place, result in zip(requests, js_results.to_py(), strict=True):
            results[place] = result if isinstance(result, bool) else CryptoError(f"verifying failed: {result}")
        return results

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = checks.agreeing_keys(private_jwk, public_jwk)
        if private.curve == "secp256k1":
            return (await _shared_point(private, public))[1:33]
        if private.curve in CURVES:  # WebKitGTK takes a point that is not on the curve, too
            decompress(private.curve, public.point)
        js_algorithm = _JS_AGREEING_KEY[private.curve]
        with crypto_errors(checks.no_agreement(private.curve)):
            try:
                js_private = await import_key("jwk", _js_private_jwk(private), js_algorithm, ["deriveBits"])
                js_public = await import_key("raw", to_js(public.point), js_algorithm, [])
                js_agreement = js_object(name=js_algorithm.name, public=js_public)
                return py_bytes(await js.crypto.subtle.deriveBits(js_agreement, js_private, 8 * COORDINATE))
            except JsException:
                if private.curve in CURVES:
                    raise
            return py_bytes((await secp256k1()).getSharedSecret(to_js(private.d), to_js(public.point)))

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        return await _shared_point(*checks.point_keys(private_jwk, public_jwk))

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        checks.check_gcm(key, iv)
        return await _aes("encrypt", gcm(iv, additional_data), key, plaintext, "encrypting failed")

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        checks.check_gcm(key, iv)
        return await _aes("decrypt", gcm(iv, additional_data), key, ciphertext, checks.NOT_DECRYPTED)

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        checks.check_ctr(key, counter)
        js_algorithm = js_object(name="AES-CTR", counter=to_js(counter), length=8 * checks.BLOCK)
        return await _aes("encrypt", js_algorithm, key, data, "encrypting failed")

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        checks.check_wrapping(wrapping_key, key)
        with crypto_errors("wrapping failed"):
            js_key = await import_key("raw", to_js(key), _JS_WRAPPED, ["sign"], extractable=True)
            js_wrapping = await import_key("raw", to_js(wrapping_key), "AES-KW", ["wrapKey"])
            return py_bytes(await js.crypto.subtle.wrapKey("raw", js_key, js_wrapping, "AES-KW"))

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        checks.check_wrapped(wrapping_key, wrapped)
        with crypto_errors(checks.NOT_UNWRAPPED):
            js_wrapping = await import_key("raw", to_js(wrapping_key), "AES-KW", ["unwrapKey"])
            js_key = await js.crypto.subtle.unwrapKey(
                "raw", to_js(wrapped), js_wrapping, "AES-KW", _JS_WRAPPED, True, to_js(["sign"])
            )
            return py_bytes(await js.crypto.subtle.exportKey("raw", js_key))

    async def pbkdf2(self, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        checks.check_pbkdf2(salt, iterations, length)
        js_algorithm = js_object(name="PBKDF2", hash="SHA-512", salt=to_js(salt), iterations=iterations)
        with crypto_errors("PBKDF2 failed"):
            # HMAC fills a key up with zeros, so one zero is no password; which WebKitGTK refuses.
            js_key = await import_key("raw", to_js(password or b"\0"), "PBKDF2", ["deriveBits"])
            return py_bytes(await js.crypto.subtle.deriveBits(js_algorithm, js_key, 8 * length))

    async def _js_verifier(self, members: PublicMembers) -> Any:
        js_verifier = self._js_verifiers.get(members)
        if js_verifier is None:
            js_verifier = await _import_verifier(checks.verifying_key(members._asdict()))
            self._js_verifiers.put(members, js_verifier)
        return js_verifier


async def _import_verifier(material: KeyMaterial) -> Any:
    if material.curve in CURVES:
        decompress(material.curve, material.point)
    js_point = to_js(material.point)
    if material.curve == "secp256k1":
        return _js_secp256k1_verifier(await secp256k1(), js_point)
    with crypto_errors(f"this JWK is not a public key of {material.curve}"):
        try:
            js_key = await import_key("raw", js_point, _JS_SIGNING_KEY[material.curve], ["verify"])
        except JsException:
            if material.curve in CURVES or not (await secp256k1()).isPointOfEd25519(js_point):
                raise
            return _js_ed25519_verifier(await secp256k1(), js_point)
    return _js_webcrypto_verifier(_JS_SIGNATURE[material.curve], js_key)


async def _public_point(curve: str, private: bytes) -> bytes:
    """Return the public part of a private key: an uncompressed point, or 32 bytes. Raises JsException."""
    if curve == "secp256k1":
        return py_bytes((await secp256k1()).getPublicKey(to_js(private)))
    if curve == "P-256":  # Firefox imports the private part alone, but exports it only with the public one
        return py_bytes((await secp256k1()).getPublicKeyOfP256(to_js(private)))
    try:
        js_usages = to_js(_USAGES[curve][:1])
        return b64url_decode(str(await _js_public_x(_pkcs8(curve, private), _JS_KEY[curve], js_usages)))
    except JsException:
        return py_bytes((await secp256k1()).getPublicKeyOf(curve, to_js(private)))


async def _secp256k1_signer(material: KeyMaterial) -> RawSigner:
    js_module = await secp256k1()
    js_private = to_js(material.d)
    await _check_parts(material)

    async def sign(data: bytes) -> bytes:
        with crypto_errors("signing failed"):
            return py_bytes(js_module.sign(to_js(data), js_private))

    return RawSigner(SIGNING_ALG[material.curve], sign)


def _js_private_jwk(material: KeyMaterial) -> Any:
    return js_object(**private_jwk(material.curve, material.d, material.point))


async def _check_parts(material: KeyMaterial) -> None:
    """Raise CryptoError unless the public part is the private one's: of WebCrypto, only some browsers' sees to that."""
    with crypto_errors(f"this JWK is not a private key of {material.curve}"):
        point = await _public_point(material.curve, material.d)
    if point != material.point:
        raise CryptoError("the private and the public part of this JWK do not belong together")


async def _webcrypto_signer(material: KeyMaterial) -> RawSigner:
    await _check_parts(material)
    js_key = None
    with crypto_errors(f"this JWK is not a private key of {material.curve}"):
        try:
            js_key = await import_key("jwk", _js_private_jwk(material), _JS_SIGNING_KEY[material.curve], ["sign"])
        except JsException:
            if material.curve in CURVES:
                raise

    async def sign(data: bytes) -> bytes:
        with crypto_errors("signing failed"):
            if js_key is None or (len(data) > MOST_ED25519 and material.curve == "Ed25519"):
                return py_bytes((await secp256k1()).signEd25519(to_js(data), to_js(material.d)))
            return py_bytes(await js.crypto.subtle.sign(_JS_SIGNATURE[material.curve], js_key, to_js(data)))

    return RawSigner(SIGNING_ALG[material.curve], sign)


async def _shared_point(private: KeyMaterial, public: KeyMaterial) -> bytes:
    decompress(private.curve, public.point)
    js_module = await secp256k1()
    with crypto_errors(checks.no_agreement(private.curve)):
        return py_bytes(js_module.getSharedPoint(to_js(private.d), to_js(public.point)))


async def _aes(operation: str, js_algorithm: Any, key: bytes, data: bytes, what_failed: str) -> bytes:
    with crypto_errors(what_failed):
        js_key = await import_key("raw", to_js(key), js_algorithm.name, [operation])
    return await cipher(operation, js_algorithm, js_key, data, what_failed)


def _pkcs8(curve: str, private: bytes) -> Any:
    return to_js(_PKCS8[curve] + private)


async def _exported(js_key: Any) -> Jwk:
    js_jwk = await js.crypto.subtle.exportKey("jwk", js_key)
    members = ("kty", "crv", "d", "x", *(("y",) if js_jwk.kty == "EC" else ()))
    return {member: str(getattr(js_jwk, member)) for member in members}
