"""The connect flow with web5-js on one side: its apps with our wallet, its wallet with our apps, by either relay."""

from __future__ import annotations

import asyncio
import base64

import pytest

from tests.interop.api.conftest import World
from tests.interop.api.test_web5_js_delegates import DEFINITION, NOTES, encoded
from tests.interop.node.serving import EmbeddedServer
from web5 import ProtocolPermissions, WalletConnect, Web5
from web5.agent.agent import Agent
from web5.errors import NotConnected, NotConnectedReason

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTE = {"protocol": NOTES, "protocol_path": "note", "schema": "https://example.org/note"}


async def test_an_app_in_web5_js_connects_to_our_wallet_by_dwn_server(world: World) -> None:
    await an_app_in_web5_js_connects_to_our_wallet(world)


async def test_an_app_in_web5_js_connects_to_our_wallet_by_nodes_of_ours(world_of_ours: World) -> None:
    await an_app_in_web5_js_connects_to_our_wallet(world_of_ours)


async def an_app_in_web5_js_connects_to_our_wallet(world: World) -> None:
    alice = world.ours
    assert await alice.agent.publish_all()
    link = await world.peer.call(
        "askWallet",
        server=f"{world.servers[0]}/connect",
        protocolDefinition=DEFINITION,
        permissions=["read", "write", "query"],
        endpoints=world.servers,
    )
    request = await alice.wallet.read(link)
    assert request.display_name == "An app of web5-js"
    [asked] = request.permissions
    assert (asked.definition, [*asked.permissions]) == (DEFINITION, ["read", "write", "query"])
    pin = await alice.wallet.approve(request)
    note = await alice.dwn.records.create("from Alice", **NOTE)
    assert (await alice.sync.now("push")).ok

    found = await world.peer.call("enterPin", pin=pin)
    assert found["did"] == alice.connected_did
    await world.peer.call("sync", direction="pull")
    [seen] = await world.peer.call("query", filter={"protocol": NOTES})
    assert (seen["id"], base64.b64decode(seen["data"])) == (note.id, b"from Alice")
    await world.peer.call("update", id=note.id, protocol=NOTES, data=encoded("edited by the app"))
    await world.peer.call("sync", direction="push")
    assert (await alice.sync.now("pull")).ok
    assert await (await alice.dwn.records.read(note.id)).data.text() == "edited by the app"


async def test_our_apps_connect_to_a_wallet_in_web5_js(world: World, embedded: EmbeddedServer) -> None:
    did = await world.peer.call("connect", endpoints=world.servers)
    with pytest.raises(NotConnected) as failed:
        await connect(world, f"{world.servers[0]}/connect", world.app, typed="1235")
    assert failed.value.reason is NotConnectedReason.WRONG_PIN
    for server in (f"{world.servers[0]}/connect", f"{embedded.url}/dwn0/connect"):
        for known in world.app.identities.list():
            await world.app.identities.delete(known.did)
        app = await connect(world, server, world.app, typed="1234")
        assert app.connected_did == did
        note = await app.dwn.records.create(f"by {server}", **NOTE)
        assert (await note.send()).delivered
        await world.peer.call("sync", direction="pull")
        seen = {one["id"]: one for one in await world.peer.call("query", filter={"protocol": NOTES})}
        assert base64.b64decode(seen[note.id]["data"]).decode() == f"by {server}"
        assert seen[note.id]["author"] == did


async def connect(world: World, server: str, agent: Agent, *, typed: str) -> Web5:
    link: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ask_pin(wrong: int) -> str:
        assert await approving == "An app of ours"
        return typed

    async def approve() -> str:
        return await world.peer.call("approve", link=await link, pin="1234")

    approving = asyncio.create_task(approve())
    wallet = WalletConnect(
        display_name="An app of ours",
        permissions=[ProtocolPermissions(DEFINITION, ["read", "write", "query"])],
        server=server,
        wallet_uri="web5://connect",
        on_uri=link.set_result,
        ask_pin=ask_pin,
    )
    web5, _ = await Web5.connect(agent=agent, wallet=wallet, dwn_endpoints=[], sync="1 hour")
    await web5.sync.stop()
    return web5
