"""`web5.dwn.messages`: the messages that the local DWN holds, as they were signed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal

from web5.agent.agent import Agent
from web5.agent.delegation import operations
from web5.agent.delegation.actor import Actor
from web5.api import arguments
from web5.api.arguments import keywords, moment
from web5.api.messages.verification import Signature, Verification, signatures_of, verify
from web5.api.records.query import Cursor, Page, Query
from web5.dwn import compose
from web5.dwn.data import DataStream
from web5.dwn.signatures.jws import message_author, message_signer
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BlobMissing, InvalidArgument, NotFound, Web5Error

Method = Literal["Write", "Delete", "Configure"]

PAGE = 50
"""Messages of a page, unless another number is asked for."""


class SignedMessage:
    """A message that the local DWN holds, or one that came by other ways.

    Parameters:
        cid: the one by which it is held; None: it is not.
    """

    def __init__(self, agent: Agent, actor: Actor, message: Message, cid: str | None) -> None:
        self._agent = agent
        self._actor = actor
        self._message = message
        self._cid = cid

    @property
    def cid(self) -> str:
        """The message's CID."""
        return self._cid or message_cid(self._message)

    @property
    def interface(self) -> str:
        """The interface: "Records" or "Protocols"."""
        return str(self._message["descriptor"].get("interface"))

    @property
    def method(self) -> str:
        """The method: "Write", "Delete" or "Configure"."""
        return str(self._message["descriptor"].get("method"))

    @property
    def author(self) -> str:
        """The DID in whose name it was made."""
        return message_author(self._message)

    @property
    def signer(self) -> str:
        """The DID that signed it: the author, or a delegate."""
        return message_signer(self._message)

    @property
    def signatures(self) -> list[Signature]:
        """The signatures, with what each signs."""
        return signatures_of(self._message)

    @property
    def date(self) -> datetime:
        """The message's timestamp."""
        return moment(self._message["descriptor"]["messageTimestamp"])

    @property
    def record_id(self) -> str | None:
        """The record that it is about; None: a protocol."""
        found = self._message.get("recordId") or self._message["descriptor"].get("recordId")
        return None if found is None else str(found)

    @property
    def protocol(self) -> str | None:
        """The URI of the protocol that it configures, or in which it writes; a delete does not name its own."""
        descriptor = self._message["descriptor"]
        found = descriptor.get("definition", descriptor).get("protocol")
        return None if found is None else str(found)

    @property
    def raw_message(self) -> dict[str, Any]:
        """The message, as the wire has it."""
        return dict(self._message)

    async def data(self) -> AsyncIterator[bytes]:
        """Return the data of a RecordsWrite as the DWN has them, in chunks: of an encrypted record, the ciphertext.

        Raises:
            NotFound: it has none, or a newer message of the record has taken its place.
            BlobMissing: they are not here.
            GrantMissing: a delegate may not read them.
        """
        if self.method != "Write" or self.record_id is None:
            raise NotFound("", f"A {self.interface}{self.method} has no data.")
        context = await self._actor.authorize(operations.read_record(self._message))
        signer, invocation = context.invoking(None)
        read = partial(compose.records_read, signer, filter={"recordId": self.record_id}, **invocation)
        entry = (await self._agent.messages.ask(self._actor.did, None, read))["entry"]
        stream: DataStream | None = entry.get("data")
        if message_cid(entry.get("recordsWrite") or {}) != self.cid:
            if stream is not None:
                await stream.close()
            raise NotFound("", "A newer message of the record has taken its place; its data are not kept.")
        if stream is None:
            raise BlobMissing(f"The DWN has record {self.record_id} but not its data.")
        return aiter(stream)

    @keywords
    async def verify(self, *, data: bool = True) -> Verification:
        """Check what the message says of itself: its CID, what was signed, by whom, and its data.

        Nothing is raised for what does not hold: the checks say so.

        Parameters:
            data: read the data of a RecordsWrite, as far as they are here, however large they are.
        """
        stream, missing = None, ""
        if data and self._cid is not None and self.method == "Write":
            try:
                stream = await self.data()
            except Web5Error as error:
                missing = str(error)
        return await verify(self._agent, self._message, self._cid, stream, data_missing=missing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SignedMessage) and self.cid == other.cid

    def __hash__(self) -> int:
        return hash(self.cid)

    def __repr__(self) -> str:
        return f"<SignedMessage {self.cid}: {self.interface}{self.method}>"


class MessagesApi:
    """The messages of this identity's local DWN: what its records and protocols are made of, and what sync carries."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor
        self._did = actor.did

    @keywords
    def query(
        self,
        *,
        method: Method | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        cursor: Cursor | None = None,
    ) -> Query[SignedMessage]:
        """Ask for the messages in the order in which they came here.

        `await` gives a page; `async for` goes on to the last one; see `Query`. Of a record, the first write and the
        newest message are kept. What cannot be read is left out: `web5.sync.damaged()` has it.

        Parameters:
            method: only "Write", "Delete" or "Configure".
            newest_first: False: those that came first.
            limit: the number of messages of a page at the most.
            cursor: that of the page before.

        Raises:
            InvalidArgument: there is no such method or limit.
        """
        if method is not None:
            arguments.choice("method", method, ["Write", "Delete", "Configure"])
        size = arguments.positive("limit", limit) or PAGE

        async def fetch(cursor: Cursor | None) -> Page[SignedMessage]:
            found, following = await self._agent.held.log(self._did, method, cursor, size, newest_first)
            return Page((SignedMessage(self._agent, self._actor, one, cid) for cid, one in found), following)

        return Query(fetch, cursor)

    async def read(self, cid: str) -> SignedMessage:
        """Return one message by its CID.

        Raises:
            NotFound: it is not here.
        """
        message = await self._agent.held.message(self._did, arguments.text("cid", cid))
        if message is None:
            raise NotFound("", f"Message {arguments.shown(cid)} is not here.")
        return SignedMessage(self._agent, self._actor, message, cid)

    async def of_record(self, record_id: str) -> list[SignedMessage]:
        """Return the messages of a record that are kept, the oldest first; none if the record is not here."""
        found = await self._agent.held.record(self._did, arguments.text("record_id", record_id))
        return [SignedMessage(self._agent, self._actor, one, message_cid(one)) for one in found]

    def parse(self, value: Mapping[str, Any]) -> SignedMessage:
        """Return a message that came by other ways, as JSON, such as a `raw_message`; nothing of it is verified yet.

        Raises:
            InvalidArgument: it is no message of the wire.
        """
        descriptor = value.get("descriptor") if isinstance(value, Mapping) else None
        if not isinstance(descriptor, Mapping) or not isinstance(value.get("authorization"), Mapping):
            raise InvalidArgument("This is no message of a DWN: one has a `descriptor` and an `authorization`.")
        bare = {name: part for name, part in value.items() if name not in ("encodedData", "initialWrite")}
        return SignedMessage(self._agent, self._actor, bare, None)
