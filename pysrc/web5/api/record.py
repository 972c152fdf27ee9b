"""A record as an app sees it: `Record` of `@web5/api`, in Python's names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from pydantic.alias_generators import to_camel

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api.data import RecordData, chunked, prepare
from web5.api.encryption import EncryptionChoice, RecordEncryption
from web5.crypto.encoding import b64url_decode
from web5.dwn import compose
from web5.dwn.cid import bare_message, message_cid
from web5.dwn.data import DataStream
from web5.dwn.jws import message_author
from web5.dwn.signing import without_none
from web5.dwn.types import Message
from web5.errors import BlobMissing, DwnError, InvalidArgument, NotFound, Unreachable
from web5.sync.states import SendResult

_UNSET: Any = object()
_IN_JSON = (
    *("author", "context_id", "data_cid", "data_format", "data_size", "date_created", "date_published", "parent_id"),
    *("protocol", "protocol_path", "recipient", "schema"),
)


class SendReport(list[SendResult]):
    """The answers of all endpoints to a `send`."""

    @property
    def delivered(self) -> list[str]:
        """The endpoints that have the record now."""
        return [result.endpoint for result in self if result.accepted]

    @property
    def failed(self) -> list[SendResult]:
        """The answers of the others."""
        return [result for result in self if not result.accepted]

    @property
    def pending(self) -> list[SendResult]:
        """The answers of `failed` that are not the last word, since sync tries again until the record is there."""
        return [result for result in self if result.pending]

    def raise_if_undelivered(self) -> None:
        """Raise DwnError or Unreachable with an endpoint's words, if no endpoint took the record or may yet."""
        if self.delivered or self.pending:
            return
        if not self:
            raise Unreachable("The target names no DWN in its DID document, so there is nowhere to send to.")
        answer = next((result for result in self if result.code), self[0])
        if answer.code:
            raise DwnError.from_status(answer.code, answer.detail)
        raise Unreachable(f"{answer.endpoint}: {answer.detail}")


