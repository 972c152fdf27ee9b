"""Sync between a local node and the remote nodes of its tenants; `engine` is the entry.

`plan` decides what to do next (pure), `ledger` remembers what is pending where (durable), `exchange` makes one visit to
one endpoint, `schedule` says when. May be imported by `agent` and the layers above.
"""

from web5.remote.registration import Demands
from web5.sync.engine import SyncEngine
from web5.sync.exchange.audit.check import Difference
from web5.sync.states import (
    Activity,
    DeliveryStatus,
    EndpointStatus,
    EndpointStatuses,
    Failure,
    Registration,
    RegistrationState,
    SendResult,
    State,
    SyncEvent,
    SyncReport,
    Unsettled,
    UnsettledMessages,
)

__all__ = [
    "Activity",
    "DeliveryStatus",
    "Demands",
    "Difference",
    "EndpointStatus",
    "EndpointStatuses",
    "Failure",
    "Registration",
    "RegistrationState",
    "SendResult",
    "State",
    "SyncEngine",
    "SyncEvent",
    "SyncReport",
    "Unsettled",
    "UnsettledMessages",
]
