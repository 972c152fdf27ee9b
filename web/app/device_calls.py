"""The calls of the page about the person's other devices."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from app.change_notifier import Steps
from app.session import Session
from web5.errors import IdentityError
from web5.settings import Progress

SHARED = frozenset({"device_here", "remove_device", "rename_device"})
"""Those of `app.service.SHARED`."""

OWN = frozenset(
    {
        "approve_device",
        "device_request",
        "finish_joining",
        "join_device",
        "offer_device",
        "refuse_device",
        "stop_joining",
    }
)
"""The others of `app.service.METHODS`: they give keys away, or take them."""


class DeviceCalls:
    """A part of the service, for other devices."""

    _session: Session

    async def device_here(self, called: str) -> None:
        """Say that this device is there, for the list on all of them."""
        await self._session.web5.devices.here(called)

    async def rename_device(self, id: str, called: str) -> None:
        """Give a device another name."""
        await self._session.web5.devices.rename(id, called)

    async def remove_device(self, id: str) -> None:
        """Take a device off the list; one that is not on it is no error."""
        with suppress(IdentityError):
            await self._session.web5.devices.remove(id)

    async def offer_device(self, called: str, page: str, password: str | None = None) -> dict[str, Any]:
        """Make a code for another device; return it as a link to the page, as a picture, and how long it is of use."""
        await self._session.prove(password)
        return await self._session.pairing.offer(self._session.web5, called, page)

    async def device_request(self) -> str:
        """Return the name of the device that has read the code, once one has."""
        return await self._session.pairing.requested()

    async def approve_device(self, number: str) -> None:
        """Let that device in, if this is the number that it shows."""
        await self._session.pairing.approve(number)

    async def refuse_device(self) -> None:
        """Let nobody in by the code that was shown last."""
        await self._session.pairing.refuse()

    async def join_device(self, code: str, called: str) -> dict[str, Any]:
        """Answer another device's code; return the number to show, and what that device calls itself."""
        return await self._session.pairing.join(code, called)

    async def finish_joining(self, password: str | None) -> Steps | None:
        """Wait until that device has let this one in, and bring its agent here; None if that was stopped."""
        joining = await self._session.pairing.let_in()
        if joining is None:
            return None

        async def work(on_progress: Progress) -> None:
            await joining.finish(password, on_progress)

        return await self._session.bring_in(work)

    async def stop_joining(self) -> None:
        """Wait for that device no more."""
        self._session.pairing.stop()
