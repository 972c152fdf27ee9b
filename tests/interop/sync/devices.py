"""Devices with our engine and sync on files, for an identity whose nodes are reference dwn-servers.

Run as a program it is a device in a process of its own: see `main`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from web5.crypto.jws import MessageSigner
from web5.dids.models import PortableDid
from web5.dids.resolver import default_resolver
from web5.dids.signing import signer_for
from web5.dwn import Dwn, compose
from web5.dwn.cid import DataCid
from web5.dwn.store.database import open_file
from web5.node.blobs import FileBlobs
from web5.node.crypto import NodeCrypto
from web5.node.http import HttpxHttp
from web5.ports.clock import SystemClock
from web5.ports.http import BodyStream, HttpResponse
from web5.sync import SyncEngine, SyncEvent
from web5.sync.remote import RemoteDwn

CRYPTO = NodeCrypto()
CLOCK = SystemClock()
Message = dict[str, Any]


class CountingHttp(HttpxHttp):
    """Counts DWN requests by endpoint and method."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        if headers and "dwn-request" in headers:
            descriptor = json.loads(headers["dwn-request"])["params"]["message"]["descriptor"]
            self.counts[url, descriptor["interface"] + descriptor["method"]] += 1
        return await super().request(method, url, headers=headers, body=body, timeout=timeout)

    def by_method(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, method), count in self.counts.items():
            found[method] += count
        return found


class Device:
    """One device. Opening the same folder again is the same device after a crash or a restart."""

    signer: MessageSigner

    def __init__(self, folder: Path, portable: PortableDid, gateway: str) -> None:
        self.did = portable.uri
        self.portable = portable
        self.http = CountingHttp()
        self.database = open_file(folder / "device.sqlite")
        resolver = default_resolver(self.http, CRYPTO, CLOCK, gateway)
        self.dwn = Dwn(
            database=self.database,
            blobs=FileBlobs(folder / "blobs"),
            resolver=resolver,
            crypto=CRYPTO,
            clock=CLOCK,
        )
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=RemoteDwn(self.http),
            resolver=resolver,
            clock=CLOCK,
            signer_for=self._signer_for,
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
        message = await compose.records_write(self.signer, CLOCK, data=data, **more)
        reply = await self.dwn.process_message(self.did, message, data)
        assert reply["status"]["code"] == 202, reply
        return message

    async def write_stream(self, source: Callable[[], AsyncIterator[bytes]]) -> Message:
        cid, size = await _hashed(source())
        message = await compose.records_write(
            self.signer, CLOCK, data_cid=cid, data_size=size, data_format="application/octet-stream"
        )
        reply = await self.dwn.process_message(self.did, message, source())
        assert reply["status"]["code"] == 202, reply
        return message

    async def data_cid(self, record_id: str, endpoint: str | None = None) -> str:
        """The CID of a record's data, read here or at a node."""
        read = await compose.records_read(self.signer, CLOCK, filter={"recordId": record_id})
        if endpoint is None:
            reply = await self.dwn.process_message(self.did, read)
        else:
            reply = await RemoteDwn(self.http).process_message(endpoint, self.did, read)
        return (await _hashed(reply["entry"]["data"]))[0]

    async def delete(self, record_id: str) -> None:
        message = await compose.records_delete(self.signer, CLOCK, record_id=record_id)
        reply = await self.dwn.process_message(self.did, message)
        assert reply["status"]["code"] == 202, reply

    def held(self) -> set[str]:
        return {cid for _, cid in self.dwn.store.entries_after(self.did, 0, 1_000_000)}

    async def contents(self) -> dict[str, bytes]:
        """Record ID to data of everything that can be queried here."""
        query = await self._query()
        found = {}
        for entry in (await self.dwn.process_message(self.did, query))["entries"]:
            read = await compose.records_read(self.signer, CLOCK, filter={"recordId": entry["recordId"]})
            found[entry["recordId"]] = await (await self.dwn.process_message(self.did, read))["entry"]["data"].read()
        return found

    async def listed_by(self, endpoint: str) -> set[str]:
        """The CIDs of everything that a node says it holds."""
        remote = RemoteDwn(HttpxHttp())
        query = await compose.messages_query(self.signer, CLOCK)
        return set((await remote.process_message(endpoint, self.did, query))["entries"])

    async def queried_at(self, endpoint: str) -> set[str]:
        """The record IDs that a node finds."""
        reply = await RemoteDwn(HttpxHttp()).process_message(endpoint, self.did, await self._query())
        return {entry["recordId"] for entry in reply["entries"]}

    async def _query(self) -> Message:
        everything = {"dateCreated": {"from": "1970-01-01T00:00:00.000000Z"}}
        return await compose.records_query(self.signer, CLOCK, filter=everything)


async def _hashed(chunks: AsyncIterable[bytes]) -> tuple[str, int]:
    cid = DataCid()
    async for chunk in chunks:
        cid.update(chunk)
    return cid.finish()


async def main(folder: str, portable: PortableDid, gateway: str, writes: str) -> None:
    """Write so many records, then sync; prints `progress <direction> <done>` lines, and in the end `finished`."""

    def tell(event: SyncEvent) -> None:
        if event.kind == "progress":
            print("progress", event.direction, event.done, flush=True)

    async with Device(Path(folder), portable, gateway) as device:
        for number in range(int(writes)):
            await device.write(b"from the process %d" % number)
        print("written", flush=True)
        device.sync.listeners.append(tell)
        report = await device.sync.now()
        print("finished", report.ok, flush=True)


if __name__ == "__main__":
    folder, identity, *rest = sys.argv[1:]
    asyncio.run(main(folder, PortableDid.model_validate_json(Path(identity).read_text()), *rest))
