"""A round: visit every endpoint, wait until all are at rest, and say what that did.

Rounds may overlap: each only wakes lines, and a line makes one visit at a time.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import fields, replace

from web5.sync.exchange.link import Line, Want
from web5.sync.exchange.links import Lines
from web5.sync.exchange.local import Local
from web5.sync.states import EndpointReport, SyncEvent, SyncReport

_COUNTS = ("listed", "pulled", "pushed", "requests", "bytes_in", "bytes_out")


class Rounds:
    """Runs rounds."""

    def __init__(self, lines: Lines, local: Local) -> None:
        self._lines = lines
        self._trouble = local.trouble
        self._notify = local.notify
        self._running: list[Want] = []
        self._stops = 0

    @property
    def allowed(self) -> Want:
        """What lines may do for each other because a round asks for it."""
        return functools.reduce(operator.or_, self._running, Want.NOTHING)

    async def run(self, tenants: Sequence[str], want: Want) -> SyncReport:
        """Visit every endpoint of these tenants, and return when all are at rest.

        Raises:
            Whatever a visit raised that it must not raise: a fault of ours.
        """
        stops, before = self._stops, {line: replace(line.total) for line in self._lines.of(tenants)}
        self._notify(SyncEvent("started"))
        allowed = want | (Want.RELIST if want & Want.LIST else Want.NOTHING)
        self._running.append(allowed)
        try:
            await self._lines.refresh_soon(tenants)
            if stops == self._stops:
                for line in self._lines.of(tenants):
                    line.visit(want)
                await self._lines.rest(tenants)
        finally:
            self._running.remove(allowed)
            report = self._report(tenants, before)
            report.stopped = stops != self._stops
            self._notify(SyncEvent("finished", report=report))
        self._raise_crashes(tenants)
        return report

    async def stop(self) -> None:
        """End everything that runs, at once; what it had under way stays unsettled."""
        self._stops += 1
        await self._lines.stop()

    def _report(self, tenants: Sequence[str], before: dict[Line, EndpointReport]) -> SyncReport:
        return SyncReport(
            [_since(line.total, before.get(line)) for line in self._lines.of(tenants)],
            {tenant: trouble for tenant in tenants if (trouble := self._trouble(tenant))},
        )

    def _raise_crashes(self, tenants: Sequence[str]) -> None:
        for line in self._lines.of(tenants):
            if line.crash is not None:
                crash, line.crash = line.crash, None
                raise crash


def _since(total: EndpointReport, before: EndpointReport | None) -> EndpointReport:
    if before is None:
        return replace(total)
    return replace(total, **{name: getattr(total, name) - getattr(before, name) for name in _COUNTS})


assert set(_COUNTS) <= {field.name for field in fields(EndpointReport)}
