"""A device with an agent on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.simulation.agents import invariants
from tests.simulation.agents.chance import DeviceSealer
from tests.simulation.agents.web import Server, SimHttp
from tests.simulation.machine import Machine
from tests.simulation.storage import SimBlobs, SimPages
from web5 import Web5
from web5.agent.agent import Agent, Platform
from web5.agent.recovery import recover
from web5.dwn.store.durable.paged import open_paged
from web5.errors import WrongPassword

if TYPE_CHECKING:
    from tests.simulation.agents.world import World


class AgentDevice(Machine):
    """One device.

    Attributes:
        passwords: those of which one opens the vault; None stands for the device's key.
        ready: False while the vault is locked, or a recovery runs, so that nobody looks at the identities.
        seen: the identities that were here, and so must stay until the person deletes them.
        shown: the sequence numbers that gateways showed last, by gateway and DID.
    """

    def __init__(self, world: World, name: str, mode: str, skew: float) -> None:
        super().__init__(name, world.story, world.random, skew, world.plan.check_share)
        self.world = world
        self.mode = mode
        self.passwords: list[str | None] = [None]
        self.ready = False
        self.seen: set[str] = set()
        self.shown: dict[tuple[str, str], int] = {}
        self.agent: Agent
        self._sealer = DeviceSealer(self.random.randbytes(32))

    async def _start(self) -> None:
        self.ready, self.shown = False, {}
        self._database = await open_paged(SimPages(self._mount))
        http = SimHttp(self.world.net, self.name, self.world.random(f"network of {self.name}, run {self.runs}"), self)
        platform = Platform(
            database=self._database,
            blobs=SimBlobs(self._mount),
            crypto=self.world.crypto,
            http=http,
            sockets=None,
            guarded=http,
            guarded_sockets=None,
            allow_local=False,
            clock=self.clock,
            sealer=self._sealer,
            close=self._database.close,
        )
        self.agent = Agent(platform, gateway_uris=self.world.gateways)
        self.agent.identities.on_added.append(lambda portable_did: self.world.added(self, portable_did))
        await self.agent.open()
        self.story.add(self.name, "has started (run {}): {}", self.runs, self.agent.vault.state)
        if self.agent.vault.state != "new":
            await self.connect()
        self.up = True

    async def requests(self, server: Server) -> None:
        """A request to a server begins."""
        self.world.count(self)
        await self.step(f"before a request to {server.name}")

    # -- what the app does

    async def unlock(self) -> None:
        """Unlock the vault by whatever opens it."""
        vault = self.agent.vault
        if vault.state != "locked":
            return
        if vault.protection == "device":
            await self.agent.unlock()
            assert None in self.passwords, f"{self.name} opens without its password"
            self.passwords = [None]
            return
        for password in [one for one in self.passwords if one is not None]:
            try:
                await self.agent.unlock(password)
            except WrongPassword:
                continue
            self.passwords = [password]
            return
        raise AssertionError(f"no password that was ever acknowledged opens {self.name}")

    async def connect(self) -> Any:
        """Open what there is, as the app does when it is started; on the first launch, make it."""
        await self.unlock()
        await invariants.look_at_return(self.world, self)
        endpoints = self.world.endpoints_for(self)
        connection = await Web5.connect(agent=self.agent, dwn_endpoints=endpoints, sync=self.mode)
        self.ready = True
        self.world.look(self)
        return connection

    async def recover(self, words: str, password: str | None) -> list[tuple[str, int, int]]:
        """Recover by words; returns what was told of the progress."""
        told: list[tuple[str, int, int]] = []
        before, self.passwords = self.passwords, [*self.passwords, password]
        async with self._unready():
            try:
                await recover(self.agent, words, password, lambda *step: told.append(step))
            except Exception:
                self.passwords = before
                raise
            self.passwords = [password]
        await self.connect()
        return told

    async def lock(self) -> None:
        """Lock the vault."""
        self.ready = False
        await self.agent.lock()

    @asynccontextmanager
    async def _unready(self) -> AsyncIterator[None]:
        before, self.ready = self.ready, False
        try:
            yield
        finally:
            self.ready = before and self.agent.vault.state == "unlocked"
