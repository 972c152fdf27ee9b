"""Whatever JSON comes, the engine replies; and what it replies 4xx to changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import encrypted, signed
from web5.dwn import compose
from web5.dwn.values.javascript import MAX_SIZE

ODD: list[Any] = [
    None,
    True,
    -1,
    0.5,
    1e300,
    -(10**400),
    "",
    "\x00",
    "\ud800",
    "\uffff",
    "constructor",
    "x" * 1000,
    [],
    [None],
    {},
    {"": {"": []}},
    {"__proto__": 1, "from": "x", "gt": 1e300},
]


MANY = [f"did:x:{i}" for i in range(33_000)]
"""More than a statement of SQLite's takes parameters."""


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*here, key))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return changed


async def messages(world: World) -> dict[str, Any]:
    signer, clock = world.alice.signer, world.clock
    write = await encrypted(signer, await world.compose(tags={"a": [1]}, published=True))
    filter = {
        "schema": "urn:a",
        "author": [world.alice.did],
        "recipient": world.bob.did,
        "tags": {"a": {"gt": 1}},
        "dateUpdated": {"from": "2024-01-01T00:00:00.000000Z"},
        "dataSize": {"lt": 5},
    }
    page = {"limit": 2, "cursor": {"messageCid": "x", "value": "y"}}
    return {
        "write": write,
        "query": await compose.records_query(signer, clock, filter=filter, pagination=page),
        "read": await compose.records_read(signer, clock, filter=filter),
        "subscribe": await compose.records_subscribe(signer, clock, filter=filter),
        "delete": await world.delete(write),
        "log": await compose.messages_query(
            signer, clock, filters=[{"interface": "Records", "protocol": "urn:a"}], cursor=page["cursor"]
        ),
        "message": await compose.messages_read(signer, clock, message_cid=write["recordId"]),
        "messages": await compose.messages_subscribe(signer, clock, filters=[{"protocol": "urn:a"}]),
    }


@pytest.mark.parametrize("kind", ["write", "query", "read", "subscribe", "delete", "log", "message", "messages"])
async def test_odd_values_everywhere(world: World, kind: str) -> None:
    """Both under the old signature and, where only the descriptor is odd, under a good one."""
    message = (await messages(world))[kind]
    for path in paths(message):
        for odd in (*ODD, MANY) if path[-1:] in (("author",), ("recipient",)) else ODD:
            changed = put(message, path, odd)
            attempts = [changed]
            if path[:1] == ("descriptor",) and len(path) > 1 and odd not in (ODD[5], ODD[8]):
                claims = {"recordId": changed["recordId"]} if kind == "write" else {}
                attempts.append(await signed(world.alice.signer, changed, **claims))
            for attempt in attempts:
                reply = await world.send(attempt, b"hello", subscription_handler=print)
                code = reply["status"]["code"]
                assert 200 <= code < 500, (path, odd, reply)
                assert code < 300 or kind != "write" or await world.log() == [], (path, odd, reply)
                if code == 202:
                    world.dwn = world.engine()
                    await world.dwn.open()


async def test_giants(world: World) -> None:
    for giant in ("x" * MAX_SIZE, ["x"] * MAX_SIZE, {str(i): i for i in range(MAX_SIZE // 8)}):
        reply = await world.send(put(await world.compose(), ("descriptor", "schema"), giant), b"hello")
        assert reply["status"] == {"code": 400, "detail": "the message is too large"}


async def test_depth(world: World) -> None:
    for wrap in (lambda inner: [inner], lambda inner: {"a": inner}):
        deep: Any = 1
        for _ in range(100_000):
            deep = wrap(deep)
        reply = await world.send(put(await world.compose(), ("descriptor", "tags"), deep), b"hello")
        assert reply["status"] == {"code": 400, "detail": "the message is nested too deeply"}
        while isinstance(deep, (list, dict)):  # so that it is not freed by recursion
            deep = deep[0] if isinstance(deep, list) else deep["a"]
