"""Devices with our engine and sync on files, for an identity whose nodes are reference dwn-servers.

Run as a program it is a device in a process of its own: see `main`.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dids.resolver import default_resolver
from web5.dwn import Dwn, compose
from web5.dwn.store.database import open_file
from web5.dwn.values.cid import DataCid
from web5.dwn.values.types import Message
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import method_of
from web5.errors import TimedOut
from web5.ports.clock import Clock, SystemClock
from web5.ports.http import BodyStream, HttpResponse
from web5.remote.dwn import RemoteDwn
from web5.remote.registration import RegistrationClient
from web5.sync import SyncEngine, SyncEvent
from web5.sync.exchange.registrar import Registrar

CRYPTO = CPythonCrypto()
CLOCK = SystemClock()


class CountingHttp(HttpxHttp):
    """Counts DWN requests by endpoint and method, and waits for replies as long as a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()
        self._waiting: dict[rpc.Id, asyncio.Task[HttpResponse]] = {}
        self._late: set[rpc.Id] = set()

    def time_out(self, id: rpc.Id) -> None:
        """The reply to the DWN request with this ID has not come in time."""
        if (waiting := self._waiting.get(id)) is not None:
            self._late.add(id)
            waiting.cancel()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        asking = super().request(method, url, headers=headers, body=body, timeout=timeout)
        if not headers or rpc.REQUEST_HEADER not in headers:
            return await asking
        request = rpc.parse_request(headers[rpc.REQUEST_HEADER])
        self.counts[url, method_of(request.message).replace(".", "")] += 1
        self._waiting[request.id] = asyncio.ensure_future(asking)
        try:
            return await self._waiting[request.id]
        except asyncio.CancelledError:
            if request.id in self._late:
                raise TimedOut(f"{url} did not answer in time") from None
            raise
        finally:
            del self._waiting[request.id]

    def by_method(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, method), count in self.counts.items():
            found[method] += count
        return found


