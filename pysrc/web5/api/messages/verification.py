"""The verification of a message: what it says of itself, held against what follows from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from web5.agent.agent import Agent
from web5.crypto.encoding import b64url_decode
from web5.dwn.messages.parsing import check_coverage, claims_of, parse_write
from web5.dwn.signatures.authentication import Verifier
from web5.dwn.signatures.jws import key_id_of, payload_of
from web5.dwn.values.cid import DataCid, message_cid
from web5.dwn.values.javascript import parse_json
from web5.dwn.values.types import Message
from web5.errors import CryptoError, DwnError, InvalidArgument, NotEncodable

Subject = Literal["messageCid", "claims", "signatures", "data"]
CheckState = Literal["ok", "failed", "unknown"]
SignatureRole = Literal["author", "owner", "author's grantor", "owner's grantor", "attester"]

_GRANTS: tuple[tuple[str, SignatureRole], ...] = (
    ("authorDelegatedGrant", "author's grantor"),
    ("ownerDelegatedGrant", "owner's grantor"),
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a message, as it is there: `SignedMessage.verify` says whether it holds.

    Parameters:
        role: whose it is: of the author, the owner, who let a delegate sign for one of them, or an attester.
        key_id: the DID URL of the key.
        algorithm: by its name in JOSE.
        payload: what is signed: the CIDs of the parts, and what is invoked.
    """

    role: SignatureRole
    key_id: str
    algorithm: str
    payload: dict[str, Any]

    @property
    def signer(self) -> str:
        """The DID of the key."""
        return self.key_id.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked.

    Parameters:
        subject: "messageCid": the message has the CID by which it is held; "claims": its parts, record ID and context
            included, are those that were signed; "signatures": each is by a key of its DID's document; "data": they
            have the CID and the size that were signed.
        state: "unknown" where it cannot be checked now; `detail` says why.
    """

    subject: Subject
    state: CheckState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of `verify`."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True if everything was checked, and holds."""
        return all(check.state == "ok" for check in self.checks)


def signatures_of(message: Message) -> list[Signature]:
    """Return the signatures of a message, with what each signs.

    Raises:
        BadRequest: one of them cannot be read.
    """
    authorization = message.get("authorization", {})
    found = [*_signatures("author", authorization.get("signature"))]
    found += _signatures("owner", authorization.get("ownerSignature"))
    for name, role in _GRANTS:
        found += _signatures(role, authorization.get(name, {}).get("authorization", {}).get("signature"))
    return found + _signatures("attester", message.get("attestation"))


def _signatures(role: SignatureRole, jws: Mapping[str, Any] | None) -> list[Signature]:
    if not jws:
        return []
    payload = payload_of(jws)
    return [
        Signature(role, key_id_of(one.get("protected")), _algorithm(one.get("protected")), payload)
        for one in jws.get("signatures", ())
    ]


def _algorithm(protected: Any) -> str:
    try:
        header = parse_json(b64url_decode(protected))
    except (ValueError, CryptoError, RecursionError):
        return ""
    found = header.get("alg") if isinstance(header, dict) else None
    return found if isinstance(found, str) else ""


async def verify(
    agent: Agent, message: Message, cid: str | None, data: AsyncIterator[bytes] | None, *, data_missing: str = ""
) -> Verification:
    """Check a message.

    Parameters:
        cid: the one by which it is known; None: of one that came without.
        data: of a RecordsWrite, as its DWN has them; None: they are not checked.
        data_missing: why they are not here, if they ought to be.
    """
    checks = [] if cid is None else [_check_cid(message, cid)]
    checks.append(_check_claims(message))
    checks.append(await _check_signatures(agent, message))
    if data is not None:
        checks.append(await _check_data(message, data))
    elif data_missing:
        checks.append(Check("data", "unknown", data_missing))
    return Verification(tuple(checks))


def _check_cid(message: Message, cid: str) -> Check:
    try:
        found = message_cid(message)
    except NotEncodable as error:
        return Check("messageCid", "failed", str(error))
    return Check("messageCid", "ok") if found == cid else Check("messageCid", "failed", f"its CID is {found}")


def _check_claims(message: Message) -> Check:
    descriptor = message["descriptor"]
    try:
        if (descriptor.get("interface"), descriptor.get("method")) == ("Records", "Write"):
            check_coverage(parse_write(message))
        elif not claims_of(message).authorization:
            return Check("claims", "failed", "nobody has signed it")
    except DwnError as error:
        return Check("claims", "failed", error.detail)
    except (InvalidArgument, NotEncodable, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Check("claims", "failed", f"its parts are not those of a message: {error}")
    return Check("claims", "ok")


async def _check_signatures(agent: Agent, message: Message) -> Check:
    try:
        signers = {one.signer for one in signatures_of(message)}
        for signer in sorted(signers):
            if (await agent.resolver.resolve(signer)).did_document is None:
                return Check("signatures", "unknown", f"the keys of {signer} cannot be found now")
        await Verifier(agent.resolver, agent.crypto).authenticate(message)
    except DwnError as error:
        return Check("signatures", "failed", error.detail)
    except (KeyError, TypeError, AttributeError) as error:
        return Check("signatures", "failed", f"they cannot be read: {error}")
    return Check("signatures", "ok")


async def _check_data(message: Message, data: AsyncIterator[bytes]) -> Check:
    counting = DataCid()
    async for chunk in data:
        counting.update(chunk)
    cid, size = counting.finish()
    signed = message["descriptor"]
    if (cid, size) == (signed.get("dataCid"), signed.get("dataSize")):
        return Check("data", "ok")
    return Check("data", "failed", f"they are {size} bytes with the CID {cid}")
