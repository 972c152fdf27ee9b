"""The composition root on CPython."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from web5.agent.agent import Agent
from web5.cpython import agent as cpython_agent
from web5.dwn.store.database import Database, open_file
from web5.errors import CryptoError, StorageBusy, StorageClosed, StorageError, StorageFull

GATEWAYS = ["http://gateway.example"]


async def test_an_opening_that_fails_halfway_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Database] = []

    def opening(path: Path) -> Database:
        opened.append(open_file(path))
        return opened[-1]

    monkeypatch.setattr(cpython_agent, "open_file", opening)
    (tmp_path / "blobs").write_text("not a folder")
    with pytest.raises(StorageError):
        await cpython_agent.open_agent(gateway_uris=["http://gateway.example"], data_path=tmp_path)
    (database,) = opened
    with pytest.raises(StorageClosed):
        database.connection.execute("SELECT 1")
    (tmp_path / "blobs").unlink()
    agent = await cpython_agent.open_agent(gateway_uris=["http://gateway.example"], data_path=tmp_path)
    await agent.close()


async def test_a_close_whose_last_flush_fails_lets_the_folder_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    database = agent.dwn.database

    async def full() -> None:
        raise StorageFull("no room")

    monkeypatch.setattr(database, "flush", full)
    with pytest.raises(StorageFull):
        await agent.close()
    with pytest.raises(StorageClosed):
        database.connection.execute("SELECT 1")
    await (await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)).close()


async def test_a_part_that_fails_to_stop_keeps_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)

    async def failing() -> None:
        raise RuntimeError("it does not stop")

    monkeypatch.setattr(agent.sync, "stop", failing)
    with pytest.raises(RuntimeError, match="does not stop"):
        await agent.close()
    await (await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)).close()


async def test_a_close_that_is_cancelled_ends_only_when_all_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    database, writing, stored = agent.dwn.database, asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        writing.set()
        await stored.wait()

    monkeypatch.setattr(database, "flush", slow)
    closing = asyncio.ensure_future(agent.close())
    await writing.wait()
    for _ in range(2):
        closing.cancel()
        await asyncio.sleep(0)
        assert not closing.done()
        with pytest.raises(StorageBusy):
            await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    stored.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await (await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)).close()


async def test_an_agent_that_cannot_open_stops_what_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    await agent.initialize(dwn_endpoints=[])
    await agent.close()
    begun: list[Agent] = []

    async def failing(self: Agent) -> None:
        begun.append(self)
        self.background.start(asyncio.Event().wait(), name="for ever")
        raise CryptoError("cannot be opened")

    with monkeypatch.context() as patched:
        patched.setattr(Agent, "wake_up", failing)
        with pytest.raises(CryptoError):
            await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    (half,) = begun
    await asyncio.wait_for(half.background.join(), 5)
    await (await cpython_agent.open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)).close()
