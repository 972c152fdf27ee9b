"""Signed messages, made as dwn-sdk-js makes them (`RecordsWrite.create`, `createFrom` and their like).

Every function returns a message in the wire's shape. Times come from the clock unless they are given; what replaces
another message is to be later than that, whatever the clock says (`after`), or no node takes it. Without a signer,
where that may be None, the message finds what is published only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from web5.crypto.jose.jws import MessageSigner
from web5.dwn.codes import Code
from web5.dwn.signatures.signing import Invocation, WriteSigning, sign_message, sign_write, without_none
from web5.dwn.values.cid import data_cid, message_cid
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url
from web5.errors import BadRequest, InvalidArgument
from web5.ports.clock import Clock, LaterClock


class WriteOptions(WriteSigning, total=False):
    """Options of a RecordsWrite; each may be left out or None.

    Parameters:
        data: the record's bytes; or give `data_cid` and `data_size` instead (of encrypted data, the ciphertext's).
        data_format: a media type. Required for a new record.
        schema, recipient, protocol, protocol_path: of a new record.
        parent_context_id: the context of the parent, for a new protocol record below the root.
        tags: replace the record's tags; an update without tags has none, as in the reference.
        published: an update without it keeps the published state.
        date_published: by default the time of the message that publishes.
        date_created: of a new record; by default now.
        message_timestamp: by default now, or just after `existing`; of a new record `date_created`, as it has to be.
    """

    data: bytes | None
    data_cid: str | None
    data_size: int | None
    data_format: str | None
    schema: str | None
    recipient: str | None
    protocol: str | None
    protocol_path: str | None
    parent_context_id: str | None
    tags: Mapping[str, Any] | None
    published: bool | None
    date_published: str | None
    date_created: str | None
    message_timestamp: str | None


def after(clock: Clock, date: str) -> Clock:
    """Return a clock for a message that replaces one of this date: it shows now, or a microsecond after that.

    Raises:
        InvalidArgument: that is no date of a message.
    """
    return LaterClock(clock, parse_timestamp(date) + 1)


async def records_write(
    signer: MessageSigner, clock: Clock, *, existing: Message | None = None, **options: Unpack[WriteOptions]
) -> Message:
    """Make a RecordsWrite: a new record, or the next state of an existing one.

    Parameters:
        existing: the newest RecordsWrite of the record, for an update, which is dated after it. What no update may
            change is taken from it; so are the data, the data format and the published state where nothing else is
            given.
        options: see `WriteOptions`; like tags, an update without `encryption` has none.

    Raises:
        BadRequest: parameters that do not fit together, with the reference's code.
        InvalidArgument: a new record has no `data_format`.
        TypeError: there is no such option.
    """
    if unknown := options.keys() - WriteOptions.__optional_keys__:
        raise TypeError(f"records_write() got an unexpected keyword argument {min(unknown)!r}")
    if existing is None:
        descriptor = _first_descriptor(options, format_timestamp(clock.now()))
        return await sign_write(signer, descriptor, options, parent_context_id=options.get("parent_context_id"))
    now = format_timestamp(after(clock, existing["descriptor"]["messageTimestamp"]).now())
    descriptor, parent = _next_descriptor(existing["descriptor"], options, now), existing.get("contextId", "")
    parent = parent.rpartition("/")[0]
    return await sign_write(signer, descriptor, options, record_id=existing["recordId"], parent_context_id=parent)


def _first_descriptor(options: WriteOptions, now: str) -> dict[str, Any]:
    protocol, path, schema = options.get("protocol"), options.get("protocol_path"), options.get("schema")
    if options.get("data_format") is None:
        raise InvalidArgument("a new record needs a data_format, such as 'text/plain'")
    if (protocol is None) != (path is None):
        raise BadRequest(
            Code.RecordsWriteCreateProtocolAndProtocolPathMutuallyInclusive,
            "`protocol` and `protocol_path` must both be given or both be left out",
        )
    created, published = options.get("date_created"), options.get("published")
    return _descriptor(
        "Records",
        "Write",
        options.get("message_timestamp") or created or now,
        protocol=None if protocol is None else normalize_url(protocol),
        protocolPath=path,
        recipient=options.get("recipient"),
        schema=None if schema is None else normalize_url(schema),
        tags=_copied(options.get("tags")),
        parentId=(options.get("parent_context_id") or "").rstrip("/").rpartition("/")[2] or None,
        **_data_reference(options),
        dateCreated=created or now,
        published=published,
        datePublished=options.get("date_published") or (now if published else None),
        dataFormat=options["data_format"],
    )


def _next_descriptor(old: Mapping[str, Any], options: WriteOptions, now: str) -> dict[str, Any]:
    published, date_published = options.get("published"), options.get("date_published")
    if published is None:
        published = True if date_published else old.get("published")
    if published and not date_published:
        date_published = old.get("datePublished") if old.get("published") else now
    kept = ("protocol", "protocolPath", "recipient", "schema", "parentId", "dateCreated")
    return _descriptor(
        "Records",
        "Write",
        options.get("message_timestamp") or now,
        **{name: old.get(name) for name in kept},
        **_data_reference(options, old),
        tags=_copied(options.get("tags")),
        published=published,
        datePublished=date_published,
        dataFormat=options.get("data_format") or old["dataFormat"],
    )


def _data_reference(options: WriteOptions, old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    data, cid, size = options.get("data"), options.get("data_cid"), options.get("data_size")
    if old is not None and data is None and cid is None:
        cid, size = old["dataCid"], old["dataSize"]
    if (data is None) == (cid is None):
        raise BadRequest(
            Code.RecordsWriteCreateDataAndDataCidMutuallyExclusive, "give either `data` or `data_cid`, not both"
        )
    if data is not None:
        return {"dataCid": data_cid(data), "dataSize": len(data)}
    if size is None:
        raise BadRequest(
            Code.RecordsWriteCreateDataCidAndDataSizeMutuallyInclusive, "`data_cid` needs `data_size` with it"
        )
    return {"dataCid": cid, "dataSize": size}


async def records_delete(
    signer: MessageSigner,
    clock: Clock,
    *,
    record_id: str,
    prune: bool = False,
    message_timestamp: str | None = None,
    **invocation: Unpack[Invocation],
) -> Message:
    """Make a RecordsDelete; `prune` also removes the record's descendants."""
    descriptor = _descriptor("Records", "Delete", message_timestamp or clock, recordId=record_id, prune=prune)
    return await sign_message(signer, descriptor, **invocation)


