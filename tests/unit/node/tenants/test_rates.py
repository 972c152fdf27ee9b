"""The pace at which addresses, and those who address a tenant, may ask."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.unit.node.nodes import Served
from web5.dwn.wire import rpc
from web5.node.server import create_app
from web5.node.tenants.rates import BURST_SECONDS, KNOWN, Pace, Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("rates", [Rates(address=60), Rates(tenant=60)])
def test_a_burst_and_then_one_after_the_other(rates: Rates) -> None:
    clock = Clock()
    pace = Pace(rates, clock)
    assert [pace.ask("a", "t") for _ in range(BURST_SECONDS + 2)] == [0] * BURST_SECONDS + [1, 1]
    clock.now = 1
    assert [pace.ask("a", "t") for _ in range(2)] == [0, 1]
    other = ("b", "t") if rates.address else ("a", "u")
    assert pace.ask(*other) == 0


def test_what_is_refused_spends_nothing() -> None:
    clock = Clock()
    pace = Pace(Rates(address=6, tenant=60), clock)
    assert pace.ask("a", "t") == 0
    assert {pace.ask("a", "t") for _ in range(100)} == {10}
    assert [pace.ask(f"{number}", "t") for number in range(BURST_SECONDS)] == [0] * (BURST_SECONDS - 1) + [1]


def test_without_rates_nobody_waits_and_nobody_is_remembered() -> None:
    pace = Pace(Rates(), Clock())
    assert {pace.ask("a", "t") for _ in range(10_000)} == {0}
    assert len(pace._addresses) == len(pace._tenants) == 0


def test_strangers_do_not_fill_the_memory() -> None:
    pace = Pace(Rates(address=60, tenant=60), Clock())
    for number in range(KNOWN + 100):
        pace.ask(f"{number}", f"{number}" * 300)
    assert len(pace._addresses) == len(pace._tenants) == KNOWN


async def test_all_ways_say_when_to_come_again(tmp_path: Path) -> None:
    served = await Served.start(tmp_path)
    app = create_app(served.dwns, rates=Rates(address=6))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        record = f"/dwn0/{served.did}/records/x"
        assert (await client.get(record)).status_code == 404
        early = await client.get(record)
        assert (early.status_code, early.headers["retry-after"]) == (429, "10")
        post = await client.post("/dwn0", headers=await served.header(b"text"), content=b"text")
        assert (post.status_code, post.headers["retry-after"], post.json()["id"]) == (429, "10", "1")
        assert rpc.parse_response(post.content)["status"]["code"] == 429
        assert (await client.get("/dwn0/health")).status_code == 200
    assert await served.record_count("/dwn0") == 0
