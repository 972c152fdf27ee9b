"""The state of what this browser stores, in the shape the page shows."""

from __future__ import annotations

from typing import Any

from web5.agent.agent import Agent
from web5.dwn.store.durable.health import Ill


def of(agent: Agent) -> dict[str, Any]:
    """Return what is wrong with the store, and how often it has lost everything since the node was opened."""
    health = agent.dwn.database.health
    trouble = health.trouble
    return {
        "trouble": None if trouble is None else trouble.kind.value,
        "detail": "" if trouble is None else trouble.detail,
        "losses": health.losses,
    }


def is_in_memory_alone(agent: Agent) -> bool:
    """Return True while the node's memory is all there is."""
    trouble = agent.dwn.database.health.trouble
    return trouble is not None and trouble.kind == Ill.LOST
