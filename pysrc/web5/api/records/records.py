"""`web5.dwn.records`: create, read, query, subscribe and delete, in the local DWN or in another's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.agent.keys.context_keys import KEY_RECIPIENT
from web5.agent.requests.following import Following
from web5.api import arguments
from web5.api.arguments import Moment, keywords
from web5.api.records import addresses
from web5.api.records.data import prepare
from web5.api.records.encryption import EncryptionChoice, RecordEncryption
from web5.api.records.filters import EVERYTHING, RecordFilter, records_filter
from web5.api.records.live import Window, lasting, states
from web5.api.records.ordering import Sorting
from web5.api.records.ordering import date_sort as wire_sort
from web5.api.records.query import Cursor, Page, Query
from web5.api.records.record import Record
from web5.api.records.subscriptions import Closing, Handler, RecordSubscription
from web5.dwn import compose
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.reading.drl import Drl
from web5.dwn.signatures.signing import without_none
from web5.dwn.values.types import Message
from web5.errors import Conflict, InvalidArgument, Web5Error
from web5.settings import ByteProgress

_UNSET: Any = object()


@dataclass(frozen=True)
class _Place:
    """The DWN that is asked, and the right that is invoked there."""

    from_: str | None
    protocol_role: str | None
    permission_grant_id: str | None

    @property
    def named(self) -> dict[str, Any]:
        return vars(self)


class Records(Page[Record]):
    """A page of records; `cursor` is where the next page begins, None on the last one."""

    def __init__(self, records: Iterable[Record], cursor: Cursor | None) -> None:
        super().__init__(records, cursor)


class RecordsApi:
    """Records of the local DWN, and of others' remote ones: `from_` is the DID whose DWN is asked instead.

    A delegate acts with grants. It has to name the protocol in what it asks for; of a record that is held here, it is
    known. Each method raises GrantMissing, with the scope that is missing, if a delegate may not do it; GrantTooNarrow,
    with the filters that are missing, if it may ask for less; DwnError if the DWN refuses; DidError if `from_`
    cannot be resolved; RemoteError if it names no DWN, or none of them can be reached; and InvalidArgument if an
    argument or filter does not exist, or cannot be used.

    Where they are taken, `protocol_role` is the protocol path of the role that is invoked, and `permission_grant_id`
    the record ID of a grant, not a delegated one, that the owner of the DWN gave this DID.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did
        self._encryption = RecordEncryption(agent, actor.did)

    @keywords
    async def create(
        self,
        data: Any,
        *,
        data_format: str | None = None,
        schema: str | None = None,
        recipient: str | None = None,
        published: bool | None = None,
        date_published: Moment | None = None,
        date_created: Moment | None = None,
        tags: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        protocol_path: str | None = None,
        parent_context_id: str | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        attestation: Sequence[str] = (),
        encryption: EncryptionChoice = None,
        store: bool = True,
        on_progress: ByteProgress | None = None,
    ) -> Record:
        """Write a new record. It is durable, and waits for sync, when this returns.

        Its recipient is given the key of an encrypted context with the record that begins it, or with a role.

        Parameters:
            data: str, bytes-like or JSON; a JavaScript File, Blob, buffer, array or object. If it may be too large for
                memory: a `pathlib.Path`, a File or Blob, or a callable that gives an async iterator of bytes, from the
                first one, at each call; all are read twice.
            data_format: media type; by default text/plain, application/octet-stream or application/json by `data`.
            schema: a URL that says what the data is.
            recipient: the DID that the record is addressed to.
            published: True lets anybody read the record.
            date_published, date_created: by default now.
            tags: names with texts, numbers, booleans or lists of texts or numbers, by which queries find the record.
            protocol, protocol_path: the place of the record in a configured protocol; `schema` and `data_format` must
                be those of its type.
            parent_context_id: the `context_id` of the record that it belongs below.
            attestation: DIDs of this agent that attest the record.
            encryption: True, or an `Encryption` that says for whom, to have the data encrypted before they are stored;
                the recipient can read them. By default, they are where the protocol has keys at this path.
            store: False keeps the record out of the local DWN: it is for `record.send(did)`, or `record.store()` later.
            on_progress: called with the bytes of the data that are stored and those of the whole, chunk by chunk, and
                at the end once they are durable. (The first reading is before that.) Where another tab is the node,
                with those that it has taken; if it goes, they are counted anew. What it raises goes to the event
                loop's exception handler.

        Raises:
            InvalidArgument: the data cannot be stored, or changed between the two readings.
            EncryptionError: the protocol demands encryption and it is declined, or someone it is for has no key.
            IdentityError: who is to attest is not on this agent.
            Whatever such a callable raises.
        """
        arguments.callback("on_progress", on_progress)
        options = compose.WriteOptions(
            schema=arguments.text_or_none("schema", schema),
            recipient=arguments.did_or_none("recipient", recipient),
            published=published,
            date_published=arguments.date("date_published", date_published),
            date_created=arguments.date("date_created", date_created),
            tags=arguments.tags(tags),
            protocol=arguments.text_or_none("protocol", protocol),
            protocol_path=arguments.text_or_none("protocol_path", protocol_path),
            parent_context_id=arguments.text_or_none("parent_context_id", parent_context_id),
            protocol_role=arguments.text_or_none("protocol_role", protocol_role),
            permission_grant_id=permission_grant_id,
        )
        if data_format is not None:
            arguments.text("data_format", data_format)
        signer, invocation = await self._actor.authorize(operations.write(options))
        attesters = [arguments.did("attestation", one) for one in arguments.texts("attestation", attestation)]
        cipher = await self._encryption.for_new_record(encryption, options)
        key_recipient = await self._agent.record_keys.key_recipient(
            self._did, {name: options.get(name) for name in KEY_RECIPIENT}, encrypted=cipher is not None
        )
        payload = await prepare(data, data_format, cipher.encrypt_stream if cipher else None)
        options |= {"data_cid": payload.cid, "data_size": payload.size, "data_format": payload.data_format}
        options["delegated_grant"] = invocation.get("delegated_grant")
        options["attestation_signers"] = [await self._agent.signer(one) for one in attesters]
        options["encryption"] = cipher.property if cipher else None
        message = await compose.records_write(signer, self._agent.clock, **options)
        if store:
            await payload.write(self._agent, self._did, message, on_progress)
        if key_recipient is not None:
            await self._agent.record_keys.deliver_context_key(self._did, message, key_recipient)
        data_at_hand = payload.in_memory if store else payload.source
        return Record(self._agent, self._actor, message, data=data_at_hand, role=protocol_role)

    write = create

    async def create_from(self, record: Record, data: Any = _UNSET, **changes: Any) -> Record:
        """Write a new record with the properties of another (`createFrom` of `@web5/api`).

        Parameters:
            record: gives whatever is not changed, but for its dates; its data too, which are read from its DWN.
            data, changes: as for `create`.
        """
        kept = ("schema", "recipient", "protocol", "protocol_path", "data_format")
        options: dict[str, Any] = {name: getattr(record, name) for name in kept}
        options |= {"published": record.published or None, "tags": record.tags or None}
        if record.parent_id is not None and record.context_id is not None:
            options["parent_context_id"] = record.context_id.rpartition("/")[0]
        if data is _UNSET:
            data = await record.data.bytes()
        return await self.create(data, **options | changes)

    def query(
        self,
        *,
        from_: str | None = None,
        date_sort: Sorting = None,
        limit: int | None = None,
        cursor: Cursor | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        **filters: Unpack[RecordFilter],
    ) -> Query[Record]:
        """Ask for the records that fit all filters; without any, for all records.

        `await` gives a page; `async for` goes on to the last one; see `Query`.

        Parameters:
            date_sort: by default the oldest first.
            limit: the number of records of a page at the most; what follows is reached by its `cursor`. A remote DWN
                may give fewer, and then has a cursor too.
            cursor: that of the page before.
            filters: those of `RecordFilter`.
        """
        arguments.did_or_none("from_", from_)
        arguments.positive("limit", limit)
        wire_filter = records_filter(filters) or EVERYTHING
        sort = wire_sort(date_sort)

        async def fetch(cursor: Cursor | None) -> Page[Record]:
            context = await self._actor.authorize(operations.query(wire_filter), from_)
            signer, invocation = context.invoking(protocol_role, permission_grant_id)
            if from_ is None and wire_filter is not EVERYTHING:
                self._agent.sync.prioritize(self._did, wire_filter)
            pages = without_none(limit=limit, cursor=cursor) or None
            query = partial(
                compose.records_query, signer, filter=wire_filter, date_sort=sort, pagination=pages, **invocation
            )
            reply = await self._agent.messages.ask(self._did, from_, query)
            found = (self._found(entry, from_, protocol_role) for entry in reply["entries"])
            return Records(found, reply.get("cursor"))

        return Query(fetch, cursor)

    async def read(
        self,
        record_id: str | None = None,
        /,
        *,
        from_: str | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        **filters: Unpack[RecordFilter],
    ) -> Record:
        """Return one record, by its ID or by filters that fit only one.

        Parameters:
            filters: those of `RecordFilter`.

        Raises:
            NotFound: there is none.
        """
        arguments.did_or_none("from_", from_)
        wire_filter = records_filter({**filters, "record_id": record_id or filters.get("record_id")})
        if not wire_filter:
            raise InvalidArgument("A read needs the ID of a record, or a filter that fits only one.")
        context = await self._actor.authorize(operations.read(wire_filter), from_)
        signer, invocation = context.invoking(protocol_role, permission_grant_id)
        read = partial(compose.records_read, signer, filter=wire_filter, **invocation)
        entry = (await self._agent.messages.ask(self._did, from_, read))["entry"]
        write: dict[str, Any] = entry["recordsWrite"]
        stream: DataStream | None = entry.get("data")
        data = None
        if stream is not None and write["descriptor"]["dataSize"] <= MAX_INLINE_BYTES:
            data, stream = await stream.read(), None
        return Record(
            self._agent,
            self._actor,
            write,
            initial_write=entry.get("initialWrite"),
            data=data,
            stream=stream,
            remote=from_,
            role=protocol_role,
        )

    async def read_drl(self, drl: str | Drl) -> Record:
        """Return the record that an address `https://dweb/{did}/…` names: the one here, else that of the DID's DWN.

        Raises:
            InvalidArgument: it is no such address, or that of a DID alone.
            NotFound: there is none.
        """

        async def read(record_id: str, from_: str | None) -> Record:
            return await self.read(record_id, from_=from_)

        async def first(drl: Drl, order: Any, published: bool, from_: str | None) -> Record | None:
            place = RecordFilter(protocol=drl.protocol, protocol_path=drl.protocol_path, published=published)
            return next(iter(await self.query(from_=from_, date_sort=order, limit=1, **place)), None)

        return await addresses.find(drl, read, first, self._did)

    def subscribe(
        self,
        handler: Handler[Record] | None = None,
        *,
        from_: str | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        **filters: Unpack[RecordFilter],
    ) -> RecordSubscription[Record]:
        """Hear of every record that is written or deleted from now on, here or by sync, or in another's DWN.

        `await` it, with a handler, and `close` it in the end; or read the events by `async for`. A subscription to a
        remote DWN that breaks off is taken up again; then the records that were written meanwhile come, too.

        Parameters:
            handler: called with each record in its new state, may be `async def`; `record.deleted` tells a delete. What
                it raises goes to the event loop's exception handler.
            filters: those of `RecordFilter`; without any, all records.
        """
        if handler is not None and not callable(handler):
            raise InvalidArgument(f"handler={arguments.shown(handler)} cannot be called.")
        return self._subscription(handler, _Place(from_, protocol_role, permission_grant_id), filters)

    def live(
        self,
        *,
        from_: str | None = None,
        date_sort: Sorting = None,
        limit: int | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        **filters: Unpack[RecordFilter],
    ) -> AsyncIterator[list[Record]]:
        """Iterate over the states of a query's result: the one that it has now, and the next after each change.

        Changes that come while a state is looked at make one state. What another's remote DWN did not tell, because it
        could not be reached, is asked for once it can be again.

        Parameters:
            limit: only the first so many records.
            date_sort, filters: as for `query`.
        """
        arguments.positive("limit", limit)
        place = _Place(from_, protocol_role, permission_grant_id)
        query = partial(self.query, **place.named, date_sort=date_sort)
        window = Window(query, filters, wire_sort(date_sort), limit)
        return states(window, partial(self._subscription, None, place, lasting(filters)))

    def _subscription(
        self,
        handler: Handler[Record] | None,
        place: _Place,
        filters: RecordFilter,
        on_again: Callable[[], None] | None = None,
    ) -> RecordSubscription[Record]:
        from_, role = place.from_, place.protocol_role
        arguments.did_or_none("from_", from_)
        wire_filter = records_filter(filters) or EVERYTHING

        async def open_(subscription: RecordSubscription[Record]) -> Closing:
            context = await self._actor.authorize(operations.subscribe(wire_filter), from_)
            signer, invocation = context.invoking(role, place.permission_grant_id)
            question = partial(compose.records_subscribe, signer, filter=wire_filter, **invocation)
            latest = ""

            def on_event(event: Mapping[str, Any]) -> None:
                nonlocal latest
                latest = max(latest, event["message"]["descriptor"]["messageTimestamp"])
                subscription.put(self._found(event["message"], from_, role, event.get("initialWrite")))

            if from_ is None:
                message = await question(self._agent.clock)
                reply = await self._agent.messages.process(self._did, message, subscription_handler=on_event)
                local = reply["subscription"]
                local.on_end = lambda: subscription.end(None)
                closing: Closing = local.close
                return closing

            async def catch_up() -> None:
                since = RecordFilter({**filters, "date_updated": {"from": latest}}) if latest else filters
                with suppress(Web5Error):  # it breaks off again, or is told with the next event
                    async for record in self.query(**place.named, **since):
                        subscription.put(record)

            following = Following(
                partial(self._agent.messages.subscribe, self._did, from_, question, on_event),
                on_again or (lambda: self._agent.background.start(catch_up())),
                subscription.end,
            )
            await following.open()
            return following.close

        subscription = RecordSubscription(open_, handler)
        self._agent.open_ones.add(subscription)
        return subscription

    @keywords
    async def delete(
        self,
        record_id: str,
        *,
        prune: bool = False,
        from_: str | None = None,
        protocol: str | None = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
    ) -> None:
        """Delete a record.

        Parameters:
            prune: delete its descendants too.
            protocol: its protocol; a delegate has to name it where the record is not held here.

        Raises:
            NotFound: there is none, or it is deleted already.
        """
        arguments.text("record_id", record_id)
        arguments.did_or_none("from_", from_)
        context = await self._actor.authorize(operations.delete(record_id, protocol), from_)
        signer, invocation = context.invoking(protocol_role, permission_grant_id)
        clock, messages = self._agent.clock, self._agent.messages
        delete = partial(compose.records_delete, signer, record_id=record_id, prune=prune, **invocation)
        if from_ is None:
            await messages.replace(self._did, delete)
            return
        try:
            await messages.request(from_, await delete(clock))
        except Conflict:  # what is there is newer
            found = await self.query(from_=from_, record_id=record_id, protocol=protocol, protocol_role=protocol_role)
            if not found:
                raise
            there = found[0].raw_message["descriptor"]["messageTimestamp"]
            await messages.request(from_, await delete(compose.after(clock, there)))

    def _found(
        self, entry: Message, from_: str | None, role: str | None, initial_write: Message | None = None
    ) -> Record:
        return Record(self._agent, self._actor, entry, initial_write=initial_write, remote=from_, role=role)
