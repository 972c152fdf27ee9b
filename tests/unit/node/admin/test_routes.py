"""The operator's page, through ASGI. The numbers are the invariants of `web5.node.admin.routes`."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.node.tenants.test_tenancy import LARGE, Node
from tests.unit.sync.world import TestClock
from web5.node.admin import figures, troubles
from web5.node.admin.figures import Figures
from web5.node.admin.routes import PAGE, ROWS, Desk, operator_site
from web5.node.metrics import Metrics
from web5.node.serve import embedded
from web5.node.stores import REGISTRY, open_said
from web5.node.tenants.invitations import Invitations
from web5.node.tenants.registry import Quota, Registry, Said
from web5.node.tenants.tenancy import NOT_ADMITTED, SUSPENDED, TenantRules

TOKEN = "a token that nobody guesses"
PATHS = ("state", "tenant", "invite", "revoke")


class Operator:
    """The page of a node with one tenant, and its browser."""

    def __init__(self, node: Node, app: Any, clock: TestClock) -> None:
        self.node, self.clock = node, clock
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")

    async def ask(self, path: str, body: Any = None, token: str | None = TOKEN, **more: Any) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        method = "GET" if path.startswith("state") else "POST"
        return await self.http.request(method, f"/admin/api/{path}", headers=headers, json=body, **more)

    async def state(self, query: str = "") -> Any:
        answer = await self.ask(f"state{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def act(self, **asked: Any) -> tuple[int, str]:
        answer = await self.ask("tenant", {"at": "/", "did": self.node.did, **asked})
        return answer.status_code, answer.json().get("message", "")


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    async with AsyncExitStack() as stack:
        node, clock = await Node.make(tmp_path / "dwn"), TestClock()
        rules = TenantRules("invitation", Quota(messages=50))
        await node.open(rules)
        stack.push_async_callback(node.close)
        said = open_said(tmp_path, "/", node.dwn.database)
        stack.push_async_callback(said.close)
        desks = {"/": Desk(node.dwn, Registry(said), Invitations(said, clock), rules)}
        app = stack.enter_context(operator_site(desks, TOKEN, Metrics(), clock))
        yield Operator(node, app, clock)


async def test_1_without_the_token_nothing_is_told_or_done(operator: Operator) -> None:
    for path in PATHS:
        for token in (None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü" * 30):
            body = {"at": "/", "did": operator.node.did, "action": "suspend", "uses": 1, "days": 1}
            headers = {} if token is None else {"authorization": f"Bearer {token}".encode()}
            operator.clock.ahead += 60_000_000
            method = "GET" if path == "state" else "POST"
            answer = await operator.http.request(method, f"/admin/api/{path}", headers=headers, json=body)
            assert (answer.status_code, answer.json()) == (401, {"message": "This is not the token."})
    found = await operator.state()
    assert (found["tenants"], found["invitations"]) == ([], [])


async def test_1_an_address_that_guesses_has_to_wait(operator: Operator) -> None:
    told = [(await operator.ask("state", token=f"guess {number}")).status_code for number in range(12)]
    assert told == [401] * 10 + [429] * 2
    answer = await operator.ask("state")  # while it has to wait, not even the right one is looked at
    assert answer.status_code == 429
    operator.clock.ahead += int(answer.headers["retry-after"]) * 1_000_000
    assert (await operator.ask("state")).status_code == 200


async def test_1_2_3_the_page_has_nothing_of_the_node_and_loads_nothing_from_elsewhere(operator: Operator) -> None:
    answer = await operator.http.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (307, "admin/")
    names = ["", *(path.name for path in PAGE.iterdir() if path.name != "index.html")]
    assert len(names) == 4
    for name in names:
        answer = await operator.http.get(f"/admin/{name}", headers={"origin": "https://stranger.example"})
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert not re.search(r"""(?:src|href|url|import|from)\s*[=(]?\s*["']?(?:https?:)?//""", answer.text), name
        assert "innerHTML" not in answer.text
    page = (await operator.http.get("/admin/")).text
    assert not re.search(r"<script(?![^>]*src)|\son\w+=|style=", page)
    preflight = {"origin": "https://stranger.example", "access-control-request-method": "POST"}
    answer = await operator.http.options("/admin/api/tenant", headers=preflight)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
    for odd in ("/admin/routes.py", "/admin/../admin/routes.py", "/admin/page/index.html", "/admin/%2e%2e/routes.py"):
        assert (await operator.http.get(odd)).status_code == 404


async def test_the_operator_sees_and_says(operator: Operator) -> None:
    node = operator.node
    assert await node.write() == (401, NOT_ADMITTED)
    assert await operator.act(action="allow") == (200, "")
    assert (await node.write(LARGE))[0] == 202
    [row] = (await operator.state())["tenants"]
    assert (row["did"], row["state"], row["messages"], row["bytes"]) == (node.did, "served", 1, node.used().bytes)
    assert (row["quota"], row["own"]) == ({"bytes": None, "messages": 50}, {"bytes": None, "messages": None})
    await operator.act(action="suspend")
    assert await node.write() == (401, SUSPENDED)
    await operator.act(action="resume")
    await operator.act(action="quota", messages=1, bytes=None)
    assert (await node.write())[0] == 507
    await operator.act(action="quota", messages=0, bytes=0)
    assert (await node.write())[0] == 202
    found = await operator.state()
    assert found["tenants"][0]["quota"] == {"bytes": None, "messages": None}
    assert found["whole"] == {"tenants": 1, "messages": 2, "bytes": node.used().bytes}
    await operator.act(action="disallow")
    assert await node.write() == (401, NOT_ADMITTED)


async def test_the_operator_invites(operator: Operator) -> None:
    made = await operator.ask("invite", {"at": "/", "uses": 3, "days": 7, "note": "Ann"})
    code = made.json()["code"]
    [one] = (await operator.state())["invitations"]
    assert (one["uses"], one["used"], one["note"]) == (3, 0, "Ann")
    assert code not in str(one)
    registry = operator.node.folder / REGISTRY
    assert code.replace("-", "").encode() not in registry.read_bytes()
    assert (await operator.ask("revoke", {"at": "/", "id": one["id"]})).status_code == 200
    assert (await operator.ask("revoke", {"at": "/", "id": one["id"]})).status_code == 400
    assert (await operator.state())["invitations"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tenant", {"at": "/", "action": "suspend"}),
        ("tenant", {"at": "/", "did": "x", "action": "suspend"}),
        ("tenant", {"at": "/nowhere", "did": "did:example:a", "action": "suspend"}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": "delete"}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": ["suspend"]}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": "quota", "bytes": -1}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": "quota", "bytes": 1.5}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": "quota", "messages": 2**60}),
        ("tenant", {"at": "/", "did": "did:example:a", "action": "quota", "messages": True}),
        ("invite", {"at": "/", "uses": 0, "days": 1}),
        ("invite", {"at": "/", "uses": 1, "days": 10**9}),
        ("invite", {"at": "/", "uses": "1", "days": 1}),
        ("invite", {"at": "/", "uses": 1, "days": 1, "note": "x" * 201}),
        ("invite", {"at": "/", "uses": 1, "days": 1, "note": "a\nb"}),
        ("revoke", {"at": "/", "id": {"a": 1}}),
        ("invite", {"at": "/", "uses": 1, "days": 1, "note": "x" * 20_000}),
        ("invite", [1]),
        ("invite", "x"),
    ],
)
async def test_4_what_makes_no_sense_changes_nothing(operator: Operator, path: str, body: Any) -> None:
    answer = await operator.ask(path, body)
    assert answer.status_code == 400
    assert answer.json()["message"]
    found = await operator.state()
    assert (found["tenants"], found["invitations"]) == ([], [])
    assert (
        await operator.http.get("/admin/api/state?at=/x", headers={"authorization": f"Bearer {TOKEN}"})
    ).status_code == 400


