"""The two texts of the connect flow: each a JWT, signed by a did:jwk, in a JWE of XC20P.

Source: `src/oidc.ts` of `@web5/agent` 0.8.1.

Invariants:
1. Whatever comes in, a CryptoError or what the sender's key has signed comes out.
2. A response is opened by the PIN that it was made with alone: that is part of what is authenticated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from web5.crypto import xchacha
from web5.crypto.edwards import x25519_private, x25519_public
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jws import MessageSigner, signing_input
from web5.crypto.kdf import hkdf
from web5.dids.jwk import DidJwk
from web5.dids.keys import private_key, signing_method
from web5.dids.models import PortableDid
from web5.dids.uri import absolute_url, parse_did
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto, Jwk
from web5.strict_json import parse

LONGEST = 512 * 1024
"""Characters of a text that is opened: our relay takes no longer ones, dwn-server's none of over 100 KB."""

_HEADER = {"alg": "dir", "cty": "JWT", "enc": "XC20P", "typ": "JWT"}


class Signed(NamedTuple):
    """The claims of a JWT, and the DID whose key has signed them."""

    did: str
    claims: Mapping[str, Any]


async def sign(signer: MessageSigner, claims: Mapping[str, Any]) -> str:
    """Return claims as a JWT."""
    header = {"alg": signer.algorithm, "kid": signer.key_id, "typ": "JWT"}
    protected, payload = b64url_encode(_json(header)), b64url_encode(_json(claims))
    return f"{protected}.{payload}.{b64url_encode(await signer.raw.sign(signing_input(protected, payload)))}"


async def verified(crypto: Crypto, jwt: bytes) -> Signed:
    """Return the claims of a JWT, and who has signed them.

    Raises:
        CryptoError: it is none, or not signed by the Ed25519 key of the did:jwk that it names.
    """
    try:
        protected, payload, signature = jwt.decode("ascii").split(".")
    except ValueError as error:
        raise CryptoError("a JWT is a text of three parts with dots between them") from error
    header, claims = _object(b64url_decode(protected)), _object(b64url_decode(payload))
    if header.get("alg") != "EdDSA":
        raise CryptoError("a JWT of the connect flow is signed with EdDSA")
    did, key = await _key(header.get("kid"))
    if not await crypto.verify(key, signing_input(protected, payload), b64url_decode(signature)):
        raise CryptoError("the signature of a JWT is not that of the key that it names")
    return Signed(did, claims)


async def seal_request(jwt: str, key: bytes) -> str:
    """Encrypt a request with the key, 32 bytes, that is in the link to the wallet."""
    return await _sealed(jwt, key, _HEADER, _json(_HEADER))


async def open_request(text: str, key: bytes) -> bytes:
    """Decrypt a request.

    Raises:
        CryptoError: it is none, or of another key.
    """
    parts = _parts(text)
    return await xchacha.decrypt(key, parts.nonce, parts.ciphertext, parts.header)


async def seal_response(crypto: Crypto, jwt: str, sender: PortableDid, reader: str, pin: str) -> str:
    """Encrypt a response.

    Parameters:
        sender: the delegate, with its private keys.
        reader: the DID of the app.

    Raises:
        CryptoError: one of them has no Ed25519 key.
    """
    method = signing_method(sender.document)
    header = {**_HEADER, "kid": absolute_url(sender.uri, method.id)}
    _, key = await _key(reader)
    secret = await _shared(crypto, private_key(sender, method), key)
    return await _sealed(jwt, secret, header, _json({**header, "pin": pin}))


async def open_response(crypto: Crypto, text: str, reader: PortableDid, pin: str) -> bytes:
    """Decrypt a response.

    Parameters:
        reader: the app, with its private keys.

    Raises:
        CryptoError: it is none, for somebody else, or made with another PIN.
    """
    parts = _parts(text)
    header = _object(parts.header)
    if not all(isinstance(text, str) and text.isascii() for text in (*header, *header.values())):
        raise CryptoError("the protected header of a response has texts of ASCII only")
    _, key = await _key(header.get("kid"))
    secret = await _shared(crypto, private_key(reader, signing_method(reader.document)), key)
    return await xchacha.decrypt(secret, parts.nonce, parts.ciphertext, _json({**header, "pin": pin}))


class _Parts(NamedTuple):
    header: bytes
    nonce: bytes
    ciphertext: bytes


def _parts(text: str) -> _Parts:
    parts = text.split(".") if len(text) <= LONGEST else []
    if len(parts) != 5 or parts[1]:
        raise CryptoError("a compact JWE is a text of five parts with dots between them, of which the second is empty")
    header, nonce, ciphertext, tag = (b64url_decode(parts[number]) for number in (0, 2, 3, 4))
    named = _object(header)
    if (named.get("alg"), named.get("enc")) != (_HEADER["alg"], _HEADER["enc"]) or "crit" in named or "zip" in named:
        raise CryptoError("a JWE of the connect flow has the algorithms dir and XC20P")
    if len(tag) != xchacha.TAG_BYTES:
        raise CryptoError(f"a JWE of XC20P has a tag of {xchacha.TAG_BYTES} bytes")
    return _Parts(header, nonce, ciphertext + tag)


async def _sealed(text: str, key: bytes, header: Mapping[str, str], additional_data: bytes) -> str:
    nonce = os.urandom(xchacha.NONCE_BYTES)
    sealed = await xchacha.encrypt(key, nonce, text.encode(), additional_data)
    parts = (_json(header), b"", nonce, sealed[: -xchacha.TAG_BYTES], sealed[-xchacha.TAG_BYTES :])
    return ".".join(map(b64url_encode, parts))


async def _shared(crypto: Crypto, private: Jwk, public: Jwk) -> bytes:
    """Agree on a key by the X25519 keys that belong to two Ed25519 keys (`deriveSharedKey`)."""
    own = await crypto.private_key("X25519", x25519_private(b64url_decode(private["d"])))
    other = {"kty": "OKP", "crv": "X25519", "x": b64url_encode(x25519_public(b64url_decode(public["x"])))}
    return hkdf("sha256", await crypto.shared_secret(own, other))


async def _key(key_id: object) -> tuple[str, Jwk]:
    """Return a did:jwk and its key, by the DID or the ID of the key."""
    did = parse_did(key_id.partition("#")[0]) if isinstance(key_id, str) else None
    if did is None or did.method != DidJwk.name:
        raise CryptoError("a key of the connect flow is that of a did:jwk")
    try:
        method = signing_method((await DidJwk().resolve(did)).document)
    except DidError as error:
        raise CryptoError(str(error)) from error
    match method.public_key_jwk:
        case {"kty": "OKP", "crv": "Ed25519", "x": str(point)}:
            return did.uri, {"kty": "OKP", "crv": "Ed25519", "x": point}
    raise CryptoError("a key of the connect flow is one of Ed25519")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = parse(data.decode())
    except ValueError as error:
        raise CryptoError("this is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise CryptoError("this is no JSON object")
    return value


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
