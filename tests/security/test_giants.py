"""No message costs out of proportion to its size, and none ends in an exception: in the engine, and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.security import giants
from tests.security.effort import counted
from tests.served import served
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import SteppingClock, our_engine, person
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn import compose
from web5.dwn.wire import rpc
from web5.node.limits import Limits
from web5.node.server import create_app

MAX_STEPS = 1_000_000
"""About a second on a small machine."""


@pytest.fixture
async def world() -> World:
    clock = SteppingClock()
    world = World(await our_engine(clock), clock, *[await person() for _ in range(3)])
    for i in range(20):
        await world.write(tags={f"t{j}": i for j in range(10)}, published=i % 2 == 0)
    return world


async def cost(world: World, message: Any, data: bytes | None = None) -> tuple[int, int]:
    """The status code and the steps of a message that a node would let in."""
    assert len(rpc.encode_request(world.alice.did, message)) <= Limits().message
    with counted(world.dwn) as effort:
        answer = await world.send(message, data, subscription_handler=print)
    return answer["status"]["code"], effort.steps


@pytest.mark.parametrize("name", [*giants.QUESTIONS, *giants.OTHERS])
async def test_giants_are_answered_in_few_steps(world: World, name: str) -> None:
    message = await {**giants.QUESTIONS, **giants.OTHERS}[name](world)
    code, steps = await cost(world, message, b"hello")
    assert 200 <= code < 500
    assert steps < MAX_STEPS / 5


@pytest.mark.parametrize("name", giants.DEFINITIONS)
async def test_giant_protocols_are_configured_and_written_to_in_few_steps(world: World, name: str) -> None:
    message = await compose.protocols_configure(world.alice.signer, world.clock, definition=giants.DEFINITIONS[name])
    code, steps = await cost(world, message)
    assert code in (202, 400)
    assert steps < MAX_STEPS
    for tags in ({"t": ["a" * 100] * 10}, {"t": ["a"]}, None):
        write = await world.compose(by=world.bob, protocol=giants.URI, protocol_path="note", tags=tags)
        code, steps = await cost(world, write, b"hello")
        assert code in (202, 400, 401)
        assert steps < MAX_STEPS


@pytest.mark.parametrize("data", [b"[" * 30_000, b"9" * 30_000, b'{"a":' * 6000, b'"\\ud800"', b"\xff" * 30_000])
async def test_no_data_of_a_permission_record_is_too_much(world: World, data: bytes) -> None:
    write = await world.compose(
        data=data,
        protocol="https://tbd.website/dwn/permissions",
        protocol_path="request",
        data_format="application/json",
    )
    code, steps = await cost(world, write, data)
    assert code == 400
    assert steps < MAX_STEPS / 5


async def test_a_filter_of_more_tags_than_a_record_has_finds_nothing(world: World) -> None:
    """As in the reference, which looks for each."""
    tags = {f"t{i}": 0 for i in range(11)}
    assert await world.query(by=world.alice, tags={**tags, "t10": 0}) == []
    assert len(await world.query(by=world.alice, tags=dict.fromkeys(list(tags)[:10], 0))) == 1


@pytest.mark.parametrize("kind", ["author", "recipient"])
async def test_a_filter_has_as_many_alternatives_as_anybody_needs(world: World, kind: str) -> None:
    others = [f"did:ex:{i}" for i in range(999)]
    write = await world.write(recipient=world.bob.did)
    wanted = [*others, {"author": world.alice, "recipient": world.bob}[kind].did]
    assert write["recordId"] in await world.query(by=world.alice, **{kind: wanted})
    message = await giants.question(**{kind: [*wanted, "did:ex:more"]})(world)
    assert await world.status(message) == (400, "SchemaValidatorFailure")


async def test_a_log_is_asked_for_as_many_protocols_as_anybody_needs(world: World) -> None:
    filters = [{"protocol": f"http://p{i}.example"} for i in range(256)]
    assert await world.status(await giants.log(*filters)(world)) == (200, "OK")
    message = await giants.log(*filters, {"interface": "Records"})(world)
    assert await world.status(message) == (400, "SchemaValidatorFailure")


@pytest.fixture
async def node(world: World) -> AsyncIterator[str]:
    async with served(create_app({"/dwn0": world.dwn})) as url:
        yield f"{url}/dwn0"


NUMBER = '"x":0'
SPELLINGS = {
    "brackets": "[" * 100_000 + "]" * 100_000,
    "open brackets": "[" * 200_000,
    "digits": "9" * 5000,
    "many digits": "9" * 200_000,
    "beyond numbers": "1e999",
    "no number": "NaN",
    "half a pair": '"\\ud800"',
    "twice": '1,"x":2',
    "a bad escape": '"\\x"',
}


async def test_no_request_ends_in_a_failure_of_the_node(world: World, node: str) -> None:
    messages = [await make(world) for make in (*giants.QUESTIONS.values(), *giants.OTHERS.values())]
    signer, clock = world.alice.signer, world.clock
    messages += [
        await compose.protocols_configure(signer, clock, definition=one) for one in giants.DEFINITIONS.values()
    ]
    requests = [rpc.encode_request(world.alice.did, message) for message in messages]
    query = await giants.question(recordId="x")(world)
    plain = rpc.encode_request(world.alice.did, {**query, "descriptor": {**query["descriptor"], "x": 0}})
    requests += [plain.replace(NUMBER, f'"x":{odd}', 1) for odd in SPELLINGS.values()]
    requests += [*SPELLINGS.values(), "", "{", "null", "[]", json.dumps("[" * 100_000)]
    call = {"jsonrpc": "2.0", "id": 1, "method": "dwn.processMessage", "params": {"target": "", "message": query}}
    requests += [json.dumps({**call, name: odd}) for name in call for odd in (None, [], {}, 1e308, "x", [{}])]
    requests += [
        json.dumps({**call, "params": {"target": t, "message": query}}) for t in ("", "../x\0", "did:x:" + "y" * 90_000)
    ]
    async with httpx.AsyncClient(timeout=60) as client:
        for request in requests:
            answer = await client.post(node, headers={"dwn-request": request})
            assert answer.status_code < 500 or '"there is no method' in answer.text, (request[:200], answer.text[:200])
            if answer.status_code == 200:
                assert 200 <= answer.json()["result"]["reply"]["status"]["code"] < 500, request[:200]
        assert (await client.get(f"{node}/health")).json() == {"ok": True}
    socket = await CPythonWebSockets().connect(node.replace("http", "ws"))
    answers = aiter(socket)
    for request in requests:
        await socket.send(request)
        async with asyncio.timeout(60):
            answer = json.loads(await anext(answers))
        assert answer.get("error", {}).get("code") != rpc.ErrorCode.INTERNAL_ERROR, (request[:200], answer)
    await socket.close()
