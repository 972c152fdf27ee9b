"""The faults of a network, a server or a hostile node: one table, with those of `drips` and `liars`."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.simulation.drips import DRIPS
from tests.simulation.exchange import ALL, LISTS, PAGES, READS, TIMEOUT, WRITES, Exchange, Fault, after
from tests.simulation.liars import LIES
from web5.crypto.encoding import b64url_encode
from web5.dwn.data import DataStream
from web5.dwn.values.cid import data_cid
from web5.dwn.values.types import Message
from web5.errors import BadReply, TimedOut, Unreachable

# -- on the way


async def _lost_before(exchange: Exchange) -> Message:
    raise Unreachable("connection refused")


async def _lost_after(exchange: Exchange) -> Message:
    await exchange.process()
    raise Unreachable("the connection broke before the reply")


async def _timed_out(exchange: Exchange) -> Message:
    await asyncio.sleep(TIMEOUT)
    raise TimedOut(f"nothing came in {TIMEOUT:.0f} s")


async def _slow(exchange: Exchange) -> Message:
    delay = exchange.random.uniform(2, 1.5 * TIMEOUT)
    if delay < TIMEOUT:
        await asyncio.sleep(delay)
        return await exchange.process()
    exchange.later(after(delay, exchange))
    await asyncio.sleep(TIMEOUT)
    raise TimedOut(f"nothing came in {TIMEOUT:.0f} s")


async def _twice(exchange: Exchange) -> Message:
    await exchange.process()
    return await exchange.process()


async def _once_more_later(exchange: Exchange) -> Message:
    reply = await exchange.process()
    exchange.later(after(exchange.random.uniform(0, 5), exchange))
    return reply


# -- what a server says instead


def _status(code: int, detail: str) -> Callable[[Exchange], Awaitable[Message]]:
    async def act(exchange: Exchange) -> Message:
        return {"status": {"code": code, "detail": detail}}

    return act


def _no_json(status: int, text: str) -> Callable[[Exchange], Awaitable[Message]]:
    async def act(exchange: Exchange) -> Message:
        raise BadReply(f"the endpoint answered {status}: {text!r}")

    return act


async def _failed_after(exchange: Exchange) -> Message:
    await exchange.process()
    return {"status": {"code": 500, "detail": "Internal Server Error"}}


async def _garbage(exchange: Exchange) -> Message:
    reply: Any = exchange.random.choice(
        ({}, {"status": {}}, {"status": {"code": "200"}}, {"status": {"code": 0}}, {"status": {"code": 200}})
    )
    return copy.deepcopy(reply)  # type: ignore[no-any-return]


# -- half a reply


async def _half_the_data(exchange: Exchange) -> Message:
    return await _with_data(exchange, cut=True)


async def _short_data(exchange: Exchange) -> Message:
    return await _with_data(exchange, cut=False)


async def _with_data(exchange: Exchange, *, cut: bool) -> Message:
    reply = await exchange.process()
    data = reply.get("entry", {}).get("data")
    if isinstance(data, DataStream):
        whole = await data.read()

        async def chunks() -> AsyncIterator[bytes]:
            yield whole[: len(whole) // 2]
            if cut:
                raise Unreachable("the connection broke in the middle of the data")

        reply["entry"]["data"] = DataStream(chunks, data.size)
    return reply


async def _without_data(exchange: Exchange) -> Message:
    reply = await exchange.process()
    reply.get("entry", {}).pop("data", None)
    for entry in reply.get("entries", ()):
        if isinstance(entry, dict):
            entry.pop("encodedData", None)
    return reply


# -- a hostile node


async def _another_message(exchange: Exchange) -> Message:
    """Whatever was asked for, it gives something else."""
    reply = await exchange.process()
    if isinstance(reply.get("entry"), dict):
        message = reply["entry"]["message"]
        message["descriptor"]["messageTimestamp"] = "2023-01-01T00:00:00.000000Z"
    return reply


async def _other_data(exchange: Exchange) -> Message:
    """Answer with the right message and wrong data."""
    reply = await exchange.process()
    entry = reply.get("entry", {})
    if isinstance(entry.get("data"), DataStream):
        size = entry["data"].size or 0
        entry["data"] = DataStream(bytes(size))
    for entry in reply.get("entries", ()):
        if isinstance(entry, dict) and "encodedData" in entry:
            entry["encodedData"] = b64url_encode(b"forged")
    return reply


async def _forged(exchange: Exchange) -> Message:
    """Messages and data that fit each other, and a signature of something else."""
    reply = await exchange.process()
    for entry in [reply.get("entry", {}).get("message"), *reply.get("entries", ())]:
        if isinstance(entry, dict) and entry.get("descriptor", {}).get("method") == "Write":
            data = b"forged"
            entry["descriptor"] |= {
                "dataCid": data_cid(data),
                "dataSize": len(data),
                "messageTimestamp": "2090-01-01T00:00:00.000000Z",
            }
            if "encodedData" in entry:
                entry["encodedData"] = b64url_encode(data)
    return reply


async def _invented(exchange: Exchange) -> Message:
    """List messages that nobody has, and some that are none."""
    reply = await exchange.process()
    number = exchange.random.randrange(1000)
    invented = ["bafyreiegqfy4rmyppna5m4trk4svyux5cwleapiax5baspwlbwmrx2fkpq", f"no message {number}"]
    if isinstance(reply.get("entries"), list):
        reply["entries"] = [invented[number % 2], *reply["entries"]]
    return reply


async def _odd_cursor(exchange: Exchange) -> Message:
    reply = await exchange.process()
    reply["cursor"] = exchange.random.choice((None, "later", 7, ["x"]))
    return reply


FAULTS: dict[str, Fault] = {
    "lost before": Fault("is lost on the way", ALL, _lost_before),
    "lost after": Fault("is processed, its reply lost", ALL, _lost_after),
    "timeout": Fault("gets no reply in time", ALL, _timed_out),
    "slow": Fault("is slow", ALL, _slow),
    "twice": Fault("is processed twice, one reply lost", ALL, _twice),
    "again later": Fault("is processed once more later", ALL, _once_more_later),
    "401": Fault("is told 401, not registered", ALL, _status(401, "Not a registered tenant.")),
    "404": Fault("gets a proxy's 404", ALL, _no_json(404, "<h1>Not Found</h1>")),
    "413": Fault("is told 413, too large", WRITES, _status(413, "ContentTooLarge: too much")),
    "429": Fault("is told 429, too many requests", ALL, _status(429, "TooManyRequests: fewer, please")),
    "500": Fault("is told 500", ALL, _status(500, "Internal Server Error")),
    "503": Fault("gets a proxy's 503", ALL, _no_json(503, "Service Unavailable")),
    "507": Fault("is told 507, quota is full", WRITES, _status(507, "InsufficientStorage: quota is full")),
    "500 after": Fault("is processed and told 500", ALL, _failed_after),
    "garbage": Fault("gets garbage", ALL, _garbage),
    "half data": Fault("gets half of the data, then nothing", READS, _half_the_data),
    "short data": Fault("gets half of the data as if it were all", READS, _short_data),
    "no data": Fault("gets no data", READS | PAGES, _without_data),
    "wrong message": Fault("gets another message", READS, _another_message),
    "wrong data": Fault("gets other data", READS | PAGES, _other_data),
    "forged": Fault("gets a forged message", READS | PAGES, _forged),
    "invented": Fault("is told of invented messages", LISTS, _invented),
    "odd cursor": Fault("gets an odd cursor", LISTS, _odd_cursor),
    **DRIPS,
    **LIES,
}
