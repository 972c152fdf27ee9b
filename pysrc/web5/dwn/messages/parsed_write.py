"""A RecordsWrite whose parts fit together, before anything is looked up or verified (`RecordsWrite.parse`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web5.dwn.cid import dag_cbor_cid, message_cid
from web5.dwn.codes import Code
from web5.dwn.jws import WRITE_PAYLOAD, payload_of, signer_of
from web5.dwn.messages.parties import Parties, check_delegations, check_moment, check_urls, claims_of
from web5.errors import BadRequest

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ParsedWrite:
    """
    Parameters:
        author: the logical author, who is the grantor where a delegate signed.
        is_initial: the message is the first of its record.
    """

    message: Message
    cid: str
    author: str
    parties: Parties
    attester: str | None
    is_initial: bool

    @property
    def descriptor(self) -> dict[str, Any]:
        descriptor: dict[str, Any] = self.message["descriptor"]
        return descriptor


def parse_write(message: Message, cid: str | None = None) -> ParsedWrite:
    """
    Parameters:
        message: passed the schema of RecordsWrite; it may have `encodedData` beside that.
        cid: the message's, if it is known.

    Raises:
        BadRequest: with the reference's code, in the order of its checks.
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
            f"contextId {context_id} does not match the deterministic contextId {record_id}",
        )
    claims = parties.claims
    if record_id != claims["recordId"]:
        raise BadRequest(
            Code.RecordsWriteValidateIntegrityRecordIdUnauthorized,
            f"recordId {record_id} does not match the signed recordId {claims['recordId']}",
        )
    if context_id != claims.get("contextId"):
        raise BadRequest(
            Code.RecordsWriteValidateIntegrityContextIdNotInSignerSignaturePayload,
            f"contextId {context_id} does not match the signed contextId {claims.get('contextId')}",
        )
    check_delegations(signed)
    _check_signed_cid(message, claims, "attestation", Code.RecordsWriteValidateIntegrityAttestationMismatch)
    _check_signed_cid(message, claims, "encryption", Code.RecordsWriteValidateIntegrityEncryptionCidMismatch)
    check_urls(descriptor)
    for name in ("messageTimestamp", "dateCreated", "datePublished"):
        if name in descriptor:
            check_moment(descriptor[name])
    return ParsedWrite(message, cid or message_cid(message), author, parties, attester, is_initial)


def _attester(message: Message) -> str | None:
    attestation = message.get("attestation")
    if attestation is None:
        return None
    signatures = attestation.get("signatures")
    if signatures is None:
        raise BadRequest("", "the attestation has no signatures")
    if len(signatures) != 1:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityMoreThanOneSignature,
            f"only one attester is supported, but there are {len(signatures)}",
        )
    payload, expected = payload_of(attestation), dag_cbor_cid(message["descriptor"])
    if payload.get("descriptorCid") != expected:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityDescriptorCidMismatch,
            f"the attested descriptorCid {payload.get('descriptorCid')} does not match {expected}",
        )
    if len(payload) > 1:
        raise BadRequest(
            Code.RecordsWriteAttestationIntegrityInvalidPayloadProperty,
            f"an attestation has only a descriptorCid, but there are {len(payload)} properties",
        )
    return signer_of(attestation)


def _check_signed_cid(message: Message, claims: Any, name: str, code: Code) -> None:
    signed = claims.get(f"{name}Cid")
    if signed is None:
        return
    if name not in message:
        raise BadRequest("", f"an {name} was signed, but there is none")
    expected = dag_cbor_cid(message[name])
    if signed != expected:
        raise BadRequest(code, f"the CID of the {name} is {expected}, but {signed} was signed")
