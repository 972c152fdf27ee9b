"""The other device that this one takes along, or that takes this one, and the list of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from web5 import Web5
from web5.agent.agent import Agent
from web5.agent.devices.joining import DeviceJoining, join
from web5.agent.devices.offer import DeviceOffer
from web5.dwn.values.timestamps import microseconds
from web5.errors import NotPaired, NotPairedReason


class Pairing:
    """What is under way between two devices: one offer and one joining at the most.

    Parameters:
        dwn_endpoints: the nodes that the site names.
    """

    def __init__(self, agent: Agent, dwn_endpoints: Sequence[str]) -> None:
        self._agent = agent
        self._dwn_endpoints = dwn_endpoints
        self._offer: DeviceOffer | None = None
        self._joining: DeviceJoining | None = None
        self._waiting: asyncio.Task[None] | None = None

    async def offer(self, web5: Web5, name: str, page: str) -> dict[str, Any]:
        """Make a code; return it as a link to the page, and as a picture.

        Parameters:
            page: the page's address, without a fragment.
        """
        from segno import make_qr  # a start has no use for it

        await self.refuse()
        self._offer = offer = await web5.devices.offer(name)
        link = f"{page}#/settings/device/{offer.code}"
        picture = make_qr(link, error="l").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
        return {"link": link, "picture": picture, "seconds": offer.seconds}

    async def requested(self) -> str:
        """Return the name of the device that has read the code, once one has."""
        return await self._offered().requested()

    async def approve(self, number: str) -> None:
        """Let it in, if it shows this number."""
        await self._offered().approve(number)
        self._offer = None

    async def refuse(self) -> None:
        """Let nobody in."""
        offer, self._offer = self._offer, None
        if offer is not None:
            await offer.refuse()

    async def join(self, code: str, name: str) -> dict[str, Any]:
        """Answer another device's code; return the number to show, and that device's name."""
        self.stop()
        self._joining = joining = await join(self._agent, code, name, self._dwn_endpoints)
        return {"number": joining.number, "name": joining.name}

    async def let_in(self) -> DeviceJoining | None:
        """Return once the other device has let this one in; None if nobody waits for it any more."""
        joining = self._joining
        if joining is None:
            raise _over()
        self._waiting = waiting = asyncio.ensure_future(joining.let_in())
        await asyncio.wait([waiting])
        if waiting.cancelled():
            return None
        waiting.result()
        return joining

    def stop(self) -> None:
        """Wait for no other device any more."""
        self._joining = None
        if self._waiting is not None:
            self._waiting.cancel()

    def _offered(self) -> DeviceOffer:
        if self._offer is None:
            raise _over()
        return self._offer


async def listed(web5: Web5) -> list[dict[str, Any]]:
    """Return the devices of the agent, in the shape the page shows."""
    return [
        {"id": one.id, "name": one.name, "seen": microseconds(one.last_seen) // 1000, "here": one.here}
        for one in await web5.devices.list()
    ]


def _over() -> NotPaired:
    return NotPaired(NotPairedReason.OVER, "There is no code any more that this could be about. Begin anew.")
