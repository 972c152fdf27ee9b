"""Answers that come late, drop by drop or never, and endpoints that ask to be left alone: one table.

The deadlines are those of `web5.remote.dwn`: a time for the head of an answer, and so many bytes a second on the whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

from tests.simulation.exchange import ALL, READS, TIMEOUT, Exchange, Fault, after
from tests.simulation.virtual_time import EPOCH
from web5.chunks import SLOWEST, in_time
from web5.dwn.data import DataStream
from web5.dwn.values.types import Message
from web5.dwn.wire import rpc
from web5.errors import BadReply, TimedOut

# -- late


async def _just_in_time(exchange: Exchange) -> Message:
    await asyncio.sleep(exchange.random.uniform(0.7, 0.99) * TIMEOUT)
    return await exchange.process()


async def _minutes(exchange: Exchange) -> Message:
    """It does what it is told, and says so when nobody listens any more."""
    exchange.later(after(exchange.random.uniform(60, 600), exchange))
    await asyncio.sleep(TIMEOUT)
    raise TimedOut(f"nothing came in {TIMEOUT:.0f} s")


async def _never(exchange: Exchange) -> Message:
    await asyncio.sleep(TIMEOUT)
    raise TimedOut(f"nothing came in {TIMEOUT:.0f} s")


# -- drop by drop


async def _drips(exchange: Exchange) -> Message:
    """Answer a few bytes at a time: at the pace that is just borne with, or at a slower one."""
    reply = await exchange.process()
    pace = SLOWEST * exchange.random.choice((0.02, 0.9, 1.2))
    data = reply.get("entry", {}).get("data")
    if not isinstance(data, DataStream):
        async for _ in in_time(_drops(json.dumps(reply, default=str).encode(), pace, exchange.random), TIMEOUT):
            pass
        return reply
    whole = await data.read()
    reply["entry"]["data"] = DataStream(lambda: in_time(_drops(whole, pace, exchange.random), TIMEOUT), data.size)
    return reply


async def _never_ends(exchange: Exchange) -> Message:
    """Answer, and go on with a byte now and then for ever."""
    reply = await exchange.process()
    data = reply.get("entry", {}).get("data")
    if not isinstance(data, DataStream):
        async for _ in in_time(_for_ever(b""), TIMEOUT):
            pass
        return reply
    whole = await data.read()
    reply["entry"]["data"] = DataStream(lambda: in_time(_for_ever(whole[:-1]), TIMEOUT), data.size)
    return reply


async def _drops(whole: bytes, pace: float, random: Random) -> AsyncIterator[bytes]:
    size = max(1, int(pace * random.uniform(0.5, 5)))
    for start in range(0, len(whole), size):
        await asyncio.sleep(size / pace)
        yield whole[start : start + size]


async def _for_ever(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
    while True:
        await asyncio.sleep(TIMEOUT / 3)
        yield b""


# -- endpoints that ask for a pause


def _pause(status: int, *, by_date: bool = False, says: bool = True) -> Callable[[Exchange], Awaitable[Message]]:
    async def act(exchange: Exchange) -> Message:
        seconds = exchange.random.choice((20, 90, 400))
        exchange.status = status
        if by_date:
            now = datetime.fromtimestamp(EPOCH / 1e6 + asyncio.get_running_loop().time(), UTC)
            over = now + timedelta(seconds=seconds)
            exchange.headers = {"date": _http(now), "retry-after": _http(over)}
        else:
            exchange.headers = {"retry-after": str(seconds)}
        exchange.pause = seconds
        if says:
            return _too_many(rpc.ErrorCode.TOO_MANY_REQUESTS)
        raise BadReply(f"the endpoint answered {status}: 'Service Unavailable'")

    return act


async def _too_many_without_a_word(exchange: Exchange) -> Message:
    exchange.pause = 30
    return _too_many(rpc.ErrorCode.TOO_MANY_REQUESTS)


def _too_many(code: rpc.ErrorCode) -> Message:
    error = {"code": int(code), "message": "Too many requests, please try again later."}
    return rpc.parse_response(json.dumps({"jsonrpc": "2.0", "id": None, "error": error}))


def _http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


DRIPS: dict[str, Fault] = {
    "just in time": Fault("gets every reply at the last moment", ALL, _just_in_time),
    "minutes": Fault("is done in some minutes", ALL, _minutes),
    "never": Fault("never gets a reply", ALL, _never),
    "drips": Fault("gets its reply drop by drop", ALL, _drips),
    "never ends": Fault("gets a reply that does not end", ALL, _never_ends),
    "endless data": Fault("gets data that do not end", READS, _never_ends),
    "429 for seconds": Fault("is told 429, again after some seconds", ALL, _pause(429)),
    "429 until a date": Fault("is told 429, again after a date", ALL, _pause(429, by_date=True)),
    "-50429": Fault("is told -50429, and not for how long", ALL, _too_many_without_a_word),
    "503 for seconds": Fault("gets a proxy's 503, again after some seconds", ALL, _pause(503, says=False)),
}
