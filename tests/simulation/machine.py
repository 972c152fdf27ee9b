"""A machine over a disk, which crashes and starts again.

Invariants:
1. A crash may come before and after every request and every write to the disk; between those nothing that outlives the
   machine can change.
2. Everything that runs on the machine ends with the crash; the next run knows only what is on the disk.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.simulation.storage import Disk, Mount
from tests.simulation.story import Story
from tests.simulation.virtual_time import OWNER, Owner, SimClock
from web5.dwn.store.database import Database
from web5.errors import StorageError

Action = Callable[[Any], Awaitable[None]]
"""What a person does on a machine; it is given the machine."""

ENDING = 1.0
"""Seconds for what ran on a machine to come to its end; in the simulation it takes none."""


class Machine(Owner, ABC):
    """One machine.

    Parameters:
        randoms: gives the random numbers for one matter.
        skew: the seconds by which its clock is wrong.
        check_share: of the steps, how many have `checks` called.

    Attributes:
        runs: how often it was started.
        todo: what the person is going to do on it.
        up: True from when it has started until it crashes.
        crash_in: steps until it crashes; None: it does not.
        next_skew: by how much the clock of the next run is wrong; None: as before.
        checks: called at some of the steps, to see that all is well.
        suspicious: True if it is to be called at the next, because something went wrong.
    """

    def __init__(
        self, name: str, story: Story, randoms: Callable[[str], Random], skew: float, check_share: float
    ) -> None:
        super().__init__()
        self.name = name
        self.story = story
        self.check_share = check_share
        self.random = randoms(f"device {name}")
        self.clock = SimClock(skew)
        self.disk = Disk(randoms(f"disk {name}"))
        self.todo: deque[Action] = deque()
        self.runs = 0
        self.up = False
        self.crash_in: int | None = None
        self.next_skew: float | None = None
        self.crashes = 0
        self.busy = False
        self.checks: Callable[[Any], None] | None = None
        self.suspicious = False
        self._mount: Mount
        self._database: Database | None = None
        self._down = asyncio.Event()
        self._more = asyncio.Event()

    @abstractmethod
    async def _start(self) -> None:
        """Start from what is on the disk; raises StorageError if that is not to be had now."""

    # -- steps and crashes

    async def step(self, what: str) -> None:
        """Pass a point at which the device may crash."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self.crash(what)
                await asyncio.Event().wait()
        look = self.random.random() < self.check_share
        if self.checks is not None and self.up and (look or self.suspicious):
            self.suspicious = False
            self.checks(self)

    def crash(self, what: str) -> None:
        """Turn the device off from this moment on."""
        self.crash_in = None
        self.crashes += 1
        self.up = False
        self._mount.cut()
        self.story.add(self.name, "crashes {}", what)
        self._end_tasks()
        self._down.set()

    def _end_tasks(self) -> None:
        for task in sorted(self.tasks, key=lambda task: task.number):
            task.cancel()

    async def live(self) -> None:
        """Start, do what there is to do, and start again after every crash; runs outside, until it is cancelled."""
        while True:
            self._down.clear()
            running, down = self.on_device(self._run()), asyncio.create_task(self._down.wait())
            await asyncio.wait({running, down}, return_when=asyncio.FIRST_COMPLETED)
            if not self._down.is_set():
                await running  # it has failed
            while self.tasks:
                await asyncio.wait(set(self.tasks), timeout=ENDING)
                self._end_tasks()  # what they have begun while they ended
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
            self.runs += 1
            self._mount = Mount(self.disk, self.step)
            try:
                await self._start()
            except StorageError as error:
                self.story.add(self.name, "cannot start: {}", error)
                await self._scrap()
                await asyncio.sleep(self.random.uniform(1, 20))
        await self._use()

    async def _use(self) -> None:
        while True:
            while not self.todo:
                self._more.clear()
                await self._more.wait()
            self.busy = True
            await self.todo.popleft()(self)
            self.busy = False

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
