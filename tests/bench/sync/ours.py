"""web5-py in a PyScript worker, driven by tests/bench/sync/measure.py with the same steps as the peer."""

import asyncio
import json
import time
from collections import Counter
from urllib.parse import urljoin

import js
from pyodide.code import run_js
from pyodide.ffi import to_js

from web5 import Web5
from web5.dwn.messages import records_write
from web5.dwn.signatures.authentication import Verifier
from web5.dwn.store.database import Database
from web5.dwn.wire import rpc
from web5.platform import open_agent
from web5.sync import Activity, SyncEvent
from web5.sync.exchange.taking.applying import Applying
from web5.sync.plan.pull import PageWalk

SCHEMA = "https://schema.org/TextDigitalDocument"
CONNECT_SECONDS = 15

# The least that a browser can do to send signed messages, a few at a time.
REPLAY = """
async (url, requests, bodies, width) => {
  let next = 0;
  const worker = async () => {
    while (next < requests.length) {
      const [request, body] = [requests[next], bodies[next]];
      next += 1;
      const headers = { 'dwn-request': request, 'content-type': 'application/octet-stream' };
      const options = { method: 'POST', credentials: 'omit', cache: 'no-store', headers, body };
      const { result } = await (await fetch(url, options)).json();
      if (result.reply.status.code !== 202) throw new Error(result.reply.status.detail);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: width }, worker));
  return performance.now() - start;
}
"""


class Phases:
    """How long the parts of a pull take, in milliseconds: from the last `begin` on.

    What else goes on while a part is awaited, such as another part, counts there too.
    """

    def __init__(self) -> None:
        self._ms: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._since: dict[str, float] = {}
        self._time(rpc, "parse_response", "JSON")
        self._time(PageWalk, "feed", "messages")
        self._time(records_write, "_parse", "checks")
        self._time_async(Verifier, "authenticate_each", "signatures")
        self._time_async(Database, "commit", "store and flush")
        self._time_async(Database, "flush", "flush")
        self._time_async(Applying, "check", "engine")
        self._time_async(Applying, "store", "engine")

    def begin(self) -> None:
        self._ms.clear()

    def ended(self, total: float) -> dict[str, float]:
        """The parts of so many milliseconds."""
        ms = self._ms
        return {
            "request": max(0.0, total - ms["engine"] - ms["messages"]),
            "reading": ms["JSON"] + ms["messages"],
            "checks": ms["checks"],
            "signatures": ms["signatures"],
            "store": max(0.0, ms["store and flush"] - ms["flush"]),
            "flush": ms["flush"],
        }

    def _time(self, owner: object, name: str, part: str) -> None:
        timed = getattr(owner, name)

        def call(*args: object, **more: object) -> object:
            start = time.perf_counter()
            try:
                return timed(*args, **more)
            finally:
                self._ms[part] += (time.perf_counter() - start) * 1000

        setattr(owner, name, call)

    def _time_async(self, owner: object, name: str, part: str) -> None:
        timed = getattr(owner, name)

        async def call(*args: object, **more: object) -> object:
            if not self._running[part]:  # what runs twice at a time counts once
                self._since[part] = time.perf_counter()
            self._running[part] += 1
            try:
                return await timed(*args, **more)
            finally:
                self._running[part] -= 1
                if not self._running[part]:
                    self._ms[part] += (time.perf_counter() - self._since[part]) * 1000

        setattr(owner, name, call)


class Steps:
    web5: Web5

    def __init__(self) -> None:
        self._phases = Phases()
        self._seen: dict[str, float] = {}
        self._news = asyncio.Event()

    async def open(self, identity: dict) -> dict:
        """A new device of this identity, and of no other."""
        agent = await open_agent(gateway_uris=[urljoin(js.WEB5_SITE, "dht")], name=f"bench-{time.time_ns()}")
        await agent.initialize(password=None, dwn_endpoints=[])
        await agent.import_identity(identity)
        self.web5, did = await Web5.connect(agent=agent, sync="off")
        return {"did": did}

    async def write(self, count: int) -> dict:
        for i in range(count):
            data = (f"Note {i} " + "lorem ipsum " * 10)[:120]
            await self.web5.dwn.records.create(data, schema=SCHEMA, data_format="text/plain")
        return {}

    async def sync(self, direction: str | None = None) -> dict:
        """Sync once; also what the progress events said."""
        told: list[tuple[int, int]] = []

        def note(event: SyncEvent) -> None:
            if event.kind == "progress" and event.direction == direction:
                told.append((event.done, event.total))

        self.web5.sync.listeners.append(note)
        self._phases.begin()
        start = time.perf_counter()
        report = await self.web5.sync.now(direction)
        ms = (time.perf_counter() - start) * 1000
        self.web5.sync.listeners.remove(note)
        assert report.ok, report
        phases = self._phases.ended(ms)
        return {"ms": ms, "phases": phases, "unsettled": len(self.web5.sync.unsettled()), "progress": told}

    async def count(self) -> dict:
        return {"count": len(await self.web5.dwn.records.query(schema=SCHEMA))}

    async def replay(self, url: str, width: int) -> dict:
        """Send all records of this device once more, elsewhere, by the barest loop there is."""
        requests, bodies = [], []
        for record in await self.web5.dwn.records.query(schema=SCHEMA):
            requests.append(rpc.encode_request(self.web5.connected_did, record.raw_message, record.id))
            bodies.append(await record.data.bytes())
        return {"ms": await run_js(REPLAY)(url, to_js(requests), to_js(bodies), width)}

    # -- edits that another device sees

    async def start(self) -> dict:
        """Sync by itself, as soon as it can; how."""
        await self.web5.sync.start("live")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                async for _ in self.web5.sync.events():
                    if all(endpoint.activity is Activity.LIVE for endpoint in self.web5.sync.status()):
                        break
        except TimeoutError:
            return {"mode": "live, but polling"}
        return {"mode": "live"}

    async def stop(self) -> dict:
        await self.web5.sync.stop()
        return {}

    async def watch(self) -> dict:
        async def note(record) -> None:
            self._seen[await record.data.text()] = time.time()
            self._news.set()

        await self.web5.dwn.records.subscribe(lambda record: asyncio.ensure_future(note(record)), schema=SCHEMA)
        return {}

    async def create(self, text: str) -> dict:
        record = await self.web5.dwn.records.create(text, schema=SCHEMA, data_format="text/plain")
        return {"id": record.id}

    async def edit(self, id: str, text: str) -> dict:
        record = await self.web5.dwn.records.read(id)
        at = time.time()
        await record.update(data=text)
        return {"at": at}

    async def seen(self, text: str) -> dict:
        while text not in self._seen:
            self._news.clear()
            await self._news.wait()
        return {"at": self._seen[text]}


steps = Steps()


async def call(name: str, args: str) -> str:
    """One step; arguments and result as JSON."""
    return json.dumps(await getattr(steps, name)(**json.loads(args)))


__export__ = ["call"]
