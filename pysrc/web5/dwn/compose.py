"""Signed messages, made as dwn-sdk-js makes them (`RecordsWrite.create`, `createFrom` and their like).

Every function returns a message in the wire's shape. Times come from the clock unless they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web5.crypto.jws import MessageSigner
from web5.dwn.cid import data_cid as compute_data_cid
from web5.dwn.codes import Code
from web5.dwn.signing import Encryption, signed, signed_write, without_none
from web5.dwn.timestamps import format_timestamp
from web5.dwn.urls import normalize_url
from web5.errors import BadRequest, InvalidArgument
from web5.ports.clock import Clock

Message = dict[str, Any]


async def records_write(
    signer: MessageSigner,
    clock: Clock,
    *,
    data: bytes | None = None,
    data_cid: str | None = None,
    data_size: int | None = None,
    data_format: str | None = None,
    schema: str | None = None,
    recipient: str | None = None,
    protocol: str | None = None,
    protocol_path: str | None = None,
    protocol_role: str | None = None,
    parent_context_id: str | None = None,
    permission_grant_id: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    published: bool | None = None,
    date_published: str | None = None,
    date_created: str | None = None,
    message_timestamp: str | None = None,
    attestation_signers: Sequence[MessageSigner] = (),
    encryption: Encryption | None = None,
    existing: Mapping[str, Any] | None = None,
) -> Message:
    """A RecordsWrite: a new record, or the next state of an existing one.

    Parameters:
        data: the record's bytes; or give `data_cid` and `data_size` instead (of encrypted data, the ciphertext's).
        data_format: a media type. Required for a new record.
        parent_context_id: the context of the parent, for a protocol record below the root.
        delegated_grant: a delegated grant with its `encodedData`; its grantor is then the author, here and below.
        encryption: how `data` was encrypted, in the wire's shape, or what says so of the unsigned message; like tags,
            an update without it has none.
        tags: replace the record's tags; an update without tags has none, as in the reference.
        existing: the newest RecordsWrite of the record, for an update. What no update may change is taken from it; so
            are the data, the data format and the published state where nothing else is given.

    Raises:
        BadRequest: parameters that do not fit together, with the reference's code.
    """
    now = format_timestamp(clock.now())
    if existing is not None:
        return await _next_write(
            signer,
            existing,
            now,
            data=data,
            data_cid=data_cid,
            data_size=data_size,
            data_format=data_format,
            tags=tags,
            published=published,
            date_published=date_published,
            message_timestamp=message_timestamp,
            protocol_role=protocol_role,
            permission_grant_id=permission_grant_id,
            delegated_grant=delegated_grant,
            attestation_signers=attestation_signers,
            encryption=encryption,
        )
    if data_format is None:
        raise InvalidArgument("a new record needs a data_format, such as 'text/plain'")
    if (protocol is None) != (protocol_path is None):
        raise BadRequest(
            Code.RecordsWriteCreateProtocolAndProtocolPathMutuallyInclusive,
            "`protocol` and `protocol_path` must both be given or both be left out",
        )
    cid, size = _data_reference(data, data_cid, data_size)
    descriptor = without_none(
        interface="Records",
        method="Write",
        protocol=None if protocol is None else normalize_url(protocol),
        protocolPath=protocol_path,
        recipient=recipient,
        schema=None if schema is None else normalize_url(schema),
        tags=None if tags is None else dict(tags),
        parentId=_last_segment(parent_context_id),
        dataCid=cid,
        dataSize=size,
        dateCreated=date_created or now,
        messageTimestamp=message_timestamp or date_created or now,
        published=published,
        datePublished=date_published or (now if published else None),
        dataFormat=data_format,
    )
    return await signed_write(
        signer,
        descriptor,
        record_id=None,
        parent_context_id=parent_context_id,
        protocol_role=protocol_role,
        permission_grant_id=permission_grant_id,
        delegated_grant=delegated_grant,
        attestation_signers=attestation_signers,
        encryption=encryption,
    )


async def records_delete(
    signer: MessageSigner,
    clock: Clock,
    *,
    record_id: str,
    prune: bool = False,
    message_timestamp: str | None = None,
    protocol_role: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
) -> Message:
    """A RecordsDelete; `prune` also removes the record's descendants."""
    descriptor = {
        "interface": "Records",
        "method": "Delete",
        "messageTimestamp": message_timestamp or format_timestamp(clock.now()),
        "recordId": record_id,
        "prune": prune,
    }
    return await signed(signer, descriptor, delegated_grant=delegated_grant, protocolRole=protocol_role)


