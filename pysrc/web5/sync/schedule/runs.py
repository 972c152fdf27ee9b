"""Runs of sync: visit every endpoint, wait until all are idle, and report what that did; by request or by time.

Invariants:
1. Runs may overlap: each only wakes links, and a link makes one visit at a time.
2. A run ends without the endpoints that are slow (`web5.patience`); their visits go on.
3. Of the runs for which nobody waits, rounds, one is under way at a time.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.links import Link, Links, Work
from web5.sync.plan.policy import SLOW
from web5.sync.states import EndpointReport, SyncEvent, SyncReport

LONGEST_SLEEP = 86_400.0
"""Seconds, so that no timer is as long as one that a browser would have fire at once."""

NAP = 30.0
"""Seconds that live sync sleeps at a time, to notice that the device has slept meanwhile."""

LATE = 15.0
"""Seconds that a nap may be late before it counts as the device's sleep."""

_COUNTS = ("listed", "pulled", "pushed", "requests", "bytes_in", "bytes_out")


class SyncRuns:
    """The runs that are under way."""

    def __init__(self, links: Links, context: SyncContext) -> None:
        self._links = links
        self._context = context
        self._running: list[Work] = []
        self._has_round = False
        self._stops = 0

    @property
    def allowed(self) -> Work:
        """The work that the runs let one endpoint trigger on another."""
        return functools.reduce(operator.or_, self._running, Work.NOTHING)

    async def round(self, tenants: Sequence[str], work: Work) -> None:
        """Visit every endpoint of these tenants; wait for them only if no other round does so (invariant 3)."""
        if self._has_round:
            await self._links.refresh_with_timeout(tenants)
            for link in self._links.of(tenants):
                link.visit(work)
            return
        self._has_round = True
        try:
            await self.run(tenants, work)
        finally:
            self._has_round = False

    async def run(self, tenants: Sequence[str], work: Work, url: str | None = None) -> SyncReport:
        """Visit every endpoint of these tenants, and return when all are idle; raises the crash of a visit.

        Parameters:
            url: only the endpoints with this URL.
        """

        def chosen() -> list[Link]:
            return [link for link in self._links.of(tenants) if url in (None, link.url)]

        stops, before, slow = self._stops, {link: replace(link.total) for link in chosen()}, set[Link]()
        self._context.notify(SyncEvent("started"))
        allowed = work | (Work.RELIST if work & Work.LIST else Work.NOTHING)
        self._running.append(allowed)
        try:
            await self._links.refresh_with_timeout(tenants)
            if stops == self._stops:
                for link in chosen():
                    link.visit(work)
                slow = await self._links.wait_until_idle(chosen)
        finally:
            self._running.remove(allowed)
            done = [_since(link.total, before.get(link), is_slow=link in slow) for link in chosen()]
            errors = {tenant: error for tenant in tenants if (error := self._context.tenant_error(tenant))}
            served = {link.tenant for link in self._links.of(tenants)}
            nowhere = [tenant for tenant in tenants if tenant not in served]
            report = SyncReport(done, errors, stops != self._stops, nowhere)
            self._context.notify(SyncEvent("finished", report=report))
        for link in chosen():
            if link.crash is not None:
                crash, link.crash = link.crash, None
                raise crash
        return report

    async def stop(self) -> None:
        """End all visits at once; messages under way stay unsettled."""
        self._stops += 1
        await self._links.stop()


def _since(total: EndpointReport, before: EndpointReport | None, *, is_slow: bool) -> EndpointReport:
    counts = {} if before is None else {name: getattr(total, name) - getattr(before, name) for name in _COUNTS}
    return replace(total, **counts, error=(SLOW.code, SLOW.detail) if is_slow else total.error)


async def run_every(
    context: SyncContext,
    seconds: float,
    action: Callable[[], Coroutine[Any, Any, object]],
    woke: Callable[[], Awaitable[None]] | None = None,
    *,
    at_once: bool = True,
) -> None:
    """Run `action` now and then after every `seconds`, until cancelled; a running action then goes on.

    Parameters:
        woke: called when the device seems to have slept; makes the timer wake up every `NAP` to see.
        at_once: False: the first time is after `seconds`.
    """
    clock, due = context.clock, at_once
    while True:
        if due:
            # Nobody waits for it: a slow endpoint must not make the next run late for the others.
            context.background.start(action())
        due, left = True, seconds
        while left > 0:
            nap = min(left, LONGEST_SLEEP if woke is None else NAP)
            before = clock.monotonic()
            await clock.sleep(nap)
            passed = max(nap, clock.monotonic() - before)
            left -= passed
            if woke is not None and passed > nap + LATE:
                await woke()
