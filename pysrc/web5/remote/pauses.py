"""The pauses that servers ask for: 429, and 503 with a `Retry-After` (RFC 9110, section 10.2.3; RFC 6585, section 4).

Invariants:
1. While a pause lasts, a server is asked nothing by its endpoint's URL: no message, listing, WebSocket, `/info` or
   registration, whoever asks.
2. A pause is as long as the server says, within `SHORTEST` and `LONGEST`; one that does not say how long grows from
   `FIRST` to `MOST` seconds while the server goes on refusing.
3. Answers to requests that were under way when it began prolong a pause at most.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from web5.errors import AskedToWait
from web5.lru import LruCache
from web5.ports.clock import Clock
from web5.ports.http import BodyStream, Http, HttpResponse
from web5.ports.websocket import WebSocket, WebSockets
from web5.remote.clocks import http_date
from web5.urls import same_endpoint

TOO_MANY = 429
UNAVAILABLE = 503

SHORTEST, LONGEST = 1.0, 24 * 3600.0
"""Seconds: what is said to be over already, and what is as good as for ever."""

FIRST, MOST = 30.0, 30 * 60.0

REMEMBERED = 1024


def asked_seconds(headers: Mapping[str, str], now: int) -> float | None:
    """Return the seconds for which a response asks to be left alone; None if it does not say so in a known form.

    Parameters:
        headers: with names in lower case. A date is read by the server's own clock, if they tell it.
        now: in microseconds since 1970.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,20}", text):
        seconds = float(text)
    elif (moment := http_date(text)) is not None:
        told = http_date(headers.get("date", ""))
        seconds = (moment - (now if told is None else told)) / 1_000_000
    else:
        return None
    return min(max(seconds, SHORTEST), LONGEST)


def is_to_wait(status: int, seconds: float | None) -> bool:
    """Return True if an answer with this status asks for a pause; `seconds`: as `asked_seconds` returns them."""
    return status == TOO_MANY or (status == UNAVAILABLE and seconds is not None)


@dataclass(slots=True)
class _Pause:
    """The end of a pause (seconds, monotonic), its answer, and how many in a row had no length of their own."""

    end: float
    status: int
    refusals: int = 0


class Pauses:
    """The pauses of all servers, by their endpoints' URLs in any form."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses: LruCache[str, _Pause] = LruCache(REMEMBERED)

    def until(self, endpoint: str) -> int | None:
        """Return when an endpoint's pause is over (microseconds since 1970); None if there is none."""
        left = self._left(endpoint)
        return self._clock.now() + int(left * 1_000_000) if left > 0 else None

    def check(self, endpoint: str) -> None:
        """Raise AskedToWait while an endpoint's pause lasts."""
        pause = self._pauses.get(same_endpoint(endpoint))
        if pause is not None and (left := self._left(endpoint)) > 0:
            over = datetime.fromtimestamp(self._clock.now() // 1_000_000 + round(left), UTC)
            words = f"{endpoint} answered {pause.status}, and is not asked before {over:%Y-%m-%dT%H:%M:%SZ}"
            raise AskedToWait(words, left, pause.status)

    def resume(self, endpoint: str, until: int, status: int) -> None:
        """Go on with a pause that was begun before this process; a longer one than any is of a clock that was wrong."""
        if (seconds := (until - self._clock.now()) / 1_000_000) <= LONGEST:
            self._prolong(endpoint, seconds, status)

    def learn(self, endpoint: str, status: int, headers: Mapping[str, str]) -> None:
        """Begin a pause if an answer with this status asks for one."""
        seconds = asked_seconds(headers, self._clock.now())
        if is_to_wait(status, seconds):
            self.begin(endpoint, seconds, status)

    def served(self, endpoint: str) -> None:
        """Note that an endpoint serves: the next pause without a length is a short one again."""
        if self._left(endpoint) <= 0:
            self._pauses.drop(same_endpoint(endpoint))

    def begin(self, endpoint: str, seconds: float | None, status: int = TOO_MANY) -> None:
        """Begin a pause of some seconds; None: the server did not say how long."""
        if seconds is None:
            known = self._pauses.get(same_endpoint(endpoint))
            if known is not None and self._left(endpoint) > 0:
                return
            refusals = known.refusals + 1 if known else 1
            self._prolong(endpoint, min(MOST, FIRST * 2.0 ** min(refusals - 1, 20)), status, refusals)
        else:
            self._prolong(endpoint, seconds, status)

    def _left(self, endpoint: str) -> float:
        pause = self._pauses.get(same_endpoint(endpoint))
        return 0.0 if pause is None else pause.end - self._clock.monotonic()

    def _prolong(self, endpoint: str, seconds: float, status: int, refusals: int = 0) -> None:
        if seconds > max(0.0, self._left(endpoint)):
            self._pauses.put(same_endpoint(endpoint), _Pause(self._clock.monotonic() + seconds, status, refusals))


@dataclass(frozen=True, slots=True)
class PoliteHttp:
    """An `Http` port to one endpoint's server that keeps its pauses."""

    http: Http
    pauses: Pauses
    endpoint: str

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | BodyStream | None = None,
        timeout: float = 30.0,
    ) -> HttpResponse:
        """Send a request as `Http` does; raises AskedToWait instead, while a pause lasts."""
        self.pauses.check(self.endpoint)
        response = await self.http.request(method, url, headers=headers, body=body, timeout=timeout)
        self.pauses.learn(self.endpoint, response.status, response.headers)
        return response


@dataclass(frozen=True, slots=True)
class PoliteSockets:
    """A `WebSockets` port to one endpoint's server that keeps its pauses."""

    sockets: WebSockets
    pauses: Pauses
    endpoint: str

    async def connect(self, url: str, *, timeout: float = 30.0) -> WebSocket:
        """Open a connection as `WebSockets` does; raises AskedToWait instead, while a pause lasts."""
        self.pauses.check(self.endpoint)
        try:
            return await self.sockets.connect(url, timeout=timeout)
        except AskedToWait as asked:
            self.pauses.begin(self.endpoint, asked.seconds, asked.status)
            raise
