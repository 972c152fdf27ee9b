"""Credentials and presentations as JWT claims, and back (VC Data Model 1.1, section 6.3.1).

Some properties stand twice, in the document and as a registered claim. `CREDENTIAL_RULES` and `PRESENTATION_RULES` say
which; `merged` is their one interpreter. Where both are there they must agree; where the document has none, the claim
gives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from web5.errors import CredentialError
from web5.vc.codes import Code
from web5.vc.credential import VerifiableCredential
from web5.vc.dates import EARLIEST, LATEST, seconds_of, text_of
from web5.vc.models import Json
from web5.vc.presentation import VerifiablePresentation

Claims = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A claim and the property that says the same.

    Parameters:
        kind: what `accepts` lets pass, in words.
        read: the property of a document as the claim would have it, or None. May raise ValueError.
        write: sets it to the claim, which agrees with what is there.
    """

    claim: str
    kind: str
    accepts: Callable[[Any], bool]
    read: Callable[[Json], Any]
    write: Callable[[Json, Any], None]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_date(value: Any) -> bool:
    return type(value) in (int, float) and EARLIEST <= value <= LATEST


def _text(claim: str, name: str) -> Rule:
    def write(document: Json, value: Any) -> None:
        document[name] = value

    return _text_rule(claim, lambda document: document.get(name), write)


def _text_rule(claim: str, read: Callable[[Json], Any], write: Callable[[Json, Any], None]) -> Rule:
    return Rule(claim, "text", _is_text, read, write)


def _date(claim: str, name: str) -> Rule:
    def read(document: Json) -> Any:
        text = document.get(name)
        if text is not None and not isinstance(text, str):
            raise ValueError(f"{name} is not a text")
        return None if text is None else seconds_of(text)

    def write(document: Json, value: Any) -> None:
        document[name] = text_of(math.floor(value))

    return Rule(claim, "number of seconds", _is_date, read, write)


def _read_issuer(credential: Json) -> Any:
    issuer = credential.get("issuer")
    return issuer.get("id") if isinstance(issuer, dict) else issuer


def _write_issuer(credential: Json, issuer: str) -> None:
    if not isinstance(credential.get("issuer"), dict):
        credential["issuer"] = issuer


def _read_subject(credential: Json) -> Any:
    subject = credential.get("credentialSubject")
    return subject.get("id") if isinstance(subject, dict) else _first_id(subject)


def _first_id(subjects: Any) -> Any:
    # One claim cannot name several subjects; the reference's `sign` names the first one.
    first = subjects[0] if isinstance(subjects, list) and subjects else None
    return first.get("id") if isinstance(first, dict) else None


def _write_subject(credential: Json, did: str) -> None:
    subject = credential.get("credentialSubject")
    if isinstance(subject, dict):
        credential["credentialSubject"] = {**subject, "id": did}


CREDENTIAL_RULES = (
    _text_rule("iss", _read_issuer, _write_issuer),
    _text_rule("sub", _read_subject, _write_subject),
    _text("jti", "id"),
    _date("nbf", "issuanceDate"),
    _date("exp", "expirationDate"),
)

PRESENTATION_RULES = (_text("iss", "holder"), _text("jti", "id"))


def merged(claims: Claims, name: str, rules: tuple[Rule, ...], malformed: Code) -> Json:
    """The document among the claims, with what only the claims say set in it; a copy.

    Parameters:
        name: the claim that holds the document, "vc" or "vp".
        malformed: the code of what cannot be read.

    Raises:
        CredentialError: with that code, or claimMismatch.
    """
    if not isinstance(claims.get(name), dict):
        raise CredentialError(malformed, f"the JWT has no object {name!r} among its claims")
    document = dict(claims[name])
    for rule in rules:
        claim = claims.get(rule.claim)
        if claim is None:
            continue
        if not rule.accepts(claim):
            raise CredentialError(malformed, f"the claim {rule.claim} is no {rule.kind}")
        try:
            stated = rule.read(document)
        except ValueError as error:
            raise CredentialError(malformed, str(error)) from error
        if stated is not None and stated != claim:
            raise CredentialError(
                Code.CLAIM_MISMATCH, f"the claim {rule.claim} is not what {name} says; do not trust either"
            )
        rule.write(document, claim)
    return document


def credential_of(claims: Claims) -> VerifiableCredential:
    """The credential that claims make; nothing is verified.

    Raises:
        CredentialError: malformedCredential, or claimMismatch.
    """
    return VerifiableCredential.from_wire(merged(claims, "vc", CREDENTIAL_RULES, Code.MALFORMED_CREDENTIAL))


def presentation_of(claims: Claims) -> VerifiablePresentation:
    """The presentation that claims make; nothing is verified.

    Raises:
        CredentialError: malformedPresentation, or claimMismatch.
    """
    return VerifiablePresentation.from_wire(merged(claims, "vp", PRESENTATION_RULES, Code.MALFORMED_PRESENTATION))


def date_claim(claims: Claims, name: str) -> float | None:
    """A moment among a presentation's claims, in seconds; None if there is none.

    Raises:
        CredentialError: malformedPresentation.
    """
    value: float | None = claims.get(name)
    if value is not None and not _is_date(value):
        raise CredentialError(Code.MALFORMED_PRESENTATION, f"the claim {name} is no number of seconds")
    return value


def credential_claims(credential: VerifiableCredential, issuer: str, now: int) -> Claims:
    """The claims of a credential, in the reference's order.

    Parameters:
        issuer: the DID that signs.
        now: seconds.
    """
    expires = credential.expiration_date
    return _given(
        vc=credential.to_wire(),
        nbf=seconds_of(credential.issuance_date),
        jti=credential.id,
        iss=issuer,
        sub=credential.subject_id,
        iat=now,
        exp=seconds_of(expires) if expires else None,
    )


def presentation_claims(
    presentation: VerifiablePresentation,
    holder: str,
    now: int,
    *,
    audience: str | None = None,
    nonce: str | None = None,
) -> Claims:
    """The claims of a presentation, in the reference's order.

    Parameters:
        holder: the DID that signs.
        now: seconds.
        audience, nonce: for whom, and for which of its requests; the reference has neither.
    """
    return _given(
        vp=presentation.to_wire(), iss=holder, sub=holder, jti=presentation.id, iat=now, aud=audience, nonce=nonce
    )


def _given(**claims: Any) -> Claims:
    return {name: value for name, value in claims.items() if value is not None}
