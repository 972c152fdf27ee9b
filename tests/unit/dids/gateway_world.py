"""Several real DID DHT gateways behind ASGI, and a way to them that can fail."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids import dht
from web5.dids.dht.gateways import Gateways
from web5.dids.models import PortableDid
from web5.dids.resolver import DidCache, UniversalResolver, default_resolver
from web5.dwn.store.database import open_memory
from web5.node.gateway import create_gateway
from web5.ports.clock import SystemClock

CRYPTO = CPythonCrypto()


class SteppedClock(SystemClock):
    """Its time and its sleepers are a test's: `advance` moves both.

    Attributes:
        ahead: seconds by which the wall clock is wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        self._micros = 1_700_000_000_000_000
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []
        self.slept: list[float] = []
        self.ahead = 0.0

    def now(self) -> int:
        self._micros += 1
        return self._micros + int(self.ahead * 1_000_000)

    def monotonic(self) -> float:
        return self._micros / 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        waking = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._micros + int(seconds * 1_000_000), waking))
        await waking

    def advance(self, seconds: float) -> None:
        self._micros += int(seconds * 1_000_000)
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._micros or sleeper[1].done()]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in due]
        for _, waking in due:
            if not waking.done():
                waking.set_result(None)


class GatewayWorld(httpx.AsyncBaseTransport):
    """Gateways by host name.

    Attributes:
        failing: what a gateway does instead of answering: a status, or an error that is raised.
        silent: those that answer only once they are no longer in here.
        forgetful: those that take what they are given and show nothing.
        requests: how many came, by method and host.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self.lose_everything()
        self.failing: dict[str, int | httpx.TransportError] = {}
        self.silent: dict[str, asyncio.Event] = {}
        self.forgetful: set[str] = set()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.asked = asyncio.Event()
        self.clock = SteppedClock()
        self.http = HttpxHttp(self)

    def lose_everything(self) -> None:
        """Put empty gateways in the places of these."""
        self._gateways = {name: httpx.ASGITransport(create_gateway(open_memory(), CRYPTO)) for name in self._names}

    def uris(self, *names: str) -> list[str]:
        return [f"http://{name}" for name in names or self._names]

    def resolver_of(self, *names: str, cache: DidCache | None = None) -> UniversalResolver:
        return default_resolver(self.http, CRYPTO, self.clock, *self.uris(*names), cache=cache)

    async def publish(self, portable_did: PortableDid, *names: str) -> PortableDid:
        """Publish a DID to some of the gateways, by default to all; the requests for it do not count."""
        published = await dht.publish(portable_did, self.http, CRYPTO, *self.uris(*names), clock=self.clock)
        self.requests.clear()
        self.asked.clear()
        return published

    def gateways(self, *names: str) -> Gateways:
        return Gateways(self.http, CRYPTO, self.uris(*names), self.clock)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        self.requests[request.method, name] += 1
        self.asked.set()
        if name in self.silent:
            await self.silent[name].wait()
        failure = self.failing.get(name)
        if isinstance(failure, int):
            return httpx.Response(failure, text="failed")
        if failure is not None:
            raise failure
        if name in self.forgetful and request.method == "GET":
            return httpx.Response(404, text="nothing here")
        return await self._gateways[name].handle_async_request(request)
