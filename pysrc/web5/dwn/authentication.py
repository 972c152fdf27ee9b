"""Whether the signatures of a message hold (`src/core/auth.ts`, `src/jose/jws/general/verifier.ts`)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import PlainValidator, with_config
from typing_extensions import TypedDict

from web5.crypto.ecdsa import signature_from_der
from web5.crypto.encoding import b64url_decode
from web5.dids.models import DidDocument
from web5.dids.resolver import DidResolver
from web5.dwn.codes import Code
from web5.dwn.jws import Jws, key_id_of
from web5.dwn.messages import rules
from web5.dwn.messages.parsing import parse_write
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Did
from web5.errors import BadRequest, CryptoError, Unauthorized
from web5.lru import LruCache
from web5.ports.crypto import Jwk, Signatures, Signed

SIGNING_CURVES = frozenset({"Ed25519", "secp256k1", "P-256"})
REMEMBERED_KEYS = 256

Authorization = Mapping[str, Any] | None
Documents = Mapping[str, DidDocument | None]


@with_config(CLOSED)
class _VerificationMethod(TypedDict):
    id: str
    type: Literal["JsonWebKey", "JsonWebKey2020"]
    controller: Did
    publicKeyJwk: Annotated[Any, PlainValidator(rules.public_jwk)]


_VERIFICATION_METHOD = Schema("JwkVerificationMethod", _VerificationMethod)


class Verifier:
    """Verifies signatures with the keys that the signers' DID documents name."""

    def __init__(self, resolver: DidResolver, crypto: Signatures) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._keys: LruCache[str, tuple[DidDocument, Jwk]] = LruCache(REMEMBERED_KEYS)

    async def authenticate(self, authorization: Authorization) -> None:
        """Verify the author's signature, the owner's if there is one, and those of the grants under which delegates
        signed (`src/core/auth.ts`).

        Raises:
            Unauthorized: with the reference's code.
        """
        [refusal] = await self.authenticate_each([authorization])
        if refusal is not None:
            raise refusal

    async def authenticate_each(self, authorizations: Sequence[Authorization]) -> list[Unauthorized | None]:
        """What `authenticate` raises for each, in their order; None where it passes. All signatures are verified at
        once."""
        asked = [_asked(one) for one in authorizations]
        documents = await self._documents({one.signer for entries, _ in asked for one in entries})
        cases = [self._case(entries, fault, documents) for entries, fault in asked]
        verdicts = iter(await self._crypto.verify_each([signed for case in cases for signed, _ in case.signed]))
        return [case.refusal(verdicts) for case in cases]

    async def _documents(self, dids: Collection[str]) -> Documents:
        resolve = self._resolver.resolve
        # A task costs more than a document that is at hand, and most often there is one signer.
        found = await asyncio.gather(*map(resolve, dids)) if len(dids) > 1 else [await resolve(did) for did in dids]
        return {did: result.did_document for did, result in zip(dids, found, strict=True)}

    def _case(self, entries: Iterable[_Entry], fault: Unauthorized | None, documents: Documents) -> _Case:
        signed: list[tuple[Signed, str]] = []
        try:
            signed.extend((self._signed(entry, documents[entry.signer]), entry.signer) for entry in entries)
        except Unauthorized as error:
            fault = error
        except CryptoError as error:
            fault = _unverifiable(error)
        except BadRequest as error:
            fault = Unauthorized(error.code, error.message)
        return _Case(signed, fault)

    def _signed(self, entry: _Entry, document: DidDocument | None) -> Signed:
        jwk = self._public_key(document, entry.key_id)
        if jwk.get("crv") not in SIGNING_CURVES:
            raise Unauthorized(
                Code.JwsVerifySignatureUnsupportedCrv, f"crv must be one of {', '.join(sorted(SIGNING_CURVES))}"
            )
        raw = b64url_decode(entry.signature)
        if jwk["crv"] == "P-256" and len(raw) != 64:
            raw = signature_from_der(raw)  # key services give DER, and the reference takes it for this curve
        return Signed(jwk, f"{entry.protected}.{entry.payload}".encode(), raw)

    def _public_key(self, document: DidDocument | None, key_id: str) -> Jwk:
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
        self._keys.put(key_id, (document, jwk))
        return jwk


class _Entry(NamedTuple):
    """A signature of a JWS, with what it is over."""

    key_id: str
    protected: str
    payload: str
    signature: str

    @property
    def signer(self) -> str:
        return self.key_id.partition("#")[0]


@dataclass(frozen=True, slots=True)
class _Case:
    """What has to hold of a message, in the order in which it is asked.

    Parameters:
        signed: with the DIDs that are said to have signed.
        fault: what is wrong with it after all that.
    """

    signed: Sequence[tuple[Signed, str]]
    fault: Unauthorized | None

    def refusal(self, verdicts: Iterator[bool | CryptoError]) -> Unauthorized | None:
        """The first thing that does not hold.

        Parameters:
            verdicts: on these signatures, and then on those of other cases.
        """
        answers = [(did, next(verdicts)) for _, did in self.signed]
        for did, good in answers:
            if isinstance(good, CryptoError):
                return _unverifiable(good)
            if not good:
                code = Code.GeneralJwsVerifierInvalidSignature
                return Unauthorized(code, f"Signature verification failed for {did}")
        return self.fault


def _unverifiable(error: CryptoError) -> Unauthorized:
    return Unauthorized(Code.GeneralJwsVerifierInvalidSignature, f"the signature cannot be verified: {error}")


def _asked(authorization: Authorization) -> tuple[list[_Entry], Unauthorized | None]:
    """The signatures that must hold, in this order, and what is wrong after them."""
    entries: list[_Entry] = []
    if authorization is None:
        return entries, Unauthorized(Code.AuthenticateJwsMissing, "Missing JWS.")
    try:
        entries += _entries(authorization["signature"])
        if "ownerSignature" in authorization:
            entries += _entries(authorization["ownerSignature"])
        for name in ("authorDelegatedGrant", "ownerDelegatedGrant"):
            if name in authorization:
                parse_write(authorization[name])
                entries += _entries(authorization[name]["authorization"]["signature"])
    except BadRequest as error:
        return entries, Unauthorized(error.code, error.message)
    return entries, None


def _entries(jws: Jws) -> Iterator[_Entry]:
    for entry in jws["signatures"]:
        yield _Entry(key_id_of(entry["protected"]), entry["protected"], jws["payload"], entry.get("signature") or "")
