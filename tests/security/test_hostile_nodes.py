"""Nodes that mean no good, over real HTTP and WebSockets, beside an honest one: what they cost, and what stays well."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.contracts.memory import MIB, at_most
from tests.served import served
from tests.unit.sync.world import CRYPTO, Directory
from web5.cpython.blobs import FileBlobs
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dwn import Dwn, compose
from web5.dwn.store.database import open_file
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import method_of
from web5.node.server import create_app
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn
from web5.sync import SyncEngine

CLOCK = SystemClock()
OK = {"status": {"code": 200, "detail": "OK"}}
TAKEN = {"status": {"code": 202, "detail": "Accepted"}}
MISSING = {"status": {"code": 404, "detail": "Not Found"}}
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"

Answer = Callable[[str, Message], Any]
"""Given the method ("Records.Write") and the message: a DWN's reply, or a response."""


class Hostile:
    """A node that answers as a test says; what was asked of it is counted by method.

    Attributes:
        told: what it does with a WebSocket after the reply to a subscription; None: it has no WebSocket.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: Counter[str] = Counter()
        self.told: Callable[[WebSocket, Any], Awaitable[None]] | None = None
        self.app = Starlette(
            routes=[
                Route("/info", self._info),
                Route("/elsewhere", self._elsewhere, methods=["GET", "POST"]),
                Route("/", self._post, methods=["POST"]),
                WebSocketRoute("/", self._socket),
            ]
        )

    async def _info(self, request: Request) -> Response:
        return JSONResponse({"registrationRequirements": [], "webSocketSupport": self.told is not None})

    async def _elsewhere(self, request: Request) -> Response:
        self.asked["elsewhere"] += 1
        return JSONResponse({})

    async def _post(self, request: Request) -> Response:
        message = json.loads(request.headers["dwn-request"])["params"]["message"]
        await request.body()
        self.asked[method_of(message)] += 1
        found = self.answer(method_of(message), message)
        return found if isinstance(found, Response) else Response(rpc.encode_reply("1", found))

    async def _socket(self, socket: WebSocket) -> None:
        if self.told is None:
            await socket.close()
            return
        await socket.accept()
        telling = []
        try:
            while True:
                request = json.loads(await socket.receive_text())
                message = request["params"].get("message", {})
                self.asked[method_of(message)] += 1
                if method_of(message) == "Messages.Subscribe":
                    await socket.send_text(rpc.encode_reply(request["id"], OK))
                    telling.append(asyncio.create_task(self.told(socket, request["subscription"]["id"])))
                else:
                    await socket.send_text(rpc.encode_reply(request["id"], self.answer(method_of(message), message)))
        except WebSocketDisconnect:
            for task in telling:
                task.cancel()


class Scene:
    """A device whose owner names a hostile node and an honest one."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.directory = Directory()

    def dwn(self, name: str) -> Dwn:
        database = open_file(self.folder / f"{name}.sqlite")
        self._stack.push_async_callback(database.close)
        blobs = FileBlobs(self.folder / f"{name}-blobs")
        return Dwn(database=database, blobs=blobs, resolver=self.directory, crypto=CRYPTO, clock=CLOCK)

    async def start(self, hostile: Hostile) -> Scene:
        self.honest = self.dwn("honest")
        await self.honest.open()
        urls = [
            await self._stack.enter_async_context(served(hostile.app)),
            f"{await self._stack.enter_async_context(served(create_app({'/dwn': self.honest})))}/dwn",
        ]
        portable = await dht.create(CRYPTO, **dht.identity_defaults(urls))
        self.did, self.signer = portable.uri, await signer_for(portable, CRYPTO)
        self.directory.documents[self.did] = portable.document
        self.device = self.dwn("device")
        http = HttpxHttp()
        self._stack.push_async_callback(http.close)
        self.sync = SyncEngine(
            dwn=self.device,
            remote=RemoteDwn(http, CPythonWebSockets()),
            resolver=self.directory,
            clock=CLOCK,
            signer_for=self._signer_for,
        )
        await self.device.open()
        await self.sync.open()
        self._stack.push_async_callback(self.sync.close)
        await self.sync.register(self.did)
        return self

    async def _signer_for(self, did: str) -> Any:
        return self.signer

    async def write(self, data: bytes = b"text") -> Message:
        message = await compose.records_write(self.signer, CLOCK, data=data, data_format="text/plain")
        assert (await self.device.process_message(self.did, message, data))["status"]["code"] == 202
        return message

    async def now(self) -> None:
        async with asyncio.timeout(60):
            await self.sync.now()

    def status(self) -> Any:
        return self.sync.status()[0]

    def honest_has(self, *messages: Message) -> bool:
        return not self.honest.store.missing(self.did, map(message_cid, messages))

    def database_bytes(self) -> int:
        """The bytes of the database and its log, without the room that is kept beside them."""
        return sum(path.stat().st_size for path in self.folder.glob("device.sqlite*") if "reserve" not in path.name)


