"""Real nodes in one process: devices with a SyncEngine, remote nodes behind ASGI, and a network that can fail."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx

from web5.cpython.blobs import FileBlobs
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.jose.jws import MessageSigner
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dids.models import DidDocument, DidResolutionResult, PortableDid
from web5.dwn import Dwn, compose
from web5.dwn.store.database import open_file, open_memory
from web5.dwn.time_window import WINDOW_SECONDS
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire import rpc
from web5.dwn.wire.rpc import MAX_REPLY_BYTES
from web5.errors import IdentityError, NoWebSocket, TimedOut, Unreachable
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.server import create_app
from web5.ports.clock import SystemClock
from web5.ports.http import HttpResponse
from web5.remote.dwn import RemoteDwn
from web5.remote.registration import RegistrationClient
from web5.sync import SyncEngine
from web5.sync.exchange.registrar import Registrar

CRYPTO = CPythonCrypto()
HOST = "http://nodes"


class TestClock(SystemClock):
    """The machine's clock, which a test can set forward; it sleeps until a test wakes it, and spans take no time.

    Attributes:
        sleeping: the seconds of each sleep that was begun.
        sleepers: how many sleep now: while there are none, nothing happens by time.
    """

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0
        self.sleeping: list[float] = []
        self.sleepers = 0
        self._woken = asyncio.Event()

    def now(self) -> int:
        return super().now() + self.ahead

    def monotonic(self) -> float:
        return self.ahead / 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.sleeping.append(seconds)
        self.sleepers += 1
        try:
            await self._woken.wait()
        finally:
            self.sleepers -= 1

    def wake(self) -> None:
        """Let everything that sleeps go on."""
        self._woken.set()
        self._woken = asyncio.Event()


class SkewedClock:
    """The clock of a device: that of the world, and as wrong as a test wants it.

    Attributes:
        ahead: microseconds.
    """

    def __init__(self, clock: TestClock) -> None:
        self._clock, self.ahead = clock, 0

    def now(self) -> int:
        return self._clock.now() + self.ahead

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Answer(HttpResponse):
    """A response that no DWN made, or that breaks off."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, cut: bool = False) -> None:
        self.url, self.status, self.headers = "http://test", status, dict(headers or {})
        self._body, self._cut = body, cut

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body
        if self._cut:
            raise Unreachable("the connection broke")

    async def close(self) -> None: ...


def reply_of(code: int, detail: str = "") -> Answer:
    """A DWN's reply with this status."""
    body = {"jsonrpc": "2.0", "id": "1", "result": {"reply": {"status": {"code": code, "detail": detail}}}}
    return Answer(200, json.dumps(body).encode())


Fault = Callable[[str, Message], Answer | None]
"""Given the method ("RecordsWrite") and the message: what to answer in the node's place, None to let it through."""


def unreachable(method: str, message: Message) -> Answer:
    raise Unreachable("connection refused")


def timing_out(method: str, message: Message) -> Answer:
    raise TimedOut("nothing came in 30 s")


class Gate:
    """The gate of a node, which serves whoever meets its demands.

    Attributes:
        now: None: nothing is demanded.
    """

    def __init__(self) -> None:
        self.now: Registrations | None = None

    async def refusal(self, tenant: str) -> str | None:
        return None if self.now is None else await self.now.refusal(tenant)


class Network:
    """The `Http` port over ASGI; counts requests by endpoint and method, and does the faults that a test asks for.

    Attributes:
        faults: by path of the node, such as "/a".
        on_request: awaited before each request that comes through.
        clock: the nodes', whose time is in their answers.
    """

    def __init__(self, nodes: Mapping[str, Dwn], gates: Mapping[str, Gate], clock: TestClock) -> None:
        self._gates = gates
        self.clock = clock
        self.serve(nodes)
        self.faults: dict[str, Fault] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sent: list[tuple[str, str, Message]] = []
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self.on_request: Callable[[str, str], Any] | None = None

    def serve(self, nodes: Mapping[str, Dwn]) -> None:
        registrations = {path: gate.now for path, gate in self._gates.items() if gate.now is not None}
        self._http = HttpxHttp(httpx.ASGITransport(create_app(nodes, registrations=registrations)))

    def reset(self) -> None:
        self.counts.clear()
        self.sent.clear()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        node = url.removeprefix(HOST)
        if "dwn-request" not in (headers or {}):
            self.counts[node, method] += 1
            if self.on_request:
                await self.on_request(node, method)
            return await self._http.request(method, url, headers=headers, body=body, timeout=timeout)
        message = json.loads((headers or {})["dwn-request"])["params"]["message"]
        kind = message["descriptor"]["interface"] + message["descriptor"]["method"]
        self.counts[node, kind] += 1
        self.sent.append((node, kind, message))
        self.in_flight[node] += 1
        self.most_in_flight[node] = max(self.most_in_flight[node], self.in_flight[node])
        try:
            await asyncio.sleep(0)
            if self.on_request:
                await self.on_request(node, kind)
            answer = self.faults[node](kind, message) if node in self.faults else None
            if answer is None:
                answer = await self._http.request(method, url, headers=headers, body=body, timeout=timeout)
                answer.headers = {**answer.headers, "date": formatdate(self.clock.now() / 1e6, usegmt=True)}
            return answer
        finally:
            self.in_flight[node] -= 1

    def total(self, node: str) -> int:
        return sum(count for (one, _), count in self.counts.items() if one == node)


