"""The network as an agent's `Http` port meets it: servers that really run, and what befalls requests to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from tests.simulation.faults import FAULTS, TIMEOUT, Exchange
from tests.simulation.network import QUICKEST, SLOWEST, Outside, Spell
from web5.errors import TimedOut, Unreachable
from web5.ports.clock import Clock
from web5.ports.http import BodyStream, HttpResponse

if TYPE_CHECKING:
    from tests.simulation.agents.device import AgentDevice

ON_THE_WAY = ("lost before", "lost after", "timeout", "slow", "twice", "again later")
"""Those of `FAULTS` that befall any request."""
STATUSES = {"500": 500, "503": 503, "429": 429, "404": 404}
"""What a server, or a proxy before it, may answer instead."""


class SimResponse(HttpResponse):
    """An answer that is there as a whole."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.body

    async def close(self) -> None: ...


@dataclass(eq=False)
class Server:
    """A server on the network.

    Parameters:
        watch: called with each request and its answer, and with the device that asked, if it was one.

    Attributes:
        unreachable, silent: it refuses connections; it never answers.
        spells: what befalls its requests.
    """

    name: str
    url: str
    app: ASGIApp
    clock: Clock
    watch: Callable[[AgentDevice | None, str, str, bytes, SimResponse], None] = lambda *_: None
    unreachable: bool = False
    silent: bool = False
    spells: list[Spell] = field(default_factory=list)

    def fault(self, random: Random) -> str | None:
        """Return what befalls this request, if anything."""
        now = asyncio.get_running_loop().time()
        self.spells = [spell for spell in self.spells if spell.until > now]
        return next((spell.fault for spell in self.spells if random.random() < spell.share), None)

    async def answer(
        self, client: str, method: str, url: str, headers: Mapping[str, str], body: bytes, device: AgentDevice | None
    ) -> SimResponse:
        """Have the server answer a request."""
        response = await _call(self.app, client, method, url, headers, body)
        seconds = self.clock.now() // 1_000_000
        response.headers = {"date": formatdate(seconds, usegmt=True), **response.headers}
        self.watch(device, method, urlsplit(url).path, body, response)
        return response


class Net:
    """All servers, and who runs what is no device's."""

    def __init__(self) -> None:
        self.servers: dict[str, Server] = {}
        self._outside = Outside()

    def at(self, url: str) -> Server:
        """Return the server of a URL. Raises Unreachable if there is none."""
        parts = urlsplit(url)
        server = self.servers.get(f"{parts.scheme}://{parts.netloc}")
        if server is None:
            raise Unreachable(f"nobody is at {url}")
        return server

    async def outside(self, work: Any) -> Any:
        """Have something done that goes on when the device that asked for it crashes."""
        return await self._outside.wait_for(work)

    def later(self, work: Any) -> None:
        """Have something done sometime."""
        self._outside.later(work)


class SimHttp:
    """The `Http` port of a device, or of a server, over simulated time.

    Parameters:
        client: the address that servers see.
        device: None for a server, whose requests take no time.
    """

    def __init__(self, net: Net, client: str, random: Random, device: AgentDevice | None = None) -> None:
        self._net = net
        self._client = client
        self._random = random
        self._device = device

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> SimResponse:
        server, sent = self._net.at(url), body if isinstance(body, bytes) else b""
        if isinstance(body, BodyStream):
            sent = b"".join([chunk async for chunk in body])
        if self._device is not None:
            await self._device.requests(server)
            await asyncio.sleep(self._random.uniform(QUICKEST, SLOWEST))
        if server.unreachable:
            raise Unreachable(f"{url}: connection refused")
        if server.silent:
            await asyncio.sleep(min(timeout, TIMEOUT))
            raise TimedOut(f"{url}: nothing came")

        async def process() -> Any:
            work = server.answer(self._client, method, url, headers or {}, sent, self._device)
            return await self._net.outside(work)

        response = await self._with_fault(server, url, process)
        if self._device is not None:
            await asyncio.sleep(self._random.uniform(QUICKEST, SLOWEST))
            await self._device.step(f"after a {method} to {server.name}")
        return response

    async def _with_fault(self, server: Server, url: str, process: Callable[[], Any]) -> SimResponse:
        fault = None if self._device is None else server.fault(self._random)
        if fault in STATUSES:
            return SimResponse(url, STATUSES[fault], {"content-type": "text/html"}, b"<h1>Not now</h1>")
        if fault is None:
            response: SimResponse = await process()
            return response
        found: Any = await FAULTS[fault].act(Exchange("", self._random, process, self._net.later, {}, {}))
        assert isinstance(found, SimResponse)
        return found


async def _call(
    app: ASGIApp, client: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> SimResponse:
    parts = urlsplit(url)
    given = {"content-length": str(len(body))} | headers if body else headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": parts.path or "/",
        "raw_path": (parts.path or "/").encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
        "client": (client, 50_000),
        "server": (parts.hostname, 443),
    }
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    said: list[Message] = []

    async def receive() -> Message:
        return incoming.pop() if incoming else await asyncio.Future()

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    start, *rest = said
    shown = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return SimResponse(url, start["status"], shown, b"".join(one.get("body", b"") for one in rest))
