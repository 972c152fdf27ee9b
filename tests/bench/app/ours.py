"""web5-py in a PyScript worker, driven by tests/bench/app/measure.py with the same steps as the peer."""

import asyncio
import json
import time
from functools import partial
from urllib.parse import urljoin

import js

from web5 import Web5

SCHEMA = "https://schema.org/TextDigitalDocument"


class Steps:
    web5: Web5
    did: str

    async def connect(self, endpoints: list[str], store: str = "") -> dict:
        start = time.perf_counter()
        gateway = urljoin(js.WEB5_SITE, "dht")
        self.web5, self.did = await Web5.connect(
            sync="off", dwn_endpoints=endpoints, did_dht_gateways=[gateway], name=store or f"bench-{time.time_ns()}"
        )
        ms = (time.perf_counter() - start) * 1000
        if not self.web5.agent.joined:
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

    async def creates(self, count: int, gathered: bool) -> dict:
        """Records of an app of its own, one after the other or all at once."""
        made = [partial(self.web5.dwn.records.create, f"Note {i}", schema=f"{SCHEMA}/creates") for i in range(count)]
        start = time.perf_counter()
        if gathered:
            await asyncio.gather(*(create() for create in made))
        else:
            for create in made:
                await create()
        return {"ms": (time.perf_counter() - start) * 1000}

    async def live(self, stored: int) -> dict:
        """The first state of a list of so many records, and the one after a change."""
        for first in range(0, stored, 100):
            await asyncio.gather(
                *(self.web5.dwn.records.create(f"{first + i}", schema=f"{SCHEMA}/live") for i in range(100))
            )
        start = time.perf_counter()
        states = self.web5.dwn.records.live(schema=f"{SCHEMA}/live", date_sort="createdDescending")
        found = await anext(states)
        first_ms = (time.perf_counter() - start) * 1000
        assert len(found) == stored, len(found)
        after = []
        for i in range(10):
            await self.web5.dwn.records.create(f"new {i}", schema=f"{SCHEMA}/live")
            start = time.perf_counter()
            assert len(await anext(states)) == stored + i + 1
            after.append((time.perf_counter() - start) * 1000)
        await states.aclose()
        return {"first": first_ms, "after": after}

    async def newest(self, repeat: int, limit: int) -> dict:
        each = []
        for _ in range(repeat):
            start = time.perf_counter()
            page = await self.web5.dwn.records.query(schema=SCHEMA, date_sort="createdDescending", limit=limit)
            texts = [await record.data.text() for record in page]
            each.append((time.perf_counter() - start) * 1000)
            assert len(texts) == limit, len(texts)
        return {"each": each}

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
