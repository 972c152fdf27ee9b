"""What is asked of a `Web5` that was closed: one error that says so, and nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import Protocol, Record, Web5
from web5.errors import StorageClosed, VaultLocked

NOTE = "https://example.org/closed/note"
notes = Protocol("https://example.org/closed/notes")


@notes.type("note")
class Note(BaseModel):
    text: str


async def read(all_of: AsyncIterable[Any]) -> None:
    async for _ in all_of:
        pass


ASKED: dict[str, Callable[[Web5, Record], Awaitable[object]]] = {
    "create": lambda web5, _: web5.dwn.records.create("more", schema=NOTE),
    "query": lambda web5, _: web5.dwn.records.query(schema=NOTE),
    "iterate": lambda web5, _: read(web5.dwn.records.query(schema=NOTE)),
    "read": lambda web5, record: web5.dwn.records.read(record.id),
    "subscribe": lambda web5, _: read(web5.dwn.records.subscribe()),
    "live": lambda web5, _: read(web5.dwn.records.live(schema=NOTE)),
    "update": lambda _, record: record.update(data="other"),
    "delete": lambda _, record: record.delete(),
    "send": lambda _, record: record.send(),
    "create a note": lambda web5, _: web5.records(Note).create(Note(text="more")),
    "query notes": lambda web5, _: web5.records(Note).query(),
    "configure": lambda web5, _: web5.dwn.protocols.configure(notes.to_definition()),
    "grants": lambda web5, _: web5.dwn.permissions.query_grants(),
    "start": lambda web5, _: web5.sync.start("live"),
    "now": lambda web5, _: web5.sync.now(),
    "check": lambda web5, _: web5.sync.check(),
    "identities": lambda web5, _: web5.identities.create("Another", dwn_endpoints=[]),
    "export": lambda web5, _: web5.identities.export(web5.connected_did),
    "use": lambda web5, _: web5.use(web5.connected_did),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_it_says_that_it_was_closed(world: World, asked: str) -> None:
    alice = await connected(world)
    record = await alice.dwn.records.create("text", schema=NOTE)
    await alice.close()
    with pytest.raises(StorageClosed, match="Connect anew"):
        await ASKED[asked](alice, record)


async def test_what_needs_no_waiting_says_so_too(world: World) -> None:
    alice = await connected(world)
    await alice.close()
    for asked in (alice.sync.status, alice.sync.unsettled, alice.sync.events, alice.identities.list):
        with pytest.raises(StorageClosed, match="Connect anew"):
            asked()
    await alice.close()
    await alice.sync.stop()


async def test_a_locked_vault_is_not_an_agent_without_identities(world: World) -> None:
    alice = await connected(world)
    await alice.agent.lock()
    with pytest.raises(VaultLocked, match="Unlock it first"):
        alice.identities.list()
    for asked in (alice.use(alice.connected_did), alice.identities.export(alice.connected_did)):
        with pytest.raises(VaultLocked, match="Unlock it first"):
            await asked
    await alice.agent.unlock()
    assert [one.did for one in alice.identities.list()] == [alice.connected_did]
