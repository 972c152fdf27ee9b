"""The Ciphers port in the browser: WebCrypto, and a bundled ES module for secp256k1."""

from __future__ import annotations

from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

from web5.browser.webcrypto import crypto_errors, js_object, secp256k1
from web5.crypto.cipher_inputs import (
    BLOCK,
    NOT_DECRYPTED,
    NOT_UNWRAPPED,
    agreeing_keys,
    check_aes_key,
    check_ctr,
    check_gcm,
    check_pbkdf2,
    check_private,
    check_wrapping,
    nothing_in_common,
    point_keys,
)
from web5.crypto.curves import COORDINATE, CURVES, decompress
from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import KEY_TYPES, KeyMaterial
from web5.ports.ciphers import HashName
from web5.ports.crypto import Jwk, KeyAlgorithm

# WebCrypto copies what it is given before the call returns, so it may look at Python's memory itself: large data is
# copied once on the way in and once on the way out.
_js_cipher = run_js(
    """
    (operation, algorithm, key, data) => {
      const view = data.getBuffer("u8");
      try {
        return crypto.subtle[operation](algorithm, key, view.data);
      } finally {
        view.release();
      }
    }
    """
)

_JS_AGREEMENT = {"X25519": js_object(name="X25519"), "P-256": js_object(name="ECDH", namedCurve="P-256")}
_JS_SIGNATURE = {"Ed25519": js_object(name="Ed25519")}
_JS_ALGORITHM = _JS_AGREEMENT | _JS_SIGNATURE
_JS_WRAPPED = js_object(name="HMAC", hash="SHA-256")
"""What a wrapped key is for WebCrypto: a key of HMAC has any length, one of AES has not."""

_PKCS8 = {
    "Ed25519": bytes.fromhex("302e020100300506032b657004220420"),
    "X25519": bytes.fromhex("302e020100300506032b656e04220420"),
    "P-256": bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"),
}
"""A PKCS #8 private key up to its 32 bytes (RFC 8410, RFC 5915): of the forms that WebCrypto takes, the one which does
not want the public part."""


class BrowserCiphers:
    """`web5.ports.ciphers.Ciphers`."""

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        check_gcm(key, iv)
        return await _cipher("encrypt", _gcm(iv, additional_data), key, plaintext, "encrypting failed")

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        check_gcm(key, iv)
        return await _cipher("decrypt", _gcm(iv, additional_data), key, ciphertext, NOT_DECRYPTED)

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        check_ctr(key, counter)
        js_algorithm = js_object(name="AES-CTR", counter=to_js(counter), length=8 * BLOCK)
        return await _cipher("encrypt", js_algorithm, key, data, "encrypting failed")

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        check_wrapping(wrapping_key, key)
        with crypto_errors("wrapping failed"):
            js_key = await _import("raw", key, _JS_WRAPPED, ["sign"], extractable=True)
            js_wrapping = await _import("raw", wrapping_key, "AES-KW", ["wrapKey"])
            js_wrapped = await js.crypto.subtle.wrapKey("raw", js_key, js_wrapping, "AES-KW")
            return _bytes(js_wrapped)

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        check_aes_key(wrapping_key)
        with crypto_errors(NOT_UNWRAPPED):
            js_wrapping = await _import("raw", wrapping_key, "AES-KW", ["unwrapKey"])
            js_key = await js.crypto.subtle.unwrapKey(
                "raw", to_js(wrapped), js_wrapping, "AES-KW", _JS_WRAPPED, True, to_js(["sign"])
            )
            return _bytes(await js.crypto.subtle.exportKey("raw", js_key))

    async def pbkdf2(self, hash_name: HashName, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        check_pbkdf2(iterations, length)
        js_algorithm = js_object(name="PBKDF2", hash=hash_name, salt=to_js(salt), iterations=iterations)
        with crypto_errors("PBKDF2 failed"):
            js_key = await _import("raw", password, "PBKDF2", ["deriveBits"])
            return _bytes(await js.crypto.subtle.deriveBits(js_algorithm, js_key, 8 * length))

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        check_private(algorithm, private)
        with crypto_errors(f"these bytes are not a private key of {algorithm}"):
            if algorithm == "secp256k1":
                point = _bytes((await secp256k1()).getPublicKey(to_js(private)))
                coordinates = {"x": b64url_encode(point[1:33]), "y": b64url_encode(point[33:])}
            else:
                usages = ["sign"] if algorithm in _JS_SIGNATURE else ["deriveBits"]
                js_key = await _import_private(algorithm, private, usages, extractable=True)
                js_jwk = await js.crypto.subtle.exportKey("jwk", js_key)
                coordinates = {name: str(getattr(js_jwk, name)) for name in ("xy" if algorithm in CURVES else "x")}
        return {"kty": KEY_TYPES[algorithm], "crv": algorithm, "d": b64url_encode(private)} | coordinates

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = agreeing_keys(private_jwk, public_jwk)
        if private.curve == "secp256k1":
            return (await _shared_point(private, public))[1:33]
        with crypto_errors(str(nothing_in_common(private.curve))):
            js_private = await _import_private(private.curve, private.d, ["deriveBits"])
            js_public = await _import("raw", public.point, _JS_AGREEMENT[private.curve], [])
            js_algorithm = js_object(name=_JS_AGREEMENT[private.curve].name, public=js_public)
            return _bytes(await js.crypto.subtle.deriveBits(js_algorithm, js_private, 8 * COORDINATE))

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        return await _shared_point(*point_keys(private_jwk, public_jwk))


async def _cipher(operation: str, js_algorithm: Any, key: bytes, data: bytes, what_failed: str) -> bytes:
    with crypto_errors(what_failed):
        js_key = await _import("raw", key, js_algorithm.name, [operation])
        return _bytes(await _js_cipher(operation, js_algorithm, js_key, data))


async def _import(form: str, key: bytes, js_algorithm: Any, usages: list[str], *, extractable: bool = False) -> Any:
    return await js.crypto.subtle.importKey(form, to_js(key), js_algorithm, extractable, to_js(usages))


async def _import_private(curve: str, private: bytes, usages: list[str], *, extractable: bool = False) -> Any:
    pkcs8 = _PKCS8[curve] + private
    return await _import("pkcs8", pkcs8, _JS_ALGORITHM[curve], usages, extractable=extractable)


async def _shared_point(private: KeyMaterial, public: KeyMaterial) -> bytes:
    decompress(private.curve, public.point)
    js_module = await secp256k1()
    with crypto_errors(str(nothing_in_common(private.curve))):
        return _bytes(js_module.getSharedPoint(to_js(private.d), to_js(public.point)))


def _gcm(iv: bytes, additional_data: bytes) -> Any:
    return js_object(name="AES-GCM", iv=to_js(iv), additionalData=to_js(additional_data))


def _bytes(js_buffer: Any) -> bytes:
    return bytes(js_buffer.to_bytes())
