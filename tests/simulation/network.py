"""Endpoints, and the way from devices to them: an implementation of `web5.remote.dwn.RemoteDwn` over real engines.

Every request takes a while, so requests overtake each other; a spell on an endpoint does a fault of `faults.FAULTS` to
some of the requests; and an endpoint may be unreachable, have no WebSocket, or break its connections.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.exchange import WRITES, Exchange
from tests.simulation.faults import FAULTS
from tests.simulation.quotas import NO_QUOTA, STORE_FAILED, Quota
from tests.simulation.traffic import Send
from web5.dwn import Dwn
from web5.dwn.data import DataStream
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import NoWebSocket, RemoteError, StorageError, Unreachable
from web5.remote.clocks import NodeClocks
from web5.remote.pauses import TOO_MANY, Pauses
from web5.sync.plan.policy import Outcome, classify, classify_error

if TYPE_CHECKING:
    from tests.simulation.device import Device
    from tests.simulation.world import World


QUICKEST, SLOWEST = 0.005, 0.25
CHUNK = 16 * 1024


@dataclass(slots=True)
class Spell:
    """A fault that befalls some of an endpoint's requests until a moment."""

    fault: str
    share: float
    until: float


@dataclass(eq=False)
class Endpoint:
    """A remote node.

    Attributes:
        epoch: grows whenever what was known about it may be void: it was wiped, or left the document.
        wiped: True if it ever was, so that what devices believe of it may be wrong until they have asked.
        lied: likewise, because it said something else than what is true.
        was_doubtful: True if it was wiped or lied before whoever may ask it for everything had done so.
        spells: what befalls its requests.
        memory: what it keeps of its lies.
        quota: the room that a tenant has.
        damaged: CIDs of messages whose data were lost there, and that nobody has mended.
    """

    name: str
    url: str
    dwn: Dwn
    web_sockets: bool
    epoch: int = 0
    unreachable: bool = False
    wiped: bool = False
    lied: bool = False
    was_doubtful: bool = False
    memory: dict[str, Any] = field(default_factory=dict)
    spells: list[Spell] = field(default_factory=list)
    quota: Quota = NO_QUOTA
    damaged: set[str] = field(default_factory=set)
    subscriptions: set[SimSubscription] = field(default_factory=set)

    def fault(self, random: Random, kind: str) -> str | None:
        """Return the fault of this request, if it has one."""
        now = asyncio.get_running_loop().time()
        self.spells = [spell for spell in self.spells if spell.until > now]
        return next(
            (
                spell.fault
                for spell in self.spells
                if kind in FAULTS[spell.fault].kinds and random.random() < spell.share
            ),
            None,
        )

    def break_connections(self) -> None:
        for subscription in sorted(self.subscriptions, key=lambda one: one.number):
            subscription.end()