async def records_query(
    signer: MessageSigner | None,
    clock: Clock,
    *,
    filter: Mapping[str, Any],
    date_sort: str | None = None,
    pagination: Mapping[str, Any] | None = None,
    **invocation: Unpack[Invocation],
) -> Message:
    """Make a RecordsQuery.

    Parameters:
        filter: a records filter in the wire's shape, with at least one property; those that are None are left out.
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
    pages = None if pagination is None else without_none(**pagination)
    about = {"filter": _normalized(filter), "dateSort": date_sort, "pagination": pages}
    return await sign_message(signer, _descriptor("Records", "Query", clock, **about), **invocation)


async def records_read(
    signer: MessageSigner | None, clock: Clock, *, filter: Mapping[str, Any], **invocation: Unpack[Invocation]
) -> Message:
    """Make a RecordsRead of the one record that the filter finds."""
    descriptor = _descriptor("Records", "Read", clock, filter=_normalized(filter))
    return await sign_message(signer, descriptor, **invocation)


async def records_subscribe(
    signer: MessageSigner | None, clock: Clock, *, filter: Mapping[str, Any], **invocation: Unpack[Invocation]
) -> Message:
    """Make a RecordsSubscribe to the records that the filter finds."""
    descriptor = _descriptor("Records", "Subscribe", clock, filter=_normalized(filter))
    return await sign_message(signer, descriptor, **invocation)


async def protocols_configure(
    signer: MessageSigner,
    clock: Clock,
    *,
    definition: Mapping[str, Any],
    message_timestamp: str | None = None,
    **invocation: Unpack[Invocation],
) -> Message:
    """Make a ProtocolsConfigure.

    Parameters:
        definition: in the wire's shape; its URLs are normalized, the rest is taken as it is.

    Raises:
        BadRequest: a URL cannot be normalized.
    """
    normalized = normalized_definition(definition)
    descriptor = _descriptor("Protocols", "Configure", message_timestamp or clock, definition=normalized)
    return await sign_message(signer, descriptor, **invocation)


def normalized_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a protocol's definition with its URLs in normal form.

    Raises:
        BadRequest: a URL cannot be normalized.
    """
    types = {
        name: {**kind, "schema": normalize_url(kind["schema"])} if "schema" in kind else dict(kind)
        for name, kind in definition["types"].items()
    }
    return {**definition, "protocol": normalize_url(definition["protocol"]), "types": types}


