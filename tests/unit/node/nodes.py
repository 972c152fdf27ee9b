"""Two DWNs behind one app, for what a server answers."""

import asyncio
from pathlib import Path

import httpx

from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dids.models import Resolved
from web5.dids.resolver import UniversalResolver
from web5.dwn import compose
from web5.dwn.engine import Dwn
from web5.dwn.store.database import open_memory
from web5.dwn.wire import rpc
from web5.node.limits import Limits
from web5.node.server import create_app
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

BASE = "http://server"
LIMITS = Limits(message=20_000, data=200_000)
crypto = CPythonCrypto()
clock = SystemClock()


class Served:
    """Two DWNs behind one app, and an identity that both can resolve."""

    @classmethod
    async def start(cls, folder: Path, limits: Limits = LIMITS, tenant_gate=None):
        self = cls()
        portable = await dht.create(crypto)
        self.method = Known(portable)
        resolver = UniversalResolver([self.method])
        self.did, self.signer = portable.uri, await signer_for(portable, crypto)
        self.databases, self.blobs, self.dwns = [], [], {}
        for path in ("/dwn0", "/dwn1", ""):
            database, blobs = open_memory(), FileBlobs(folder / f"blobs{path}")
            self.dwns[path] = Watched(
                database=database,
                blobs=blobs,
                resolver=resolver,
                crypto=crypto,
                clock=clock,
                tenant_gate=tenant_gate,
            )
            await self.dwns[path].open()
            self.databases.append(database)
            self.blobs.append(blobs)
        self.app = create_app(self.dwns, limits)
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url=BASE)
        self.http = HttpxHttp(transport)
        self.remote = RemoteDwn(self.http)
        return self

    async def message(self, data: bytes):
        return await compose.records_write(self.signer, clock, data=data, data_format="text/plain")

    async def write(self, path: str, data: bytes):
        message = await self.message(data)
        reply = await self.remote.process_message(BASE + path, self.did, message, data)
        return message["recordId"], reply["status"]

    async def read(self, path: str, record_id: str):
        message = await compose.records_read(self.signer, clock, filter={"recordId": record_id})
        return await self.remote.process_message(BASE + path, self.did, message)

    async def record_count(self, path: str) -> int:
        message = await compose.records_query(self.signer, clock, filter={"dataFormat": "text/plain"})
        return len((await self.remote.process_message(BASE + path, self.did, message))["entries"])

    async def header(self, data: bytes) -> dict[str, str]:
        return {"dwn-request": rpc.encode_request(self.did, await self.message(data), "1")}

    async def post(self, **request) -> httpx.Response:
        return await self.client.post("/dwn0", **request)


class Watched(Dwn):
    """A DWN that counts its subscriptions."""

    subscriptions = 0

    async def process_message(self, *args, **kwargs):
        reply = await super().process_message(*args, **kwargs)
        if "subscription" in reply:
            self.subscriptions += 1
            reply["subscription"] = Counted(reply["subscription"], self)
        return reply


class Counted:
    def __init__(self, subscription, dwn: Watched) -> None:
        self.id, self.is_tenants = subscription.id, subscription.is_tenants
        self._subscription, self._dwn = subscription, dwn

    async def close(self) -> None:
        await self._subscription.close()
        self._dwn.subscriptions -= 1


class Known:
    """A DID method that has one DID.

    Attributes:
        answers: while it is not set, whoever resolves waits; `asked` is set once somebody does.
    """

    name = "dht"

    def __init__(self, portable) -> None:
        self._portable = portable
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def resolve(self, did):
        self.asked.set()
        await self.answers.wait()
        return Resolved(self._portable.document, {})
