"""`web5.devices`: the person's devices, and the way to take another one along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from web5.agent.agent import Agent
from web5.agent.devices.known import KnownDevice
from web5.agent.devices.offer import DeviceOffer, offer
from web5.api import arguments
from web5.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class JoinDevice:
    """The way to come to the agent of another device: `Web5.connect(join=JoinDevice(…))`.

    Parameters:
        code: what the other device shows: the code, or a link that ends with it.
        on_number: called with the number to show, which the person types into the other device.
        name: how the other device is to call this one.
    """

    code: str
    on_number: Callable[[str], object]
    name: str = "Another device"

    def __post_init__(self) -> None:
        arguments.text("code", self.code)
        arguments.text("name", self.name)
        if not callable(self.on_number):
            raise InvalidArgument("on_number is a function: it is called with the number to show.")


class DevicesApi:
    """The devices of this agent. In a tab that is not the node, each of these makes it the node."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def offer(self, name: str = "Your other device") -> DeviceOffer:
        """Offer to take another device along; it has everything then that this one has.

        Show its `code`, as a QR code or a text; await `requested`; ask the person for the number that the other device
        shows, and `approve` it. The other one calls `Web5.connect(join=…)`.

        Parameters:
            name: how the other device is to call this one.

        Raises:
            NotPaired: "no_node": none of the agent's nodes passes on what the two say.
            VaultLocked: the vault is locked.
        """
        return await offer(await self._agent.as_node(), arguments.text("name", name))

    async def list(self) -> list[KnownDevice]:
        """Return the devices that have said `here`, this one first, then the one that was there last.

        Raises:
            VaultLocked: the vault is locked.
        """
        return await (await self._agent.as_node()).devices.list()

    async def here(self, name: str) -> None:
        """Say that this device is there, for the list on all of them. Call it at the start, and now and then.

        Nothing goes out more often than every twenty minutes. Nodes cannot read it.

        Parameters:
            name: what this device calls itself; `rename` gives it another, which stays.

        Raises:
            InvalidArgument: the name is blank.
            VaultLocked: the vault is locked.
        """
        await (await self._agent.as_node()).devices.here(arguments.text("name", name))

    async def rename(self, id: str, name: str) -> None:
        """Give a device another name, on all of them.

        Raises:
            IdentityError: there is no such device.
            InvalidArgument: the name is blank.
            VaultLocked: the vault is locked.
        """
        await (await self._agent.as_node()).devices.rename(id, arguments.text("name", name))

    async def remove(self, id: str) -> None:
        """Take a device off the list, on all of them.

        It does not lock it out: it keeps the keys and what is there, and is on the list again when it is used.

        Raises:
            IdentityError: there is no such device.
            VaultLocked: the vault is locked.
        """
        await (await self._agent.as_node()).devices.remove(id)
