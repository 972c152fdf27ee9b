"""The composition root on CPython."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from web5.cpython import agent as cpython_agent
from web5.dwn.store.database import Database, open_file
from web5.errors import StorageError


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
    with pytest.raises(apsw.ConnectionClosedError):
        database.connection.execute("SELECT 1")
    (tmp_path / "blobs").unlink()
    agent = await cpython_agent.open_agent(gateway_uris=["http://gateway.example"], data_path=tmp_path)
    await agent.close()
