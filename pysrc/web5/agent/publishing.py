"""Keeps trying until the DID document of every identity here is published.

A document that is not published makes remote nodes refuse all that its owner signs, so a gateway that is down must
neither stop the local node nor be forgotten: the reason is kept, and the attempt is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web5.agent.identities import IdentityStore
from web5.dids.models import PortableDid
from web5.errors import Web5Error
from web5.ports.clock import Clock

RETRY_SECONDS = (2.0, 5.0, 15.0, 60.0, 300.0)


class Publisher:
    """Publishes what is not published yet, in the background, with growing waits between attempts.

    Parameters:
        publish: puts one DID document to the gateway and gives the DID with its new version; raises Web5Error when it
            could not.
        on_published: called with that DID.
    """

    def __init__(
        self,
        store: IdentityStore,
        publish: Callable[[PortableDid], Awaitable[PortableDid]],
        clock: Clock,
        on_published: Callable[[PortableDid], None],
    ) -> None:
        self._store = store
        self._publish = publish
        self._clock = clock
        self._on_published = on_published
        self._task: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    def start(self) -> None:
        """Begin, or begin again after an identity was added."""
        self.stop()
        self._task = asyncio.ensure_future(self._until_all_are_out())

    def stop(self) -> None:
        """End the attempts. Safe to call at any time."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def publish_all(self) -> bool:
        """One attempt for each document that is not out; True when none is left."""
        async with self._one_at_a_time:
            results = [await self._publish_one(did) for did in self._store.unpublished()]
        return all(results)

    async def _publish_one(self, did: str) -> bool:
        try:
            published = await self._publish(await self._store.portable_did(did))
        except Web5Error as error:
            await self._store.record_publish_error(did, str(error))
            return False
        await self._store.record_published(published, self._clock.now())
        self._on_published(published)
        return True

    async def _until_all_are_out(self) -> None:
        attempt = 0
        while not await self.publish_all():
            await self._clock.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1
