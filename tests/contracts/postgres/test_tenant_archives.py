"""One tenant goes from a folder to PostgreSQL in a file, and from there to a folder."""

from __future__ import annotations

from pathlib import Path

from tests.postgres import PostgresServer
from tests.unit.node.tenants.test_tenancy import Node
from tests.unit.node.upkeep.test_tenant import cids, exported, fill, imported, moves
from web5.node.serve import open_node
from web5.node.stores import Postgres, stores_of
from web5.node.tenants.invitations import Invitations
from web5.node.tenants.registry import Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.ports.clock import SystemClock


async def test_there_and_back(tmp_path: Path, server: PostgresServer) -> None:
    node, place = await Node.make(tmp_path / "here" / "dwn"), Postgres(server.database(), 2)
    await node.open()
    await fill(node)
    await moves(node, stores_of(place, "/"), tmp_path)
    held = cids(node.dwn, node.did)
    await node.close()
    async with open_node(stores_of(place, "/"), node._resolver, rules=TenantRules()) as (node.dwn, _):
        file = await exported(node, tmp_path)
    async with open_node(tmp_path / "back", node._resolver, rules=TenantRules()) as (dwn, _):
        assert (await imported(dwn, file)).complete
        assert cids(dwn, node.did) == held


async def test_invitations(server: PostgresServer) -> None:
    async with stores_of(Postgres(server.database(), 2), "/") as stores:
        database = stores.said()
        registry, invitations = Registry(database), Invitations(database, SystemClock())
        code, one = await invitations.make(1, 1, "Ann")
        assert invitations.all() == [one]
        await invitations.use(code, "did:example:ann")
        assert registry.said("did:example:ann") == Said(admitted=True, invitation=one.id)
        assert [found.used for found in invitations.all()] == [1]
        assert await invitations.revoke(one.id)
        assert not await invitations.revoke(one.id)
