"""The author and the record that a message names, before anything is looked up or verified.

All functions raise BadRequest with the reference's code, in the order of its checks. Sources:
`src/core/abstract-message.ts`, `src/utils/records.ts`, `RecordsWrite.parse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from web5.dwn.codes import Code
from web5.dwn.messages.schema import Schema
from web5.dwn.permissions.delegation import AUTHOR, OWNER, check_delegation
from web5.dwn.signatures.jws import GENERIC_PAYLOAD, WRITE_PAYLOAD, message_signer, payload_of, signed_claims, signer_of
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.faults import shown
from web5.dwn.values.timestamps import is_moment
from web5.dwn.values.types import Message
from web5.dwn.values.urls import is_normalized
from web5.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Parties:
    """The author and the owner that a message names, None where it names none.

    Parameters:
        author: the signer, or the grantor of the `author_grant` under which the signer signed.
        claims: the payload of the author's signature.
        owner: the one who keeps the message in their own DWN; likewise the signer or the grantor.
    """

    author: str | None = None
    signer: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    author_grant: Message | None = None
    owner: str | None = None
    owner_signer: str | None = None
    owner_grant: Message | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """The payloads that the author and the owner of a message signed; empty where there is no signature.

    The reference reads the signers' DIDs last (only for a RecordsWrite early), so that other faults come before an
    unreadable DID.
    """

    authorization: Message
    author: Mapping[str, Any] = field(default_factory=dict)
    owner: Mapping[str, Any] = field(default_factory=dict)

    def parties(self) -> Parties:
        """Read the DIDs of the signers."""
        signed = self.authorization
        if not signed:
            return Parties()
        signer, author_grant = signer_of(signed["signature"]), signed.get("authorDelegatedGrant")
        owner_signer = signer_of(signed["ownerSignature"]) if "ownerSignature" in signed else None
        owner_grant = signed.get("ownerDelegatedGrant")
        return Parties(
            author=signer if author_grant is None else message_signer(author_grant),
            signer=signer,
            claims=self.author,
            author_grant=author_grant,
            # A grant alone makes no owner: somebody must have signed as one.
            owner=owner_signer if owner_grant is None or owner_signer is None else message_signer(owner_grant),
            owner_signer=owner_signer,
            owner_grant=owner_grant,
        )


def claims_of(message: Message, schema: Schema = GENERIC_PAYLOAD) -> Claims:
    """Read the signatures of a message, and check that they are about its descriptor."""
    authorization = message.get("authorization")
    if authorization is None:
        return Claims({})
    descriptor_cid = dag_cbor_cid(message["descriptor"])
    author = signed_claims(authorization.get("signature"), descriptor_cid, schema)
    if "ownerSignature" not in authorization:
        return Claims(authorization, author)
    return Claims(authorization, author, signed_claims(authorization["ownerSignature"], descriptor_cid))


def check_delegations(claims: Claims) -> None:
    """Check that the grants and the signatures of delegates fit (`validateDelegatedGrantReferentialIntegrity`)."""
    signed = claims.authorization
    check_delegation(AUTHOR, signed.get("authorDelegatedGrant"), claims.author, lambda: signer_of(signed["signature"]))
    check_delegation(
        OWNER, signed.get("ownerDelegatedGrant"), claims.owner, lambda: signer_of(signed["ownerSignature"])
    )


def says_nothing_new(message: Message, held: Message) -> bool:
    """Return True if everything that is signed in a message is in another one too, of the same record or protocol.

    Their CIDs may differ all the same: ECDSA has several signatures for one statement (of P-256, the reference makes
    and takes all), and a signature of an owner can be taken away. Such a message must not replace the other.
    """
    return _statements(message) <= _statements(held)


def _statements(message: Message) -> set[tuple[str | None, str | None]]:
    authorization = message["authorization"]
    return {
        (entry.get("protected"), authorization[name].get("payload"))
        for name in ("signature", "ownerSignature")
        for entry in authorization.get(name, {}).get("signatures", ())
    }


def check_urls(carrier: Message) -> None:
    """Check that `protocol` and `schema` are normalized."""
    if "protocol" in carrier and not is_normalized(carrier["protocol"]):
        raise BadRequest(Code.UrlProtocolNotNormalized, f"Protocol URI {carrier['protocol']} must be normalized.")
    if "schema" in carrier and not is_normalized(carrier["schema"]):
        raise BadRequest(Code.UrlSchemaNotNormalized, f"Schema URI {carrier['schema']} must be normalized.")


def check_moment(timestamp: str) -> None:
    """Check that the day and the time of a timestamp exist."""
    if not is_moment(timestamp):
        raise BadRequest(Code.TimestampInvalid, f"Invalid timestamp: {timestamp}")


@dataclass(frozen=True, slots=True)
class ParsedWrite:
    """A RecordsWrite whose parts fit together.

    Parameters:
        author: the logical author, who is the grantor where a delegate signed.
        is_initial: the message is the first of its record.
    """

    message: dict[str, Any]
    cid: str
    author: str
    parties: Parties
    attester: str | None
    is_initial: bool

    @property
    def descriptor(self) -> dict[str, Any]:
        descriptor: dict[str, Any] = self.message["descriptor"]
        return descriptor

    @property
    def record_id(self) -> str:
        record_id: str = self.message["recordId"]
        return record_id


_COVERED = {
    "attestation": Code.RecordsWriteValidateIntegrityAttestationMismatch,
    "encryption": Code.RecordsWriteValidateIntegrityEncryptionCidMismatch,
}
"""The properties that an author signs by their CIDs, with the codes for other CIDs."""


def parse_write(message: dict[str, Any], cid: str | None = None) -> ParsedWrite:
    """Check that the parts of a RecordsWrite fit together.

    Parameters:
        message: passed the schema of RecordsWrite; it may have `encodedData` besides.
        cid: the message's, if it is known.
    """
    signed = claims_of(message, WRITE_PAYLOAD)
    parties = signed.parties()
    attester = _attester(message)
    author = parties.author
    if author is None:
        raise BadRequest("", "the write has no author")
    descriptor, record_id, context_id = message["descriptor"], message["recordId"], message.get("contextId")
    is_initial = dag_cbor_cid({**descriptor, "author": author}) == record_id
    if is_initial and descriptor["messageTimestamp"] != descriptor["dateCreated"]:
        raise BadRequest(
            Code.RecordsWriteValidateIntegrityDateCreatedMismatch,
            f"messageTimestamp {descriptor['messageTimestamp']} must match dateCreated {descriptor['dateCreated']}"
            " for the initial write",
        )
    if is_initial and "protocol" in descriptor and "parentId" not in descriptor and context_id != record_id:
        raise BadRequest(
            Code.RecordsWriteValidateIntegrityContextIdMismatch,
            f"contextId {shown(context_id)} does not match deterministic contextId: {record_id}",
        )
    claims = parties.claims
    for name, actual, code in (
        ("recordId", record_id, Code.RecordsWriteValidateIntegrityRecordIdUnauthorized),
        ("contextId", context_id, Code.RecordsWriteValidateIntegrityContextIdNotInSignerSignaturePayload),
    ):
        if actual != claims.get(name):
            told = f"{name} {shown(actual)} does not match {name} in authorization: {shown(claims.get(name))}"
            raise BadRequest(code, told)
    check_delegations(signed)
    for name, code in _COVERED.items():
        _check_signed_cid(message, claims, name, code)
    check_urls(descriptor)
    for name in ("messageTimestamp", "dateCreated", "datePublished"):
        if name in descriptor:
            check_moment(descriptor[name])
    return ParsedWrite(message, cid or message_cid(message), author, parties, attester, is_initial)


def check_coverage(write: ParsedWrite) -> None:
    """Check that the author signed all that is in a RecordsWrite.

    The reference lets an attestation or an encryption pass that anybody could have added, which gives the message
    another CID. It is asked last, so that whatever the reference refuses is refused with its code.

    Raises:
        BadRequest: somebody else may have added what is in it.
    """
    for name, code in _COVERED.items():
        if name in write.message and f"{name}Cid" not in write.parties.claims:
            raise BadRequest(code, f"the {name} is not signed by the author: there is no {name}Cid in the payload")


def _attester(message: dict[str, Any]) -> str | None:
    attestation = message.get("attestation")
    if attestation is None:
        return None
    signatures = attestation.get("signatures")
    if signatures is None:
        raise BadRequest("", "the attestation has no signatures")
    if len(signatures) != 1:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityMoreThanOneSignature,
            f"only 1 attester is supported, but got {len(signatures)}",
        )
    payload, expected = payload_of(attestation), dag_cbor_cid(message["descriptor"])
    if payload.get("descriptorCid") != expected:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityDescriptorCidMismatch,
            f"descriptorCid {shown(payload.get('descriptorCid'))} does not match expected descriptorCid {expected}",
        )
    if len(payload) > 1:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityInvalidPayloadProperty,
            f"Only 'descriptorCid' is allowed in attestation payload, but got {len(payload)} properties",
        )
    return signer_of(attestation)


def _check_signed_cid(message: dict[str, Any], claims: Any, name: str, code: Code) -> None:
    signed = claims.get(f"{name}Cid")
    if signed is None:
        return
    if name not in message:
        raise BadRequest("", f"an {name} was signed, but there is none")
    expected = dag_cbor_cid(message[name])
    if signed != expected:
        raise BadRequest(
            code, f"CID {expected} of the {name} does not match {name}Cid in authorization: {shown(signed)}"
        )