class Device:
    """One device. Opening the same folder again is the same device after a crash or a restart."""

    signer: MessageSigner

    def __init__(self, folder: Path, portable: PortableDid, gateway: str, clock: Clock = CLOCK) -> None:
        self.did = portable.uri
        self.portable = portable
        self.clock = clock
        self.http = CountingHttp()
        self.database = open_file(folder / "device.sqlite")
        resolver = default_resolver(self.http, CRYPTO, clock, gateway)
        self.dwn = Dwn(
            database=self.database,
            blobs=FileBlobs(folder / "blobs"),
            resolver=resolver,
            crypto=CRYPTO,
            clock=clock,
        )
        self.registrar = Registrar(RegistrationClient(lambda endpoint: self.http), self.database, clock)
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=RemoteDwn(self.http, CPythonWebSockets(), clock=clock),
            resolver=resolver,
            clock=clock,
            signer_for=self._signer_for,
            registrar=self.registrar,
        )

    async def _signer_for(self, did: str) -> MessageSigner:
        assert did == self.did
        return self.signer

    async def __aenter__(self) -> Device:
        self.signer = await signer_for(self.portable, CRYPTO)
        await self.dwn.open()
        await self.sync.open()
        await self.sync.register(self.did)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sync.close()
        await self.http.close()
        await self.database.close()

    async def write(self, data: bytes, **more: Any) -> Message:
        more = more if "existing" in more else {"data_format": "text/plain", **more}
        message = await compose.records_write(self.signer, self.clock, data=data, **more)
        reply = await self.dwn.process_message(self.did, message, data)
        assert reply["status"]["code"] == 202, reply
        return message

    async def write_stream(self, source: Callable[[], AsyncIterator[bytes]]) -> Message:
        cid, size = await _hashed(source())
        message = await compose.records_write(
            self.signer, self.clock, data_cid=cid, data_size=size, data_format="application/octet-stream"
        )
        reply = await self.dwn.process_message(self.did, message, source())
        assert reply["status"]["code"] == 202, reply
        return message

    async def data_cid(self, record_id: str, endpoint: str | None = None) -> str:
        """The CID of a record's data, read here or at a node."""
        read = await compose.records_read(self.signer, self.clock, filter={"recordId": record_id})
        if endpoint is None:
            reply = await self.dwn.process_message(self.did, read)
        else:
            reply = await RemoteDwn(self.http).process_message(endpoint, self.did, read)
        return (await _hashed(reply["entry"]["data"]))[0]

    async def configure(self, definition: Message) -> None:
        """Install a protocol."""
        message = await compose.protocols_configure(self.signer, self.clock, definition=definition)
        reply = await self.dwn.process_message(self.did, message)
        assert reply["status"]["code"] == 202, reply

    async def delete(self, record_id: str) -> None:
        message = await compose.records_delete(self.signer, self.clock, record_id=record_id)
        reply = await self.dwn.process_message(self.did, message)
        assert reply["status"]["code"] == 202, reply

    def held(self) -> set[str]:
        return {cid for _, cid in self.dwn.store.entries_after(self.did, 0, 1_000_000)}

    async def contents(self) -> dict[str, bytes]:
        """Record ID to data of everything that can be queried here."""
        return await self._contents(functools.partial(self.dwn.process_message, self.did))

    async def contents_at(self, endpoint: str) -> dict[str, bytes]:
        """The same of a node."""
        async with _http() as http:
            return await self._contents(functools.partial(RemoteDwn(http).process_message, endpoint, self.did))

    async def listed_by(self, endpoint: str) -> set[str]:
        """The CIDs of everything that a node says it holds."""
        query = await compose.messages_query(self.signer, self.clock)
        async with _http() as http:
            return set((await RemoteDwn(http).process_message(endpoint, self.did, query))["entries"])

    async def queried_at(self, endpoint: str) -> set[str]:
        """The record IDs that a node finds."""
        async with _http() as http:
            reply = await RemoteDwn(http).process_message(endpoint, self.did, await self._query())
        return {entry["recordId"] for entry in reply["entries"]}

    def next_round(self) -> asyncio.Future[None]:
        """Done when a round of sync ends."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell(event: SyncEvent) -> None:
            if event.kind == "finished":
                self.sync.listeners.remove(tell)
                ended.set_result(None)

        self.sync.listeners.append(tell)
        return ended

    async def _contents(self, process: Callable[[Message], Awaitable[Message]]) -> dict[str, bytes]:
        found = {}
        for entry in (await process(await self._query()))["entries"]:
            read = await compose.records_read(self.signer, self.clock, filter={"recordId": entry["recordId"]})
            found[entry["recordId"]] = await (await process(read))["entry"]["data"].read()
        return found

    async def _query(self) -> Message:
        everything = {"dateCreated": {"from": "1970-01-01T00:00:00.000000Z"}}
        return await compose.records_query(self.signer, self.clock, filter=everything)


@asynccontextmanager
async def _http() -> AsyncIterator[HttpxHttp]:
    http = HttpxHttp()
    yield http
    await http.close()


async def _hashed(chunks: AsyncIterable[bytes]) -> tuple[str, int]:
    cid = DataCid()
    async for chunk in chunks:
        cid.update(chunk)
    return cid.finish()


async def main(folder: str, portable: PortableDid, gateway: str, writes: str, direction: str, most: str) -> None:
    """Write so many records, then sync until `most` have gone in a direction, and wait there to be killed.

    Prints `written`, then `stopped` where it waits, or `finished`.
    """

    def stop(event: SyncEvent) -> None:
        if event.kind == "progress" and event.direction == direction and event.done >= int(most):
            print("stopped", flush=True)
            sys.stdin.read()  # nothing else happens in this process

    async with Device(Path(folder), portable, gateway) as device:
        for number in range(int(writes)):
            await device.write(b"from the process %d" % number)
        print("written", flush=True)
        device.sync.listeners.append(stop)
        report = await device.sync.now()
        print("finished", report.ok, flush=True)


if __name__ == "__main__":
    folder, identity, *rest = sys.argv[1:]
    asyncio.run(main(folder, PortableDid.model_validate_json(Path(identity).read_text()), *rest))
