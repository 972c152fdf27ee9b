"""The figures of the sync bench, their goals, and the table they are printed as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DEFAULT_INTERVAL = 120.0
"""Seconds; of web5-js."""


@dataclass(frozen=True)
class Place:
    """Who measured, and how far away the server was (seconds there and back)."""

    side: str
    round_trip: float


@dataclass(frozen=True)
class Goal:
    """What a row is to reach.

    Parameters:
        met: asked with our figure, and with web5-js's if it was measured.
        beside_peer: the goal is relative to web5-js, so that there is no verdict without it.
    """

    words: str
    met: Callable[[float, float], bool]
    round_trips: tuple[float, ...] = (0.0, 0.05)
    beside_peer: bool = False

    def verdict(self, round_trip: float, ours: float | None, peer: float | None) -> bool | None:
        """Whether it is reached at this distance; None if that cannot be said."""
        if round_trip not in self.round_trips or ours is None or (self.beside_peer and peer is None):
            return None
        return self.met(ours, 0.0 if peer is None else peer)


@dataclass(frozen=True)
class Row:
    """Where a figure's name begins and ends like this, it is shown with so many decimals."""

    begins: str
    ends: str
    decimals: int = 1
    goal: Goal | None = None

    def fits(self, name: str) -> bool:
        """Whether the figure is of this row."""
        return name.startswith(self.begins) and name.endswith(self.ends)


ROWS = (
    Row("first sync", ", s", 1, Goal(">= 20x", lambda ours, peer: peer / ours >= 20, beside_peer=True)),
    Row("first sync", ", ms a record", 2),
    Row("first sync", ", requests a record", 3, Goal("<= 0.02", lambda ours, _: ours <= 0.02)),
    Row("push of", ", s", 1),
    Row("push of", ", requests a record", 3),
    Row("push rate", "", 2, Goal(">= 0.9", lambda ours, _: ours >= 0.9)),
    Row("edit seen", "p50, s", 2),
    Row("edit seen", "p95, s", 2, Goal("<= 0.5 at 0 ms", lambda ours, _: ours <= 0.5, (0.0,))),
    Row("an idle hour", "requests", 0),
    Row("an idle hour", "kB", 0),
)


@dataclass
class Figures:
    """Everything that was measured. `modes` is how the devices of a place synced while edits were watched."""

    values: dict[str, dict[Place, float]] = field(default_factory=dict)
    modes: dict[Place, str] = field(default_factory=dict)

    def add(self, place: Place, name: str, value: float) -> None:
        """Take a figure; lower is better, but for the push rate."""
        self.values.setdefault(name, {})[place] = value

    def text(self) -> str:
        """The rows that matter."""
        lines = [f"{'':42} {'0 ms away':^28} {'50 ms away':^28}", f"{'':42}" + f" {_HEAD}" * 2 + "  goal"]
        for row in ROWS:
            lines += [self._line(row, name) for name in self.values if row.fits(name)]
        return "\n".join([*lines, *self._notes()])

    def as_json(self) -> list[dict[str, Any]]:
        """Every figure, for a file."""
        return [
            {"name": name, "side": place.side, "round_trip": place.round_trip, "value": value}
            for name, values in self.values.items()
            for place, value in values.items()
        ]

    def _line(self, row: Row, name: str) -> str:
        values = self.values[name]
        cells, met = [], []
        for round_trip in (0.0, 0.05):
            ours, peer = (values.get(Place(side, round_trip)) for side in ("ours", "peer"))
            ratio = f"{peer / ours:.1f}x" if ours and peer is not None else ""
            cells.append(f"{_number(ours, row)} {_number(peer, row)} {ratio:>8}")
            if row.goal:
                met.append(row.goal.verdict(round_trip, ours, peer))
        goal = f"  {row.goal.words}: {_verdict(met)}" if row.goal else ""
        return f"{name:42} {' '.join(cells)}{goal}".rstrip()

    def _notes(self) -> list[str]:
        ours, peer = (self._mode(side) for side in ("ours", "peer"))
        at_default = DEFAULT_INTERVAL * (2 - 0.1**0.5)
        return [
            f"Edits: web5-py {ours}, web5-js {peer}. Every two minutes, the default of both, that takes"
            f" {DEFAULT_INTERVAL:.0f} s (p50) and {at_default:.0f} s (p95), computed: a wait on each device.",
            "Parts of a first sync: what is awaited at the same time, such as a flush and the signatures of what comes"
            " next, counts twice; `request` is when nothing else went on.",
            "Requests without preflights; texts over a WebSocket count as requests. An hour is computed from some idle"
            " rounds; a live one is those of its safety net, and what the socket itself costs.",
        ]

    def _mode(self, side: str) -> str:
        return next((mode for place, mode in self.modes.items() if place.side == side), "not measured")


_HEAD = f"{'web5-py':>9} {'web5-js':>9} {'ratio':>8}"


def _verdict(met: list[bool | None]) -> str:
    if False in met:
        return "MISSED"
    return "met" if True in met else "not measured"


def _number(value: float | None, row: Row) -> str:
    return f"{value:9,.{row.decimals}f}" if value is not None else " " * 9
