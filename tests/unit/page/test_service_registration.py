"""What the page is told of a node that demands registration, from first contact to the last note there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from app.service import Service
from starlette.responses import JSONResponse, Response

from tests.unit.page.devices import Device
from tests.watch import Watch
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn.store.database import open_file
from web5.errors import BadReply, InvalidArgument
from web5.node.registration import RegistrationSettings
from web5.node.serve import embedded
from web5.node.stores import REGISTRY
from web5.node.tenants.invitations import Invitations
from web5.node.tenants.tenancy import TenantRules
from web5.ports.clock import SystemClock

ORIGIN = "http://world"
TERMS = "<b>Be kind.</b>\n"
HASH = sha256(TERMS.encode()).hexdigest()


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None, RegistrationSettings(TERMS, 200)))
        http = HttpxHttp(httpx.ASGITransport(app))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=tmp_path / "agent", http=http)
        stack.push_async_callback(agent.close)
        device = Device(agent, [f"{ORIGIN}/dwn0"])
        await device.session.open()
        yield device


async def registration(service: Service) -> dict[str, Any]:
    [endpoint] = (await service.state())["endpoints"]
    found: dict[str, Any] = endpoint["registration"]
    return found


async def test_the_page_is_asked_and_after_its_consent_the_notes_arrive(device: Device) -> None:
    service, endpoint, web5 = device.service, f"{ORIGIN}/dwn0", device.session.web5
    watch = Watch(web5.agent)
    await service.create_note("hello", 1_700_000_000_000_000)
    await web5.agent.publish_all()
    await service.set_sync("1h")
    await watch.until(lambda: [status.registration.asks for status in web5.sync.status()] == [True, True])
    assert (await registration(service))["state"] == "terms"
    [shown] = (await service.state())["endpoints"]
    assert (shown["refused"], shown["refusals"], shown["pending_out"]) == (0, [], 1)

    demands = await service.registration(endpoint)
    assert demands == {"terms": TERMS, "terms_hash": HASH, "hashes": 200, "invitation": False}
    await service.accept_terms(endpoint, demands["terms_hash"])
    await watch.until(lambda: not web5.sync.unsettled())
    assert (await registration(service))["state"] == "done"
    await web5.sync.stop()


async def test_an_invitation_opens_a_node_and_a_wrong_code_is_said_to_be_one(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        rules, nothing = TenantRules("invitation"), RegistrationSettings(hashes=100)
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None, nothing, rules=rules))
        http = HttpxHttp(httpx.ASGITransport(app))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=tmp_path / "agent", http=http)
        stack.push_async_callback(agent.close)
        device = Device(agent, [endpoint := f"{ORIGIN}/dwn0"])
        await device.session.open()
        service, web5, watch = device.service, device.session.web5, Watch(agent)
        await service.create_note("hello", 1_700_000_000_000_000)
        await web5.agent.publish_all()
        await service.set_sync("1h")

        async def told(reason: str) -> None:
            await watch.until(lambda: [one.registration.asks for one in web5.sync.status()] == [True, True])
            found = await registration(service)
            assert found["state"] == "invitation"
            assert reason in (found["reason"] or "nothing yet")

        await told("nothing yet")
        assert (await service.registration(endpoint))["invitation"]
        database = open_file(tmp_path / "remotes/dwn0" / REGISTRY)
        stack.push_async_callback(database.close)
        invitations = Invitations(database, SystemClock())
        await service.use_invitation(endpoint, "wrong")
        await watch.until(lambda: any(one.registration.reason for one in web5.sync.status()))
        code, _ = await invitations.make(2)
        await service.use_invitation(endpoint, f" {code} ")
        await watch.until(lambda: not web5.sync.unsettled())
        assert (await registration(service))["state"] == "done"
        assert [one.used for one in invitations.all()] == [2]
        await web5.sync.stop()


async def test_what_cannot_be_meant_is_refused(device: Device) -> None:
    service = device.service
    with pytest.raises(InvalidArgument):
        await service.accept_terms(f"{ORIGIN}/dwn0", "yes")
    with pytest.raises(InvalidArgument):
        await service.accept_work(f"{ORIGIN}/dwn0", 0)
    with pytest.raises(InvalidArgument):
        await service.use_invitation(f"{ORIGIN}/dwn0", " ")
    with pytest.raises(BadReply):
        await service.registration(f"{ORIGIN}/nowhere")


async def test_the_page_is_shown_what_a_node_refuses_with_its_words(tmp_path: Path) -> None:
    async with embedded(tmp_path / "remotes", None) as app:

        async def refusing(scope: Any, receive: Any, send: Any) -> None:
            request = json.loads(dict(scope["headers"]).get(b"dwn-request", b"null"))
            message = (request or {}).get("params", {}).get("message")
            if scope["path"].endswith("/info"):
                await Response(status_code=404)(scope, receive, send)
            elif message is None or message["descriptor"]["method"] != "Write":
                await app(scope, receive, send)
            else:
                status = {"code": 400, "detail": "Notes are not welcome."}
                reply = {"jsonrpc": "2.0", "id": request["id"], "result": {"reply": {"status": status}}}
                await JSONResponse(reply)(scope, receive, send)

        http = HttpxHttp(httpx.ASGITransport(refusing))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=tmp_path / "agent", http=http)
        device = Device(agent, [f"{ORIGIN}/dwn0"])
        await device.session.open()
        await device.service.create_note("hello", 1_700_000_000_000_000)
        await agent.publish_all()
        await device.service.sync_now()
        [shown] = (await device.service.state())["endpoints"]
        assert (shown["refused"], [one["detail"] for one in shown["refusals"]]) == (1, ["Notes are not welcome."])
        await agent.close()
