"""The embedded server as a process: signals, crashes, a port that is taken, large data in little memory."""

import asyncio
import re
import signal
import statistics
import time
from pathlib import Path

import httpx
import pytest

from tests.clocks import ManualClock
from tests.interop.node.serving import EmbeddedServer
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.dwn.values.cid import DataCid
from web5.dwn.wire import rpc
from web5.errors import Unreachable
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

clock = SystemClock()
crypto = CPythonCrypto()


class Owner:
    """An identity that is published at the server's gateway, and its way to one node."""

    @classmethod
    async def make(cls, server: EmbeddedServer):
        self = cls()
        self._server, self._http = server, HttpxHttp()
        self._remote = RemoteDwn(self._http, CPythonWebSockets())
        portable = await dht.create(crypto)
        self.portable = await dht.publish(portable, self._http, crypto, server.url + "/dht")
        self.did, self.signer = portable.uri, await signer_for(portable, crypto)
        return self

    async def process(self, message, data=None):
        return await self._remote.process_message(self._server.url + "/dwn0", self.did, message, data)

    async def subscribe(self, on_event):
        message = await compose.messages_subscribe(self.signer, clock)
        return await self._remote.subscribe(self._server.url + "/dwn0", self.did, message, on_event)

    async def write(self, data: bytes) -> str:
        message = await compose.records_write(self.signer, clock, data=data, data_format="text/plain")
        status = (await self.process(message, data))["status"]
        assert status["code"] == 202, status
        return message["recordId"]

    async def read(self, record_id: str) -> bytes:
        message = await compose.records_read(self.signer, clock, filter={"recordId": record_id})
        reply = await self.process(message)
        assert reply["status"]["code"] == 200, reply["status"]
        return await reply["entry"]["data"].read()

    async def record_ids(self) -> set[str]:
        message = await compose.records_query(self.signer, clock, filter={"dataFormat": "text/plain"})
        return {entry["recordId"] for entry in (await self.process(message))["entries"]}


@pytest.fixture
async def server(tmp_path: Path):
    async with EmbeddedServer(tmp_path / "data") as server:
        yield server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_ends_it_cleanly_and_the_data_is_kept(server, number):
    owner = await Owner.make(server)
    record_id = await owner.write(b"kept")
    assert await server.stop(number) == 0
    assert server.log == ""
    await server.start()
    assert await owner.read(record_id) == b"kept"


async def test_signal_ends_sockets_and_nothing_is_left_of_those_that_broke(server):
    owner = await Owner.make(server)
    told = asyncio.Queue()
    subscriptions = [await owner.subscribe(told.put_nowait) for _ in range(3)]
    await owner.write(b"text")
    async with asyncio.timeout(20):
        for _ in subscriptions:
            await told.get()
        _, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        handshake = "GET /dwn0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(
            handshake.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await writer.drain()
        writer.transport.abort()
        assert await server.stop() == 0
        for subscription in subscriptions:
            await subscription.ended()
    assert server.log == ""


async def test_what_is_under_way_is_finished_when_it_is_ended(tmp_path: Path):
    """Half of a record has come: nobody else is let in, and the other half is still waited for, and answered."""
    async with EmbeddedServer(tmp_path / "data", None, "--shutdown-seconds", "60") as server:
        owner = await Owner.make(server)
        data = b"x" * 100_000
        message = await compose.records_write(owner.signer, clock, data=data, data_format="text/plain")
        reader, writer = await asyncio.open_connection("127.0.0.1", port := int(server.url.rpartition(":")[2]))
        head = f"POST /dwn0 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\ndwn-request: "
        writer.write(head.encode() + rpc.encode_request(owner.did, message).encode() + b"\r\n\r\n" + data[:50_000])
        await writer.drain()
        await owner.record_ids()  # so the first half is there
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await refused(port)
        writer.write(data[50_000:])
        async with asyncio.timeout(20):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"code":202' in answer
        assert await server.stop() == 0
        await server.start()
        assert await owner.read(message["recordId"]) == data


async def refused(port: int) -> None:
    """Return once nobody is let in."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return
        writer.close()
        await writer.wait_closed()


async def test_one_dwn_at_the_root_and_another_gateway(server, tmp_path: Path):
    """As `web5-node serve --data DIR` serves, with its DIDs found through the gateway of another node."""
    flags = ("--paths", "/", "--no-gateway", "--gateways", f"{server.url}/dht")
    owner = await Owner.make(server)
    async with EmbeddedServer(tmp_path / "one", None, *flags) as one, httpx.AsyncClient(base_url=one.url) as http:
        data = b"published"
        message = await compose.records_write(owner.signer, clock, data=data, data_format="text/plain", published=True)
        reply = await owner._remote.process_message(one.url, owner.did, message, data)
        assert reply["status"]["code"] == 202, reply
        assert (await http.get(f"/{owner.did}/records/{message['recordId']}")).content == data
        assert (await http.get("/dht/short")).status_code == 404
        assert (await http.get("/info")).json()["url"] == f"{one.url}/"


async def test_every_acknowledged_record_survives_kill_9(server):
    """Three crashes in the middle of six writers' bursts, half of them with data that lies in blobs."""
    owner = await Owner.make(server)
    acknowledged: dict[str, bytes] = {}

    async def writer(number: int, enough: asyncio.Event) -> None:
        size = 40_000 if number % 2 else 40
        while True:
            data = f"{number} {len(acknowledged)} ".encode().ljust(size, b".")
            try:
                acknowledged[await owner.write(data)] = data
            except Unreachable:
                return
            if len(acknowledged) % 20 == 0:
                enough.set()

    for _ in range(3):
        enough = asyncio.Event()
        writers = [asyncio.ensure_future(writer(number, enough)) for number in range(6)]
        await enough.wait()
        assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
        await asyncio.gather(*writers)
        await server.start()
        assert acknowledged.keys() <= await owner.record_ids()
    for record_id, data in acknowledged.items():
        assert await owner.read(record_id) == data


