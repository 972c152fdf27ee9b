"""web5-py in a PyScript worker, driven by tests/bench/run.py with the same steps as the peer."""

import asyncio
import json
import time
from urllib.parse import urljoin

import js

from web5 import Web5
from web5.browser.http import FetchHttp
from web5.dwn import compose, rpc
from web5.sync import SyncEvent

SCHEMA = "https://schema.org/TextDigitalDocument"


class Steps:
    web5: Web5
    did: str

    async def connect(self, endpoints: list[str]) -> dict:
        start = time.perf_counter()
        gateway = urljoin(js.WEB5_SITE, "dht")
        self.web5, self.did = await Web5.connect(
            sync="off", dwn_endpoints=endpoints, did_dht_gateway=gateway, name=f"bench-{time.time_ns()}"
        )
        ms = (time.perf_counter() - start) * 1000
        await self.web5.agent.publish_all()
        return {"ms": ms, "did": self.did}

    async def write(self, count: int) -> dict:
        each = []
        for i in range(count):
            data = (f"Note {i} " + "lorem ipsum " * 10)[:120]
            start = time.perf_counter()
            await self.web5.dwn.records.create(data, schema=SCHEMA, data_format="text/plain")
            each.append((time.perf_counter() - start) * 1000)
        return {"each": each}

    async def newest(self, repeat: int, limit: int) -> dict:
        each = []
        for _ in range(repeat):
            start = time.perf_counter()
            page = await self.web5.dwn.records.query(schema=SCHEMA, date_sort="createdDescending", limit=limit)
            texts = [await record.data.text() for record in page]
            each.append((time.perf_counter() - start) * 1000)
            assert len(texts) == limit, len(texts)
        return {"each": each}

    async def replay(self, endpoint: str, count: int) -> dict:
        """Signed writes, made beforehand and sent as fast as the server takes six at a time: what push could reach."""
        agent, data = self.web5.agent, b"lorem ipsum " * 10
        signer, http = await agent.signer(self.did), FetchHttp()
        requests = []
        for _ in range(count):
            message = await compose.records_write(
                signer, agent.clock, data=data, data_format="text/plain", schema=SCHEMA
            )
            requests.append(rpc.encode_request(self.did, message))

        async def send() -> None:
            while requests:
                headers = {rpc.REQUEST_HEADER: requests.pop(), "content-type": "application/octet-stream"}
                response = await http.request("POST", endpoint, headers=headers, body=data)
                rpc.parse_response(await response.read())

        start = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(6)))
        return {"ms": (time.perf_counter() - start) * 1000}

    async def watched_pull(self) -> dict:
        """A pull, with what its progress said."""
        told: list[tuple[int, int]] = []

        def look(event: SyncEvent) -> None:
            if event.kind == "progress" and event.direction == "pull" and event.total:
                told.append((event.done, event.total))

        self.web5.sync.listeners.append(look)
        figures = await self.sync("pull")
        self.web5.sync.listeners.remove(look)
        return {**figures, "first": told[0], "last": told[-1], "grows": told == sorted(told)}

    async def live(self) -> dict:
        connected = asyncio.Event()

        def look(_: object) -> None:
            if all(status.activity == "live" for status in self.web5.sync.status()):
                connected.set()

        self.web5.sync.listeners.append(look)
        await self.web5.sync.start("live")
        await asyncio.wait_for(connected.wait(), 30)
        self.web5.sync.listeners.remove(look)
        return {}

    async def wait_for(self, count: int) -> dict:
        """Until so many records are here."""
        arrived = asyncio.Event()

        def look(tenant: str, message_cid: str) -> None:
            arrived.set()

        self.web5.on_change.append(look)
        while len(await self.web5.dwn.records.query(schema=SCHEMA)) < count:
            arrived.clear()
            await asyncio.wait_for(arrived.wait(), 60)
        self.web5.on_change.remove(look)
        return {}

    async def count(self) -> dict:
        return {"count": len(await self.web5.dwn.records.query(schema=SCHEMA))}

    async def sync(self, direction: str) -> dict:
        start = time.perf_counter()
        await self.web5.sync.now(direction)
        ms = (time.perf_counter() - start) * 1000
        return {"ms": ms, "unsettled": len(self.web5.sync.unsettled())}

    async def export_identity(self) -> dict:
        return await self.web5.identities.export(self.did)

    async def import_identity(self, portable_identity: dict) -> dict:
        identity = await self.web5.identities.import_(portable_identity)
        self.did = identity.did
        self.web5 = await self.web5.use(self.did)
        return {"did": self.did}


steps = Steps()


async def call(name: str, args: str) -> str:
    """One step; arguments and result as JSON."""
    return json.dumps(await getattr(steps, name)(**json.loads(args)))


__export__ = ["call"]
