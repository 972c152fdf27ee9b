"""`Web5.connect()` in several tabs of an origin, as their workers do it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import js

from web5 import Record, Web5
from web5.errors import Web5Error

NOTE = "https://schema.org/TextDigitalDocument"
CHUNK = 100_000

_connected: dict[str, Web5] = {}
_never = asyncio.Event()


async def connect_here(space: str) -> str:
    """Connect: the DID, whether another tab is the node, whether the agent is the one that this tab had already."""
    before = _connected.get(space)
    web5, did = await Web5.connect(
        name=space, dwn_endpoints=[], did_dht_gateways=["https://gateway.invalid"], sync="off"
    )
    _connected[space] = web5
    return json.dumps([did, web5.agent.joined, before is not None and before.agent is web5.agent])


async def disconnect(space: str) -> str:
    """Close, and say what went wrong in the background."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
    await _connected.pop(space).close()
    await asyncio.sleep(0)
    return json.dumps(complaints)


async def ask_when_closed(space: str) -> str:
    """Close while somebody reads events, which have to end, and say how what is asked afterwards fails."""
    web5 = _connected.pop(space)
    events = await web5.dwn.records.subscribe(schema=NOTE)
    reading = asyncio.ensure_future(anext(aiter(events), None))
    await asyncio.sleep(0)
    await web5.close()
    assert await asyncio.wait_for(reading, 10) is None
    asked: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: web5.dwn.records.create("more", schema=NOTE),
        lambda: web5.dwn.records.query(schema=NOTE),
        lambda: web5.dwn.records.subscribe(),
        lambda: web5.sync.now(),
        lambda: web5.sync.start("live"),
        lambda: web5.identities.create("Another", dwn_endpoints=[]),
        lambda: web5.identities.export(web5.connected_did),
        lambda: web5.use(web5.connected_did),
    )
    return json.dumps([await _kind(ask()) for ask in asked])


async def _kind(asked: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(asked, 10)
    except Exception as error:
        return type(error).__name__
    return "nothing"


async def connect_and_close(space: str) -> str:
    """Connect and close at once, and cancel connecting at several moments: what went wrong in the background."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    for sync in ("live", "off"):
        web5, _ = await Web5.connect(
            name=space, dwn_endpoints=[], did_dht_gateways=["https://gateway.invalid"], sync=sync
        )
        await web5.close()
    for turns in (1, 5, 25, 100):
        connecting = asyncio.ensure_future(
            Web5.connect(name=space, dwn_endpoints=[], did_dht_gateways=["https://gateway.invalid"])
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).web5.close()
    return json.dumps(complaints)


async def write_note(space: str, text: str) -> str:
    return (await _connected[space].dwn.records.create(text, schema=NOTE)).id


async def texts(space: str) -> str:
    found = await _connected[space].dwn.records.query(schema=NOTE).all()
    return json.dumps([await one.data.text() for one in found])


async def read_note(space: str, record_id: str) -> str:
    return await (await _connected[space].dwn.records.read(record_id)).data.text()


async def first_query(space: str) -> float:
    """Connect and query: the milliseconds of both."""
    start = time.perf_counter()
    await connect_here(space)
    await texts(space)
    return (time.perf_counter() - start) * 1000


async def upload(space: str, chunks: int) -> str:
    """Write large data: the record's ID and their SHA-256."""

    async def source() -> AsyncIterator[bytes]:
        for number in range(chunks):
            yield bytes([number % 251]) * CHUNK

    record = await _connected[space].dwn.records.create(source)
    whole = hashlib.sha256()
    async for chunk in source():
        whole.update(chunk)
    return json.dumps([record.id, whole.hexdigest()])


async def download(space: str, record_id: str) -> str:
    whole = hashlib.sha256()
    record = await _connected[space].dwn.records.read(record_id)
    async for chunk in await record.data.stream():
        whole.update(chunk)
    return whole.hexdigest()


async def follow(space: str) -> None:
    """Tell the text of every note that is written from now on."""

    async def tell(record: Record) -> None:
        js.tell(f"heard {await record.data.text()}")

    await _connected[space].dwn.records.subscribe(tell, schema=NOTE)


async def export(space: str) -> str:
    """Export the identity, which makes this tab the node: whether there are keys, and whether it is the node."""
    agent: Any = _connected[space].agent
    exported = await _connected[space].identities.export(_connected[space].connected_did)
    return json.dumps([bool(exported["portableDid"]["privateKeys"]), agent.real is not None])


def is_node(space: str) -> bool:
    agent: Any = _connected[space].agent
    return agent.real is not None


def stall_in(space: str, call: str, times: int, done: bool) -> None:
    """Be stuck in this call of another tab, once it has come so often, before or after it is carried out."""
    agent: Any = _connected[space].agent
    answer, left = agent.answer, times

    async def stuck(caller: str, name: str, args: str) -> str:
        nonlocal left
        left -= name == call
        if name != call or left:
            return str(await answer(caller, name, args))
        if done:
            await answer(caller, name, args)
        js.tell("stalling")
        await _never.wait()
        raise AssertionError

    agent.answer = stuck


async def ask_node(space: str, name: str, args: str) -> str:
    """Call the node as any page of the origin can: the error's class and text."""
    agent: Any = _connected[space].agent
    try:
        return str(await agent.guest._line.call(name, args, idempotent=False))
    except Web5Error as error:
        return f"{type(error).__name__}: {error}"