Start = Callable[[Answer], Awaitable[tuple[Hostile, Scene]]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start(answer: Answer) -> tuple[Hostile, Scene]:
            hostile = Hostile(answer)
            return hostile, await Scene(tmp_path, stack).start(hostile)

        yield start


def invented(number: int) -> str:
    """The CID of nothing, in its proper form."""
    digits = ""
    while number or len(digits) < 52:
        number, digit = divmod(number, 32)
        digits = LETTERS[digit] + digits
    return f"bafyrei{digits}"


def taking(method: str, message: Message) -> Any:
    """Take everything, and have nothing."""
    if method in ("Records.Write", "Records.Delete", "Protocols.Configure"):
        return TAKEN
    return {**OK, "entries": []} if method.endswith("Query") else MISSING


async def test_a_body_without_end(start: Start) -> None:
    sent = [0]

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent[0] += MIB
            yield b" " * MIB
            await asyncio.sleep(0)

    hostile, scene = await start(lambda method, message: StreamingResponse(endless()))
    message = await scene.write()
    with at_most(160 * MIB):
        await scene.now()
    assert scene.honest_has(message)
    assert sum(hostile.asked.values()) == 1
    assert sent[0] <= rpc.MAX_REPLY_BYTES + 8 * MIB
    assert "answered with more than" in scene.status().last_error[1]


async def test_headers_without_end(start: Start) -> None:
    _, scene = await start(lambda method, message: Response(headers={f"x-{n}": "x" * 1000 for n in range(5000)}))
    message = await scene.write()
    await scene.now()
    assert scene.honest_has(message)
    assert scene.status().last_error[1].startswith("Unreachable")


async def test_details_of_megabytes(start: Start) -> None:
    detail = "<img src=x onerror=alert(1)>" + "D" * 5_000_000
    _, scene = await start(
        lambda method, message: (
            {"status": {"code": 400, "detail": detail}} if method == "Records.Write" else taking(method, message)
        )
    )
    messages = [await scene.write() for _ in range(20)]
    await scene.now()
    assert scene.honest_has(*messages)
    assert len(scene.sync.unsettled()) == 20
    assert {len(one.detail) for one in scene.sync.unsettled()} == {rpc.MAX_DETAIL}
    assert scene.database_bytes() < 2_000_000


async def test_what_is_signed_follows_no_redirect(start: Start) -> None:
    hostile, scene = await start(lambda method, message: RedirectResponse("/elsewhere", 307))
    message = await scene.write(b"x" * 40_000)
    await scene.now()
    assert scene.honest_has(message)
    assert hostile.asked["elsewhere"] == 0
    assert "redirects" in scene.status().last_error[1]


async def test_messages_that_are_listed_and_not_given(start: Start) -> None:
    cids = [invented(number) for number in range(20_000)]

    def answer(method: str, message: Message) -> Any:
        if method == "Messages.Query":
            return {**OK, "entries": cids, "cursor": {"messageCid": cids[-1], "value": "1"}}
        return taking(method, message)

    hostile, scene = await start(answer)
    message = await scene.write()
    await scene.now()
    assert scene.honest_has(message)
    assert "Fruitless" in scene.status().last_error[1]
    assert scene.status().reachable
    assert sum(hostile.asked.values()) <= 40
    before = sum(hostile.asked.values())
    for _ in range(3):
        await scene.now()
    assert sum(hostile.asked.values()) - before <= 3 * 3
    assert scene.database_bytes() < 10_000_000


@pytest.mark.parametrize("entry", ["x", "x" * 100_000, 5, None, "BAFYREI" + "a" * 52, "bafyrei" + "0" * 52])
async def test_a_listing_of_what_are_no_messages(start: Start, entry: Any) -> None:
    hostile, scene = await start(
        lambda method, message: (
            {**OK, "entries": [entry] * 100} if method == "Messages.Query" else taking(method, message)
        )
    )
    await scene.now()
    assert scene.status().last_error[1] == "BadReply: the reply has no list of messages"
    assert sum(hostile.asked.values()) == 1


async def test_cursors_that_cannot_be_kept(start: Start) -> None:
    asked: list[Any] = []

    def answer(method: str, message: Message) -> Any:
        if method == "Messages.Query":
            asked.append(message["descriptor"].get("cursor"))
            return {**OK, "entries": [invented(len(asked))], "cursor": {"messageCid": "x", "value": "y" * 100_000}}
        return taking(method, message)

    _, scene = await start(answer)
    for _ in range(3):
        await scene.now()
    assert set(asked) == {None}


async def test_lists_without_end(start: Start) -> None:
    def answer(method: str, message: Message) -> Any:
        if method == "Messages.Query":
            number = hostile.asked[method] * 1000
            cids = [invented(number + one) for one in range(1000)]
            return {**OK, "entries": cids, "cursor": {"messageCid": cids[-1], "value": str(number)}}
        return taking(method, message)

    hostile, scene = await start(answer)
    message = await scene.write()
    await scene.now()
    assert scene.honest_has(message)
    before = sum(hostile.asked.values())
    assert before <= 130
    for _ in range(3):
        await scene.now()
    assert sum(hostile.asked.values()) - before <= 3 * 4


async def test_junk_that_is_given(start: Start) -> None:
    """Real messages, of somebody who may not write here: each costs the node one, and few are asked for in the end."""
    stranger = await signer_for(await dht.create(CRYPTO), CRYPTO)
    junk = [await compose.records_delete(stranger, CLOCK, record_id=invented(number)) for number in range(450)]
    by_cid = {message_cid(message): message for message in junk}

    def answer(method: str, message: Message) -> Any:
        if method == "Messages.Query":
            return {**OK, "entries": list(by_cid)}
        if method == "Messages.Read" and (found := by_cid.get(message["descriptor"]["messageCid"])):
            return {**OK, "entry": {"message": found}}
        return taking(method, message)

    hostile, scene = await start(answer)
    message = await scene.write()
    await scene.now()
    assert scene.honest_has(message)
    assert 250 <= hostile.asked["Messages.Read"] <= 320
    for _ in range(4):
        await scene.now()
    assert hostile.asked["Messages.Read"] <= 330
    # What is made here is sent all the same.
    later = await scene.write(b"later")
    await scene.now()
    assert scene.honest_has(later)
    assert hostile.asked["Records.Write"] >= 2


@pytest.mark.parametrize("moves", [False, True])
async def test_pages_without_end(start: Start, moves: bool) -> None:
    cids = [invented(number) for number in range(50)]
    page: list[Message] = []

    def answer(method: str, message: Message) -> Any:
        if method == "Messages.Query":
            return {**OK, "entries": cids}
        if method == "Records.Query":
            value = str(hostile.asked[method]) if moves else "1"
            return {**OK, "entries": page, "cursor": {"messageCid": "x", "value": value}}
        return taking(method, message)

    hostile, scene = await start(answer)
    for number in range(10):
        data = b"%d" % number
        made = await compose.records_write(scene.signer, CLOCK, data=data, data_format="text/plain")
        other = {**made, "authorization": made["authorization"] | {"signature": {"payload": "e30", "signatures": []}}}
        page.append({**other, "encodedData": "MA"})
        cids.append(message_cid(other))
    for _ in range(3):
        await scene.now()
    assert hostile.asked["Records.Query"] <= 10
    assert sum(hostile.asked.values()) <= 60


async def test_events_without_end(start: Start) -> None:
    hostile, scene = await start(taking)
    ended = asyncio.Event()

    async def flood(socket: WebSocket, subscription: Any) -> None:
        number = 0
        try:
            while True:
                event = {"message": {"descriptor": {"interface": "Records", "method": "Write", "number": number}}}
                await socket.send_text(rpc_socket.encode_event(subscription, event))
                number += 1
                await asyncio.sleep(0)
        finally:
            ended.set()

    hostile.told = flood
    await scene.sync.start("live")
    async with asyncio.timeout(60):
        await ended.wait()
    assert hostile.asked["Messages.Subscribe"] == 1
    assert hostile.asked["Messages.Query"] <= 30
    message = await scene.write()
    await scene.now()
    assert scene.honest_has(message)


async def test_a_conflict_for_everything(start: Start) -> None:
    """A node that says it has what it does not show has a few records written anew, and not without end."""
    conflict = {"status": {"code": 409, "detail": "Conflict"}}
    hostile, scene = await start(
        lambda method, message: conflict if method == "Records.Write" else taking(method, message)
    )
    messages = [await scene.write(b"%d" % number) for number in range(5)]
    for _ in range(4):
        await scene.now()
    assert scene.honest_has(*messages)
    written = len(scene.device.store.entries_after(scene.did, 0, 1000))
    assert written == 10  # each one once more
    assert scene.status().displaced == 5
    assert hostile.asked["Records.Write"] <= 4 * 10
