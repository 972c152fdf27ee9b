"""Signatures of the messages that are made here, and what rests on who signs.

Sources: `Message.createAuthorization`, `RecordsWrite.sign`, `signAsOwner`, `signAsOwnerDelegate`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from web5.crypto.jws import MessageSigner, sign
from web5.dwn.cid import dag_cbor_cid, message_cid
from web5.dwn.codes import Code
from web5.dwn.jws import message_signer
from web5.errors import BadRequest

PAYLOAD = (
    "recordId",
    "descriptorCid",
    "contextId",
    "attestationCid",
    "encryptionCid",
    "delegatedGrantId",
    "permissionGrantId",
    "protocolRole",
)
"""What can be signed, in the reference's order, so that the same message has the same bytes and the same CID."""

Message = dict[str, Any]
Grant = Mapping[str, Any]
Encryption = Mapping[str, Any] | Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""The `encryption` of a RecordsWrite, or what makes it of the unsigned message: some keys depend on the record's ID."""


async def signed(
    signer: MessageSigner | None,
    descriptor: dict[str, Any],
    *,
    delegated_grant: Grant | None = None,
    **claims: str | None,
) -> Message:
    """The message with this descriptor; unsigned, if nobody signs.

    Parameters:
        delegated_grant: a grant with its `encodedData`, for whose grantor the signer signs.
        claims: further properties of what is signed; those that are None are left out.
    """
    if signer is None:
        return {"descriptor": descriptor}
    return {
        "descriptor": descriptor,
        "authorization": {"signature": await _signature(signer, descriptor, delegated_grant, **claims)}
        | ({} if delegated_grant is None else {"authorDelegatedGrant": dict(delegated_grant)}),
    }


async def signed_write(
    signer: MessageSigner,
    descriptor: dict[str, Any],
    *,
    record_id: str | None,
    parent_context_id: str | None,
    protocol_role: str | None,
    permission_grant_id: str | None,
    delegated_grant: Grant | None,
    attestation_signers: Sequence[MessageSigner],
    encryption: Encryption | None,
) -> Message:
    """A RecordsWrite with this descriptor.

    Parameters:
        record_id: None for a new record, which then has the ID that its author and descriptor give it.
        parent_context_id: the context of the parent record; None or "" at the root of a protocol.
    """
    if record_id is None:
        author = signer.did if delegated_grant is None else message_signer(delegated_grant)
        record_id = entry_id(author, descriptor)
    message: Message = {"recordId": record_id, "descriptor": descriptor}
    if "protocol" in descriptor:
        message["contextId"] = f"{parent_context_id}/{record_id}" if parent_context_id else record_id
    if attestation_signers:
        attested = as_json({"descriptorCid": dag_cbor_cid(descriptor)})
        message["attestation"] = await sign(attested, attestation_signers)
    if encryption is not None:
        message["encryption"] = dict(await encryption(message) if callable(encryption) else encryption)
    signature = await _signature(
        signer,
        descriptor,
        delegated_grant,
        recordId=record_id,
        contextId=message.get("contextId"),
        attestationCid=_cid_of(message, "attestation"),
        encryptionCid=_cid_of(message, "encryption"),
        permissionGrantId=permission_grant_id,
        protocolRole=protocol_role,
    )
    message["authorization"] = {"signature": signature}
    if delegated_grant is not None:
        message["authorization"]["authorDelegatedGrant"] = dict(delegated_grant)
    return message


async def sign_as_owner(message: Mapping[str, Any], signer: MessageSigner) -> Message:
    """A RecordsWrite by anybody, signed by the owner of the DWN that is to keep it.

    Raises:
        BadRequest: its author did not sign it.
    """
    if "authorization" not in message:
        raise BadRequest(Code.RecordsWriteSignAsOwnerUnknownAuthor, "the author must sign before the owner")
    return _owned(message, {"ownerSignature": await _signature(signer, message["descriptor"], None)})


async def sign_as_owner_delegate(message: Mapping[str, Any], signer: MessageSigner, delegated_grant: Grant) -> Message:
    """The same, signed by somebody to whom the owner granted that.

    Parameters:
        delegated_grant: the owner's grant, with its `encodedData`.

    Raises:
        BadRequest: the author did not sign the message.
    """
    if "authorization" not in message:
        raise BadRequest(Code.RecordsWriteSignAsOwnerDelegateUnknownAuthor, "the author must sign before the owner")
    signature = await _signature(signer, message["descriptor"], delegated_grant)
    return _owned(message, {"ownerSignature": signature, "ownerDelegatedGrant": dict(delegated_grant)})


def _owned(message: Mapping[str, Any], owner: Mapping[str, Any]) -> Message:
    return {**message, "authorization": {**message["authorization"], **owner}}


async def _signature(
    signer: MessageSigner, descriptor: Mapping[str, Any], delegated_grant: Grant | None, **claims: str | None
) -> dict[str, Any]:
    says = {
        **claims,
        "descriptorCid": dag_cbor_cid(descriptor),
        "delegatedGrantId": None if delegated_grant is None else message_cid(delegated_grant),
    }
    payload = {name: says[name] for name in PAYLOAD if says.get(name) is not None}
    return await sign(as_json(payload), [signer])


def _cid_of(message: Message, name: str) -> str | None:
    return dag_cbor_cid(message[name]) if name in message else None


def entry_id(author: str, descriptor: Mapping[str, Any]) -> str:
    """What the record ID of a record is, if this is its initial write (`RecordsWrite.getEntryId`)."""
    return dag_cbor_cid({**descriptor, "author": author})


def without_none(**properties: Any) -> dict[str, Any]:
    """The properties that are given."""
    return {name: value for name, value in properties.items() if value is not None}


def as_json(value: Mapping[str, Any]) -> bytes:
    """The bytes of a JSON value, as `JSON.stringify` writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
