"""The scenario of a seed: who there is, what they do, and what goes wrong when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.simulation import registrations
from tests.simulation.delegates import Planned as Delegation
from tests.simulation.delegates import planned as planned_delegate

MODES = ("20s", "30s", "1m", "2m", "off", "live")

Incident = tuple[float, str]
"""When, and what: a key of `incidents.INCIDENTS`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario.

    Parameters:
        modes, skews, lags: of the devices: how they sync, by how many seconds their clocks are wrong, and how much
            later than published they see a DID document.
        seconds: how long the chaos lasts.
        actions: what is done on each device, keys of `actions.ACTIONS`.
        incidents: what goes wrong, in the order of time.
        registrations: True if endpoints demand them.
        delegate: who acts for the first person, if anybody does.
        check_share: of the steps, how many have the ledger looked at.
    """

    seed: int
    modes: tuple[str, ...]
    skews: tuple[float, ...]
    lags: tuple[float, ...]
    endpoints: int
    identities: int
    seconds: float
    actions: tuple[tuple[str, ...], ...]
    incidents: tuple[Incident, ...]
    check_share: float = 0.05
    delegate: Delegation | None = None
    registrations: bool = False

    @property
    def devices(self) -> int:
        return len(self.modes)


ACTION_WEIGHTS = {
    "write a note": 10,
    "write a thread": 5,
    "write below": 8,
    "edit": 14,
    "edit at the same moment": 4,
    "delete": 3,
    "prune": 1,
    "publish": 3,
    "write large data": 3,
    "configure": 4,
    "extend the protocol": 1,
    "write a sketch": 2,
    "let the guest in": 2,
    "sync now": 6,
    "send": 4,
    "change the mode": 1,
    "look at everything": 2,
    "rest": 6,
}
INCIDENT_WEIGHTS = {
    "an endpoint is unreachable": 8,
    "requests fail": 14,
    "a hostile endpoint": 4,
    "a device crashes": 12,
    "the gateway is down": 2,
    "a DID cannot be resolved": 2,
    "a disk is full": 4,
    "a quota is full": 3,
    "a device loses data": 4,
    "an endpoint loses data": 2,
    "a storage is cleared": 2,
    "a storage is closed": 2,
    "connections break": 2,
    "an endpoint is added": 2,
    "an endpoint is removed": 2,
    "an endpoint is wiped": 2,
    "a clock jumps": 1,
    "a clock is wrong for a while": 3,
    "the guest writes": 7,
}


def plan(seed: int) -> Plan:
    """Return the scenario of a seed."""
    random = Random(f"{seed}/plan")
    devices = random.choices((2, 3, 4, 5), (9, 7, 3, 1))[0]
    seconds = random.uniform(90, 300)
    incidents = sorted(
        (random.uniform(0, seconds), what) for what in _some(random, INCIDENT_WEIGHTS, random.randint(4, 18))
    )
    delegate = planned_delegate(seed, seconds)
    registered = registrations.planned(seed, seconds)
    incidents = sorted([*incidents, *registered, *(delegate.incidents if delegate else ())])
    return Plan(
        seed=seed,
        delegate=delegate,
        registrations=bool(registered),
        modes=tuple(random.choices(MODES, (3, 3, 3, 2, 2, 4), k=devices)),
        skews=tuple(_skew(random) for _ in range(devices)),
        lags=tuple(random.choice((0.0, random.uniform(0, 120))) for _ in range(devices)),
        endpoints=random.choices((1, 2, 3, 4), (3, 6, 3, 1))[0],
        identities=random.choices((1, 2), (4, 1))[0],
        seconds=seconds,
        actions=tuple(_actions(random) for _ in range(devices)),
        incidents=tuple(incidents),
    )


def _skew(random: Random) -> float:
    return random.choice((0.0, 0.0, random.uniform(-30, 30), random.uniform(-8e4, 9e4)))


def _actions(random: Random) -> tuple[str, ...]:
    """Choose the actions of a device: on most, the app configures its protocol when it is started."""
    begin = ["configure"] if random.random() < 0.7 else []
    return (*begin, *_some(random, ACTION_WEIGHTS, random.randint(8, 25)))


def _some(random: Random, weights: dict[str, int], count: int) -> list[str]:
    return random.choices(list(weights), list(weights.values()), k=count)
