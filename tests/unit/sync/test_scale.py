"""What is done while sync runs takes as many steps of SQLite with many records and messages as with few.

Nothing is timed: `tests.vm_steps` counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import Answer, Device, World, cid_of, reply_of, unreachable
from tests.vm_steps import Work, measured, multiply
from web5.dwn.values.types import Message
from web5.sync.states import State, Wanted

FEW, MANY = 1_000, 20_000
ENOUGH = 1.05
"""Steps with many, by steps with few: a page of the same number of messages may take some more or less."""

_MESSAGES = "SELECT {endpoint}, seq, cid, {values} FROM dwn_message WHERE seq > {first}"
_OUT = f"INSERT INTO sync_out (endpoint, position, cid, state, code, next_try, waits_for) {_MESSAGES}"
_IN = (
    "INSERT INTO sync_in (endpoint, position, cid, state, code, next_try, waits_for, since)"
    " SELECT {endpoint}, seq, 'there-' || seq, {values}, 1 FROM dwn_message WHERE seq > {first}"
)
_FAILED = "UPDATE sync_endpoint SET error_state = 'refused', error_code = 400, error_detail = 'no'"
_PASSED = "UPDATE sync_endpoint SET pushed_seq = (SELECT max(seq) FROM dwn_message)"

PLACES: dict[str, tuple[tuple[str, str], ...]] = {
    "to be sent": (),
    "to be sent to a full node": (),
    "sent": ((_PASSED, ""),),
    "brought": ((_OUT, "'settled', 0, NULL, NULL"),),
    "being sent": ((_OUT, "'pending', 0, NULL, NULL"), (_PASSED, "")),
    "refused": ((_OUT, "'refused', 400, {later}, NULL"), (_PASSED, "")),
    "refused, which stands": ((_OUT, "'refused', 400, {later}, NULL"), (_PASSED, ""), (_FAILED, "")),
    "displaced": ((_OUT, "'displaced', 0, {later}, NULL"), (_PASSED, "")),
    "waiting": ((_OUT, "'waiting', 400, {later}, 'record:x'"), (_PASSED, "")),
    "waiting for a time": ((_OUT, "'waiting', 400, {later}, 'time:2999'"), (_PASSED, "")),
    "listed": ((_IN, "'pending', 0, NULL, NULL"), (_PASSED, "")),
    "listed, refused": ((_IN, "'refused', 400, {later}, NULL"), (_PASSED, "")),
    "listed, waiting": ((_IN, "'waiting', 400, {later}, 'record:x'"), (_PASSED, "")),
    "variants": ((_IN, "'settled', 0, NULL, NULL"), (_PASSED, "")),
    "out of scope": (),
}
"""What the many messages are for the endpoint, with the rows that the ledger has then."""

AWAY = {"to be sent", "being sent", "listed"}
"""Where the next visit would end that: the node cannot be reached."""

Step = Callable[["Store"], Awaitable[Any]]


@dataclass
class Store:
    """A device with many messages, of which one is known to the node."""

    world: World
    device: Device
    sent: str

    @property
    def sync(self) -> Any:
        return self.device.sync

    @property
    def cursor(self) -> str:
        """A place in the middle of what is not settled."""
        [(endpoint, middle)] = self.device.database.connection.execute(
            "SELECT id, (SELECT max(seq) / 2 FROM dwn_message) FROM sync_endpoint"
        )
        return f"{endpoint}-0-{middle}"


async def _store(folder: Path, place: str, number: int) -> Store:
    world = await World.make(folder, ("/a",))
    device = await world.device()
    if place == "out of scope":
        await device.sync.register(world.alice.did, ["http://p"])
    message = await device.write()
    assert (await device.sync.now()).ok
    await device.sync.close()
    db = device.database.connection
    [(endpoint, first)] = db.execute("SELECT sync_endpoint.id, seq FROM sync_endpoint, dwn_message")
    later = device.clock.now() + 3_600_000_000
    with device.database.transaction():
        multiply(db, first, number)
        for statement, values in PLACES[place]:
            db.execute(statement.format(endpoint=endpoint, first=first, values=values.format(later=later)))
    await device.sync.open()
    if place in AWAY:
        world.network.faults["/a"] = unreachable
    if place == "to be sent to a full node":
        world.network.faults["/a"] = full
    store = Store(world, device, cid_of(message))
    await device.sync.now()
    return store


def full(method: str, message: Message) -> Answer | None:
    return reply_of(507, "the quota is full") if method == "RecordsWrite" else None


async def _status(store: Store) -> Any:
    return store.sync.status()


async def _unsettled(store: Store) -> Any:
    return store.sync.unsettled()


async def _next_page(store: Store) -> Any:
    return store.sync.unsettled(cursor=store.cursor)


async def _failures(store: Store) -> Any:
    return store.sync.unsettled(
        wanted=Wanted(states=frozenset((State.REFUSED, State.BLOCKED, State.DISPLACED))), limit=20
    )


async def _of_messages(store: Store) -> Any:
    return store.sync.unsettled(
        wanted=Wanted(message_cids=frozenset((store.sent, f"{store.sent}-1", f"{store.sent}-7")))
    )


async def _visit(store: Store) -> Any:
    return await store.sync.now()


async def _write(store: Store) -> Any:
    return await store.device.write()


STEPS: tuple[Step, ...] = (_status, _unsettled, _next_page, _failures, _of_messages, _visit, _write, _visit, _status)


async def _measure(folder: Path, place: str, number: int) -> list[Work]:
    store = await _store(folder, place, number)
    found = []
    for step in STEPS:
        with measured(store.device.database.connection) as work:
            await step(store)
        assert work.statements
        assert work.scans(store.device.database.connection) == [], step.__name__
        found.append(work)
    return found


@pytest.mark.parametrize("place", PLACES)
async def test_it_takes_as_many_steps_with_many_messages_as_with_few(place: str, tmp_path: Path) -> None:
    few = await _measure(tmp_path / "few", place, FEW)
    many = await _measure(tmp_path / "many", place, MANY)
    grown = {
        step.__name__: (one.steps, other.steps)
        for step, one, other in zip(STEPS, few, many, strict=True)
        if other.steps > ENOUGH * one.steps
    }
    assert grown == {}
