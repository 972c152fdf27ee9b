"""Sync between a local node and the remote nodes of its tenants: planner (pure), ledger (durable), driver.

planner, pure: `policy` (what a reply means), `dependencies`, `lanes`, `push_plan`, `pull_plan` (what to do next);
ledger, durable: `ledger`, `outbox`, `inbox`, `feeds` (what is where);
driver: `peer` (requests), `pull`, `push`, `visit` (one visit to one endpoint), `line` (one visit after another),
`lines`, `rounds`, `timetable`, `live` (when); `registration` (with nodes that demand it); `sight`, `check` (what to
tell); `engine` is what others use.
"""

from web5.remote.registration import Demands
from web5.sync.engine import SyncEngine
from web5.sync.exchange.check import Difference
from web5.sync.states import (
    Activity,
    Direction,
    EndpointReport,
    EndpointStatus,
    Registration,
    RegistrationState,
    SendResult,
    State,
    SyncEvent,
    SyncReport,
    Unsettled,
)

__all__ = [
    "Activity",
    "Demands",
    "Difference",
    "Direction",
    "EndpointReport",
    "EndpointStatus",
    "Registration",
    "RegistrationState",
    "SendResult",
    "State",
    "SyncEngine",
    "SyncEvent",
    "SyncReport",
    "Unsettled",
]
