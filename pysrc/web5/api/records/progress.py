"""Progress of one record's data, in bytes: while they are stored, sent or read."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from web5.chunks import reading
from web5.settings import ByteProgress
from web5.sync.states import SyncEvent
from web5.tasks import notify


class Teller:
    """Tells a callback of the bytes that are done; what it raises stops nothing.

    Parameters:
        total: the bytes of the whole.
    """

    def __init__(self, on_progress: ByteProgress, total: int) -> None:
        self.total = total
        self._on_progress = on_progress
        self._told: int | None = None

    def tell(self, done: int) -> None:
        """Tell how much is done, unless that is what was told last."""
        if done != self._told:
            self._told = done
            notify("a callback of on_progress failed", [self._on_progress], done, self.total)

    async def storing(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Pass chunks on, and tell of each once it was taken; that all are stored, only the caller knows."""
        done = 0
        async with reading(chunks) as incoming:
            async for chunk in incoming:
                yield chunk
                done += len(chunk)
                if done < self.total:
                    self.tell(done)

    async def read(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Pass chunks on, and tell of each as it comes."""
        done = 0
        async with reading(chunks) as incoming:
            async for chunk in incoming:
                done += len(chunk)
                self.tell(done)
                yield chunk
        self.tell(done)


class Sending:
    """The bytes of a message's data that have gone out to the endpoint that has got the most; `Teller` tells them."""

    def __init__(self, teller: Teller, message_cid: str, target: str) -> None:
        self._teller = teller
        self._message_cid = message_cid
        self._target = target
        self._most = 0

    def hear(self, event: SyncEvent) -> None:
        """Take an event of sync."""
        about = (event.kind, event.message_cid, event.target or event.tenant)
        if about == ("sending", self._message_cid, self._target) and event.bytes > self._most:
            self._most = event.bytes
            self._teller.tell(self._most)

    def end(self, *, delivered: bool) -> None:
        """Tell what is done in the end."""
        self._teller.tell(self._teller.total if delivered else self._most)


@contextmanager
def following(listeners: list[Callable[[SyncEvent], None]], sending: Sending | None) -> Iterator[None]:
    """Have a `Sending`, if there is one, hear of sync's events."""
    if sending is None:
        yield
        return
    listeners.append(sending.hear)
    try:
        yield
    finally:
        listeners.remove(sending.hear)


def teller(on_progress: ByteProgress | None, total: int | None) -> Teller | None:
    """Return what tells a callback, if there is one."""
    return None if on_progress is None else Teller(on_progress, total or 0)
