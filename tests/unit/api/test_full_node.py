"""An app at a node of ours where its identity may keep only so much: it hears so, and goes on once there is room."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from tests.watch import Watch
from web5 import Web5
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn.store.database import open_file
from web5.node.serve import embedded
from web5.node.stores import REGISTRY
from web5.node.tenants.registry import Quota, Registry, Said
from web5.node.tenants.tenancy import TenantRules
from web5.sync import State

ORIGIN = "http://world"
NODE = f"{ORIGIN}/dwn0"


async def test_a_full_node_blocks_and_a_larger_quota_lets_it_go_on(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        rules = TenantRules(quota=Quota(messages=2))
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None, rules=rules))
        http = HttpxHttp(httpx.ASGITransport(app))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=tmp_path / "agent", http=http)
        stack.push_async_callback(agent.close)
        web5, did = await Web5.connect(agent=agent, dwn_endpoints=[NODE], sync="off")
        watch = Watch(agent)
        await agent.publish_all()
        for number in range(4):
            await web5.dwn.records.create(f"{number}")
        await web5.sync.now()
        left = [one for one in web5.sync.unsettled() if one.tenant == did]
        assert len(left) == 2
        blocked = [one for one in left if one.state is State.BLOCKED]
        assert blocked and {one.code for one in blocked} == {507}
        assert all(one.detail.startswith("TenantMessageQuotaExceeded: ") for one in blocked)
        database = open_file(tmp_path / "remotes" / "dwn0" / REGISTRY)
        for tenant in (did, agent.vault.agent_did):
            await Registry(database).say(tenant, Said(messages=0))
        await database.close()
        await web5.sync.retry()
        await watch.until(lambda: not web5.sync.unsettled())
