"""The way of an image's pages to their store: group commit, and what happens when it fails.

Invariants:
1. One write is under way at a time, and writes happen in the order of the commits they carry. Whoever flushes
   meanwhile shares the next one.
2. A flush returns only after a write has succeeded that carried, or followed, the caller's last commit.
3. A write that fails, and all that was committed since it was taken, is undone: it is in memory no more, it is not
   stored later, and everybody who waits for a part of it gets the error. What follows is built on what is stored.
4. A store that has lost what it held, or cannot be reached, is given everything. As long as it does not take that,
   memory is all there is: commits are kept there, `health` says so, and storing them is tried again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import apsw

from web5.dwn.store.database import Backing
from web5.dwn.store.durable.health import Ill
from web5.dwn.store.durable.image import Image, ImageVfs, Taken
from web5.errors import StorageClosed, StorageError, StorageFull, StorageLost
from web5.ports.pages import PageStore

SLOW_SECONDS = 4.0
"""The time after which a store that does not answer is said to be slow."""

RETRY_SECONDS = (1.0, 30.0)
"""The first and the longest wait before a store that fails is tried again."""


class _Batch:
    """A write, and those who wait for it.

    Parameters:
        taken: what it carries, if that was taken already.

    Attributes:
        erased: None, unless somebody wants earlier versions erased.
    """

    def __init__(self, taken: Taken | None = None) -> None:
        self.taken = taken
        self.stored = _future()
        self.erased: asyncio.Future[None] | None = None

    def fail(self, error: BaseException) -> None:
        for future in (self.stored, self.erased):
            if future is not None and not future.done():
                future.set_exception(error)


class Flusher(Backing):
    """Writes what an image has new to a store, which it owns.

    Parameters:
        vfs: by which the connection has the image as its file.
    """

    def __init__(self, store: PageStore, image: Image, vfs: ImageVfs, connection: apsw.Connection) -> None:
        super().__init__()
        self._store = store
        self._image = image
        self._vfs = vfs
        self._connection = connection
        self._joined: _Batch | None = None
        self._under_way: _Batch | None = None
        self._running: asyncio.Task[None] | None = None
        self._erasing = False  # an erasing has failed, and is made up for by the next write
        self._lost = False
        self._stale = self._stopped = False
        self._retry: asyncio.TimerHandle | None = None
        self._delay = RETRY_SECONDS[0]
        connection.set_commit_hook(self._check_commit)
        store.on_interrupted = self.probe

    def begin(self, *, makes_room: bool) -> None:
        self._image.makes_room = makes_room

    async def flush(self) -> None:
        """Return when every commit before the call is stored. Cancelling the caller does not stop the write."""
        batch = self._join() if self._image.changed or self._erasing else self._joined or self._under_way
        if batch is not None:
            await asyncio.shield(batch.stored)

    async def erase(self) -> None:
        """As `flush`; on return the store has no earlier version of any page either."""
        batch = self._join()
        erased = batch.erased = batch.erased or _future()
        await asyncio.shield(batch.stored)
        await asyncio.shield(erased)

    async def alone(self, change: Callable[[], None]) -> None:
        """Commit something when nothing else is under way, and store it in a write of its own."""
        while self._running is not None or self._image.changed:
            with suppress(StorageError):
                await self.flush()
            await self._settled()
        change()
        if self._image.changed:
            batch = _Batch(self._image.take())
            self._start(batch)
            await asyncio.shield(batch.stored)

    def probe(self) -> None:
        """Find out whether the store is still there, and give it what it lacks."""
        if not self._stopped:
            self._join()

    async def close(self) -> None:
        self._stopped = True
        if self._retry is not None:
            self._retry.cancel()
        await self._settled()
        self._vfs.unregister()
        await self._store.close()

    def _check_commit(self) -> bool:
        """Refuse a commit that is built on what was undone; SQLite's commit hook."""
        if self._stale:
            raise StorageError("A statement goes on reading what could not be stored; try again when it has ended.")
        return False

    async def _settled(self) -> None:
        """Return when nothing is under way."""
        while self._running is not None:
            await asyncio.wait([self._running])
            await asyncio.sleep(0)  # for its callback

    def _join(self) -> _Batch:
        # What it carries is taken when the loop next comes round, so that callers made ready together share it.
        if self._joined is None:
            self._joined = _Batch()
            if self._running is None:
                self._start(None)
        return self._joined

    def _start(self, first: _Batch | None) -> None:
        self._under_way = first
        self._running = asyncio.create_task(self._run(first))
        self._running.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # those who wait have it
        elif self._running is None or task is self._running:  # nobody takes over what is left
            left = [self._under_way, self._joined]
            self._running = self._under_way = self._joined = None
            for one in left:
                if one is not None:
                    one.fail(asyncio.CancelledError())

    async def _run(self, first: _Batch | None) -> None:
        batch = first
        try:
            while batch is not None or (batch := self._next()) is not None:
                self._under_way = batch
                await self._write(batch)
                self._under_way = batch = None
                await asyncio.sleep(0)  # those who waited may have more by now
        finally:
            self._running = self._under_way = None

    def _next(self) -> _Batch | None:
        batch, self._joined = self._joined, None
        return batch

    async def _write(self, batch: _Batch) -> None:
        if self._stale and self._vfs.forget(self._connection):
            self._stale = False
            self.health.undone()  # when it was told before, what SQLite had read was still in the way
        taken = batch.taken or self._image.take()
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self.health.tell, Ill.SLOW)
        try:
            try:
                await self._store_taken(taken)
            except StorageLost as loss:
                self._lose(str(loss))
                taken = self._image.take()
                await self._store_taken(taken)
        except BaseException as error:
            self._failed(batch, taken, error)
            if not isinstance(error, Exception):
                raise
            return
        finally:
            slow.cancel()
        self._image.stored(taken)
        self._lost, self._delay = False, RETRY_SECONDS[0]
        if not (taken.changes.makes_room and self.health.trouble and self.health.trouble.kind == Ill.FULL):
            self.health.tell(None)
        batch.stored.set_result(None)
        await self._erase(batch)

    async def _store_taken(self, taken: Taken) -> None:
        await self._store.write(taken.pages, taken.count, makes_room=taken.changes.makes_room)

    async def _erase(self, batch: _Batch) -> None:
        if batch.erased is None and not self._erasing:
            return
        self._erasing = True
        try:
            await self._store.erase()
        except Exception as error:
            batch.fail(_described(error))
            return
        self._erasing = False
        if batch.erased is not None:
            batch.erased.set_result(None)

    def _failed(self, batch: _Batch, taken: Taken, error: BaseException) -> None:
        failure = _described(error)
        if self._lost:
            self._image.lose()
            self.health.tell(Ill.LOST, str(failure))
            self._try_again()
            batch.stored.set_result(None)  # invariant 4
            batch.fail(failure)
            return
        is_full = isinstance(failure, StorageFull)
        self._image.undo(taken, is_sure=is_full)
        with suppress(StorageClosed):  # it is being closed
            self._stale = not self._vfs.forget(self._connection)
            self.health.undone()
        broken, self._joined = [batch, self._joined], None
        for one in broken:
            if one is not None:
                one.fail(failure if isinstance(error, Exception) else error)
        self.health.tell(Ill.FULL if is_full else Ill.FAILING, str(failure))
        if self._stale or not is_full:
            self._try_again()

    def _lose(self, detail: str) -> None:
        if not self._lost:
            self._lost = True
            self.health.losses += 1
        self._image.lose()
        self.health.tell(Ill.LOST, detail)

    def _try_again(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        self._retry = asyncio.get_running_loop().call_later(self._delay, self.probe)
        self._delay = min(2 * self._delay, RETRY_SECONDS[1])


def _described(error: BaseException) -> StorageError:
    return error if isinstance(error, StorageError) else StorageError(f"the page store failed: {error!r}")


def _future() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Everybody who waits may have been cancelled; then nobody else looks at its error.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future
