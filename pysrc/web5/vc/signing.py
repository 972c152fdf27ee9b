"""Credentials and presentations as signed JWTs, and read back (`sign` and `parseJwt` of @web5/credentials).

Some members are in a JWT twice, in the document and as a registered claim (VC Data Model 1.1, section 6.3.1):
`RULES` lists them, `from_claims` is the interpreter. Where both are there they must agree; where the document has none,
the claim supplies it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import private_key
from web5.dids.models import PortableDid
from web5.errors import CredentialError, InvalidArgument
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.vc import jwt
from web5.vc.codes import Code
from web5.vc.dates import EARLIEST, LATEST, seconds_of, text_of
from web5.vc.models import Json, VcModel, VerifiableCredential, VerifiablePresentation

Claims = dict[str, Any]
Model = TypeVar("Model", bound=VcModel)

CREDENTIAL_RELATIONSHIPS = ("assertionMethod",)
PRESENTATION_RELATIONSHIPS = ("authentication", "assertionMethod")
"""A holder authenticates itself; the reference signs presentations with the key for assertions all the same."""


async def credential_signer(portable_did: PortableDid, crypto: Crypto, key_id: str | None = None) -> MessageSigner:
    """Return the signer of this DID's credentials and presentations.

    Parameters:
        key_id: a DID URL or its fragment; by default the first `assertionMethod`, as `BearerDid.getSigner` of
            @web5/dids chooses.

    Raises:
        CredentialError: keyNotAllowed, it is not an `assertionMethod` of the DID.
        DidError: its private key is not here.
        CryptoError: the key cannot sign.
    """
    document = portable_did.document
    keys = document.methods_for(*CREDENTIAL_RELATIONSHIPS)
    wanted = next(iter(keys), "") if key_id is None else document.absolute(key_id)
    method = keys.get(wanted)
    if method is None:
        raise CredentialError(
            Code.KEY_NOT_ALLOWED,
            f"{wanted or document.id} is no key for assertions of {document.id}; its keys are: {', '.join(keys)}",
        )
    return MessageSigner(wanted, await crypto.signer(private_key(portable_did, method)))


async def sign_credential(credential: VerifiableCredential, signer: MessageSigner, clock: Clock) -> str:
    """Return the credential as a JWT, with its claims in the reference's order.

    Parameters:
        signer: the issuer's, as `credential_signer` returns it.

    Raises:
        InvalidArgument: the signer is not the issuer's, so that nobody would accept the JWT.
    """
    expires = credential.expiration_date
    claims = {
        "vc": credential.to_wire(),
        "nbf": seconds_of(credential.issuance_date),
        "jti": credential.id,
        "iss": signer.did,
        "sub": credential.subject_id,
        "iat": _seconds(clock),
        "exp": seconds_of(expires) if expires else None,
    }
    return await _sign(claims, signer, credential.issuer_id, "issuer")


async def sign_presentation(
    presentation: VerifiablePresentation,
    signer: MessageSigner,
    clock: Clock,
    *,
    audience: str | None = None,
    nonce: str | None = None,
) -> str:
    """Return the presentation as a JWT, with its claims in the reference's order.

    Parameters:
        signer: the holder's.
        audience: the verifier for whom it is, by its own name for itself; nobody else accepts it then.
        nonce: the verifier's nonce. The reference has neither.

    Raises:
        InvalidArgument: the signer is not the holder's.
    """
    claims = {
        "vp": presentation.to_wire(),
        "iss": signer.did,
        "sub": signer.did,
        "jti": presentation.id,
        "iat": _seconds(clock),
        "aud": audience,
        "nonce": nonce,
    }
    return await _sign(claims, signer, presentation.holder, "holder")


def parse_credential(vc_jwt: str) -> VerifiableCredential:
    """Return the credential of a JWT. **Nothing is verified** but that its claims agree with it.

    Raises:
        CredentialError: malformedJwt, malformedCredential or claimMismatch.
    """
    return from_claims(VerifiableCredential, jwt.parse(vc_jwt).payload)


def parse_presentation(vp_jwt: str) -> VerifiablePresentation:
    """Return the presentation of a JWT. **Nothing is verified** but that its claims agree with it.

    Raises:
        CredentialError: malformedJwt, malformedPresentation or claimMismatch.
    """
    return from_claims(VerifiablePresentation, jwt.parse(vp_jwt).payload)


async def _sign(claims: dict[str, Any], signer: MessageSigner, party: str | None, role: str) -> str:
    if party != signer.did:
        raise InvalidArgument(f"{signer.did} cannot sign this: its {role} is {party}.")
    return await jwt.sign({name: value for name, value in claims.items() if value is not None}, signer)


def _seconds(clock: Clock) -> int:
    return clock.now() // 1_000_000


@dataclass(frozen=True)
class Rule:
    """A claim and the member that it restates.

    Parameters:
        read: returns the member of a document in the claim's form, or None. May raise ValueError.
        write: sets the member of a document to the claim.
        is_date: the claim is a number of seconds; otherwise it is text.
    """

    claim: str
    read: Callable[[Json], Any]
    write: Callable[[Json, Any], None]
    is_date: bool = False


def _text(claim: str, name: str) -> Rule:
    return Rule(claim, lambda document: document.get(name), lambda document, text: document.update({name: text}))


def _date(claim: str, name: str) -> Rule:
    def read(document: Json) -> Any:
        text = document.get(name)
        if text is not None and not isinstance(text, str):
            raise ValueError(f"{name} is not a text")
        return None if text is None else seconds_of(text)

    def write(document: Json, seconds: float) -> None:
        document[name] = text_of(math.floor(seconds))

    return Rule(claim, read, write, is_date=True)


def _is_date(value: Any) -> bool:
    return type(value) in (int, float) and EARLIEST <= value <= LATEST


def _read_issuer(credential: Json) -> Any:
    issuer = credential.get("issuer")
    return issuer.get("id") if isinstance(issuer, dict) else issuer


def _write_issuer(credential: Json, issuer: str) -> None:
    if not isinstance(credential.get("issuer"), dict):
        credential["issuer"] = issuer


def _read_subject(credential: Json) -> Any:
    subject = credential.get("credentialSubject")
    # One claim cannot name several subjects; the reference's `sign` names the first one.
    first = subject[0] if isinstance(subject, list) and subject else subject
    return first.get("id") if isinstance(first, dict) else None


def _write_subject(credential: Json, did: str) -> None:
    subject = credential.get("credentialSubject")
    if isinstance(subject, dict):
        credential["credentialSubject"] = {**subject, "id": did}


RULES: dict[type[VcModel], tuple[str, Sequence[Rule]]] = {
    VerifiableCredential: (
        "vc",
        (
            Rule("iss", _read_issuer, _write_issuer),
            Rule("sub", _read_subject, _write_subject),
            _text("jti", "id"),
            _date("nbf", "issuanceDate"),
            _date("exp", "expirationDate"),
        ),
    ),
    VerifiablePresentation: ("vp", (_text("iss", "holder"), _text("jti", "id"))),
}
"""The claim that has the document, and the claims that restate members of it."""


def from_claims(model: type[Model], claims: Claims) -> Model:
    """Return the credential or presentation among claims. Nothing is verified but that the claims agree with it.

    Raises:
        CredentialError: malformedCredential or malformedPresentation, or claimMismatch.
    """
    name, rules = RULES[model]
    if not isinstance(claims.get(name), dict):
        raise model.malformed(f"the JWT has no object {name!r} among its claims")
    document = dict(claims[name])
    for rule in rules:
        claim = claims.get(rule.claim)
        if claim is None:
            continue
        if not (_is_date(claim) if rule.is_date else isinstance(claim, str)):
            raise model.malformed(f"the claim {rule.claim} is no {'number of seconds' if rule.is_date else 'text'}")
        try:
            stated = rule.read(document)
        except ValueError as error:
            raise model.malformed(str(error)) from error
        if stated is not None and stated != claim:
            raise CredentialError(
                Code.CLAIM_MISMATCH, f"the claim {rule.claim} is not what {name} says; do not trust either"
            )
        rule.write(document, claim)
    return model.from_wire(document)


def date_claim(claims: Claims, name: str) -> float | None:
    """Return a date among a presentation's claims in seconds, or None if there is none.

    Raises:
        CredentialError: malformedPresentation.
    """
    value: float | None = claims.get(name)
    if value is not None and not _is_date(value):
        raise VerifiablePresentation.malformed(f"the claim {name} is no number of seconds")
    return value
