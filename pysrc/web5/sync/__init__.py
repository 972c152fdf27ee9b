"""Sync between a local node and the remote nodes of its tenants: planner (pure), ledger (durable), driver.

planner: `policy` (what a reply means), `lanes`, `push_plan`, `pull_plan` (what to do next);
ledger: `ledger`, `outbox`, `inbox` (what is where);
driver: `peer`, `pull`, `push`, `rounds`, `schedule` (requests, concurrency, time); `engine` is what others use.
"""

from web5.sync.engine import SyncEngine
from web5.sync.states import (
    Direction,
    EndpointReport,
    EndpointStatus,
    SendResult,
    State,
    SyncEvent,
    SyncReport,
    Unsettled,
)

__all__ = [
    "Direction",
    "EndpointReport",
    "EndpointStatus",
    "SendResult",
    "State",
    "SyncEngine",
    "SyncEvent",
    "SyncReport",
    "Unsettled",
]
