"""Signatures of the messages that are made here, and the record ID that rests on who signs.

Sources: `Message.createAuthorization`, `RecordsWrite.sign`, `signAsOwner`, `signAsOwnerDelegate`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypedDict

from web5.crypto.jose.jws import MessageSigner, sign
from web5.dwn.codes import Code
from web5.dwn.signatures.jws import message_signer
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.types import Message
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
"""The claims of a signature in the reference's order, so that the same message has the same bytes and the same CID."""

Encryption = Mapping[str, Any] | Callable[[Message], Awaitable[Mapping[str, Any]]]
"""The `encryption` of a RecordsWrite, or a function that makes it of the unsigned message, whose ID some keys need."""


class Invocation(TypedDict, total=False):
    """The right that the signer of a message invokes; each may be left out or None.

    Parameters:
        protocol_role: the protocol path of a role.
        permission_grant_id: the record ID of a grant that the signer uses in its own name.
        delegated_grant: a delegated grant with its `encodedData`, for whose grantor the signer signs.
    """

    protocol_role: str | None
    permission_grant_id: str | None
    delegated_grant: Message | None


class WriteSigning(Invocation, total=False):
    """Options for the signatures of a RecordsWrite; each may be left out or None.

    Parameters:
        attestation_signers: who attests the descriptor.
        encryption: how the data was encrypted.
    """

    attestation_signers: Sequence[MessageSigner]
    encryption: Encryption | None


async def sign_message(
    signer: MessageSigner | None,
    descriptor: dict[str, Any],
    *,
    protocol_role: str | None = None,
    permission_grant_id: str | None = None,
    delegated_grant: Message | None = None,
    **claims: str | None,
) -> Message:
    """Return the message with this descriptor, signed if there is a signer.

    Parameters:
        protocol_role, permission_grant_id, delegated_grant: as in `Invocation`.
        claims: further properties of what is signed; those that are None are left out.
    """
    if signer is None:
        return {"descriptor": descriptor}
    claims |= {"protocolRole": protocol_role, "permissionGrantId": permission_grant_id}
    authorization = {"signature": await _signature(signer, descriptor, delegated_grant, **claims)}
    if delegated_grant is not None:
        authorization["authorDelegatedGrant"] = delegated_grant
    return {"descriptor": descriptor, "authorization": authorization}


async def sign_write(
    signer: MessageSigner,
    descriptor: dict[str, Any],
    options: WriteSigning,
    *,
    record_id: str | None = None,
    parent_context_id: str | None = None,
) -> Message:
    """Return the signed RecordsWrite with this descriptor.

    Parameters:
        record_id: None for a new record, which then has the ID that its author and descriptor give it.
        parent_context_id: the context of the parent record; None or "" at the root of a protocol.
    """
    grant, encryption = options.get("delegated_grant"), options.get("encryption")
    if record_id is None:
        record_id = entry_id(signer.did if grant is None else message_signer(grant), descriptor)
    message: Message = {"recordId": record_id, "descriptor": descriptor}
    if "protocol" in descriptor:
        message["contextId"] = f"{parent_context_id}/{record_id}" if parent_context_id else record_id
    if attestation_signers := options.get("attestation_signers"):
        attested = as_json({"descriptorCid": dag_cbor_cid(descriptor)})
        message["attestation"] = await sign(attested, attestation_signers)
    if encryption is not None:
        message["encryption"] = dict(await encryption(message) if callable(encryption) else encryption)
    signed = await sign_message(
        signer,
        descriptor,
        protocol_role=options.get("protocol_role"),
        permission_grant_id=options.get("permission_grant_id"),
        delegated_grant=grant,
        recordId=record_id,
        contextId=message.get("contextId"),
        attestationCid=dag_cbor_cid(message["attestation"]) if "attestation" in message else None,
        encryptionCid=dag_cbor_cid(message["encryption"]) if "encryption" in message else None,
    )
    return message | signed


async def sign_as_owner(message: Message, signer: MessageSigner, delegated_grant: Message | None = None) -> Message:
    """Return a RecordsWrite by anybody, signed by the owner of the DWN that is to keep it, or by its delegate.

    Parameters:
        delegated_grant: the owner's grant to the delegate, with its `encodedData`.

    Raises:
        BadRequest: its author did not sign it.
    """
    if "authorization" not in message:
        code = Code.RecordsWriteSignAsOwnerUnknownAuthor
        if delegated_grant is not None:
            code = Code.RecordsWriteSignAsOwnerDelegateUnknownAuthor
        raise BadRequest(code, "the author must sign before the owner")
    owner = {"ownerSignature": await _signature(signer, message["descriptor"], delegated_grant)}
    if delegated_grant is not None:
        owner["ownerDelegatedGrant"] = delegated_grant
    return {**message, "authorization": {**message["authorization"], **owner}}


async def _signature(
    signer: MessageSigner, descriptor: Mapping[str, Any], delegated_grant: Message | None, **claims: str | None
) -> dict[str, Any]:
    says = {
        **claims,
        "descriptorCid": dag_cbor_cid(descriptor),
        "delegatedGrantId": None if delegated_grant is None else message_cid(delegated_grant),
    }
    payload = {name: says[name] for name in PAYLOAD if says.get(name) is not None}
    return await sign(as_json(payload), [signer])


def entry_id(author: str, descriptor: Mapping[str, Any]) -> str:
    """Return the ID of the record whose initial write this is (`RecordsWrite.getEntryId`)."""
    return dag_cbor_cid({**descriptor, "author": author})


def without_none(**properties: Any) -> dict[str, Any]:
    """Return the properties that are not None."""
    return {name: value for name, value in properties.items() if value is not None}


def as_json(value: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON value, as `JSON.stringify` writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
