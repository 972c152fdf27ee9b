"""The invariants of `web5.remote.pauses`, and the ways on which they are kept."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.unit.sync.world import TestClock
from web5.cpython.http import HttpxHttp
from web5.dwn.wire.rpc import encode_reply
from web5.errors import AskedToWait, BadReply, RegistrationError
from web5.ports.websocket import WebSocket
from web5.remote.dwn import RemoteDwn
from web5.remote.pauses import FIRST, LONGEST, MOST, SHORTEST, Pauses, asked_seconds
from web5.remote.registration import RegistrationClient

ENDPOINT = "http://dwn.example/node"
NOW = 1_796_000_000_000_000  # 2026-11-30T00:53:20Z
HOUR = 3600.0
QUESTION: dict[str, Any] = {"descriptor": {"interface": "Messages", "method": "Query"}}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", SHORTEST),
        ("99999999999999999999", LONGEST),
        ("Mon, 30 Nov 2026 01:53:20 GMT", HOUR),
        ("Monday, 30-Nov-26 01:53:20 GMT", HOUR),
        ("Mon Nov 30 01:53:20 2026", HOUR),
        ("Mon, 30 Nov 2026 00:00:00 GMT", SHORTEST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
    ],
)
def test_2_what_is_said_is_bounded(said: str, seconds: float) -> None:
    assert asked_seconds({"retry-after": said}, NOW) == seconds


@pytest.mark.parametrize(
    "said",
    [
        *("", "-5", "1.5", "1e9", "NaN", "soon", "9" * 21, "٣"),
        *("Mon, 31 Feb 2026 01:00:00 GMT", "Mon, 30 Foo 2026 01:00:00 GMT", "Mon, 30 Nov 0000 01:00:00 GMT"),
        *("Mon, 30 Nov 2026 25:00:00 GMT", "Mon, 30 Nov 2026 01:00:00 CET"),
    ],
)
def test_what_cannot_be_read_says_nothing(said: str) -> None:
    assert asked_seconds({"retry-after": said}, NOW) is None


def test_a_date_is_read_by_the_servers_clock() -> None:
    said = {"retry-after": "Fri, 01 Jan 2027 01:00:00 GMT", "date": "Fri, 01 Jan 2027 00:00:00 GMT"}
    assert asked_seconds(said, NOW) == HOUR
    assert asked_seconds({**said, "date": "nonsense"}, NOW) == LONGEST


def pass_by(clock: TestClock, seconds: float) -> None:
    clock.ahead += int(seconds * 1_000_000)


def test_2_pauses_without_a_length_grow_until_the_server_serves() -> None:
    clock = TestClock()
    pauses = Pauses(clock)

    def refused() -> float:
        pauses.learn(ENDPOINT, 429, {})
        until = pauses.until(ENDPOINT)
        assert until is not None
        seconds = round((until - clock.now()) / 1_000_000)
        pass_by(clock, seconds + 1)
        pauses.check(ENDPOINT)
        return seconds

    assert [refused() for _ in range(8)] == [30, 60, 120, 240, 480, 960, 1800, 1800] and (FIRST, MOST) == (30, 1800)
    pauses.served(ENDPOINT)
    assert refused() == FIRST


def test_3_answers_that_come_in_it_prolong_a_pause_at_most() -> None:
    clock = TestClock()
    pauses = Pauses(clock)
    for headers in ({}, {}, {}, {"retry-after": "10"}):
        pauses.learn(ENDPOINT, 429, headers)
        pauses.served(ENDPOINT)
    pass_by(clock, FIRST - 1)
    with pytest.raises(AskedToWait):
        pauses.check(ENDPOINT)
    pauses.learn(ENDPOINT, 503, {"retry-after": "3600"})
    pass_by(clock, HOUR - 1)
    with pytest.raises(AskedToWait, match="answered 503") as asked:
        pauses.check(f"{ENDPOINT.upper().replace('NODE', 'node')}/")
    assert asked.value.seconds == pytest.approx(1.0)
    pass_by(clock, 2)
    pauses.check(ENDPOINT)


def test_a_pause_goes_on_in_the_next_process_unless_a_wrong_clock_made_it() -> None:
    clock = TestClock()
    pauses = Pauses(clock)
    pauses.resume(ENDPOINT, clock.now() + int(2 * LONGEST * 1_000_000), 429)
    pauses.resume(ENDPOINT, clock.now() - 1, 429)
    pauses.check(ENDPOINT)
    pauses.resume(ENDPOINT, clock.now() + 60_000_000, 503)
    with pytest.raises(AskedToWait, match="503"):
        pauses.check(ENDPOINT)


class Server:
    """A server that answers every request alike, after those that it serves, and counts them by path."""

    def __init__(self, status: int, body: str = "no", **headers: str) -> None:
        self.asked: list[str] = []
        self.connected: list[str] = []
        self.answer = Response(body, status, headers={name.replace("_", "-"): value for name, value in headers.items()})

        async def serve(request: Request) -> Response:
            self.asked.append(request.url.path)
            return self.answer

        app = Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])
        self.clock = TestClock()
        self.remote = RemoteDwn(HttpxHttp(httpx.ASGITransport(app)), self, 5, clock=self.clock)
        self.registration = RegistrationClient(lambda endpoint: self.remote.way("", endpoint)[0])

    async def connect(self, url: str, *, timeout: float = 30.0) -> WebSocket:
        self.connected.append(url)
        raise AskedToWait("the handshake was answered 429", 600.0)

    async def ask(self, endpoint: str = ENDPOINT) -> Any:
        return await self.remote.process_message(endpoint, "did:x:y", QUESTION)

    async def check_paused(self) -> None:
        """Whatever is asked of it, and whatever form its URL has: nothing goes out."""
        before = len(self.asked), len(self.connected)
        for endpoint in (ENDPOINT, f"{ENDPOINT}/", "HTTP://DWN.example:80/node"):
            for tenant in ("did:x:y", "did:x:z"):
                with pytest.raises(AskedToWait):
                    await self.remote.process_message(endpoint, tenant, QUESTION, b"data")
                with pytest.raises(AskedToWait):
                    await self.remote.subscribe(endpoint, tenant, QUESTION, lambda event: None)
            with pytest.raises(AskedToWait):
                await self.registration.demands(endpoint)
        assert (len(self.asked), len(self.connected)) == before


@pytest.mark.parametrize("status", [429, 503])
async def test_1_a_pause_holds_on_every_way_and_ends(status: int) -> None:
    server = Server(status, retry_after="3600")
    if status == 429:
        assert (await server.ask())["status"]["code"] == 429
    else:
        with pytest.raises(BadReply):
            await server.ask()
    await server.check_paused()
    pass_by(server.clock, HOUR - 1)
    await server.check_paused()
    server.answer = Response(encode_reply("1", {"status": {"code": 200, "detail": "OK"}}))
    assert (await server.ask("http://dwn.example/other"))["status"]["code"] == 200
    pass_by(server.clock, 2)
    assert (await server.ask())["status"]["code"] == 200


@pytest.mark.parametrize(
    "body",
    [
        encode_reply("1", {"status": {"code": 429, "detail": "slowly"}}),
        json.dumps({"jsonrpc": "2.0", "id": "1", "error": {"code": -50429, "message": "slowly"}}),
    ],
)
@pytest.mark.parametrize(("headers", "seconds"), [({}, FIRST), ({"retry_after": "100"}, 100)])
async def test_1_a_nodes_own_words_begin_a_pause(body: str, headers: dict[str, str], seconds: float) -> None:
    server = Server(200, body, **headers)
    assert (await server.ask())["status"] == {"code": 429, "detail": "slowly"}
    await server.check_paused()
    pass_by(server.clock, seconds + 1)
    await server.ask()
    assert len(server.asked) == 2


async def test_1_registration_and_sockets_begin_a_pause_too() -> None:
    server = Server(429, retry_after="600")
    with pytest.raises(BadReply):
        await server.registration.demands(ENDPOINT)
    await server.check_paused()
    server = Server(200)
    with pytest.raises(AskedToWait):
        await server.remote.subscribe(ENDPOINT, "did:x:y", QUESTION, lambda event: None)
    await server.check_paused()
    server = Server(429)
    server.registration = RegistrationClient(lambda endpoint: server.remote.way("", endpoint)[0])
    with pytest.raises((RegistrationError, BadReply)):
        await server.registration.demands(ENDPOINT)
    pass_by(server.clock, FIRST - 1)
    await server.check_paused()


async def test_a_failure_without_such_words_is_no_pause() -> None:
    server = Server(503)
    for _ in range(3):
        with pytest.raises(BadReply):
            await server.ask()
    assert len(server.asked) == 3
