"""The relay through ASGI. The numbers are the invariants of `web5.node.connect.relay`."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.sync.world import TestClock
from web5.dwn.store.database import Database, open_memory
from web5.node.connect.relay import KEPT_SECONDS, Relay, RelayLimits
from web5.node.server import create_app

BASE = "https://node.example"
JWE = "aGVhZGVy..bm9uY2U.Y2lwaGVydGV4dA.dGFn"
OTHER = "aGVhZGVy..bm9uY2U.b3RoZXI.dGFn"


class Desk:
    """A relay at the path /dwn, asked from an address."""

    def __init__(self, limits: RelayLimits | None = None, database: Database | None = None) -> None:
        self.clock = TestClock()
        self.database = database or open_memory()
        self.app = create_app({"/dwn": None}, public_url=BASE, relay=Relay(self.database, self.clock, limits))

    def from_(self, address: str = "192.0.2.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1234))
        return httpx.AsyncClient(transport=transport, base_url=BASE)

    async def push(self, text: object = JWE, address: str = "192.0.2.1") -> httpx.Response:
        return await self.from_(address).post("/dwn/connect/par", data={"request": text})

    async def answer(self, state: str = "state", text: str = JWE, address: str = "192.0.2.1") -> httpx.Response:
        return await self.from_(address).post("/dwn/connect/callback", data={"id_token": text, "state": state})

    async def token(self, state: str = "state") -> httpx.Response:
        return await self.from_().get(f"/dwn/connect/token/{state}.jwt")

    def ahead(self, seconds: float) -> None:
        self.clock.ahead += int(seconds * 1_000_000)


async def test_1_a_request_is_given_once() -> None:
    desk = Desk()
    pushed = await desk.push()
    assert pushed.status_code == 201
    uri = pushed.json()["request_uri"]
    assert uri.startswith(f"{BASE}/dwn/connect/authorize/") and uri.endswith(".jwt")
    assert pushed.json()["expires_in"] == KEPT_SECONDS
    seen = await desk.from_().head(uri)
    assert (seen.status_code, seen.content) == (200, b"")
    given = await desk.from_().get(uri)
    assert (given.status_code, given.text) == (200, JWE)
    assert given.headers["content-type"].startswith("application/jwt")
    assert given.headers["cache-control"] == "no-store"
    assert (await desk.from_().get(uri)).json() == {"ok": False, "status": {"code": 404, "message": "Not Found"}}


async def test_1_a_response_is_given_once_and_the_first_stays() -> None:
    desk = Desk()
    assert (await desk.token()).status_code == 404
    answered = await desk.answer()
    assert (answered.status_code, answered.json()["ok"]) == (201, True)
    assert (await desk.answer(text=OTHER)).status_code == 409
    assert (await desk.token()).text == JWE
    assert (await desk.token()).status_code == 404
    assert (await desk.answer(text=OTHER)).status_code == 201
    assert (await desk.token()).text == OTHER


async def test_1_after_ten_minutes_it_is_gone_also_from_the_store() -> None:
    desk = Desk()
    uri = (await desk.push()).json()["request_uri"]
    await desk.answer()
    desk.ahead(KEPT_SECONDS - 1)
    assert (await desk.from_().head(uri)).status_code == 200
    desk.ahead(2)
    assert (await desk.from_().get(uri)).status_code == (await desk.token()).status_code == 404
    await desk.answer("other")
    assert [*desk.database.connection.execute("SELECT name FROM left_to_connect")] == [("other",)]


async def test_1_what_was_left_survives_a_restart() -> None:
    desk = Desk()
    await desk.answer()
    again = Desk(database=desk.database)
    assert (await again.token()).text == JWE


async def test_2_an_address_has_its_share() -> None:
    desk = Desk(RelayLimits(of_address=2))
    for state in ("a", "b"):
        assert (await desk.answer(state)).status_code == 201
    refused = await desk.answer("c")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(KEPT_SECONDS))
    assert (await desk.answer("c", address="192.0.2.2")).status_code == 201
    assert (await desk.token("a")).text == JWE
    assert (await desk.answer("d")).status_code == 201


async def test_2_an_address_has_its_pace() -> None:
    desk = Desk(RelayLimits(burst=2, per_minute=60, asked_burst=3))
    for state, status in (("a", 201), ("b", 201), ("c", 429)):
        answered = await desk.answer(state)
        assert answered.status_code == status
    assert answered.headers["retry-after"] == "1"
    desk.ahead(1.1)
    assert (await desk.answer("c")).status_code == 201
    asked = [(await desk.token("nothing")).status_code for _ in range(4)]
    assert asked == [404, 404, 404, 429]


async def test_2_all_that_is_held_is_bounded_and_nothing_makes_room() -> None:
    desk = Desk(RelayLimits(held=2 * len(JWE)))
    for number, status in enumerate((201, 201, 503)):
        assert (await desk.answer(f"s{number}", address=f"192.0.2.{number}")).status_code == status
    assert (await desk.token("s0")).text == JWE
    assert (await desk.answer("s2")).status_code == 201


@pytest.mark.parametrize("text", ["plain", "a.b.c", "<html>..a.b.c", "a..b.c.d\n", "..a.b.c", "a..b..d"])
async def test_3_only_what_is_encrypted_is_relayed(text: str) -> None:
    desk = Desk()
    assert (await desk.push(text)).status_code == 400
    assert (await desk.answer(text=text)).status_code == 400


async def test_what_is_malformed_or_too_large() -> None:
    desk = Desk(RelayLimits(text=1000))
    post = desk.from_().post
    paths = ("/dwn/connect/par", "/dwn/connect/callback")
    for path in paths:
        for body in ({}, {"content": b"\xff"}, {"json": []}, {"json": {"state": 1, "id_token": JWE, "request": 1}}):
            assert (await post(path, **body)).status_code == 400
        too_many = {f"field{number}": "x" for number in range(30)} | {"request": JWE, "id_token": JWE, "state": "s"}
        assert (await post(path, data=too_many)).status_code == 400
        assert (await post(path, content=b"x" * 10_000)).status_code == 413
    assert (await desk.push(f"{JWE}{'A' * 1000}")).status_code == 413
    assert (await post(paths[0], data={"request": JWE, "request_uri": BASE})).status_code == 400
    for state in ("", "a b", "a/b", "a" * 513, "ä"):
        assert (await desk.answer(state)).status_code == 400
    assert [*desk.database.connection.execute("SELECT 1 FROM left_to_connect")] == []


async def test_bodies_may_be_json() -> None:
    desk = Desk()
    pushed = await desk.from_().post("/dwn/connect/par", json={"request": JWE})
    assert pushed.status_code == 201
    answered = await desk.from_().post("/dwn/connect/callback", json={"id_token": OTHER, "state": "s"})
    assert answered.status_code == 201
    assert (await desk.token("s")).text == OTHER


async def test_without_a_relay_there_are_no_routes() -> None:
    app = create_app({"/dwn": None})
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)
    assert (await client.post("/dwn/connect/par", data={"request": JWE})).status_code == 404