async def test_4_rows_are_bounded_and_found(operator: Operator) -> None:
    registry = Registry(open_said(operator.node.folder.parent, "/", operator.node.dwn.database))
    for number in range(ROWS + 20):
        await registry.say(f"did:example:n{number}_", Said(admitted=True))
    assert len((await operator.state())["tenants"]) == ROWS
    found = [row["did"] for row in (await operator.state("?search=n7_"))["tenants"]]
    assert found == ["did:example:n7_"]
    assert (await operator.state("?search=%25"))["tenants"] == []
    assert (await operator.ask(f"state?search={'x' * 201}")).status_code == 400


async def test_figures_are_sums_and_bounded(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """1, 2 of `web5.node.admin.figures`"""
    monkeypatch.setattr(figures, "KEPT", 3)
    metrics = Metrics()
    taken = Figures(metrics, [operator.node.dwn], operator.clock)
    await operator.act(action="allow")
    for number in range(5):
        await operator.node.write()
        with metrics.processing({"descriptor": {"interface": "Records", "method": "Write"}}) as answered:
            answered({"status": {"code": 500 if number == 4 else 202}})
        await taken.sample()
    listed = taken.listed()
    assert len(listed["samples"]) == 3
    last = dict(zip(listed["names"], listed["samples"][-1], strict=True))
    assert (last["requests"], last["refused"], last["failed"], last["messages"]) == (1, 1, 1, 5)
    assert last["bytes"] == operator.node.used().bytes


async def test_errors_are_shown_bounded_and_as_text(operator: Operator) -> None:
    log = logging.getLogger("web5.node")
    for number in range(troubles.KEPT + 5):
        log.warning("trouble %d \x1b[31m%s", number, "x" * 1000)
    found = (await operator.state())["errors"]
    assert len(found) == troubles.KEPT
    assert found[0]["words"].startswith(f"trouble {troubles.KEPT + 4}  [31mxx")
    assert len(found[0]["words"]) == troubles.LONGEST


async def test_there_is_no_page_without_a_token(tmp_path: Path) -> None:
    async with embedded(tmp_path, None, paths=("/",), gateway=False) as app:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        assert (await http.get("/admin/")).status_code == 404
    async with embedded(tmp_path, None, paths=("/",), gateway=False, rules=TenantRules(), admin_token=TOKEN) as app:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        assert (await http.get("/admin/")).status_code == 200
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert (await http.get("/admin/api/state", headers=headers)).json()["paths"] == ["/"]
        assert (await http.get("/info")).status_code == 200