async def records_query(
    signer: MessageSigner | None,
    clock: Clock,
    *,
    filter: Mapping[str, Any],
    date_sort: str | None = None,
    pagination: Mapping[str, Any] | None = None,
    protocol_role: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
) -> Message:
    """A RecordsQuery; without a signer it finds published records only.

    Parameters:
        filter: a records filter in the wire's shape, with at least one property.
        date_sort: "createdAscending" (the default), "createdDescending", "publishedAscending" or "publishedDescending".
        pagination: `{"limit": int, "cursor": {...}}`, each optional.

    Raises:
        BadRequest: unpublished records cannot be sorted by publication.
    """
    if filter.get("published") is False and date_sort in ("publishedAscending", "publishedDescending"):
        raise BadRequest(
            Code.RecordsQueryCreateFilterPublishedSortInvalid,
            f"unpublished records cannot be sorted by {date_sort}",
        )
    descriptor = without_none(
        interface="Records",
        method="Query",
        messageTimestamp=format_timestamp(clock.now()),
        filter=_normalized(filter),
        dateSort=date_sort,
        pagination=None if pagination is None else without_none(**pagination),
    )
    return await signed(signer, descriptor, delegated_grant=delegated_grant, protocolRole=protocol_role)


async def records_read(
    signer: MessageSigner | None,
    clock: Clock,
    *,
    filter: Mapping[str, Any],
    permission_grant_id: str | None = None,
    protocol_role: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
) -> Message:
    """A RecordsRead of the one record that the filter finds."""
    descriptor = {
        "interface": "Records",
        "method": "Read",
        "filter": _normalized(filter),
        "messageTimestamp": format_timestamp(clock.now()),
    }
    return await signed(
        signer,
        descriptor,
        delegated_grant=delegated_grant,
        permissionGrantId=permission_grant_id,
        protocolRole=protocol_role,
    )


async def records_subscribe(
    signer: MessageSigner | None,
    clock: Clock,
    *,
    filter: Mapping[str, Any],
    protocol_role: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
) -> Message:
    """A RecordsSubscribe to the records that the filter finds; without a signer, to published ones only."""
    descriptor = {
        "interface": "Records",
        "method": "Subscribe",
        "messageTimestamp": format_timestamp(clock.now()),
        "filter": _normalized(filter),
    }
    return await signed(signer, descriptor, delegated_grant=delegated_grant, protocolRole=protocol_role)


async def messages_subscribe(
    signer: MessageSigner,
    clock: Clock,
    *,
    filters: Sequence[Mapping[str, Any]] = (),
    permission_grant_id: str | None = None,
) -> Message:
    """A MessagesSubscribe to the messages that any of the filters finds (to all messages, without filters)."""
    descriptor = {
        "interface": "Messages",
        "method": "Subscribe",
        "filters": [_normalized(one) for one in filters if one],
        "messageTimestamp": format_timestamp(clock.now()),
    }
    return await signed(signer, descriptor, permissionGrantId=permission_grant_id)


async def protocols_configure(
    signer: MessageSigner,
    clock: Clock,
    *,
    definition: Mapping[str, Any],
    message_timestamp: str | None = None,
    permission_grant_id: str | None = None,
    delegated_grant: Mapping[str, Any] | None = None,
) -> Message:
    """A ProtocolsConfigure.

    Parameters:
        definition: in the wire's shape; its URLs are normalized, the rest is taken as it is.

    Raises:
        BadRequest: a URL cannot be normalized.
    """
    types = {
        name: {**kind, "schema": normalize_url(kind["schema"])} if "schema" in kind else dict(kind)
        for name, kind in definition["types"].items()
    }
    descriptor = {
        "interface": "Protocols",
        "method": "Configure",
        "messageTimestamp": message_timestamp or format_timestamp(clock.now()),
        "definition": {**definition, "protocol": normalize_url(definition["protocol"]), "types": types},
    }
    return await signed(signer, descriptor, delegated_grant=delegated_grant, permissionGrantId=permission_grant_id)


