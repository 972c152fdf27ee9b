"""A record as an app sees it: `Record` of `@web5/api`, in Python's names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api.data import RecordData, chunked
from web5.api.encryption import Asked, RecordEncryption
from web5.api.payload import prepare
from web5.api.sending import SendReport
from web5.crypto.encoding import b64url_decode
from web5.dwn import compose
from web5.dwn.cid import bare_message, message_cid
from web5.dwn.data import DataStream
from web5.dwn.jws import message_author
from web5.dwn.types import Message
from web5.errors import BlobMissing, InvalidArgument, NotFound

_UNSET: Any = object()


class Record:
    """One record in the state it had when it was read or written; `update` and `delete` move this object on.

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
        self._initial_write = initial_write or message.get("initialWrite")
        self._message = bare_message(message)

    # What never changes in a record's life, from the initial write where this is a delete.

    @property
    def id(self) -> str:
        """The record ID."""
        record_id: str = self._message.get("recordId") or self._message["descriptor"]["recordId"]
        return record_id

    @property
    def context_id(self) -> str | None:
        context_id: str | None = self._last_write.get("contextId")
        return context_id

    @property
    def creator(self) -> str:
        """The DID that made the initial write, or had a delegate make it."""
        return _author_of(self._initial_write or self._message)

    @property
    def date_created(self) -> str:
        """ISO 8601, UTC, microseconds."""
        created: str = self._descriptor("dateCreated")
        return created

    @property
    def parent_id(self) -> str | None:
        return self._text("parentId")

    @property
    def protocol(self) -> str | None:
        return self._text("protocol")

    @property
    def protocol_path(self) -> str | None:
        return self._text("protocolPath")

    @property
    def recipient(self) -> str | None:
        return self._text("recipient")

    @property
    def schema(self) -> str | None:
        return self._text("schema")

    # What an update may change.

    @property
    def author(self) -> str:
        """The DID that made the newest message, or had a delegate make it."""
        return _author_of(self._message)

    @property
    def date_modified(self) -> str:
        """The newest message's timestamp: ISO 8601, UTC, microseconds."""
        modified: str = self._message["descriptor"]["messageTimestamp"]
        return modified

    @property
    def data_cid(self) -> str | None:
        return None if self.deleted else self._descriptor("dataCid")

    @property
    def data_format(self) -> str | None:
        return None if self.deleted else self._descriptor("dataFormat")

    @property
    def data_size(self) -> int | None:
        """Bytes."""
        return None if self.deleted else self._descriptor("dataSize")

    @property
    def published(self) -> bool:
        return not self.deleted and bool(self._descriptor("published"))

    @property
    def date_published(self) -> str | None:
        return None if self.deleted else self._descriptor("datePublished")

    @property
    def tags(self) -> dict[str, Any]:
        return {} if self.deleted else dict(self._descriptor("tags") or {})

    @property
    def encrypted(self) -> bool:
        """Whether the DWN has the data encrypted; `data` opens them."""
        return "encryption" in self._message

    @property
    def deleted(self) -> bool:
        return bool(self._message["descriptor"]["method"] == "Delete")

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
        """The record's data: `await record.data.text()`, `.json()`, `.bytes()`, `.stream()`.

        Those raise NotFound if the record is deleted or gone, KeyMissing if it is encrypted and no key for it is here.
        """
        return RecordData(self._open_data)

    async def update(
        self,
        *,
        data: Any = _UNSET,
        data_format: str | None = None,
        published: bool | None = None,
        date_published: str | None = None,
        tags: Mapping[str, Any] | None = None,
        encryption: Asked = None,
    ) -> Record:
        """Write a new state of the record to the local DWN; what is not given stays as it is.

        Parameters:
            data: as for `records.create`.
            data_format: the new media type; it stays unless given.
            tags: all tags the record shall have; an empty mapping removes them.
            encryption: as for `records.create`, with data only. By default, an encrypted record stays one, for the
                same readers.

        Raises:
            InvalidArgument: the record is deleted, or the data cannot be stored.
            EncryptionError: as for `records.create`; KeyMissing if the record cannot be opened here.
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused.
            Whatever a callable that gives the data raises.
        """
        if self.deleted:
            raise InvalidArgument(f"Record {self.id} is deleted, and a deleted record cannot come back.")
        context = await self._actor.authorize(operations.update(self._message, published))
        given = data is not _UNSET
        sealing = await self._encryption.of_update(encryption, self._message, data_format, data=given)
        through = sealing.through if sealing else None
        payload = await prepare(data, data_format or self.data_format, through) if given else None
        message = await compose.records_write(
            context.signer,
            self._agent.clock,
            delegated_grant=context.delegated_grant,
            existing=self._message,
            data_cid=payload.cid if payload else None,
            data_size=payload.size if payload else None,
            data_format=payload.data_format if payload else data_format,
            published=published,
            date_published=date_published,
            tags=dict(self.tags if tags is None else tags) or None,
            encryption=sealing.encryption if sealing else None if given else self._message.get("encryption"),
        )
        if payload is None:
            await self._agent.messages.process(self._did, message)
        else:
            await payload.write(self._agent, self._did, message)
            self._data, self._stream = payload.at_hand, None
        self._initial_write = self._initial_write or self._message
        self._message = message
        return self

    async def delete(self, *, prune: bool = False) -> None:
        """Delete the record in the local DWN; sync deletes it elsewhere.

        Parameters:
            prune: delete its descendants too.

        Raises:
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused; NotFound if it is deleted already.
        """
        context = await self._actor.authorize(operations.delete_record(self._last_write))
        message = await compose.records_delete(
            context.signer,
            self._agent.clock,
            record_id=self.id,
            prune=prune,
            delegated_grant=context.delegated_grant,
        )
        await self._agent.messages.process(self._did, message)
        self._initial_write = self._initial_write or self._message
        self._message = message
        self._data = self._stream = None

    async def send(self, target: str | None = None) -> SendReport:
        """Bring the record's present state to the remote DWNs of `target` at once.

        Parameters:
            target: a DID; by default the own one, that is, to all of its endpoints.

        Returns which endpoints took it. What an own endpoint did not take stays with sync.

        Raises:
            DwnError, RemoteError: no endpoint took it.
        """
        report = SendReport(await self._agent.sync.send(self._did, message_cid(self._message), target))
        report.raise_if_none_took_it()
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
        """The properties by their wire names, without the data (`Record.toJSON` of `@web5/api`)."""
        values = {
            "author": self.author,
            "contextId": self.context_id,
            "dataCid": self.data_cid,
            "dataFormat": self.data_format,
            "dataSize": self.data_size,
            "dateCreated": self.date_created,
            "messageTimestamp": self.date_modified,
            "datePublished": self.date_published,
            "parentId": self.parent_id,
            "protocol": self.protocol,
            "protocolPath": self.protocol_path,
            "published": self.published or None,
            "recipient": self.recipient,
            "recordId": self.id,
            "schema": self.schema,
            "tags": self.tags or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def __repr__(self) -> str:
        state = "deleted" if self.deleted else f"{self.data_format}, {self.data_size} bytes"
        return f"<Record {self.id} {state}>"

    @property
    def _last_write(self) -> Message:
        return (self._initial_write or self._message) if self.deleted else self._message

    def _text(self, name: str) -> str | None:
        value: str | None = self._descriptor(name)
        return value

    def _descriptor(self, name: str) -> Any:
        """A property of the newest write, or of the initial one where the record is deleted; None if it has none."""
        return self._last_write["descriptor"].get(name)

    async def _open_data(self) -> AsyncIterator[bytes]:
        if self.deleted:
            raise NotFound("", f"Record {self.id} is deleted.")
        decrypt = await self._encryption.opening(self._message)
        return decrypt(await self._stored_data())

    async def _stored_data(self) -> AsyncIterator[bytes]:
        if self._data is not None:
            return chunked(self._data)
        if self._stream is not None:
            stream, self._stream = self._stream, None
            return aiter(stream)
        context = await self._actor.authorize(operations.read_record(self._last_write), self._remote)
        read = await compose.records_read(
            context.signer,
            self._agent.clock,
            filter={"recordId": self.id},
            delegated_grant=context.delegated_grant,
        )
        reply = await self._agent.messages.ask(self._did, self._remote, read)
        fetched: DataStream | None = reply["entry"].get("data")
        if fetched is None:
            raise BlobMissing(f"The DWN has record {self.id} but not its data.")
        return aiter(fetched)


def _author_of(message: Mapping[str, Any]) -> str:
    return message_author(message)
