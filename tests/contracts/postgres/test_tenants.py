"""The operator's word about tenants of a node in PostgreSQL, while it is served."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.unit.node.tenants.test_tenancy import LARGE, Node
from web5.node.program.main import main
from web5.node.serve import open_node
from web5.node.stores import Postgres, stores_of
from web5.node.tenants.registry import Quota
from web5.node.tenants.tenancy import SUSPENDED, TenantRules
from web5.node.tenants.use import Amount


async def test_it_holds_from_the_next_message_on(
    tmp_path: Path, server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    node, place = await Node.make(tmp_path), Postgres(server.database(), 2)

    async def say(*words: str) -> str:
        assert await asyncio.to_thread(main, ["tenants", *words, "--database", place.url]) == 0
        return capsys.readouterr().out

    rules = TenantRules(quota=Quota(bytes=200_000))
    async with open_node(stores_of(place, "/"), node._resolver, rules=rules) as (node.dwn, _):
        await node.configure()
        for number in range(3):
            await node.write(LARGE, node.guest_signer, protocol="https://protocol.example/wall", protocol_path="post")
            assert node.used() == node.stored()
            assert node.used(node.guest).messages == number + 1
        await node.delete(node.last["recordId"])
        assert node.used() == node.stored()
        assert await node.write(LARGE * 3) == (507, "TenantStorageQuotaExceeded")
        await say("quota", node.did, "--bytes", "any")
        assert await node.write(LARGE * 3) == (202, "Accepted")
        await say("suspend", node.did)
        assert await node.write() == (401, SUSPENDED)
        [shown] = json.loads(await say("list", "--json"))
        assert (shown["did"], shown["state"], shown["bytes"]) == (node.did, "suspended", node.used().bytes)
        await say("resume", node.did)
        await say("delete", node.did, "--yes")
        assert node.used() == Amount()
        assert await node.dwn.blobs.keys() == set()
        assert await node.write() == (202, "Accepted")
