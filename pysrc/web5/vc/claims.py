"""The JWT claims that state members of a credential or presentation (VC Data Model 1.1, section 6.3.1).

Some members are in a JWT twice, in the document and as a registered claim: `CREDENTIAL_RULES` and `PRESENTATION_RULES`
list them, `merged` is the interpreter. Where both are there they must agree; where the document has none, the claim
supplies it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from web5.errors import CredentialError
from web5.vc.codes import Code
from web5.vc.dates import EARLIEST, LATEST, seconds_of, text_of
from web5.vc.models import Json, VerifiableCredential, VerifiablePresentation

Claims = dict[str, Any]


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


CREDENTIAL_RULES = (
    Rule("iss", _read_issuer, _write_issuer),
    Rule("sub", _read_subject, _write_subject),
    _text("jti", "id"),
    _date("nbf", "issuanceDate"),
    _date("exp", "expirationDate"),
)

PRESENTATION_RULES = (_text("iss", "holder"), _text("jti", "id"))


def merged(claims: Claims, name: str, rules: tuple[Rule, ...], malformed: Code) -> Json:
    """Return a copy of the document among the claims, with the members that only claims state.

    Parameters:
        name: the claim that holds the document, "vc" or "vp".
        malformed: the error code if it cannot be read.

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
        if not (_is_date(claim) if rule.is_date else isinstance(claim, str)):
            kind = "number of seconds" if rule.is_date else "text"
            raise CredentialError(malformed, f"the claim {rule.claim} is no {kind}")
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
    """Return the credential among claims. Nothing is verified but that the claims agree with it.

    Raises:
        CredentialError: malformedCredential, or claimMismatch.
    """
    return VerifiableCredential.from_wire(merged(claims, "vc", CREDENTIAL_RULES, Code.MALFORMED_CREDENTIAL))


def presentation_of(claims: Claims) -> VerifiablePresentation:
    """Return the presentation among claims. Nothing is verified but that the claims agree with it.

    Raises:
        CredentialError: malformedPresentation, or claimMismatch.
    """
    return VerifiablePresentation.from_wire(merged(claims, "vp", PRESENTATION_RULES, Code.MALFORMED_PRESENTATION))


def date_claim(claims: Claims, name: str) -> float | None:
    """Return a date among a presentation's claims in seconds, or None if there is none.

    Raises:
        CredentialError: malformedPresentation.
    """
    value: float | None = claims.get(name)
    if value is not None and not _is_date(value):
        raise CredentialError(Code.MALFORMED_PRESENTATION, f"the claim {name} is no number of seconds")
    return value