async def test_data_that_another_server_uses_is_told_in_one_line(server, tmp_path: Path):
    with pytest.raises(AssertionError, match=r"is in use by process \d+"):
        await EmbeddedServer(tmp_path / "data").start()


@pytest.mark.parametrize(
    ("more", "codes"), [([], [200, 401]), (["--time-window", "60"], [401, 401]), (["--time-window", "0"], [200, 200])]
)
async def test_a_question_has_the_time_that_is_set(tmp_path: Path, more: list[str], codes: list[int]):
    """Asked with the date of five minutes ago, and with that of a year ago."""
    async with EmbeddedServer(tmp_path / "data", None, *more) as server:
        owner = await Owner.make(server)
        answers = []
        for minutes in (5, 365 * 24 * 60):
            then = ManualClock(clock.now() - minutes * 60_000_000)
            answers.append((await owner.process(await compose.messages_query(owner.signer, then)))["status"]["code"])
        assert answers == codes


async def test_site_lies_beside_the_nodes(tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>the page")
    async with (
        EmbeddedServer(tmp_path / "data", tmp_path / "site") as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        assert (await http.get("/")).text == "<p>the page"
        assert (await http.get("/dwn0/health")).json() == {"ok": True}
        assert (await http.get("/dht/short")).status_code == 400
        assert (await http.get("/dwn2")).status_code == 404


async def test_what_fits_neither_header_nor_body_is_a_refusal(server):
    owner = await Owner.make(server)
    for size, code in [(100_000, 202), (400_000, 202), (1_100_000, 431)]:
        message = await compose.records_write(
            owner.signer, clock, data=b"x", data_format="text/plain", tags={"long": "x" * size}
        )
        assert (await owner.process(message, b"x"))["status"]["code"] == code, size


async def test_sender_who_goes_away_leaves_nothing(server, tmp_path: Path):
    owner = await Owner.make(server)
    data = b"x" * 500_000
    message = await compose.records_write(owner.signer, clock, data=data, data_format="text/plain")
    head = f"POST /dwn0 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\ndwn-request: "
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(head.encode() + rpc.encode_request(owner.did, message).encode() + b"\r\n\r\n" + data[:-1])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert await owner.record_ids() == set()
    assert (await owner.process(message, data))["status"]["code"] == 202
    assert await server.stop() == 0
    assert server.log == ""
    assert len(files_under(tmp_path / "data" / "dwn0" / "blobs")) == 1


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_small_replies_are_not_held_back(server):
    """Nagle's algorithm against delayed acknowledgements would cost 40 ms each."""
    owner = await Owner.make(server)
    spans = []
    for _ in range(15):
        started = time.perf_counter()
        await owner.record_ids()
        spans.append(time.perf_counter() - started)
    assert statistics.median(spans) < 0.035


SIZE = 100_000_000
CHUNK = bytes(range(256)) * 256


def pieces():
    for _ in range(SIZE // len(CHUNK)):
        yield CHUNK
    yield CHUNK[: SIZE % len(CHUNK)]


async def test_100_mb_go_in_and_out_in_little_memory(server):
    owner = await Owner.make(server)
    await owner.write(b"warm")
    before = peak_memory(server.process.pid)
    cid = DataCid()
    for piece in pieces():
        cid.update(piece)
    data_cid, size = cid.finish()
    message = await compose.records_write(
        owner.signer, clock, data_cid=data_cid, data_size=size, data_format="application/octet-stream"
    )

    async def body():
        for piece in pieces():
            yield piece

    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        header = {"dwn-request": rpc.encode_request(owner.did, message)}
        answer = await http.post("/dwn0", headers=header, content=body())
        assert rpc.parse_response(answer.content)["status"]["code"] == 202, answer.text
        read = await compose.records_read(owner.signer, clock, filter={"recordId": message["recordId"]})
        header = {"dwn-request": rpc.encode_request(owner.did, read)}
        async with http.stream("POST", "/dwn0", headers=header) as answer:
            assert int(answer.headers["content-length"]) == SIZE
            again = DataCid()
            async for chunk in answer.aiter_bytes():
                again.update(chunk)
    assert again.finish() == (data_cid, SIZE)
    assert peak_memory(server.process.pid) - before < 30_000_000


def peak_memory(pid: int) -> int:
    """Bytes that the process ever had resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
