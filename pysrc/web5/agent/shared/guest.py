"""The side of an interpreter that is not the node: it calls the one that is.

A call that may be repeated goes on with the next node if this one goes. A write is looked for there before it is made
again; data that are being read go on where they were.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from web5 import strict_json
from web5.agent.shared.codec import signature_of
from web5.agent.shared.line import MAX_CHUNK, Line
from web5.agent.shared.office import Desk
from web5.agent.shared.service import Service, from_base64, to_base64
from web5.agent.shared.streams import Data
from web5.chunks import reading
from web5.dwn.data import DataSource, DataStream
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BlobMissing, NodeGone, Web5Error
from web5.sync.states import SendResult
from web5.tasks import TaskSet

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 20
"""Nodes that may go away during one call."""

_PAUSE = 0.02  # seconds, more with each try

_RESTLESS = "Tabs that are the node go away one after the other."

_WRITES = frozenset({"Write", "Delete", "Configure"})


class Guest:
    """Calls the node for a `SharedAgent`."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._session: str | None = None
        self._joining = asyncio.Lock()
        self._dropping = TaskSet("data could not be given up")

    async def call(
        self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        """Call a method that may be carried out twice."""
        signature = signature_of(method)
        packed = signature.pack(args, named)
        for tried in range(_TRIES):
            try:
                answer = await self._line.call(method.__name__, packed, idempotent=True)
            except NodeGone:  # it was just stepping back
                await asyncio.sleep(_PAUSE * tried)
            else:
                return signature.result(answer)  # type: ignore[no-any-return]
        raise NodeGone(_RESTLESS)

    async def once(
        self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        """Call a method that is to be carried out once; raises NodeGone where it is not known whether it was."""
        signature = signature_of(method)
        answer = await self._line.call(method.__name__, signature.pack(args, named), idempotent=False)
        return signature.result(answer)  # type: ignore[no-any-return]

    async def at_desk(
        self, method: Callable[Concatenate[Desk, str, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        """Call a method of this interpreter's desk, once."""
        session = await self.join()
        signature = signature_of(method)
        try:
            packed = signature.pack((session, *args), named)
            return signature.result(  # type: ignore[no-any-return]
                await self._line.call(method.__name__, packed, idempotent=False)
            )
        except NodeGone:
            if self._session == session:
                self._session = None
            raise

    async def join(self) -> str:
        """Return this interpreter's session with the node."""
        async with self._joining:
            for _ in range(_TRIES):
                if self._session is not None:
                    break
                with suppress(NodeGone):
                    self._session = str(strict_json.parse(await self._line.call("join", "{}", idempotent=False)))
        if self._session is None:
            raise NodeGone(_RESTLESS)
        return self._session

    def leave(self) -> None:
        """Forget the session, since there is another node."""
        self._session = None

    async def process(self, tenant: str, message: Message, data: DataSource | None) -> dict[str, Any]:
        """Process a message in the local DWN, and return the reply.

        Raises:
            NodeGone: nodes went away meanwhile, and `data` cannot be read once more.
        """
        for _ in range(_TRIES):
            try:
                return await self._process(tenant, message, data)
            except NodeGone:
                if message["descriptor"]["method"] in _WRITES and await self.call(
                    Service.has, tenant, message_cid(message)
                ):
                    return {"status": {"code": 202, "detail": "Accepted"}}
                if not (data is None or isinstance(data, bytes)):
                    raise
        raise NodeGone(_RESTLESS)

    async def send_messages(
        self, author: str, target: str, messages: Sequence[tuple[Message, DataSource | None]]
    ) -> list[SendResult]:
        """As `SyncEngine.send_messages`."""
        large = [data for _, data in messages if _is_large(data)]
        if not large:
            packed = [(message, None if data is None else _whole(data)) for message, data in messages]
            return await self.at_desk(Desk.send_messages, author, target, packed)

        async def work(stream: Data) -> list[SendResult]:
            packed = [
                (message, stream if data is large[0] else None if data is None else _whole(data))
                for message, data in messages
            ]
            return await self.at_desk(Desk.send_messages, author, target, packed)

        assert large[0] is not None
        return await self._with_stream(large[0], work)

    async def _process(self, tenant: str, message: Message, data: DataSource | None) -> dict[str, Any]:
        if data is None or not _is_large(data):
            whole = None if data is None else _whole(data)
            return self._with_data(tenant, message, await self.at_desk(Desk.process, tenant, message, whole))
        return await self._with_stream(data, lambda stream: self.at_desk(Desk.process, tenant, message, stream))

    async def _with_stream(self, data: DataSource, work: Callable[[Data], Awaitable[T]]) -> T:
        """Send data while a call reads them; what the data raise is raised, and the call given up."""
        name = uuid.uuid4().hex
        working = asyncio.ensure_future(work(Data(stream=name)))
        sending = asyncio.ensure_future(self._send(name, data))
        try:
            await asyncio.wait([working, sending], return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and (error := sending.exception()) is not None and not isinstance(error, NodeGone):
                raise error
            return await working
        finally:
            for task in (working, sending):
                task.cancel()
            await asyncio.gather(working, sending, return_exceptions=True)

    async def _send(self, name: str, data: DataSource) -> None:
        async with reading(_pieces(data)) as pieces:
            async for piece in pieces:
                if not await self.at_desk(Desk.put, name, to_base64(piece)):
                    return
        await self.at_desk(Desk.put, name, None)

    def _with_data(self, tenant: str, message: Message, reply: dict[str, Any]) -> dict[str, Any]:
        """Return a reply with its data as the engine gives them."""
        given = reply.pop("data", None)
        if not isinstance(given, dict):
            return reply
        if given.get("stream") is None:
            reply["entry"]["data"] = DataStream(from_base64(given["whole"]))
            return reply
        opened: list[str] = [given["stream"]]
        cid = _data_cid(reply)

        async def reopen() -> str | bytes:
            again = await self.at_desk(Desk.process, tenant, message, None)
            found = again.get("data")
            if not isinstance(found, dict) or _data_cid(again) != cid:
                raise BlobMissing("The data were replaced or deleted while they were being read.")
            return str(found["stream"]) if found.get("stream") else from_base64(found["whole"])

        async def chunks() -> AsyncIterator[bytes]:
            stream: str | bytes | None = opened.pop() if opened else None
            done = skipped = tries = 0
            try:
                while True:
                    try:
                        if stream is None:
                            stream, skipped = await reopen(), 0
                        if isinstance(stream, bytes):
                            yield stream[done:]
                            return
                        taken = await self.at_desk(Desk.take, stream)
                    except NodeGone:
                        tries += 1
                        if tries >= _TRIES:
                            raise
                        stream = None
                        continue
                    if taken is None:
                        stream = None
                        return
                    chunk = from_base64(taken)
                    fresh = chunk[max(0, done - skipped) :]
                    skipped += len(chunk)
                    if fresh:
                        done += len(fresh)
                        yield fresh
            finally:
                if isinstance(stream, str):
                    self._dropping.start(self._drop(stream))

        async def close() -> None:
            if opened:
                await self._drop(opened.pop())

        reply["entry"]["data"] = DataStream(chunks, given.get("size"), close=close)
        return reply

    async def _drop(self, stream: str) -> None:
        with suppress(Web5Error):
            await self.at_desk(Desk.drop, stream)


def _is_large(data: DataSource | None) -> bool:
    return data is not None and not (isinstance(data, bytes) and len(data) <= MAX_CHUNK)


def _whole(data: DataSource) -> Data:
    assert isinstance(data, bytes)
    return Data(whole=to_base64(data))


async def _pieces(data: DataSource) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        for start in range(0, len(data), MAX_CHUNK):
            yield data[start : start + MAX_CHUNK]
        return
    async with reading(data) as chunks:
        async for chunk in chunks:
            for start in range(0, len(chunk), MAX_CHUNK):
                yield bytes(chunk[start : start + MAX_CHUNK])


def _data_cid(reply: dict[str, Any]) -> Any:
    entry = reply["entry"]
    write = entry.get("recordsWrite") or entry.get("message") or {}
    return write.get("descriptor", {}).get("dataCid")