async def protocols_query(
    signer: MessageSigner | None,
    clock: Clock,
    *,
    protocol: str | None = None,
    permission_grant_id: str | None = None,
) -> Message:
    """A ProtocolsQuery of all protocols, or of one; without a signer it finds published ones only.

    Raises:
        BadRequest: the protocol's URL cannot be normalized.
    """
    descriptor = without_none(
        interface="Protocols",
        method="Query",
        messageTimestamp=format_timestamp(clock.now()),
        filter=None if protocol is None else {"protocol": normalize_url(protocol)},
    )
    return await signed(signer, descriptor, permissionGrantId=permission_grant_id)


async def messages_query(
    signer: MessageSigner,
    clock: Clock,
    *,
    filters: Sequence[Mapping[str, Any]] = (),
    cursor: Mapping[str, Any] | None = None,
    permission_grant_id: str | None = None,
) -> Message:
    """A MessagesQuery: the CIDs of all messages that any of the filters finds (of all messages, without filters)."""
    descriptor = without_none(
        interface="Messages",
        method="Query",
        filters=[_normalized(one) for one in filters if one],
        messageTimestamp=format_timestamp(clock.now()),
        cursor=None if cursor is None else dict(cursor),
    )
    return await signed(signer, descriptor, permissionGrantId=permission_grant_id)


async def messages_read(
    signer: MessageSigner, clock: Clock, *, message_cid: str, permission_grant_id: str | None = None
) -> Message:
    """A MessagesRead of one message, with its data if there is any."""
    descriptor = {
        "interface": "Messages",
        "method": "Read",
        "messageCid": message_cid,
        "messageTimestamp": format_timestamp(clock.now()),
    }
    return await signed(signer, descriptor, permissionGrantId=permission_grant_id)


async def _next_write(
    signer: MessageSigner,
    existing: Mapping[str, Any],
    now: str,
    *,
    data: bytes | None,
    data_cid: str | None,
    data_size: int | None,
    data_format: str | None,
    tags: Mapping[str, Any] | None,
    published: bool | None,
    date_published: str | None,
    message_timestamp: str | None,
    protocol_role: str | None,
    permission_grant_id: str | None,
    delegated_grant: Mapping[str, Any] | None,
    attestation_signers: Sequence[MessageSigner],
    encryption: Encryption | None,
) -> Message:
    old = existing["descriptor"]
    if data is None and data_cid is None:
        data_cid, data_size = old["dataCid"], old["dataSize"]
    cid, size = _data_reference(data, data_cid, data_size)
    if published is None:
        published = True if date_published else old.get("published")
    if published and not date_published:
        date_published = old.get("datePublished") if old.get("published") else now
    context_id = existing.get("contextId")
    descriptor = without_none(
        interface="Records",
        method="Write",
        protocol=old.get("protocol"),
        protocolPath=old.get("protocolPath"),
        recipient=old.get("recipient"),
        schema=old.get("schema"),
        tags=None if tags is None else dict(tags),
        parentId=old.get("parentId"),
        dataCid=cid,
        dataSize=size,
        dateCreated=old["dateCreated"],
        messageTimestamp=message_timestamp or now,
        published=published,
        datePublished=date_published,
        dataFormat=data_format or old["dataFormat"],
    )
    return await signed_write(
        signer,
        descriptor,
        record_id=existing["recordId"],
        parent_context_id=None if context_id is None else context_id.rpartition("/")[0],
        protocol_role=protocol_role,
        permission_grant_id=permission_grant_id,
        delegated_grant=delegated_grant,
        attestation_signers=attestation_signers,
        encryption=encryption,
    )


def _data_reference(data: bytes | None, cid: str | None, size: int | None) -> tuple[str, int]:
    if (data is None) == (cid is None):
        raise BadRequest(
            Code.RecordsWriteCreateDataAndDataCidMutuallyExclusive, "give either `data` or `data_cid`, not both"
        )
    if data is not None:
        return compute_data_cid(data), len(data)
    if cid is None or size is None:
        raise BadRequest(
            Code.RecordsWriteCreateDataCidAndDataSizeMutuallyInclusive, "`data_cid` needs `data_size` with it"
        )
    return cid, size


def _normalized(filter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: normalize_url(value) if name in ("protocol", "schema") else value
        for name, value in filter.items()
        if value is not None
    }


def _last_segment(context_id: str | None) -> str | None:
    segments = [segment for segment in (context_id or "").split("/") if segment]
    return segments[-1] if segments else None
