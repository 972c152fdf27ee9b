"""Two versions of a page over one store: the newer leads, and upgrades it; both crash at any step.

The parts of `browser.tabs` that run anywhere: the one lock of a store, which is let go when, and only when, the store
is closed (or its tab is gone), and the refusal of a store that a newer version has upgraded. Real: the database, its
flusher and its upgrades.

Invariants:
1. Nobody writes without the lock, and no older version into what a newer one has written.
2. What was acknowledged is there in the end, whoever took over from whom.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from tests.simulation.machine import Machine
from tests.simulation.storage import Disk, Mount, SimPages
from web5.dwn.store.database import Database
from web5.dwn.store.durable.paged import open_paged
from web5.errors import StorageError, StorageNewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.world import World

SHARE = 0.3
"""Of the seeds, those with two versions of a page."""

SECONDS = 90.0
STEPS = (
    "CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
    "ALTER TABLE note ADD COLUMN colour TEXT; CREATE INDEX note_colour ON note (colour);",
)
"""The schema; a version knows as many of its steps."""


class Origin:
    """What the tabs share: a disk and its lock.

    Attributes:
        version: the newest that has written.
        refused: how often an older one was refused.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.disk = Disk(world.random("disk of the tabs"))
        self.version = 0
        self.refused = 0
        self.acknowledged: dict[int, str] = {}
        self._leader: Tab | None = None
        self._queue: deque[tuple[Tab, asyncio.Future[None]]] = deque()

    async def acquire(self, tab: Tab) -> None:
        """Wait until the lock is the tab's; one of an older version is asked to hand over."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((tab, turn))
        self._next()
        if self._leader is not None and self._leader.version < tab.version:
            self._leader.give(Tab.resign)
        await turn

    def release(self, tab: Tab) -> None:
        self._queue = deque(one for one in self._queue if one[0] is not tab)
        if self._leader is tab:
            self._leader = None
            self._next()

    def _next(self) -> None:
        if self._leader is None and self._queue:
            self._leader, turn = self._queue.popleft()
            turn.set_result(None)

    def writes(self, tab: Tab) -> None:
        """Look at a write that is just being done (invariant 1)."""
        if self._leader is not tab:
            self.world.fail(f"{tab.name} writes into a store whose lock it does not hold")
        if tab.version < self.version:
            self.world.fail(f"{tab.name} writes into the store of a newer version")
        self.version = max(self.version, tab.version)


class TabMount(Mount):
    def __init__(self, tab: Tab) -> None:
        super().__init__(tab.disk, tab.step)
        self._tab = tab

    async def change(self, what: str, apply: Callable[[], None]) -> None:
        def watched() -> None:
            self._tab.origin.writes(self._tab)
            apply()

        await super().change(what, watched)


class _Resigned(Exception):
    pass


class Tab(Machine):
    """A tab with one version of the page; when it has crashed, or handed over, it queues up again."""

    def __init__(self, origin: Origin, version: int) -> None:
        world = origin.world
        super().__init__(f"tab of v{version}", world.story, world.random, 0.0, 0.0)
        self.origin, self.version, self.disk = origin, version, origin.disk
        self._writing: set[asyncio.Task[None]] = set()

    async def _run(self) -> None:
        try:
            await super()._run()
        except _Resigned:
            self.up = False

    async def _start(self) -> None:
        # As `browser.runtime.open_agent` does it.
        self._stack = AsyncExitStack()
        try:
            await self.origin.acquire(self)
            self._stack.callback(self.origin.release, self)
            self._mount = TabMount(self)
            self._database = await open_paged(SimPages(self._mount))
            self._stack.push_async_callback(self._database.close)
            self._database.check_version({"page": STEPS[: self.version]})
            self._database.migrate("page", STEPS[: self.version])
            await self._database.flush()
        except StorageError as error:
            self.origin.refused += isinstance(error, StorageNewer)
            await self._stack.aclose()
            raise
        self.up = True
        self.story.add(self.name, "leads")

    def crash(self, what: str) -> None:
        super().crash(what)
        self.origin.release(self)

    async def resign(self) -> None:
        """Drop what is under way, close, and let another lead, as `Tabs.resign` does."""
        if not self.up:
            return
        self.up = False
        for task in sorted(self._writing, key=lambda task: task.get_name()):
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._stack.aclose()
        self.story.add(self.name, "has handed over")
        raise _Resigned

    async def write(self, number: int) -> None:
        """Begin to write a note, which an acknowledgment may follow."""
        task = asyncio.create_task(self._write(number), name=f"{number:06d}")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, number: int) -> None:
        database, text = self._database, f"note {number} of v{self.version}" + "." * self.random.choice((0, 20_000))
        if database is not None and self.up:
            await _put(database, number, text)
            self.origin.acknowledged[number] = text


async def _put(database: Database, number: int, text: str) -> None:
    await database.commit(
        lambda: database.connection.execute("INSERT INTO note (number, text) VALUES (?, ?)", (number, text))
    )


async def check(world: World) -> None:
    """Let two versions of a page live over one store for a while, in some of the seeds, and see how that ends."""
    random = world.random("two versions")
    if random.random() >= SHARE:
        return
    origin = Origin(world)
    older, newer = Tab(origin, 1), Tab(origin, 2)
    lives = [asyncio.create_task(older.live())]
    end, number = asyncio.get_running_loop().time() + SECONDS, 0
    arrives = asyncio.get_running_loop().time() + random.uniform(1, 30)
    while (now := asyncio.get_running_loop().time()) < end:
        if now >= arrives and len(lives) == 1:
            world.story.add(newer.name, "is opened")
            lives.append(asyncio.create_task(newer.live()))
        number += 1
        for tab in (older, newer):
            if tab.up:
                tab.give(_writing(number))
        if random.random() < 0.08:
            random.choice((older, newer)).crash_in = random.choice((1, 2, random.randint(1, 8)))
        await _sleep(lives, random.choice((0.003, 0.01, 0.3, random.uniform(0.5, 2))))
    for tab in (older, newer):
        tab.crash_in = None
    await _sleep(lives, 60)
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    await _look(origin)


def _writing(number: int) -> Callable[[Tab], object]:
    return lambda tab: tab.write(number)


async def _sleep(lives: list[asyncio.Task[None]], seconds: float) -> None:
    ended, _ = await asyncio.wait(lives, timeout=seconds)
    for life in ended:
        life.result()


async def _look(origin: Origin) -> None:
    database = await open_paged(SimPages(Mount(origin.disk, lambda what: asyncio.sleep(0))))
    try:
        database.check_version({"page": STEPS})
        held = dict(database.connection.execute("SELECT number, text FROM note").fetchall())
        for number, text in origin.acknowledged.items():
            if held.get(number) != text:
                origin.world.fail(f"note {number} was acknowledged to a tab, and is lost")
        if (sound := database.connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            origin.world.fail(f"the store of the tabs is not sound: {sound}")
    finally:
        database.connection.close()
