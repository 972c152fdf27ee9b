"""Whether the signatures of a message hold (`src/core/auth.ts`, `src/jose/jws/general/verifier.ts`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, with_config
from typing_extensions import TypedDict

from ..crypto.der import signature_from_der
from ..crypto.encoding import b64url_decode
from ..dids.models import DidDocument
from ..dids.resolver import DidResolver
from ..errors import BadRequest, CryptoError, Unauthorized
from ..ports.crypto import Crypto, Jwk
from .codes import Code
from .jws import Jws, key_id_of
from .messages import rules
from .messages.parsed_write import parse_write
from .messages.schema import Schema
from .messages.shapes import CLOSED, Did

SIGNING_CURVES = frozenset({"Ed25519", "secp256k1", "P-256"})
REMEMBERED_KEYS = 256


@with_config(CLOSED)
class _VerificationMethod(TypedDict):
    id: str
    type: Literal["JsonWebKey", "JsonWebKey2020"]
    controller: Did
    publicKeyJwk: Annotated[Any, PlainValidator(rules.public_jwk)]


_VERIFICATION_METHOD = Schema("JwkVerificationMethod", _VerificationMethod)


class Verifier:
    """Verifies signatures with the keys that the signers' DID documents name."""

    def __init__(self, resolver: DidResolver, crypto: Crypto) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._keys: OrderedDict[str, tuple[DidDocument, Jwk]] = OrderedDict()

    async def authenticate(self, authorization: Mapping[str, Any] | None) -> None:
        """Verify the author's signature, the owner's if there is one, and those of the grants under which delegates
        signed (`src/core/auth.ts`).

        Raises:
            Unauthorized: with the reference's code.
        """
        if authorization is None:
            raise Unauthorized(Code.AuthenticateJwsMissing, "Missing JWS.")
        await self._verify(authorization["signature"])
        if "ownerSignature" in authorization:
            await self._verify(authorization["ownerSignature"])
        for name in ("authorDelegatedGrant", "ownerDelegatedGrant"):
            if name in authorization:
                await self._verify_grant(authorization[name])

    async def _verify_grant(self, grant: dict[str, Any]) -> None:
        try:
            parse_write(grant)
        except BadRequest as error:
            raise Unauthorized(error.code, error.message) from error
        await self._verify(grant["authorization"]["signature"])

    async def _verify(self, jws: Jws) -> None:
        for entry in jws["signatures"]:
            try:
                await self._verify_entry(jws["payload"], entry)
            except CryptoError as error:
                raise Unauthorized(
                    Code.GeneralJwsVerifierInvalidSignature, f"the signature cannot be verified: {error}"
                ) from error
            except BadRequest as error:
                raise Unauthorized(error.code, error.message) from error

    async def _verify_entry(self, payload: str, entry: Mapping[str, Any]) -> None:
        protected, signature = entry["protected"], entry.get("signature")
        key_id = key_id_of(protected)
        did = key_id.partition("#")[0]
        jwk = await self._public_key(did, key_id)
        if jwk.get("crv") not in SIGNING_CURVES:
            raise Unauthorized(
                Code.JwsVerifySignatureUnsupportedCrv, f"crv must be one of {', '.join(sorted(SIGNING_CURVES))}"
            )
        raw = b64url_decode(signature or "")
        if jwk["crv"] == "P-256" and len(raw) != 64:
            raw = signature_from_der(raw)  # key services give DER, and the reference takes it for this curve
        if not await self._crypto.verify(jwk, f"{protected}.{payload}".encode(), raw):
            raise Unauthorized(Code.GeneralJwsVerifierInvalidSignature, f"Signature verification failed for {did}")

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
