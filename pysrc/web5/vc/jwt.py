"""Compact JSON Web Signatures with JSON claims (RFC 7515, RFC 7519; `jwt.ts` of @web5/credentials)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5 import strict_json
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jws import MessageSigner, signing_input
from web5.errors import CredentialError, CryptoError, InvalidArgument
from web5.vc.codes import Code

MAX_LENGTH = 4 * 2**20
"""Characters."""


@dataclass(frozen=True)
class Jwt:
    """The parts of a JWT; nothing is verified."""

    header: dict[str, Any]
    algorithm: str
    key_id: str
    """The DID URL of the key that claims to have signed it."""
    payload: dict[str, Any]
    signed: bytes
    """The bytes that the signature is over."""
    signature: bytes


def parse(text: str) -> Jwt:
    """Parse a JWT without verifying it.

    Raises:
        CredentialError: malformedJwt.
    """
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise _malformed(f"a JWT is a text of at most {MAX_LENGTH} characters")
    parts = text.split(".")
    if len(parts) != 3:
        raise _malformed(f"a JWT has 3 parts, and this has {len(parts)}")
    header, payload = (_json_object(part, name) for part, name in zip(parts, ("header", "payload"), strict=False))
    if not all(isinstance(header.get(name), str) for name in ("alg", "kid")):
        raise _malformed("the header of a JWT must name alg and kid here")
    if "crit" in header:
        # RFC 7515, section 4.1.11: what is critical and not understood makes the whole invalid.
        raise _malformed("the header demands extensions (crit) that are not understood here")
    try:
        signature = b64url_decode(parts[2])
    except CryptoError as error:
        raise _malformed(f"the signature is {error}") from error
    return Jwt(header, header["alg"], header["kid"], payload, signing_input(parts[0], parts[1]), signature)


async def sign(payload: Mapping[str, Any], signer: MessageSigner) -> str:
    """Return the JWT of these claims. Its header has `alg` and `kid` and nothing else, as in the reference.

    Raises:
        InvalidArgument: the claims are not JSON.
    """
    header = {"alg": signer.algorithm, "kid": signer.key_id}
    protected, claims = (b64url_encode(as_json(part)) for part in (header, payload))
    signature = await signer.raw.sign(signing_input(protected, claims))
    return f"{protected}.{claims}.{b64url_encode(signature)}"


def as_json(value: Any) -> bytes:
    """Encode a JSON value.

    Raises:
        InvalidArgument: JSON cannot hold it.
    """
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"A credential holds JSON and nothing else: {error}.") from error


def _json_object(part: str, name: str) -> dict[str, Any]:
    try:
        value = strict_json.parse(b64url_decode(part).decode())
    except (CryptoError, ValueError) as error:
        raise _malformed(f"the {name} is not JSON in base64url: {error}") from error
    if not isinstance(value, dict):
        raise _malformed(f"the {name} is not a JSON object")
    return value


def _malformed(what: str) -> CredentialError:
    return CredentialError(Code.MALFORMED_JWT, what)
