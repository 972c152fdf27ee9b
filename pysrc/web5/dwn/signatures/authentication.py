"""The verification of a message's signatures (`src/core/auth.ts`, `src/jose/jws/general/verifier.ts`)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from weakref import ref

from pydantic import PlainValidator

from web5.crypto.ecdsa import low_s, signature_from_der
from web5.crypto.encoding import b64url_decode
from web5.dids.models import DidDocument
from web5.dids.resolver import DidResolver
from web5.dwn.codes import Code
from web5.dwn.messages import rules
from web5.dwn.messages.parsing import check_coverage, parse_write
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed, Did
from web5.dwn.signatures.jws import Jws, key_id_of
from web5.dwn.values.types import Message
from web5.errors import BadRequest, CryptoError, Unauthorized
from web5.lru import LruCache, footprint
from web5.ports.crypto import Jwk, Signatures, Signed

SIGNING_CURVES = frozenset({"Ed25519", "secp256k1", "P-256"})
REMEMBERED_KEYS = 256
KEYS_BYTES = 1 << 20

Documents = Mapping[str, DidDocument | None]


class _VerificationMethod(Closed):
    id: str
    type: Literal["JsonWebKey", "JsonWebKey2020"]
    controller: Did
    publicKeyJwk: Annotated[Any, PlainValidator(rules.public_jwk)]


_VERIFICATION_METHOD = Schema("JwkVerificationMethod", _VerificationMethod)


class Verifier:
    """Verifies signatures with the keys in the signers' DID documents."""

    def __init__(self, resolver: DidResolver, crypto: Signatures) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._keys: LruCache[str, tuple[ref[DidDocument], Jwk]] = LruCache(REMEMBERED_KEYS, KEYS_BYTES)

    async def authenticate(self, message: Message) -> None:
        """Verify the signatures of author, owner, attester and the grants of delegates, or raise Unauthorized.

        The reference verifies no attester.
        """
        [refusal] = await self.authenticate_each([message])
        if refusal is not None:
            raise refusal

    async def authenticate_each(self, messages: Sequence[Message]) -> list[Unauthorized | None]:
        """Verify all signatures of some messages, and return the refusal of each, or None.

        The first signatures of all are verified together, then the second ones, and so on: nobody's document is fetched
        for a message that is refused already.
        """
        refusals: dict[int, Unauthorized] = {}
        claimed = [_signatures(one) for one in messages]
        for turn in range(max((len(signatures) for signatures, _ in claimed), default=0)):
            asked = {
                place: signatures[turn]
                for place, (signatures, _) in enumerate(claimed)
                if place not in refusals and turn < len(signatures)
            }
            refusals |= await self._verify(asked)
        return [refusals.get(place, malformed) for place, (_, malformed) in enumerate(claimed)]

    async def _verify(self, asked: Mapping[int, _Signature]) -> dict[int, Unauthorized]:
        """Verify a signature for each place, and return the refusals."""
        documents = await self._documents({one.signer for one in asked.values()})
        refusals: dict[int, Unauthorized] = {}
        signed: dict[int, Signed] = {}
        for place, one in asked.items():
            try:
                signed[place] = self._signed(one, documents[one.signer])
            except Unauthorized as error:
                refusals[place] = error
            except CryptoError as error:
                refusals[place] = _unverifiable(one, error)
            except BadRequest as error:
                refusals[place] = Unauthorized(error.code, error.message)
        for place, good in zip(signed, await self._crypto.verify_each(list(signed.values())), strict=True):
            one = asked[place]
            if isinstance(good, CryptoError):
                refusals[place] = _unverifiable(one, good)
            elif not good:
                code = Code.GeneralJwsVerifierInvalidSignature
                refusals[place] = Unauthorized(code, f"Signature verification failed for {one.signer}")
            else:
                self._remember(one.key_id, documents[one.signer], signed[place].public_jwk)
        return refusals

    async def _documents(self, dids: Collection[str]) -> Documents:
        resolve = self._resolver.resolve
        # A task costs more than a document that is at hand, and most often there is one signer.
        found = await asyncio.gather(*map(resolve, dids)) if len(dids) > 1 else [await resolve(did) for did in dids]
        return {did: result.did_document for did, result in zip(dids, found, strict=True)}

    def _signed(self, entry: _Signature, document: DidDocument | None) -> Signed:
        jwk = self._public_key(document, entry.key_id)
        if jwk.get("crv") not in SIGNING_CURVES:
            raise Unauthorized(
                Code.JwsVerifySignatureUnsupportedCrv, f"crv must be one of {', '.join(sorted(SIGNING_CURVES))}"
            )
        raw = b64url_decode(entry.signature)
        if jwk["crv"] == "secp256k1" and low_s("secp256k1", raw) != raw:
            # With both S, anybody could give the message another CID.
            raise CryptoError("the S of the signature is not the lower one")
        if jwk["crv"] == "P-256" and len(raw) != 64:
            raw = signature_from_der(raw)  # key services give DER, and the reference takes it for this curve
        return Signed(jwk, f"{entry.protected}.{entry.payload}".encode(), raw)

    def _remember(self, key_id: str, document: DidDocument | None, jwk: Jwk) -> None:
        known = self._keys.get(key_id)
        if document is not None and (known is None or known[0]() is not document):
            self._keys.put(key_id, (ref(document), jwk), len(key_id) + footprint(jwk))

    def _public_key(self, document: DidDocument | None, key_id: str) -> Jwk:
        known = self._keys.get(key_id)
        if document is not None and known is not None and known[0]() is document:
            return known[1]
        # A key that is meant for something else, such as encryption, signs nothing (DID Core, section 5.3.1).
        method = None if document is None else document.methods_for("authentication").get(key_id)
        if document is None or method is None:
            raise Unauthorized(
                Code.GeneralJwsVerifierGetPublicKeyNotFound,
                f"the public key {key_id} is not in the signer's DID document, for authentication",
            )
        checked: Jwk = _VERIFICATION_METHOD.check(method.to_wire())["publicKeyJwk"]
        return checked


class _Signature(NamedTuple):
    key_id: str
    protected: str
    payload: str
    signature: str

    @property
    def signer(self) -> str:
        return self.key_id.partition("#")[0]


def _unverifiable(entry: _Signature, error: CryptoError) -> Unauthorized:
    told = f"Signature verification failed for {entry.signer}: {error}"
    return Unauthorized(Code.GeneralJwsVerifierInvalidSignature, told)


def _signatures(message: Message) -> tuple[list[_Signature], Unauthorized | None]:
    """Return the signatures to verify, in this order, and the refusal that follows them."""
    found: list[_Signature] = []
    authorization = message.get("authorization")
    if authorization is None:
        return found, Unauthorized(Code.AuthenticateJwsMissing, "Missing JWS.")
    try:
        found += _signatures_of(authorization["signature"])
        if "ownerSignature" in authorization:
            found += _signatures_of(authorization["ownerSignature"])
        for name in ("authorDelegatedGrant", "ownerDelegatedGrant"):
            if name in authorization:
                check_coverage(parse_write(authorization[name]))
                found += _signatures_of(authorization[name]["authorization"]["signature"])
        if "attestation" in message:
            found += _signatures_of(message["attestation"])
    except BadRequest as error:
        return found, Unauthorized(error.code, error.message)
    return found, None


def _signatures_of(jws: Jws) -> Iterator[_Signature]:
    for entry in jws["signatures"]:
        key_id = key_id_of(entry.get("protected"))
        yield _Signature(key_id, entry["protected"], jws["payload"], entry.get("signature") or "")