class SimRemote:
    """`web5.remote.dwn.RemoteDwn` as one run of a device has it."""

    def __init__(self, world: World, device: Device) -> None:
        self._world = world
        self._device = device
        self.clocks = NodeClocks(device.clock)
        self.pauses = Pauses(device.clock)
        self._random = world.random(f"network of {device.name}, run {device.runs}")

    async def process_message(
        self,
        endpoint: str,
        tenant: str,
        message: Message,
        data: bytes | DataStream | None = None,
        *,
        on_sent: Callable[[int], None] | None = None,
    ) -> Message:
        kind = _kind(message)
        target = self._world.endpoints[endpoint]
        if kind == "MessagesReplicate":  # also if it has to wait: then it is asked again
            self._world.traffic.handed_on(self._device, target, message["descriptor"]["messageCid"])
        self.pauses.check(endpoint)
        if kind == "MessagesRead":
            self._world.traffic.read(self._device, target, tenant, message["descriptor"]["messageCid"])
        await self._device.step(f"before a {kind} to {target.name}")
        self._world.count(self._device, target, kind)
        send = self._begin(target, kind, message)
        outcome: Outcome | None = None
        try:
            with self._world.traffic.manners.request(self._device, target, tenant, kind):
                reply = await self._exchange(target, tenant, kind, message, data)
            outcome = classify(reply, message)
            if outcome.code < 500 and outcome.code != TOO_MANY:
                self.pauses.served(endpoint)
        except RemoteError as error:
            outcome = classify_error(error)
            raise
        finally:
            if send is not None:
                self._world.traffic.end(send, outcome)
            elif kind == "RecordsRead" and (outcome is None or outcome.code not in (200, 404)):
                made, record = self._world.account.made, message["descriptor"]["filter"].get("recordId")
                cids = [cid for cid, one in made.items() if record and one.record_id == record]
                self._world.traffic.unconfirmed(self._device, target, cids)
        await self._device.step(f"after a {kind} to {target.name}")
        if kind == "MessagesRead" and "TimestampOutsideWindow" in outcome.detail:
            self._world.traffic.unanswered(self._device, target)
        if kind == "MessagesRead" and outcome.code == 404:
            self._world.traffic.gone(self._device, target, message["descriptor"]["messageCid"])
        if kind == "MessagesQuery" and outcome.code == 200 and isinstance(reply.get("entries"), list):
            if "cursor" not in message["descriptor"]:
                self._world.traffic.audits[self._device.name, target.name] += 1
            self._world.traffic.listed(self._device, target, reply["entries"])
        return reply

    def _begin(self, target: Endpoint, kind: str, message: Message) -> Send | None:
        if kind not in WRITES:
            return None
        cid = message_cid(message)
        return self._world.traffic.begin(self._device, target, cid, self._world.story.called(cid))

    async def _exchange(
        self, target: Endpoint, tenant: str, kind: str, message: Message, data: bytes | DataStream | None
    ) -> Message:
        body = await data.read() if isinstance(data, DataStream) else data
        await asyncio.sleep(self._latency())
        if target.unreachable:
            self._device.suspicious = True
            self._tell(target, kind, message, "cannot reach it")
            raise Unreachable("connection refused")

        async def process() -> Message:
            return await self._world.outside(_process(target, tenant, message, body))

        fault = target.fault(self._random, kind)
        if fault is None:
            reply = await process()
        else:
            self._device.suspicious = True
            self._tell(target, kind, message, FAULTS[fault].says)
            reply = await self._befallen(target, fault, kind, message, process)
            if fault == "half data":
                self._world.traffic.unanswered(self._device, target)
        await asyncio.sleep(self._latency())
        if fault is None and kind in WRITES | {"MessagesRead"}:
            self._tell(target, kind, message, str(reply["status"]["code"]))
        return reply

    async def _befallen(
        self, target: Endpoint, fault: str, kind: str, message: Message, process: Callable[[], Awaitable[Message]]
    ) -> Message:
        exchange = Exchange(kind, self._random, process, self._world.later, message, target.memory)
        target.lied = target.lied or FAULTS[fault].lies
        reply: Message = {}
        try:
            reply = await FAULTS[fault].act(exchange)
        finally:
            code = classify(reply).code or exchange.status
            self.pauses.learn(target.url, code, exchange.headers)
            if exchange.pause is not None:
                self._world.traffic.manners.asked_to_wait(self._device, target, exchange.pause)
        return reply

    def _tell(self, target: Endpoint, kind: str, message: Message, what: str) -> None:
        about = message["descriptor"].get("messageCid") or (message_cid(message) if kind in WRITES else "")
        self._world.story.add(self._device.name, "{} {} at {}: {}", kind, about, target.name, what)

    def _latency(self) -> float:
        return self._random.uniform(QUICKEST, SLOWEST)

    async def subscribe(
        self, endpoint: str, tenant: str, message: Message, on_event: Callable[[Message], None]
    ) -> SimSubscription:
        kind = _kind(message)
        target = self._world.endpoints[endpoint]
        self.pauses.check(endpoint)
        await self._device.step(f"before a {kind} to {target.name}")
        self._world.count(self._device, target, kind)
        with self._world.traffic.manners.request(self._device, target, tenant, kind):
            await asyncio.sleep(self._latency())
        if target.unreachable:
            raise Unreachable("connection refused")
        if not target.web_sockets:
            raise NoWebSocket(f"{target.url} offers no WebSocket")
        subscription = SimSubscription(target, self._random, on_event)

        async def process() -> Message:
            return await self._world.outside(
                target.dwn.process_message(tenant, message, subscription_handler=subscription.push)
            )

        fault = target.fault(self._random, kind)
        reply = await (self._befallen(target, fault, kind, message, process) if fault else process())
        subscription.open(reply)
        self._world.story.add(self._device.name, "{} at {}: {}", kind, target.name, fault or reply["status"]["code"])
        await asyncio.sleep(self._latency())
        return subscription


class SimSubscription:
    """A `SocketSubscription`: events come in order, a while after they happened, until it breaks."""

    def __init__(self, target: Endpoint, random: Random, on_event: Callable[[Message], None]) -> None:
        self.reply: Message = {}
        self.number = random.getrandbits(60)
        self._target = target
        self._random = random
        self._on_event = on_event
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._over = asyncio.Event()
        self._at_remote: Any = None

    def open(self, reply: Message) -> None:
        self._at_remote = reply.pop("subscription", None)
        self.reply = reply
        if self._at_remote is None:
            self.end()
        else:
            self._target.subscriptions.add(self)
            self._pump = asyncio.ensure_future(self._deliver())

    def push(self, event: Message) -> None:
        """Queue an event of the remote node."""
        self._events.put_nowait(event)

    def end(self) -> None:
        """Break the connection."""
        self._over.set()
        self._target.subscriptions.discard(self)
        if self._at_remote is not None:
            self._pump.cancel()

    async def ended(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        if self._at_remote is not None:
            await self._at_remote.close()
        self.end()

    async def _deliver(self) -> None:
        while True:
            event = await self._events.get()
            await asyncio.sleep(self._random.uniform(QUICKEST, SLOWEST))
            self._on_event(event)


async def _process(target: Endpoint, tenant: str, message: Message, body: bytes | None) -> Message:
    """Let the remote node process a message, and take the data out of its reply at once, as a server sends it."""
    if (refusal := target.quota.refusal(target.dwn, tenant, message, body)) is not None:
        return refusal
    try:
        reply = await target.dwn.process_message(tenant, message, body)
        entry = reply.get("entry")
        if isinstance(entry, dict) and isinstance(entry.get("data"), DataStream):
            whole = await entry["data"].read()
            entry["data"] = DataStream(lambda: _chunks(whole), message_size(entry))
        return reply
    except StorageError:  # its data are lost, or were replaced
        return STORE_FAILED


def message_size(entry: Message) -> int | None:
    size = entry["message" if "message" in entry else "recordsWrite"]["descriptor"].get("dataSize")
    return size if isinstance(size, int) else None


async def _chunks(whole: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(whole), CHUNK):
        await asyncio.sleep(0.001)
        yield whole[start : start + CHUNK]


def _kind(message: Message) -> str:
    descriptor = message["descriptor"]
    return f"{descriptor['interface']}{descriptor['method']}"


class Outside:
    """Runs what is nobody's device's: it goes on when the device that asked for it crashes."""

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.shield(self.start(work))

    def later(self, work: Awaitable[Any]) -> None:
        async def quietly() -> None:
            with suppress(RemoteError):
                await work

        self.start(quietly())
