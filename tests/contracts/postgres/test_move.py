"""A node moves from a folder to PostgreSQL and back, and nothing of it is lost or other than it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import AT, LARGE, Node
from web5.dwn import compose
from web5.errors import StorageBusy, StorageError
from web5.node.program.main import main
from web5.node.serve import open_node
from web5.node.stores import Place, Postgres, stores_of
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.node.upkeep import move as upkeep
from web5.node.upkeep.check import faults
from web5.node.upkeep.move import move

PATHS = ("/",)


async def answers(node: Node, place: Place, cursor: Any = None) -> dict[str, Any]:
    """What a node says of what it holds."""
    async with open_node(stores_of(place, "/"), node._resolver, rules=TenantRules()) as (dwn, _):

        async def ask(message: Any) -> Any:
            return await dwn.process_message(node.did, message)

        found = await ask(await compose.records_query(node.signer, clock, filter={"protocol": AT["protocol"]}))
        read = await compose.records_read(node.signer, clock, filter={"recordId": node.last["recordId"]})
        tagged = await compose.records_query(node.signer, clock, filter={"tags": {"number": {"gte": 2}}})
        return {
            "log": await ask(await compose.messages_query(node.signer, clock)),
            "since": await ask(await compose.messages_query(node.signer, clock, cursor=cursor)),
            "records": found["entries"],
            "tagged": (await ask(tagged))["entries"],
            "data": await (await ask(read))["entry"]["data"].read(),
        }


async def test_there_and_back(tmp_path: Path, server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    node = await Node.make(tmp_path / "data" / "dwn")
    await node.open()
    await node.configure()
    for number in range(3):
        await node.write(b"text", tags={"number": number, "word": "ä", "yes": True})
        await node.write(b"of a guest", node.guest_signer, **AT)
    await node.write(b"first", **AT)
    await node.write(LARGE, existing=node.last)
    kept = node.last
    cursor = (await node.dwn.process_message(node.did, await compose.messages_query(node.signer, clock)))["cursor"]
    await node.write(LARGE[::-1])
    await node.delete(node.last["recordId"])
    await node.write(LARGE[::-1], **AT)
    assert kept != node.last
    await node.say(Said(bytes=10**9))
    await node.close()
    folder, database, back = tmp_path / "data", Postgres(server.database(), 2), tmp_path / "back"
    before = await answers(node, folder, cursor)
    assert len(before["since"]["entries"]) == 3
    moved = await move(folder, database, PATHS)
    assert (moved.messages, moved.blobs) == (len(before["log"]["entries"]), 2)
    with pytest.raises(StorageError, match="holds something already"):
        await move(folder, database, PATHS)
    assert await answers(node, database, cursor) == before
    async with stores_of(database, "/") as stores:
        assert Registry(stores.said()).said(node.did) == Said(bytes=10**9)
        with monkeypatch.context() as patched, pytest.raises(StorageBusy, match="end the nodes first"):
            patched.setattr(upkeep, "GOING_SECONDS", ())  # it does not go
            await move(database, back, PATHS)
    async with open_node(stores_of(database, "/"), node._resolver, rules=TenantRules()) as (node.dwn, _):
        assert await node.write(b"more, with a number of its own", **AT) == (202, "Accepted")
    before = await answers(node, database, cursor)
    await move(database, back, PATHS)
    assert await answers(node, back, cursor) == before
    assert list(faults(back)) == []


def test_what_cannot_be_moved_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["move", str(tmp_path / "there"), "--data", str(tmp_path / "nothing")]) == 1
    assert "there is no DWN in" in capsys.readouterr().err
