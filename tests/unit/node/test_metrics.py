"""Figures for Prometheus, and the health of a node, through ASGI, with a real DWN behind it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.node.dwn.test_socket_endpoint import in_memory
from tests.unit.node.nodes import Served
from web5.dwn.wire import rpc, rpc_socket
from web5.node.server import create_app

TOKEN = "a token that nobody guesses"


@pytest.fixture
async def served(tmp_path: Path) -> Served:
    return await Served.start(tmp_path)


async def figures(served: Served) -> dict[str, float]:
    answer = await served.client.get("/dwn0/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = re.findall(r"^(dwn_\S+) (\S+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def requests(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name.startswith("dwn_requests_total")}


async def post(served: Served, message: dict[str, Any]) -> None:
    await served.post(headers={"dwn-request": rpc.encode_request(served.did, message)})


async def test_messages_are_counted_by_kind_and_status(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    record_id, _ = await served.write("/dwn0", b"text")
    await served.read("/dwn0", record_id)
    await served.read("/dwn1", record_id)
    await served.client.get(f"/dwn0/{served.did}/records/{record_id}")
    assert requests(await figures(served)) == {
        'dwn_requests_total{error="0",method="RecordsWrite",status="202"}': 1,
        'dwn_requests_total{error="0",method="RecordsRead",status="200"}': 1,
        'dwn_requests_total{error="0",method="RecordsRead",status="404"}': 1,
        'dwn_requests_total{error="0",method="RecordsRead",status="401"}': 1,
    }
    assert (await figures(served))['dwn_request_seconds_count{method="RecordsRead"}'] == 3
    served.databases[0].connection.close()
    with caplog.at_level(logging.CRITICAL, "web5.node"):
        await served.post(headers=await served.header(b"text"), content=b"text")
    assert (await figures(served))['dwn_requests_total{error="1",method="RecordsWrite",status="0"}'] == 1


async def test_strangers_make_no_figures(served: Served) -> None:
    """However many names they think of: there would be a row for each, for ever."""
    for name in ("a", "b", "Wri.te", "Write.", ".", "{}", "Write\n# TYPE x", "ü"):
        await post(served, {"descriptor": {"interface": "Rec.ords", "method": name}})
        await post(served, {"descriptor": {"interface": name, "method": name}})
        await post(served, {"descriptor": name})
    assert {re.findall('method="(.*?)"', name)[0] for name in requests(await figures(served))} == {"other"}


async def test_sockets_and_subscriptions_that_are_open(served: Served) -> None:
    talk = await in_memory(served)
    await talk.subscribe()
    await talk.subscribe("other", "2")
    found = await figures(served)
    assert (found["dwn_sockets"], found["dwn_subscriptions"]) == (1, 2)
    await talk.ask(rpc_socket.encode_close("s", "3"))
    assert (await figures(served))["dwn_subscriptions"] == 1
    await talk.socket.close()
    await talk.socket.serving
    found = await figures(served)
    assert (found["dwn_sockets"], found["dwn_subscriptions"]) == (0, 0)


async def test_a_token_keeps_them_to_who_has_it(served: Served) -> None:
    app = create_app(served.dwns, metrics_token=TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        for given in ({}, {"authorization": "Bearer x"}, {"authorization": TOKEN}, {"authorization": "Bearer ü"}):
            answer = await client.get("/dwn0/metrics", headers={k: v.encode() for k, v in given.items()})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "dwn_" not in answer.text
        answer = await client.get("/dwn0/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert "dwn_requests" in answer.text


async def test_there_need_be_none(served: Served) -> None:
    app = create_app(served.dwns, serve_metrics=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        assert (await client.get("/dwn0/metrics")).status_code == 404


async def test_a_store_that_fails_is_no_health(served: Served) -> None:
    assert (await served.client.get("/dwn0/health")).json() == {"ok": True}
    served.databases[0].connection.close()
    answer = await served.client.get("/dwn0/health")
    assert (answer.status_code, answer.json()) == (503, {"ok": False})
    assert (await served.client.get("/dwn1/health")).status_code == 200
