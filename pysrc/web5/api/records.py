"""`web5.dwn.records`: create, read, query, subscribe and delete, in the local DWN or in another's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pydantic.alias_generators import to_camel

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api.data import prepare
from web5.api.encryption import EncryptionChoice, RecordEncryption
from web5.api.record import Record
from web5.dwn import compose
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.events import Event, Subscription
from web5.dwn.signing import without_none
from web5.errors import Conflict, InvalidArgument

Cursor = dict[str, Any]

FILTERS = (
    *("attester", "author", "context_id", "data_cid", "data_format", "data_size", "date_created", "date_published"),
    *(
        "date_updated",
        "parent_id",
        "protocol",
        "protocol_path",
        "published",
        "recipient",
        "record_id",
        "schema",
        "tags",
    ),
)
"""The filters: the properties of a RecordsFilter (dwn-sdk-js src/types/records-types.ts), in snake_case."""


def records_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wire's filter; properties that are None are left out.

    Raises:
        InvalidArgument: there is no such filter.
    """
    if unknown := sorted(given.keys() - set(FILTERS)):
        raise InvalidArgument(f"Unknown filter {', '.join(unknown)}; the filters are {', '.join(FILTERS)}.")
    return {to_camel(name): value for name, value in given.items() if value is not None}


class Records(list[Record]):
    """A page of records; `cursor` is where the next page begins, None on the last one."""

    def __init__(self, records: Iterable[Record], cursor: Cursor | None) -> None:
        super().__init__(records)
        self.cursor = cursor