class Record:
    """A record in the state it had when it was read or written; `update` and `delete` move this object on.

    Dates are ISO 8601 in UTC with microseconds, such as "2024-05-01T00:00:00.000000Z". Properties that the record does
    not have are None. Of a deleted record, only those that never change are left.

    Parameters:
        actor: who updates, deletes and sends, in the DWN of `actor.did`.
        message: the newest RecordsWrite or RecordsDelete, as the wire has it; `encodedData` and `initialWrite` of a
            query's entry may be in it.
        data: the data as the DWN has it, if it is at hand.
        stream: the data as a reply carries it; good for one reading, after which it is asked for again.
        remote: the DID whose remote DWN this came from; None if it came from the local one.
    """

    def __init__(
        self,
        agent: Agent,
        actor: Actor,
        message: Message,
        *,
        initial_write: Message | None = None,
        data: bytes | None = None,
        stream: DataStream | None = None,
        remote: str | None = None,
    ) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did
        self._encryption = RecordEncryption(agent, actor.did)
        self._remote = remote
        self._stream = stream
        inline = message.get("encodedData")
        self._data = b64url_decode(inline) if data is None and inline is not None else data
        self._initial_write: Message | None = initial_write or message.get("initialWrite")
        self._message = bare_message(message)

    # -- what never changes in a record's life

    @property
    def id(self) -> str:
        """The record ID."""
        record_id: str = self._message.get("recordId") or self._message["descriptor"]["recordId"]
        return record_id

    @property
    def context_id(self) -> str | None:
        """The record IDs from the root of the protocol's tree to this record, joined by "/"."""
        context_id: str | None = self._last_write.get("contextId")
        return context_id

    @property
    def creator(self) -> str:
        """The DID that made the initial write, or had a delegate make it."""
        return message_author(self._initial_write or self._message)

    @property
    def date_created(self) -> str:
        """The date of the initial write, unless the app gave another."""
        return self._created("dateCreated") or ""

    @property
    def parent_id(self) -> str | None:
        """The record ID of the parent, below the root of a protocol."""
        return self._created("parentId")

    @property
    def protocol(self) -> str | None:
        """The URI of the protocol."""
        return self._created("protocol")

    @property
    def protocol_path(self) -> str | None:
        """The place in the protocol's structure, such as "thread/message"."""
        return self._created("protocolPath")

    @property
    def recipient(self) -> str | None:
        """The DID that the record is addressed to."""
        return self._created("recipient")

    @property
    def schema(self) -> str | None:
        """The URI that says what the data is."""
        return self._created("schema")

    # -- what an update may change

    @property
    def author(self) -> str:
        """The DID that made the newest message, or had a delegate make it."""
        return message_author(self._message)

    @property
    def date_modified(self) -> str:
        """The newest message's timestamp."""
        return self._newest("messageTimestamp") or ""

    @property
    def data_cid(self) -> str | None:
        """The CID of the data as the DWN has it: of an encrypted record, of the ciphertext."""
        return self._newest("dataCid")

    @property
    def data_format(self) -> str | None:
        """The media type of the data."""
        return self._newest("dataFormat")

    @property
    def data_size(self) -> int | None:
        """The size of the data as the DWN has it, in bytes."""
        size: int | None = self._message["descriptor"].get("dataSize")
        return size

    @property
    def published(self) -> bool:
        """True if anybody can read the record."""
        return bool(self._message["descriptor"].get("published"))

    @property
    def date_published(self) -> str | None:
        """The date of publication."""
        return self._newest("datePublished")

    @property
    def tags(self) -> dict[str, Any]:
        """The tags, by which queries find the record; empty if it has none."""
        return dict(self._message["descriptor"].get("tags") or {})

    @property
    def encrypted(self) -> bool:
        """True if the DWN has the data encrypted; `data` decrypts them."""
        return "encryption" in self._message

    @property
    def deleted(self) -> bool:
        """True once the record is deleted."""
        return self._newest("method") == "Delete"

    @property
    def raw_message(self) -> dict[str, Any]:
        """The newest message, as the wire has it."""
        return dict(self._message)

    @property
    def initial_write(self) -> dict[str, Any] | None:
        """The record's first message, if the newest is another."""
        return dict(self._initial_write) if self._initial_write else None

    @property
    def data(self) -> RecordData:
        """The record's data: `await record.data.text()`, `.json()`, `.bytes()` or `.stream()`."""
        return RecordData(self._open_data)

    async def update(
        self,
        *,
        data: Any = _UNSET,
        data_format: str | None = None,
        published: bool | None = None,
        date_published: str | None = None,
        tags: Mapping[str, Any] | None = None,
        encryption: EncryptionChoice = None,
    ) -> Record:
        """Write a new state of the record to the local DWN; what is not given stays as it is.

        It is dated after whatever the DWN has of the record, also if that comes from a device whose clock is ahead.

        Parameters:
            data: the new data, as for `records.create`.
            data_format: the new media type; it stays unless given.
            published: True lets anybody read the record, False ends that.
            date_published: the date of publication; by default now, when it is published.
            tags: all tags the record shall have; an empty mapping removes them.
            encryption: as for `records.create`, with data only. By default, an encrypted record stays one, for the
                same readers.

        Returns:
            This record.

        Raises:
            InvalidArgument: the record is deleted, or the data cannot be stored.
            EncryptionError: as for `records.create`; KeyMissing if the record cannot be opened here.
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused.
            Whatever a callable that gives the data raises.
        """
        if self.deleted:
            raise InvalidArgument(f"Record {self.id} is deleted, and a deleted record cannot come back.")
        signer, invocation = await self._actor.authorize(operations.update(self._message, published))
        options = compose.WriteOptions(
            delegated_grant=invocation.get("delegated_grant"),
            data_format=data_format,
            published=published,
            date_published=date_published,
            tags=dict(self.tags if tags is None else tags) or None,
        )
        has_data = data is not _UNSET
        cipher = await self._encryption.for_update(encryption, self._message, data_format, new_data=has_data)
        options["encryption"] = cipher.property if cipher else None if has_data else self._message.get("encryption")
        payload = None
        if has_data:
            payload = await prepare(data, data_format or self.data_format, cipher.encrypt_stream if cipher else None)
            options |= {"data_cid": payload.cid, "data_size": payload.size, "data_format": payload.data_format}
        write = partial(compose.records_write, signer, existing=self._message, **options)
        put = None if payload is None else partial(payload.write, self._agent, self._did)
        message = await self._agent.messages.replace(self._did, write, put)
        if payload is not None:
            self._data, self._stream = payload.in_memory, None
        self._move_on(message)
        return self

    async def delete(self, *, prune: bool = False) -> None:
        """Delete the record in the local DWN; sync deletes it elsewhere.

        Parameters:
            prune: delete its descendants too.

        Raises:
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused; NotFound if it is deleted already.
        """
        signer, invocation = await self._actor.authorize(operations.delete_record(self._last_write))
        delete = partial(compose.records_delete, signer, record_id=self.id, prune=prune, **invocation)
        message = await self._agent.messages.replace(self._did, delete)
        self._move_on(message)
        self._data = self._stream = None

    async def send(self, target: str | None = None) -> SendReport:
        """Bring the record's present state to the remote DWNs of `target`, at once or as soon as they take it.

        What does not get through is kept, also across restarts, and sync tries it again: `web5.sync.unsettled()` has
        it, with its target, until it arrived, a newer state was sent, or `web5.sync.withdraw()` took it back.

        Parameters:
            target: a DID; by default the own one, that is, to all of its endpoints.

        Returns:
            The answer of each endpoint; `pending` has those that do not have the record yet.

        Raises:
            DidError: there is no such target.
            DwnError, RemoteError: every endpoint refused it in a way that waiting does not mend, or the target names
                none.
            TooManyUndelivered: so much waits for others that nothing more is kept.
        """
        report = SendReport(await self._agent.sync.send(self._did, message_cid(self._message), target))
        report.raise_if_undelivered()
        return report

    async def share_context(self, did: str) -> None:
        """Let somebody read all encrypted records of this one's context; it cannot be taken back.

        A role, and the record that begins a context, do this for their recipients by themselves. Who can fetch the
        records is another matter: that is what the protocol says.

        Raises:
            EncryptionError: the context is not encrypted, another began it, or the DID has no key to encrypt for.
            DwnError: the DWN refused.
        """
        await self._encryption.contexts.share(self._last_write, did)

    def to_json(self) -> dict[str, Any]:
        """Return the properties by their wire names, without the data (`Record.toJSON` of `@web5/api`)."""
        return without_none(
            **{to_camel(name): getattr(self, name) for name in _IN_JSON},
            recordId=self.id,
            messageTimestamp=self.date_modified,
            published=self.published or None,
            tags=self.tags or None,
        )

    def __repr__(self) -> str:
        state = "deleted" if self.deleted else f"{self.data_format}, {self.data_size} bytes"
        return f"<Record {self.id} {state}>"

    @property
    def _last_write(self) -> Message:
        return (self._initial_write or self._message) if self.deleted else self._message

    def _created(self, name: str) -> str | None:
        value: str | None = self._last_write["descriptor"].get(name)
        return value

    def _newest(self, name: str) -> str | None:
        value: str | None = self._message["descriptor"].get(name)
        return value

    def _move_on(self, message: Message) -> None:
        self._initial_write, self._message = self._initial_write or self._message, message

    async def _open_data(self) -> AsyncIterator[bytes]:
        if self.deleted:
            raise NotFound("", f"Record {self.id} is deleted.")
        decrypt = await self._encryption.decryption(self._message)
        return decrypt(await self._stored_data())

    async def _stored_data(self) -> AsyncIterator[bytes]:
        if self._data is not None:
            return chunked(self._data)
        if self._stream is not None:
            stream, self._stream = self._stream, None
            return aiter(stream)
        signer, invocation = await self._actor.authorize(operations.read_record(self._last_write), self._remote)
        filter = {"recordId": self.id}
        read = partial(compose.records_read, signer, filter=filter, **invocation)
        reply = await self._agent.messages.ask(self._did, self._remote, read)
        fetched: DataStream | None = reply["entry"].get("data")
        if fetched is None:
            raise BlobMissing(f"The DWN has record {self.id} but not its data.")
        return aiter(fetched)
