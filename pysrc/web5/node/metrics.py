"""The figures of a node, for Prometheus: what it was asked, how it answered and how long that took.

No figure has anything of a tenant's in it, and their number is bounded: labels are kinds of messages that there are,
and statuses.

Source of the names that begin with `dwn_requests`: `src/metrics.ts` of `@web5/dwn-server` 0.6.1, which counts all
messages as one method.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from web5.dwn.engine import METHODS
from web5.dwn.wire import rpc

OTHER = "other"
"""The label of all methods that there are not."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Totals:
    """The messages that were processed since the start.

    Parameters:
        refused: those with a status from 400 on; `failed`: from 500 on, and those that raised.
        seconds: the time that all of them took.
    """

    requests: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0


class Metrics:
    """The figures of one process.

    Attributes:
        sockets: the WebSockets that are open.
        subscriptions: those of them all.
        totals: sums, as they are now.
    """

    def __init__(self, version: str = "") -> None:
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._requests = Counter(
            "dwn_requests",
            "Messages that were processed; status 0 and error 1: those that failed",
            ("method", "status", "error"),
            registry=registry,
        )
        self._seconds = Histogram(
            "dwn_request_seconds", "Time to process a message", ("method",), buckets=SECONDS, registry=registry
        )
        self._running = Gauge("dwn_requests_running", "Messages that are processed now", registry=registry)
        self._unread = Gauge("dwn_unread_bytes", "Bytes of replies that no client has taken yet", registry=registry)
        self.sockets = Gauge("dwn_sockets", "WebSockets that are open", registry=registry)
        self.subscriptions = Gauge("dwn_subscriptions", "Subscriptions that are open", registry=registry)
        build = Gauge("dwn_build_info", "The version of this node", ("version",), registry=registry)
        build.labels(version).set(1)
        self.totals = Totals()

    def watch_unread(self, amount: Callable[[], int]) -> None:
        """Ask for the bytes of unread replies whenever figures are asked for."""
        self._unread.set_function(amount)

    @contextmanager
    def processing(self, message: Any) -> Iterator[Callable[[dict[str, Any]], None]]:
        """Measure the block in which a message is processed; it is to call what is given, with the reply."""
        interface, _, name = (rpc.method_of(message) if isinstance(message, dict) else "").rpartition(".")
        method = interface + name if interface + name in METHODS else OTHER
        status, error, began = "0", "1", time.perf_counter()

        def answered(reply: dict[str, Any]) -> None:
            nonlocal status, error
            status, error = str(reply["status"]["code"]), "0"

        with self._running.track_inprogress():
            try:
                yield answered
            finally:
                self._seconds.labels(method).observe(time.perf_counter() - began)
                self._requests.labels(method, status, error).inc()
                self._count(int(status), time.perf_counter() - began)

    def _count(self, status: int, seconds: float) -> None:
        before = self.totals
        failed = status == 0 or status >= 500
        self.totals = Totals(
            before.requests + 1,
            before.refused + (status >= 400),
            before.failed + failed,
            before.seconds + seconds,
        )

    @property
    def open_sockets(self) -> int:
        """The WebSockets that are open."""
        [found] = self.sockets.collect()
        return int(found.samples[0].value)

    def endpoint(self, token: str | None) -> Callable[[Request], Any]:
        """Return what answers `GET /metrics`.

        Parameters:
            token: the bearer token without which nobody gets figures; None: everybody does.
        """
        expected = None if token is None else f"Bearer {token}".encode()

        async def metrics(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if expected is not None and not hmac.compare_digest(given, expected):
                return PlainTextResponse("Unauthorized", 401, {"www-authenticate": "Bearer"})
            text = generate_latest(self._registry)
            return Response(text, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4, "cache-control": "no-store"})

        return metrics
