"""One DWN as the routes below its path use it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from web5.dwn.data import DataSource
from web5.dwn.engine import Dwn
from web5.dwn.events import Handler
from web5.node.limits import Usage
from web5.node.metrics import Metrics


@dataclass(frozen=True)
class Mounted:
    """A DWN, the use that clients make of the server, and its figures."""

    dwn: Dwn
    usage: Usage
    metrics: Metrics

    async def process(
        self,
        address: str,
        tenant: str,
        message: Any,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
    ) -> dict[str, Any]:
        """Have the DWN process a message of somebody at an address; raises as `Dwn.process_message` does."""
        with self.metrics.processing(message) as answered:
            room = partial(self.usage.room, address)
            reply = await self.dwn.process_message(tenant, message, data, subscription_handler, room=room)
            answered(reply)
            return reply
