"""A record as an app sees it: `Record` of `@web5/api`, in Python's names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api import arguments
from web5.api.arguments import Moment, keywords
from web5.api.records.data import Payload, RecordData, Source, chunked, prepare
from web5.api.records.encryption import EncryptionChoice, RecordEncryption
from web5.api.records.progress import Sending, following, teller
from web5.api.records.record_view import RecordView
from web5.api.sending import SendReport
from web5.crypto.encoding import b64url_decode
from web5.dwn import compose
from web5.dwn.data import DataSource, DataStream
from web5.dwn.reading.drl import Drl
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.cid import bare_message
from web5.dwn.values.types import Message
from web5.errors import BlobMissing, Conflict, InvalidArgument, NotFound
from web5.settings import ByteProgress

_UNSET: Any = object()


class Record(RecordView):
    """A record in the state it had when it was read or written; `update` and `delete` move this object on.

    It lives where it was found: what was read or queried with `from_` is updated and deleted in that DID's remote DWN,
    and anything else in the local one. `store` and `import_` keep a copy here.

    Parameters:
        actor: who updates, deletes and sends, in the DWN of `actor.did`.
        message: the newest RecordsWrite or RecordsDelete, as the wire has it; `encodedData` and `initialWrite` of a
            query's entry may be in it.
        data: the data as the DWN has it: whole, or a source of them.
        stream: the data as a reply carries it; good for one reading, after which it is asked for again.
        remote: the DID whose remote DWN this came from; None if it came from the local one.
        role: the protocol path of the role with which it was found, and is read, updated and deleted.
    """

    def __init__(
        self,
        agent: Agent,
        actor: Actor,
        message: Message,
        *,
        initial_write: Message | None = None,
        data: bytes | Source | None = None,
        stream: DataStream | None = None,
        remote: str | None = None,
        role: str | None = None,
    ) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did
        self._encryption = RecordEncryption(agent, actor.did)
        self._remote = None if remote == actor.did else remote
        self._asked = remote
        self._role = role
        self._stream = stream
        inline = message.get("encodedData")
        self._data = b64url_decode(inline) if data is None and inline is not None else data
        self._initial_write: Message | None = initial_write or message.get("initialWrite")
        self._message = bare_message(message)

    def found_at(self, did: str | None) -> Record:
        """Return this record as it would be found in the remote DWN of a DID, which has it."""
        at_hand = self._data if isinstance(self._data, bytes) else None
        return Record(
            self._agent,
            self._actor,
            self._message,
            initial_write=self._initial_write,
            data=at_hand,
            remote=did,
            role=self._role,
        )

    @property
    def owner(self) -> str:
        """The DID in whose DWN it was found, or made."""
        return self._remote or self._did

    @property
    def drl(self) -> str:
        """Its DRL, the address by which a page of the site shows it, and `read_drl` reads it."""
        return str(Drl(self.owner, self.id))

    @property
    def data(self) -> RecordData:
        """The record's data: `await record.data.text()`, `.json()`, `.bytes()`, `.stream()` or `.blob()`."""
        return RecordData(self._open_data, self.data_format, self.data_size)

    @keywords
    async def update(
        self,
        *,
        data: Any = _UNSET,
        data_format: str | None = None,
        published: bool | None = None,
        date_published: Moment | None = None,
        tags: Mapping[str, Any] | None = None,
        encryption: EncryptionChoice = None,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        date_modified: Moment | None = None,
        store: bool = True,
        on_progress: ByteProgress | None = None,
    ) -> Record:
        """Write a new state of the record to the DWN in which it lives; what is not given stays as it is.

        In the local DWN it is dated after whatever is there, also if that comes from a device whose clock is ahead.

        Parameters:
            data: the new data, as for `records.create`.
            data_format: the new media type; it stays unless given.
            published: True lets anybody read the record, False ends that.
            date_published: the date of publication; by default now, when it is published.
            tags: all tags the record shall have; an empty mapping removes them.
            encryption: as for `records.create`, with data only. By default, an encrypted record stays one, for the
                same readers.
            protocol_role: the protocol path of the role that is invoked; by default the one it was found with.
            permission_grant_id: the record ID of a grant, not a delegated one, by the owner of the DWN.
            date_modified: the date of this state; by default now.
            store: False only signs the new state, for `send` or `store`.
            on_progress: as for `records.create`, of new data; for those that go to a remote DWN, as for `send`.

        Returns:
            This record.

        Raises:
            InvalidArgument: the record is deleted, or the data cannot be stored.
            EncryptionError: as for `records.create`; KeyMissing if the record cannot be opened here.
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused.
            RemoteError: it lives in a remote one that cannot be reached.
            Whatever a callable that gives the data raises.
        """
        if self.deleted:
            raise InvalidArgument(f"Record {self.id} is deleted, and a deleted record cannot come back.")
        arguments.callback("on_progress", on_progress)
        new_tags = self.tags if tags is None else arguments.tags(tags)
        signer, invocation = await self._actor.authorize(operations.update(self._message, published), self._remote)
        options = compose.WriteOptions(
            delegated_grant=invocation.get("delegated_grant"),
            permission_grant_id=permission_grant_id,
            protocol_role=self._role if protocol_role is None else protocol_role,
            data_format=data_format,
            published=published,
            date_published=arguments.date("date_published", date_published),
            message_timestamp=arguments.date("date_modified", date_modified),
            tags=new_tags or None,
        )
        has_data = data is not _UNSET
        cipher = await self._encryption.for_update(encryption, self._message, data_format, new_data=has_data)
        options["encryption"] = cipher.property if cipher else None if has_data else self._message.get("encryption")
        payload = None
        if has_data:
            payload = await prepare(data, data_format or self.data_format, cipher.encrypt_stream if cipher else None)
            options |= {"data_cid": payload.cid, "data_size": payload.size, "data_format": payload.data_format}
        write = partial(compose.records_write, signer, existing=self._message, **options)
        if not store:
            message = await write(self._agent.clock)
            await self._take_data_along(payload)
        elif self._remote is not None:
            message = await write(self._agent.clock)
            await self._put_there(message, payload, on_progress)
        else:
            await self._keep_initial_write()
            put = None
            if payload is not None:
                put = partial(payload.write, self._agent, self._did, on_progress=on_progress)
            message = await self._agent.messages.replace(self._did, write, put)
        if payload is not None:
            self._data, self._stream = payload.in_memory if store else payload.source, None
        self._move_on(message)
        return self

    @keywords
    async def delete(
        self,
        *,
        prune: bool = False,
        protocol_role: str | None = None,
        permission_grant_id: str | None = None,
        date_modified: Moment | None = None,
        sign_as_owner: bool = False,
        store: bool = True,
    ) -> None:
        """Delete the record in the DWN in which it lives; sync deletes it in the own remote ones.

        Parameters:
            prune: delete its descendants too.
            protocol_role: the protocol path of the role that is invoked; by default the one it was found with.
            permission_grant_id: the record ID of a grant, not a delegated one, by the owner of the DWN.
            date_modified: the date of the delete; by default now.
            sign_as_owner: sign somebody else's record as the owner of this DWN, if it is not here yet.
            store: False only signs the delete, for `send` or `store`.

        Raises:
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused; NotFound if it is deleted already.
            RemoteError: it lives in a remote one that cannot be reached.
        """
        context = await self._actor.authorize(operations.delete_record(self._last_write), self._remote)
        role = self._role if protocol_role is None else protocol_role
        signer, invocation = context.invoking(role, permission_grant_id)
        date = arguments.date("date_modified", date_modified)
        delete = partial(
            compose.records_delete, signer, record_id=self.id, prune=prune, message_timestamp=date, **invocation
        )
        if sign_as_owner:
            await self._sign_as_owner(initial_write_only=True)
        if not store or self._remote is not None:
            message = await delete(compose.after(self._agent.clock, self._message["descriptor"]["messageTimestamp"]))
            if store:
                await self._put_there(message, None)
        else:
            await self._keep_initial_write()
            message = await self._agent.messages.replace(self._did, delete)
        self._move_on(message)
        self._data = self._stream = None

    @keywords
    async def store(self, *, on_progress: ByteProgress | None = None) -> Record:
        """Keep the record, as it is here, in the local DWN; sync brings it to the own remote ones.

        It is what `create(store=False)` and `update(store=False)` leave to be done, and makes a copy of a record that
        was found in somebody else's DWN: then this object stands for the copy. What is held already stays.

        Parameters:
            on_progress: as for `records.create`; it is called at the end also where nothing was left to be stored.

        Returns:
            This record.

        Raises:
            DwnError: the DWN refused: of somebody else's record, for which no protocol allows it, see `import_`.
            RemoteError: its data cannot be fetched.
        """
        told = teller(arguments.callback("on_progress", on_progress), self.data_size)
        await self._keep_initial_write(any_record=True)
        if not await self._is_held(self.message_cid):
            data = None if self.deleted else await self._stored_data()
            await self._keep(self._message, data if data is None or told is None else told.storing(data))
        if told is not None:
            told.tell(told.total)
        self._remote = self._asked = None
        return self

    @keywords
    async def import_(self, *, store: bool = True, on_progress: ByteProgress | None = None) -> Record:
        """Sign somebody else's record as the owner of this DWN, so that it can be kept here (`Record.import`).

        Parameters:
            store: keep it in the local DWN; False only signs.
            on_progress: as for `store`.

        Returns:
            This record.

        Raises:
            GrantMissing: a delegate may not do this.
            DwnError: the DWN refused.
            RemoteError: its data cannot be fetched.
        """
        arguments.callback("on_progress", on_progress)
        await self._sign_as_owner()
        return await self.store(on_progress=on_progress) if store else self

    @keywords
    async def send(self, target: str | None = None, *, on_progress: ByteProgress | None = None) -> SendReport:
        """Bring the record's present state to the remote DWNs of `target`, at once or as soon as they take it.

        What does not get through is kept, also across restarts, and sync tries it again: `web5.sync.unsettled()` has
        it, with its target, until it arrived, a newer state was sent, or `web5.sync.withdraw()` took it back.

        Parameters:
            target: a DID; by default the own one, that is, to all of its endpoints.
            on_progress: called with the bytes of the data that have gone out and those of the whole; of several
                endpoints, to the one that has got the most. It is called at the end in any case, with the whole if an
                endpoint has the record, and only then where the data are small; a browser tells no more of an upload
                than its end. What it raises goes to the event loop's exception handler.

        Returns:
            The answer of each endpoint; `pending` has those that do not have the record yet.

        Raises:
            InvalidArgument: the target is no DID.
            DidError: there is no such target.
            DwnError, RemoteError: every endpoint refused it in a way that waiting does not mend, or the target names
                none.
            TooManyUndelivered: so much waits for others that nothing more is kept.
        """
        arguments.did_or_none("target", target)
        told = teller(arguments.callback("on_progress", on_progress), self.data_size)
        sending = None if told is None else Sending(told, self.message_cid, target or self._did)
        with following(self._agent.sync.listeners, sending):
            if await self._is_held(self.message_cid):
                report = SendReport(await self._agent.sync.send(self._did, self.message_cid, target))
            else:
                report = await self._send_unheld(target or self._did)
        if sending is not None:
            sending.end(delivered=bool(report.delivered))
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
        await self._agent.record_keys.share_context(self._did, self._last_write, arguments.did("did", did))

    # -- what is held here, and what is not

    async def _is_held(self, cid: str) -> bool:
        return await self._agent.held.has(self._did, cid)

    async def _keep(self, message: Message, data: AsyncIterator[bytes] | None) -> None:
        await self._agent.messages.process(self._did, message, data)

    async def _keep_initial_write(self, *, any_record: bool = False) -> None:
        """Keep the messages that come before the newest, where this record was made here and not stored."""
        if await self._agent.held.initial_write(self._did, self.id) is not None:
            return
        if self._initial_write is not None:
            await self._keep(self._initial_write, None)
        elif not any_record:
            await self.store()

    async def _put_there(
        self, message: Message, payload: Payload | None, on_progress: ByteProgress | None = None
    ) -> None:
        """Have the remote DWN in which the record lives take its next state."""
        assert self._remote is not None
        data = None if payload is None else payload.stream()
        told = None if payload is None else teller(on_progress, payload.size)
        try:
            await self._agent.messages.request(self._remote, message, data, on_sent=None if told is None else told.tell)
        except Conflict as conflict:
            raise Conflict(
                conflict.code, f"{conflict.message} What {self._remote} has is newer than this: read it again."
            ) from conflict
        if told is not None:
            told.tell(told.total)

    async def _take_data_along(self, payload: Payload | None) -> None:
        """Have the data at hand that a state which is not stored would else lose."""
        if payload is None and self._data is None and not await self._is_held(self.message_cid):
            self._data, self._stream = b"".join([chunk async for chunk in await self._stored_data()]), None

    async def _sign_as_owner(self, *, initial_write_only: bool = False) -> None:
        signer, invocation = await self._actor.authorize(operations.update(self._last_write, None))
        grant = invocation.get("delegated_grant")
        if self._initial_write is not None:
            self._initial_write = await sign_as_owner(self._initial_write, signer, grant)
        if not (self.deleted or (initial_write_only and self._initial_write is not None)):
            await self._take_data_along(None)
            self._message = await sign_as_owner(self._message, signer, grant)

    async def _send_unheld(self, target: str) -> SendReport:
        messages: list[tuple[Message, DataSource | None]] = []
        if self._initial_write is not None:
            messages.append((self._initial_write, None))
        messages.append((self._message, None if self.deleted else await self._stored_data()))
        return SendReport(await self._agent.sync.send_messages(self._did, target, messages))

    def _move_on(self, message: Message) -> None:
        self._initial_write, self._message = self._initial_write or self._message, message

    async def _open_data(self) -> AsyncIterator[bytes]:
        if self.deleted:
            raise NotFound("", f"Record {self.id} is deleted.")
        decrypt = await self._encryption.decryption(self._message)
        return decrypt(await self._stored_data())

    async def _stored_data(self) -> AsyncIterator[bytes]:
        if isinstance(self._data, bytes):
            return chunked(self._data)
        if self._data is not None:
            return self._data()
        if self._stream is not None:
            stream, self._stream = self._stream, None
            return aiter(stream)
        context = await self._actor.authorize(operations.read_record(self._last_write), self._asked)
        signer, invocation = context.invoking(self._role)
        filter = {"recordId": self.id}
        read = partial(compose.records_read, signer, filter=filter, **invocation)
        reply = await self._agent.messages.ask(self._did, self._asked, read)
        fetched: DataStream | None = reply["entry"].get("data")
        if fetched is None:
            raise BlobMissing(f"The DWN has record {self.id} but not its data.")
        return aiter(fetched)
