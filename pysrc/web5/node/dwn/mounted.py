"""One DWN as the routes below its path use it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from web5.dwn.data import DataSource
from web5.dwn.engine import Dwn
from web5.dwn.events import Handler
from web5.dwn.wire.rpc import ErrorCode, RpcFault
from web5.node.limits import Usage
from web5.node.metrics import Metrics
from web5.node.tenants.rates import Pace


class AskedTooOften(RpcFault):
    """A request that came before its time.

    Parameters:
        seconds: after which it may come again.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(ErrorCode.TOO_MANY_REQUESTS, f"too many requests; come back in {seconds} s")


@dataclass(frozen=True)
class Mounted:
    """A DWN, the use that clients make of the server, its figures, and how fast they may ask."""

    dwn: Dwn
    usage: Usage
    metrics: Metrics
    pace: Pace

    async def process(
        self,
        address: str,
        tenant: str,
        message: Any,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
    ) -> dict[str, Any]:
        """Have the DWN process a message of somebody at an address.

        Raises:
            AskedTooOften: the address, or all who ask this tenant, did so too often; nothing was processed.
            Whatever `Dwn.process_message` does.
        """
        if seconds := self.pace.ask(address, tenant):
            raise AskedTooOften(seconds)
        with self.metrics.processing(message) as answered:
            room = partial(self.usage.room, address)
            reply = await self.dwn.process_message(tenant, message, data, subscription_handler, room=room)
            answered(reply)
            return reply
