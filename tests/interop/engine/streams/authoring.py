"""Messages made by the book, for the streams: signed as they are, whether or not they make sense."""

from __future__ import annotations

import json
from typing import Any

from tests.interop.engine.streams.cast import compact, jws
from tests.interop.engine.streams.step import Message, Signed
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn.values.cid import dag_cbor_cid, message_cid


def without_none(**properties: Any) -> Message:
    return {name: value for name, value in properties.items() if value is not None}


def entry_id(author: str, descriptor: Message) -> str:
    return dag_cbor_cid({**descriptor, "author": author})


def author_of(signed: Signed) -> str:
    """The logical author: whoever granted, if the signer acts for another."""
    return signed.signer.did if signed.delegated is None else signer_of(signed.delegated["authorization"])


def author_named(authorization: Message) -> str:
    """The logical author that a message says it has."""
    delegated = authorization.get("authorDelegatedGrant")
    return signer_of(authorization if delegated is None else delegated["authorization"])


def signer_of(authorization: Message) -> str:
    header = json.loads(b64url_decode(authorization["signature"]["signatures"][0]["protected"]))
    return str(header["kid"]).partition("#")[0]


def plain(descriptor: Message, signed: Signed | None) -> Message:
    """Any message but a RecordsWrite; anonymous without a signer."""
    if signed is None:
        return {"descriptor": descriptor}
    claims = {**_delegated_id(signed.delegated), **signed.claims}
    payload = {"descriptorCid": dag_cbor_cid(descriptor), **claims}
    authorization = {"signature": jws(payload, [signed.signer])}
    if signed.delegated is not None:
        authorization["authorDelegatedGrant"] = signed.delegated
    return {"descriptor": descriptor, "authorization": authorization}


def write(
    descriptor: Message,
    signed: Signed,
    *,
    record_id: str | None = None,
    context_id: str | None = None,
    parent_context_id: str | None = None,
    encryption: Message | None = None,
) -> Message:
    """A RecordsWrite; its IDs are those of a new record unless they are given."""
    descriptor_cid = dag_cbor_cid(descriptor)
    record_id = record_id or entry_id(author_of(signed), descriptor)
    message: Message = {"recordId": record_id, "descriptor": descriptor}
    if signed.attester is not None:
        message["attestation"] = jws({"descriptorCid": descriptor_cid}, [signed.attester])
    if encryption is not None:
        message["encryption"] = encryption
    if "protocol" in descriptor:
        message["contextId"] = context_id or (f"{parent_context_id}/{record_id}" if parent_context_id else record_id)
    return sign_write(message, signed)


def sign_write(message: Message, signed: Signed) -> Message:
    """The RecordsWrite with signatures over what it says now."""
    descriptor_cid = dag_cbor_cid(message["descriptor"])
    payload = without_none(
        recordId=message.get("recordId"),
        descriptorCid=descriptor_cid,
        contextId=message.get("contextId"),
        attestationCid=_cid(message.get("attestation")),
        encryptionCid=_cid(message.get("encryption")),
        **_delegated_id(signed.delegated),
    )
    authorization: Message = {"signature": jws({**payload, **signed.claims}, [signed.signer])}
    if signed.delegated is not None:
        authorization["authorDelegatedGrant"] = signed.delegated
    if signed.owner is not None:
        owner = {"descriptorCid": descriptor_cid, **_delegated_id(signed.owner_delegated)}
        authorization["ownerSignature"] = jws(owner, [signed.owner])
    if signed.owner_delegated is not None:
        authorization["ownerDelegatedGrant"] = signed.owner_delegated
    return {**message, "authorization": authorization}


def with_data(message: Message, data: bytes) -> Message:
    """A RecordsWrite as it stands in an authorization: with its data."""
    return {**message, "encodedData": b64url_encode(data)}


def json_data(value: Any) -> bytes:
    return compact(value)


def _cid(value: Any) -> str | None:
    return None if value is None else dag_cbor_cid(value)


def _delegated_id(grant: Message | None) -> Message:
    return {} if grant is None else {"delegatedGrantId": message_cid(grant)}
