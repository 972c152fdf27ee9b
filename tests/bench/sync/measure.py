"""Sync: first sync, push, and how soon an edit is seen, ours and web5-js, through a wire with and without latency."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.sync.slow_wire import SlowWire
from tests.interop.dwn_server import reference_dwn_server

LATENCIES = (0.0, 0.05)
IDLE_ROUNDS = 5
PEER_INTERVAL = 120.0
"""Seconds; web5-js has no live sync. An edit is seen after up to its interval, half of it at the median."""

Call = Callable[..., Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Sizes:
    records: int
    edits: int
    many: int | None = None
    """Records of one more first sync, ours alone."""


@dataclass
class Row:
    """One line of the table; lower is better."""

    name: str
    ours: float
    peer: float | None
    unit: str = "ms"

    def text(self) -> str:
        peer = "" if self.peer is None else f"{self.peer:,.1f}"
        ratio = f"{self.peer / self.ours:.1f}x" if self.peer and self.ours else ""
        return f"{self.name:46} {self.ours:>11,.1f} {peer:>11} {self.unit:>9} {ratio:>8}"


async def measure(bench: Any, folder: Path, gateway: str, sizes: Sizes) -> list[Row]:
    """All rows.

    Parameters:
        bench: makes devices and opens pages (`run.Bench`).
    """
    rows: list[Row] = []
    for latency in LATENCIES:
        name = f"{latency * 1000:g} ms"
        async with AsyncExitStack() as stack:
            data = folder / f"sync-{latency * 1000:g}"
            server = await stack.enter_async_context(reference_dwn_server(data_dir=data, gateway_url=gateway))
            wire = await stack.enter_async_context(SlowWire(server, latency))
            ours = await _transfers(bench, bench.ours, wire, sizes.records, f"web5-py, {name}")
            peer = await _transfers(bench, bench.peer, wire, sizes.records, f"web5-js, {name}")
            seen = await _edits(bench, wire, sizes.edits, f"web5-py, {name}")
            replay = await _replay(bench, wire, sizes.records, f"web5-py, {name}")
            many = await _many(bench, wire, sizes.many) if sizes.many and not latency else None
        count = f"{sizes.records:,} records, {name}"
        rows += [
            Row(f"first sync of {count}", ours["pull"], peer["pull"]),
            Row(f"requests of that, {name}", ours["pull requests"], peer["pull requests"], "requests"),
            Row(f"push of {count}", ours["push"], peer["push"]),
            Row(f"requests of that, {name}", ours["push requests"], peer["push requests"], "requests"),
            Row(f"that beside a bare replay of as many, {name}", ours["push"], replay),
            Row(f"idle sync, {name}", ours["idle requests"], peer["idle requests"], "requests"),
            Row(f"bytes of that, {name}", ours["idle bytes"], peer["idle bytes"], "bytes"),
            Row(f"an edit seen elsewhere, live, p50, {name}", seen[0], PEER_INTERVAL * 500),
            Row(f"an edit seen elsewhere, live, p95, {name}", seen[1], PEER_INTERVAL * 950),
        ]
        if many is not None:
            rows.append(Row(f"first sync of {sizes.many:,} records, {name}", many["ms"], None))
            rows.append(Row(f"requests of that, {name}", many["requests"], None, "requests"))
    return rows


async def _replay(bench: Any, wire: SlowWire, count: int, what: str) -> float:
    context = await bench.context()
    call: Call = await bench.ours(context)
    await call("connect", endpoints=[wire.url])
    _say(f"{what}: bare replay of {count}")
    took: float = (await call("replay", endpoint=wire.url, count=count))["ms"]
    await context.close()
    return took


async def _many(bench: Any, wire: SlowWire, count: int) -> dict[str, float]:
    first, second = await bench.context(), await bench.context()
    call: Call = await bench.ours(first)
    await call("connect", endpoints=[wire.url])
    _say(f"web5-py: filling the server with {count}")
    await call("replay", endpoint=wire.url, count=count)
    other: Call = await bench.ours(second)
    await other("connect", endpoints=[wire.url])
    await other("import_identity", portable_identity=await call("export_identity"))
    await first.close()
    _say(f"web5-py: first sync of {count}")
    wire.reset()
    figures = await other("watched_pull")
    if (await other("count"))["count"] != count or figures["last"] != [count, count] or not figures["grows"]:
        raise SystemExit(f"the first sync of {count} did not bring all, or told wrong progress: {figures}")
    await second.close()
    return {"ms": figures["ms"], "requests": wire.requests}


async def _transfers(bench: Any, open_page: Any, wire: SlowWire, count: int, what: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    first, second = await bench.context(), await bench.context()
    call: Call = await open_page(first)
    await call("connect", endpoints=[wire.url])
    await call("write", count=count)
    _say(f"{what}: push of {count}")
    wire.reset()
    figures["push"] = (await call("sync", direction="push"))["ms"]
    figures["push requests"] = wire.requests
    other: Call = await open_page(second)
    await other("connect", endpoints=[wire.url])
    await other("import_identity", portable_identity=await call("export_identity"))
    _say(f"{what}: first sync of {count}")
    wire.reset()
    figures["pull"] = (await other("sync", direction="pull"))["ms"]
    figures["pull requests"] = wire.requests
    if (await other("count"))["count"] != count:
        raise SystemExit(f"{what}: not all records arrived, so its time means nothing")
    await first.close()
    for _ in range(2):
        await other("sync", direction="pull")
    wire.reset()
    for _ in range(IDLE_ROUNDS):
        await other("sync", direction="pull")
    figures["idle requests"], figures["idle bytes"] = wire.requests / IDLE_ROUNDS, wire.bytes / IDLE_ROUNDS
    await second.close()
    return figures


async def _edits(bench: Any, wire: SlowWire, count: int, what: str) -> tuple[float, float]:
    """Milliseconds from a write on one device to its being in the store of another: p50 and p95."""
    first, second = await bench.context(), await bench.context()
    call: Call = await bench.ours(first)
    await call("connect", endpoints=[wire.url])
    other: Call = await bench.ours(second)
    await other("connect", endpoints=[wire.url])
    await other("import_identity", portable_identity=await call("export_identity"))
    for device in (call, other):
        await device("live")
    _say(f"{what}: {count} edits")
    seen = []
    for number in range(1, count + 1):
        waiting = asyncio.ensure_future(other("wait_for", count=number))
        await asyncio.sleep(0.2)  # until the other page has begun to wait
        began = time.perf_counter()
        await call("write", count=1)
        await waiting
        seen.append((time.perf_counter() - began) * 1000)
    await first.close()
    await second.close()
    return statistics.median(seen), sorted(seen)[max(0, round(0.95 * len(seen)) - 1)]


def table(rows: list[Row], raw: Path) -> str:
    """The rows as text; the raw figures go to a file."""
    raw.parent.mkdir(exist_ok=True)
    raw.write_text(json.dumps([row.__dict__ for row in rows], indent=2))
    head = f"{'':46} {'web5-py':>11} {'web5-js':>11} {'':>9} {'ratio':>8}"
    return "\n".join(
        [head, *(row.text() for row in rows), "an edit in web5-js: computed from its interval of 2 minutes"]
    )


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
