"""The scenario of a seed: who there is, what the person does on which device, and what goes wrong when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

MODES = ("20s", "30s", "1m", "off")


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario.

    Parameters:
        modes, skews: of the devices: how they sync, and by how many seconds their clocks are wrong.
        launched: which of them were used before they are given the words.
        nodes, gateways: how many there are at the beginning.
        demands: what the nodes demand of their tenants: "", "terms", "work".
        seconds: how long the chaos lasts.
        actions: what is done on each device, keys of `actions.ACTIONS`.
        incidents: when, and what: keys of `incidents.INCIDENTS`.
        check_share: of the steps, how many have the device looked at.
    """

    seed: int
    modes: tuple[str, ...]
    skews: tuple[float, ...]
    launched: tuple[bool, ...]
    nodes: int
    gateways: int
    demands: tuple[str, ...]
    seconds: float
    actions: tuple[tuple[str, ...], ...]
    incidents: tuple[tuple[float, str], ...]
    check_share: float = 0.2


ACTION_WEIGHTS = {
    "create": 3,
    "rename": 5,
    "choose": 1,
    "delete": 2,
    "add an endpoint": 6,
    "remove an endpoint": 4,
    "write a note": 8,
    "configure": 1,
    "change the password": 2,
    "lock": 2,
    "words again": 1,
    "sync now": 5,
    "rest": 2,
}
INCIDENT_WEIGHTS = {
    "a node is unreachable": 8,
    "a node is silent": 2,
    "requests to a node fail": 6,
    "a node is wiped": 3,
    "a node is wiped while the others are down": 3,
    "the gateway is down": 5,
    "requests to a gateway fail": 4,
    "a gateway forgets": 2,
    "a gateway has an older document": 3,
    "a device crashes": 14,
    "a clock is wrong for a while": 3,
    "a node is added": 2,
    "two change the nodes": 5,
    "one deletes and one renames": 3,
}


def plan(seed: int) -> Plan:
    """Return the scenario of a seed."""
    random = Random(f"{seed}/plan of agents")
    devices = random.choices((2, 3), (5, 3))[0]
    seconds = random.uniform(60, 240)
    incidents = sorted(
        (random.uniform(0, seconds), what) for what in _some(random, INCIDENT_WEIGHTS, random.randint(3, 10))
    )
    nodes = random.choices((2, 3), (3, 1))[0]
    return Plan(
        seed=seed,
        modes=tuple(random.choices(MODES, k=devices)),
        skews=tuple(
            random.choice((0.0, 0.0, random.uniform(-30, 30), random.uniform(-4e3, 4e3))) for _ in range(devices)
        ),
        launched=(True, *(random.random() < 0.35 for _ in range(devices - 1))),
        nodes=nodes,
        gateways=random.choices((1, 2), (3, 1))[0],
        demands=tuple(random.choices(("", "terms", "work"), (8, 1, 1), k=nodes)),
        seconds=seconds,
        actions=tuple(tuple(_some(random, ACTION_WEIGHTS, random.randint(4, 11))) for _ in range(devices)),
        incidents=tuple(incidents),
    )


def _skew(random: Random) -> float:
    return random.choice((0.0, 0.0, random.uniform(-30, 30), random.uniform(-4e3, 4e3)))


def _some(random: Random, weights: dict[str, int], count: int) -> list[str]:
    return random.choices(list(weights), list(weights.values()), k=count)