async def protocols_query(
    signer: MessageSigner | None, clock: Clock, *, protocol: str | None = None, **invocation: Unpack[Invocation]
) -> Message:
    """Make a ProtocolsQuery of all protocols, or of one.

    Raises:
        BadRequest: the protocol's URL cannot be normalized.
    """
    filter = None if protocol is None else _normalized({"protocol": protocol})
    descriptor = _descriptor("Protocols", "Query", clock, filter=filter)
    return await sign_message(signer, descriptor, **invocation)


async def messages_query(
    signer: MessageSigner,
    clock: Clock,
    *,
    filters: Sequence[Mapping[str, Any]] = (),
    cursor: Mapping[str, Any] | None = None,
    **invocation: Unpack[Invocation],
) -> Message:
    """Make a MessagesQuery for the CIDs of all messages that any of the filters finds; without filters, of all."""
    about = {"filters": [_normalized(one) for one in filters if one], "cursor": _copied(cursor)}
    descriptor = _descriptor("Messages", "Query", clock, **about)
    return await sign_message(signer, descriptor, **invocation)


async def messages_subscribe(
    signer: MessageSigner, clock: Clock, *, filters: Sequence[Mapping[str, Any]] = (), **invocation: Unpack[Invocation]
) -> Message:
    """Make a MessagesSubscribe to the messages that any of the filters finds; without filters, to all."""
    descriptor = _descriptor("Messages", "Subscribe", clock, filters=[_normalized(one) for one in filters if one])
    return await sign_message(signer, descriptor, **invocation)


async def messages_read(
    signer: MessageSigner, clock: Clock, *, message_cid: str, **invocation: Unpack[Invocation]
) -> Message:
    """Make a MessagesRead of one message, with its data if there is any."""
    descriptor = _descriptor("Messages", "Read", clock, messageCid=message_cid)
    return await sign_message(signer, descriptor, **invocation)


async def messages_history(signer: MessageSigner, clock: Clock, *, cursor: Mapping[str, Any] | None = None) -> Message:
    """Make a MessagesHistory for what allowed messages of the tenant's DWN once, and ended."""
    return await sign_message(signer, _descriptor("Messages", "History", clock, cursor=_copied(cursor)))


async def messages_replicate(signer: MessageSigner, clock: Clock, *, message: Message) -> Message:
    """Make a MessagesReplicate: a message from the past, which the tenant hands to another of its DWNs."""
    descriptor = _descriptor("Messages", "Replicate", clock, messageCid=message_cid(message))
    return {**await sign_message(signer, descriptor), "message": message}


def _descriptor(interface: str, method: str, time: Clock | str, **properties: Any) -> dict[str, Any]:
    timestamp = time if isinstance(time, str) else format_timestamp(time.now())
    return without_none(interface=interface, method=method, messageTimestamp=timestamp, **properties)


def _normalized(filter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: normalize_url(value) if name in ("protocol", "schema") else value
        for name, value in filter.items()
        if value is not None
    }


def _copied(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)
