"""A person's device: an engine and its sync over a disk, which crashes and starts again.

Invariants:
1. A crash may come before and after every request and every write to the disk; between those nothing that outlives the
   device can change.
2. Everything that runs on the device ends with the crash; the next run knows only what is on the disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.contracts.memory_pages import MemoryPages
from tests.simulation.network import SimRemote
from tests.simulation.people import Person, SimResolver
from tests.simulation.storage import Disk, Mount, SimBlobs, SimPages
from tests.simulation.virtual_time import OWNER, Owner, SimClock
from web5.crypto.jws import MessageSigner
from web5.dwn import Applied, Dwn
from web5.dwn.store.database import Database
from web5.dwn.store.paged import open_paged
from web5.dwn.store.store import Store
from web5.errors import StorageError
from web5.sync import SyncEngine, SyncReport

if TYPE_CHECKING:
    from tests.simulation.world import World

Action = Callable[["Device"], Awaitable[None]]


class Device(Owner):
    """One device.

    Parameters:
        identities: whose messages it syncs.
        mode: what `SyncEngine.start` is given.

    Attributes:
        runs: how often it was started.
        todo: what the person is going to do on it.
        up: True from when it has started until it crashes.
        crash_in: steps until it crashes; None: it does not.
        next_skew: by how much the clock of the next run is wrong; None: as before.
        checks: called at some of the steps, to see that all is well.
        suspicious: True if it is to be called at the next, because something went wrong.
    """

    def __init__(self, world: World, name: str, identities: list[Person], mode: str, skew: float, lag: float) -> None:
        super().__init__()
        self.world = world
        self.name = name
        self.identities = identities
        self.mode = mode
        self.lag = lag
        self.random = world.random(f"device {name}")
        self.clock = SimClock(skew)
        self.disk = Disk(world.random(f"disk {name}"))
        self.todo: deque[Action] = deque()
        self.runs = 0
        self.up = False
        self.crash_in: int | None = None
        self.next_skew: float | None = None
        self.crashes = 0
        self.busy = False
        self.checks: Callable[[Device], None] | None = None
        self.suspicious = False
        self.dwn: Dwn
        self.sync: SyncEngine
        self._mount: Mount
        self._database: Database | None = None
        self._sent: set[str] = set()
        self._down = asyncio.Event()
        self._more = asyncio.Event()

    # -- steps and crashes

    async def step(self, what: str) -> None:
        """Pass a point at which the device may crash."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self.crash(what)
                await asyncio.Event().wait()
        look = self.random.random() < self.world.plan.check_share
        if self.checks is not None and self.up and (look or self.suspicious):
            self.suspicious = False
            self.checks(self)

    def crash(self, what: str) -> None:
        """Turn the device off from this moment on."""
        self.crash_in = None
        self.crashes += 1
        self.up = False
        self._mount.cut()
        self.world.story.add(self.name, "crashes {}", what)
        for task in sorted(self.tasks, key=lambda task: task.number):
            task.cancel()
        self._down.set()

    async def live(self) -> None:
        """Start, do what there is to do, and start again after every crash; runs outside, until it is cancelled."""
        while True:
            self._down.clear()
            running, down = self.on_device(self._run()), asyncio.create_task(self._down.wait())
            await asyncio.wait({running, down}, return_when=asyncio.FIRST_COMPLETED)
            if not self._down.is_set():
                await running  # it has failed
            while self.tasks:
                await asyncio.wait(set(self.tasks))
            await self._scrap()
            self.busy = False
            if self.next_skew is not None:
                self.clock, self.next_skew = SimClock(self.next_skew), None
            await asyncio.sleep(self.random.uniform(0.1, 40))

    def on_device(self, work: Any) -> asyncio.Task[Any]:
        """Run something on the device: it ends if the device crashes."""
        token = OWNER.set(self)
        try:
            return asyncio.create_task(work)
        finally:
            OWNER.reset(token)

    def give(self, action: Action) -> None:
        """Add to what is to be done on the device."""
        self.todo.append(action)
        self._more.set()

    async def outside_of_it(self, work: Any) -> Any:
        """Have the device do something, and wait for it here."""
        return await self.on_device(work)

    async def _run(self) -> None:
        while not self.up:
            try:
                await self._start()
            except StorageError as error:
                self.world.story.add(self.name, "cannot start: {}", error)
                await self._scrap()
                await asyncio.sleep(self.random.uniform(1, 20))
        await self._use()

    async def _start(self) -> None:
        self.runs += 1
        self._sent = set()
        self._mount = Mount(self.disk, self.step)
        self._database = await open_paged(SimPages(self._mount))
        keys = SimResolver(self.world.directory, lag=None)
        self.dwn = Dwn(
            database=self._database,
            blobs=SimBlobs(self._mount),
            resolver=keys,
            crypto=self.world.crypto,
            clock=self.clock,
        )
        self.dwn.in_transaction.append(self._restored)
        self.dwn.after_commit.append(lambda applied: self.world.account.stored(applied.message_cid))
        self.sync = SyncEngine(
            dwn=self.dwn,
            remote=SimRemote(self.world, self),
            resolver=SimResolver(self.world.directory, self.lag),
            clock=self.clock,
            signer_for=self._signer_for,
            jitter=self.world.random(f"jitter of {self.name}, run {self.runs}").random,
        )
        await self.dwn.open()
        await self.sync.open()
        for identity in self.identities:
            for _, cid in self.dwn.store.entries_after(identity.did, 0, 1_000_000):
                self.world.account.stored(cid)  # durable before the crash, but not told of any more
            await self.sync.register(identity.did)
        self.up = True
        self.world.story.add(self.name, "has started (run {})", self.runs)
        if self.checks is not None:
            self.checks(self)
        await self.sync.start(self.mode)

    def _restored(self, applied: Applied) -> None:
        if applied.source is None and applied.message_cid not in self.world.account.made:
            self.world.account.restored(applied.tenant, applied.message)

    async def _use(self) -> None:
        while True:
            while not self.todo:
                self._more.clear()
                await self._more.wait()
            self.busy = True
            await self.todo.popleft()(self)
            self.busy = False

    async def _signer_for(self, did: str) -> MessageSigner:
        return next(one.signer for one in self.identities if one.did == did)

    async def _scrap(self) -> None:
        """Free what the last run held in this process; nothing of it reaches the disk."""
        self._mount.cut()
        database, self._database = self._database, None
        if database is None:
            return
        try:
            await database.close()
        except asyncio.CancelledError:  # what wrote to the disk was ended with the rest, so it cannot be waited for
            database.connection.close()
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise

    async def on_disk(self, tenant: str) -> set[str]:
        """CIDs of the messages that would be there after a crash now."""
        if not self.disk.pages:
            return set()
        database = await open_paged(MemoryPages(held=dict(self.disk.pages)))
        try:
            store = Store(database)
            return {cid for _, cid in store.entries_after(tenant, 0, 1_000_000)}
        finally:
            await database.close()

    # -- what the app does

    async def sync_now(self, direction: str | None = None) -> SyncReport | None:
        """`SyncEngine.now`; None if the disk would not have it."""
        try:
            return await self.sync.now(direction)
        except* StorageError as errors:
            self.world.story.add(self.name, "could not sync: {}", errors.exceptions[0])
        return None

    def asked_to_send(self, cid: str) -> bool:
        """Return True if the app asked for this message to be sent in this run."""
        return cid in self._sent

    async def send(self, tenant: str, cid: str) -> None:
        """`SyncEngine.send`; what it may send is remembered."""
        account = self.world.account
        record_id = account.made[cid].record_id
        self._sent |= {cid} | {one.cid for one in account.made.values() if one.record_id == record_id != ""}
        await self.sync.send(tenant, cid)