class RecordsApi:
    """Records of the local DWN, and of others' remote ones: `from_` is the DID whose DWN is asked instead.

    A delegate acts with grants. It has to name the protocol in what it asks for; of a record that is held here, it is
    known. Each method raises GrantMissing, with the scope that is missing, if a delegate may not do it; GrantTooNarrow,
    with the filters that are missing, if it may ask for less; DwnError if the DWN refuses; DidError if `from_`
    cannot be resolved; RemoteError if it names no DWN, or none of them can be reached; and InvalidArgument if there is
    no such filter.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did
        self._encryption = RecordEncryption(agent, actor.did)

    async def create(
        self,
        data: Any,
        *,
        data_format: str | None = None,
        schema: str | None = None,
        recipient: str | None = None,
        published: bool | None = None,
        date_published: str | None = None,
        date_created: str | None = None,
        tags: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        protocol_path: str | None = None,
        parent_context_id: str | None = None,
        protocol_role: str | None = None,
        encryption: EncryptionChoice = None,
    ) -> Record:
        """Write a new record; it is durable, and waits for sync, when this returns.

        Its recipient is given the key of an encrypted context with the record that begins it, or with a role.

        Parameters:
            data: str, bytes-like or JSON. If it may be too large for memory: a `pathlib.Path`, or a callable that gives
                an async iterator of bytes, from the first one, at each call; both are read twice. For a JavaScript File
                or Blob, `web5.browser.files.source` makes one.
            data_format: media type; by default text/plain, application/octet-stream or application/json by `data`.
            schema: a URL that says what the data is.
            recipient: the DID that the record is addressed to.
            published: True lets anybody read the record.
            date_published, date_created: ISO 8601 UTC with microseconds; by default now.
            tags: names with texts, numbers, booleans or lists of texts or numbers, by which queries find the record.
            protocol, protocol_path: the place of the record in a configured protocol; `schema` and `data_format` must
                be those of its type.
            parent_context_id: the `context_id` of the record that it belongs below.
            protocol_role: the protocol path of the role that is invoked.
            encryption: True, or an `Encryption` that says for whom, to have the data encrypted before they are stored;
                the recipient can read them. By default, they are where the protocol has keys at this path.

        Raises:
            InvalidArgument: the data cannot be stored, or changed between the two readings.
            EncryptionError: the protocol demands encryption and it is declined, or someone it is for has no key.
            Whatever such a callable raises.
        """
        options = compose.WriteOptions(
            schema=schema,
            recipient=recipient,
            published=published,
            date_published=date_published,
            date_created=date_created,
            tags=dict(tags) if tags else None,
            protocol=protocol,
            protocol_path=protocol_path,
            parent_context_id=parent_context_id,
            protocol_role=protocol_role,
        )
        signer, invocation = await self._actor.authorize(operations.write(options))
        cipher = await self._encryption.for_new_record(encryption, options)
        key_recipient = await self._encryption.contexts.key_recipient(options, encrypted=cipher is not None)
        payload = await prepare(data, data_format, cipher.encrypt_stream if cipher else None)
        options |= {"data_cid": payload.cid, "data_size": payload.size, "data_format": payload.data_format}
        options["delegated_grant"] = invocation.get("delegated_grant")
        options["encryption"] = cipher.property if cipher else None
        message = await compose.records_write(signer, self._agent.clock, **options)
        await payload.write(self._agent, self._did, message)
        if key_recipient is not None:
            await self._encryption.contexts.deliver_context_key(message, key_recipient)
        return Record(self._agent, self._actor, message, data=payload.in_memory)

    async def query(
        self,
        *,
        from_: str | None = None,
        date_sort: str | None = None,
        limit: int | None = None,
        cursor: Cursor | None = None,
        protocol_role: str | None = None,
        **filters: Any,
    ) -> Records:
        """Return the records that fit all filters.

        Parameters:
            date_sort: createdAscending (the default), createdDescending, publishedAscending or publishedDescending.
            limit: the number of records at the most; what follows is reached by the result's `cursor`. A remote DWN may
                give fewer, and then has a cursor too.
            protocol_role: the protocol path of the role that is invoked.
            filters: at least one of `web5.api.records.FILTERS`; a list means any of its values, a `{"from", "to"}` a
                range.
        """
        wire_filter = records_filter(filters)
        if not wire_filter:
            raise InvalidArgument("A query needs at least one filter, for example schema=… or data_format=….")
        signer, invocation = await self._actor.authorize(operations.query(wire_filter), from_)
        invocation["protocol_role"] = protocol_role
        if from_ is None:
            self._agent.sync.prioritize(self._did, wire_filter)
        pages = without_none(limit=limit, cursor=cursor) or None
        query = partial(
            compose.records_query, signer, filter=wire_filter, date_sort=date_sort, pagination=pages, **invocation
        )
        reply = await self._agent.messages.ask(self._did, from_, query)
        entries = (Record(self._agent, self._actor, entry, remote=from_) for entry in reply["entries"])
        return Records(entries, reply.get("cursor"))

    async def read(
        self,
        record_id: str | None = None,
        *,
        from_: str | None = None,
        permission_grant_id: str | None = None,
        **filters: Any,
    ) -> Record:
        """Return one record, by its ID or by filters that fit only one.

        Parameters:
            permission_grant_id: the record ID of a grant, not a delegated one, that the owner of the DWN gave this DID.
            filters: as for `query`.

        Raises:
            NotFound: there is none.
        """
        wire_filter = records_filter({"record_id": record_id, **filters})
        signer, invocation = await self._actor.authorize(operations.read(wire_filter), from_)
        invocation["permission_grant_id"] = permission_grant_id
        read = partial(compose.records_read, signer, filter=wire_filter, **invocation)
        entry = (await self._agent.messages.ask(self._did, from_, read))["entry"]
        write: dict[str, Any] = entry["recordsWrite"]
        stream: DataStream | None = entry.get("data")
        data = None
        if stream is not None and write["descriptor"]["dataSize"] <= MAX_INLINE_BYTES:
            data, stream = await stream.read(), None
        initial = entry.get("initialWrite")
        return Record(self._agent, self._actor, write, initial_write=initial, data=data, stream=stream, remote=from_)

    async def subscribe(
        self, handler: Callable[[Record], None], *, protocol_role: str | None = None, **filters: Any
    ) -> Subscription:
        """Hear of every record of the local DWN that is written or deleted from now on, here or by sync.

        Parameters:
            handler: called with the record in its new state; `record.deleted` tells a delete. What it raises goes to
                the event loop's exception handler.
            protocol_role: the protocol path of the role that is invoked.
            filters: as for `query`.

        Returns:
            A subscription; `await subscription.close()` ends it.
        """
        wire_filter = records_filter(filters)
        if not wire_filter:
            raise InvalidArgument("A subscription needs at least one filter, for example protocol=… or schema=….")
        signer, invocation = await self._actor.authorize(operations.subscribe(wire_filter))
        invocation["protocol_role"] = protocol_role
        message = await compose.records_subscribe(signer, self._agent.clock, filter=wire_filter, **invocation)

        def on_event(event: Event) -> None:
            handler(Record(self._agent, self._actor, event["message"], initial_write=event.get("initialWrite")))

        reply = await self._agent.messages.process(self._did, message, subscription_handler=on_event)
        subscription: Subscription = reply["subscription"]
        return subscription

    async def delete(
        self, record_id: str, *, prune: bool = False, from_: str | None = None, protocol: str | None = None
    ) -> None:
        """Delete a record.

        Parameters:
            prune: delete its descendants too.
            protocol: its protocol; a delegate has to name it where the record is not held here.

        Raises:
            NotFound: there is none, or it is deleted already.
        """
        signer, invocation = await self._actor.authorize(operations.delete(record_id, protocol), from_)
        clock, messages = self._agent.clock, self._agent.messages
        delete = partial(compose.records_delete, signer, record_id=record_id, prune=prune, **invocation)
        if from_ is None:
            await messages.replace(self._did, delete)
            return
        try:
            await messages.request(from_, await delete(clock))
        except Conflict:  # what is there is newer
            found = await self.query(from_=from_, record_id=record_id, protocol=protocol)
            if not found:
                raise
            await messages.request(from_, await delete(compose.after(clock, found[0].date_modified)))