class Subscribed:
    """A subscription at a node, over a connection that a test can break."""

    def __init__(self, reply: Message) -> None:
        self.reply = reply
        self._over = asyncio.Event()

    async def ended(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        self._over.set()
        if "subscription" in self.reply:
            await self.reply["subscription"].close()


class Remote(RemoteDwn):
    """`RemoteDwn`, with connections on which the nodes tell their events at once.

    Attributes:
        without: paths of the nodes that have no WebSocket.
        open: the subscriptions, by path of the node.
        asked: how often one was asked for, by path of the node.
    """

    def __init__(self, network: Network, nodes: Mapping[str, Dwn], clock: SkewedClock) -> None:
        super().__init__(network, clock=clock)
        self._network, self._nodes = network, nodes
        self.without: set[str] = set()
        self.open: dict[str, list[Subscribed]] = {}
        self.asked: Counter[str] = Counter()

    async def subscribe(
        self, endpoint: str, tenant: str, message: Message, on_event: Callable[[Message], None]
    ) -> Subscribed:
        node = endpoint.removeprefix(HOST)
        self.asked[node] += 1
        if node in self.without:
            raise NoWebSocket("404")
        answer = self._network.faults[node]("MessagesSubscribe", message) if node in self._network.faults else None
        if answer:
            return Subscribed(rpc.parse_response(await answer.read(MAX_REPLY_BYTES)))
        found = Subscribed(await self._nodes[node].process_message(tenant, message, subscription_handler=on_event))
        self.open.setdefault(node, []).append(found)
        return found

    async def break_off(self, node: str) -> None:
        """Break all connections to a node."""
        for subscription in self.open.pop(node, []):
            await subscription.close()


class Directory:
    """Resolves the DIDs of the test; `broken` are those that cannot be resolved just now."""

    def __init__(self) -> None:
        self.documents: dict[str, DidDocument] = {}
        self.broken: set[str] = set()

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        if did_uri in self.broken or did_uri not in self.documents:
            return DidResolutionResult.failed("notFound", f"{did_uri} is not published")
        return DidResolutionResult(did_document=self.documents[did_uri])


class Identity:
    def __init__(self, portable: PortableDid, signer: MessageSigner) -> None:
        self.portable, self.did, self.signer = portable, portable.uri, signer


class Device:
    """A person's device: a local node and its sync, for the identities that were registered."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.clock = SkewedClock(world.clock)
        self.database = open_file(folder / "device.sqlite")
        self.dwn = Dwn(
            database=self.database,
            blobs=FileBlobs(folder / "blobs"),
            resolver=world.keys,
            crypto=CRYPTO,
            clock=self.clock,
        )
        self.remote = Remote(world.network, world.remotes, self.clock)
        self.registrar = Registrar(RegistrationClient(lambda endpoint: world.network), self.database, self.clock)
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=self.remote,
            resolver=world.directory,
            clock=self.clock,
            signer_for=world.signer_for,
            registrar=self.registrar,
        )

    async def open(self, *identities: Identity) -> Device:
        await self.dwn.open()
        await self.sync.open()
        for identity in identities:
            await self.sync.register(identity.did)
        return self

    async def write(self, data: bytes = b"text", identity: Identity | None = None, **more: Any) -> Message:
        """Write or (with `existing`) update a record here."""
        identity = identity or self.world.alice
        more.setdefault("data_format", "text/plain") if "existing" not in more else None
        message = await compose.records_write(identity.signer, self.clock, data=data, **more)
        reply = await self.dwn.process_message(identity.did, message, data)
        assert reply["status"]["code"] == 202, reply
        return message

    async def delete(self, message: Message) -> Message:
        found = await compose.records_delete(self.world.alice.signer, self.clock, record_id=message["recordId"])
        reply = await self.dwn.process_message(self.world.alice.did, found)
        assert reply["status"]["code"] == 202, reply
        return found


class World:
    """Remote nodes "/a" and "/b", one identity with both in its document, and devices as the test adds them."""

    @classmethod
    async def make(cls, folder: Path, nodes: tuple[str, ...] = ("/a", "/b")) -> World:
        self = cls()
        self.folder = folder
        self.clock = TestClock()
        self.keys = Directory()
        self.directory = Directory()
        self.gates = {path: Gate() for path in nodes}
        self.remotes = {path: await self._node(path, folder / path.strip("/")) for path in nodes}
        self.network = Network(self.remotes, self.gates, self.clock)
        self._identities: dict[str, Identity] = {}
        self._replaced = 0
        self.allowed: set[str] | None = None  # the identities whose keys are there; None: all
        self.alice = await self.identity(*nodes)
        return self

    async def _node(self, path: str, folder: Path) -> Dwn:
        dwn = Dwn(
            database=open_file(folder / "node.sqlite"),
            blobs=FileBlobs(folder / "blobs"),
            resolver=self.keys,
            crypto=CRYPTO,
            clock=self.clock,
            window_seconds=WINDOW_SECONDS,
            tenant_gate=self.gates[path],
        )
        await dwn.open()
        return dwn

    def demand(self, node: str, settings: RegistrationSettings) -> None:
        """Have a node demand this of its tenants, of whom it knows none."""
        self.gates[node].now = Registrations(open_memory(), settings, self.clock)
        self.network.serve(self.remotes)

    async def replace(self, node: str) -> None:
        """Put an empty node in the place of another, as after the loss of its disk."""
        self._replaced += 1
        self.remotes[node] = await self._node(node, self.folder / f"{node.strip('/')}-{self._replaced}")
        self.network.serve(self.remotes)

    async def identity(self, *nodes: str) -> Identity:
        portable = await dht.create(CRYPTO, **dht.identity_defaults([f"{HOST}{node}" for node in nodes]))
        identity = Identity(portable, await signer_for(portable, CRYPTO))
        self._identities[identity.did] = identity
        self.keys.documents[identity.did] = self.directory.documents[identity.did] = portable.document
        return identity

    def set_endpoints(self, *nodes: str) -> None:
        """Change the nodes in Alice's DID document."""
        document = self.alice.portable.document.model_copy(deep=True)
        assert document.service
        document.service[0].service_endpoint = [f"{HOST}{node}" for node in nodes]
        self.directory.documents[self.alice.did] = document

    async def device(self, name: str = "phone", *identities: Identity) -> Device:
        return await Device(self, self.folder / name).open(*(identities or (self.alice,)))

    async def crash(self, device: Device, dying: int) -> bool:
        """Sync until so many requests were made, and let the process die at the last; True if it needed fewer."""
        requests = 0
        died = asyncio.Event()

        async def die(node: str, kind: str) -> None:
            nonlocal requests
            requests += 1
            if requests >= dying:
                died.set()
                await asyncio.Event().wait()

        self.network.on_request = die
        running = asyncio.ensure_future(device.sync.now())
        await asyncio.wait({running, asyncio.ensure_future(died.wait())}, return_when=asyncio.FIRST_COMPLETED)
        self.network.on_request = None
        whole = running.done()
        running.cancel()
        await device.sync.stop()
        device.database.connection.close()
        return whole

    async def signer_for(self, did: str) -> MessageSigner:
        if self.allowed is not None and did not in self.allowed:
            raise IdentityError(f"{did} is not here")
        return self._identities[did].signer

    def held(self, dwn: Dwn, identity: Identity | None = None) -> set[str]:
        """CIDs of everything that a node holds."""
        did = (identity or self.alice).did
        return {cid for _, cid in dwn.store.entries_after(did, 0, 100_000)}

    async def contents(self, dwn: Dwn) -> dict[str, bytes]:
        """Record ID to data, as a query and reads by the owner see it."""
        query = await compose.records_query(
            self.alice.signer, self.clock, filter={"dateCreated": {"from": "1970-01-01T00:00:00.000000Z"}}
        )
        reply = await dwn.process_message(self.alice.did, query)
        found = {}
        for entry in reply["entries"]:
            read = await compose.records_read(self.alice.signer, self.clock, filter={"recordId": entry["recordId"]})
            answer = await dwn.process_message(self.alice.did, read)
            found[entry["recordId"]] = await answer["entry"]["data"].read()
        return found


def cid_of(message: Message) -> str:
    return message_cid(message)


async def seeded(world: World, count: int, *nodes: str) -> list[str]:
    """Write records that are at these nodes, on another device, and return their CIDs."""
    world.set_endpoints(*nodes)
    other = await world.device("other")
    found = [cid_of(await other.write(b"%d" % number)) for number in range(count)]
    assert (await other.sync.now()).ok
    world.set_endpoints("/a", "/b")
    world.network.reset()
    return found
