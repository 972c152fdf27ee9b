"""Signatures of messages: what they say (without trusting them), and whether they hold.

Sources: `src/core/message.ts`, `src/jose/jws/general/verifier.ts`, `src/utils/jws.ts`.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NoReturn, NotRequired

from pydantic import PlainValidator, with_config
from typing_extensions import TypedDict

from ..crypto.encoding import b64url_decode
from ..dids.models import DidDocument
from ..dids.resolver import DidResolver
from ..errors import BadRequest, CryptoError, Unauthorized
from ..ports.crypto import Crypto, Jwk
from .codes import Code
from .messages import rules
from .messages.schema import Schema
from .messages.shapes import CLOSED, Did

Jws = Mapping[str, Any]

SIGNING_CURVES = frozenset({"Ed25519", "secp256k1", "P-256"})
REMEMBERED_SIGNATURES = 2048
REMEMBERED_KEYS = 256


@with_config(CLOSED)
class _GenericPayload(TypedDict):
    descriptorCid: str
    delegatedGrantId: NotRequired[str]
    permissionGrantId: NotRequired[str]
    protocolRole: NotRequired[str]


@with_config(CLOSED)
class _WritePayload(TypedDict):
    descriptorCid: str
    recordId: str
    contextId: NotRequired[str]
    attestationCid: NotRequired[str]
    encryptionCid: NotRequired[str]
    delegatedGrantId: NotRequired[str]
    permissionGrantId: NotRequired[str]
    protocolRole: NotRequired[str]


@with_config(CLOSED)
class _VerificationMethod(TypedDict):
    id: str
    type: Literal["JsonWebKey", "JsonWebKey2020"]
    controller: Did
    publicKeyJwk: Annotated[Any, PlainValidator(rules.public_jwk)]


GENERIC_PAYLOAD = Schema("GenericSignaturePayload", _GenericPayload)
WRITE_PAYLOAD = Schema("RecordsWriteSignaturePayload", _WritePayload)
_VERIFICATION_METHOD = Schema("JwkVerificationMethod", _VerificationMethod)


def payload_of(jws: Jws) -> dict[str, Any]:
    """What was signed, as a JSON object.

    Raises:
        BadRequest: `JwsDecodePlainObjectPayloadInvalid`.
    """
    try:
        payload = _json(jws["payload"])
    except (KeyError, ValueError, CryptoError, RecursionError):
        payload = None
    if type(payload) is not dict:
        raise BadRequest(Code.JwsDecodePlainObjectPayloadInvalid, "the signed payload is not a JSON object")
    return payload


def signed_claims(jws: Jws | None, descriptor_cid: str, schema: Schema = GENERIC_PAYLOAD) -> dict[str, Any]:
    """The payload of the one signature of a message, once it is known to be about this descriptor.

    Raises:
        BadRequest: with the reference's code, in the order of its checks.
    """
    if jws is None or "signatures" not in jws:
        raise BadRequest("", "the signature is missing")
    if len(jws["signatures"]) != 1:
        raise BadRequest(Code.AuthenticationMoreThanOneSignatureNotSupported, "expected exactly one signature")
    claims = schema.check(payload_of(jws))
    if claims["descriptorCid"] != descriptor_cid:
        raise BadRequest(
            Code.AuthenticateDescriptorCidMismatch,
            f"the signed descriptorCid {claims['descriptorCid']} is not that of the descriptor, {descriptor_cid}",
        )
    return claims


def signer_of(jws: Jws, position: int = 0) -> str:
    """The DID that a signature names as its maker; not verified.

    Raises:
        BadRequest: the protected header cannot be read.
    """
    return _key_id(jws["signatures"][position].get("protected")).partition("#")[0]


@lru_cache(maxsize=1024)
def _key_id(protected: str | None) -> str:
    try:
        header = _json(protected)
    except (ValueError, CryptoError, RecursionError):
        header = None
    kid = header.get("kid") if type(header) is dict else None
    if type(kid) is not str:
        raise BadRequest("", "the protected header of the signature has no kid")
    return kid


def _json(text: Any) -> Any:
    return json.loads(b64url_decode(text).decode("utf-8", "replace"), parse_constant=_not_json)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class Verifier:
    """Verifies signatures with the keys that the signers' DID documents name.

    A signature that was found good under a key is remembered, so that a message which comes by again (in a query, a
    grant, or from another remote) costs nothing.
    """

    def __init__(self, resolver: DidResolver, crypto: Crypto) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._keys: OrderedDict[str, tuple[DidDocument, Jwk]] = OrderedDict()

    async def authenticate(self, authorization: Mapping[str, Any] | None) -> None:
        """Verify the author's signature, and the owner's if there is one (`src/core/auth.ts`).

        Raises:
            Unauthorized: with the reference's code.
        """
        if authorization is None:
            raise Unauthorized(Code.AuthenticateJwsMissing, "Missing JWS.")
        await self._verify(authorization["signature"])
        if "ownerSignature" in authorization:
            await self._verify(authorization["ownerSignature"])

    async def _verify(self, jws: Jws) -> None:
        for entry in jws["signatures"]:
            try:
                await self._verify_entry(jws["payload"], entry)
            except CryptoError as error:
                raise Unauthorized("", f"the signature cannot be verified: {error}") from error
            except BadRequest as error:
                raise Unauthorized(error.code, error.message) from error

    async def _verify_entry(self, payload: str, entry: Mapping[str, Any]) -> None:
        protected, signature = entry["protected"], entry.get("signature")
        key_id = _key_id(protected)
        did = key_id.partition("#")[0]
        jwk = await self._public_key(did, key_id)
        if jwk.get("crv") not in SIGNING_CURVES:
            raise Unauthorized(
                Code.JwsVerifySignatureUnsupportedCrv, f"crv must be one of {', '.join(sorted(SIGNING_CURVES))}"
            )
        mark = hashlib.sha256(f"{jwk.get('x')}.{jwk.get('y')}.{protected}.{payload}.{signature}".encode()).digest()
        if mark in self._good:
            self._good.move_to_end(mark)
            return
        if not await self._crypto.verify(jwk, f"{protected}.{payload}".encode(), b64url_decode(signature or "")):
            raise Unauthorized(Code.GeneralJwsVerifierInvalidSignature, f"Signature verification failed for {did}")
        self._good[mark] = None
        if len(self._good) > REMEMBERED_SIGNATURES:
            self._good.popitem(last=False)

    async def _public_key(self, did: str, key_id: str) -> Jwk:
        document = (await self._resolver.resolve(did)).did_document
        known = self._keys.get(key_id)
        if known is not None and known[0] is document:
            return known[1]
        methods = (document.verification_method if document is not None else None) or ()
        # A method's id may be the whole DID URL or only its fragment.
        method = next((method for method in methods if key_id.endswith(method.id)), None)
        if document is None or method is None:
            raise Unauthorized(
                Code.GeneralJwsVerifierGetPublicKeyNotFound,
                f"the public key {key_id} is not in the signer's DID document",
            )
        jwk: Jwk = _VERIFICATION_METHOD.check(method.to_wire())["publicKeyJwk"]
        self._keys[key_id] = (document, jwk)
        if len(self._keys) > REMEMBERED_KEYS:
            self._keys.popitem(last=False)
        return jwk
