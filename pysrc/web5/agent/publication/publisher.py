"""Sees to it that the DID document of every identity here is published, found, and stays so.

A document that is not found makes remote nodes refuse all that its owner signs, so a gateway that is down must neither
stop the local node nor be forgotten: the reason is kept, and the attempt is repeated.

Invariants:
1. One attempt runs for a DID at a time; who asks meanwhile waits for it.
2. A document that was changed is published, also if the process ended before it could be.
3. `known` is never taken back: later versions have the same identity key, which signs.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from web5.agent.publication.announcer import Announced, Announcer, published_elsewhere
from web5.agent.publication.store import Publication, Publications, State, document_hash
from web5.dids import dht
from web5.dids.dht.bep44 import version_of
from web5.dids.models import PortableDid
from web5.errors import Web5Error
from web5.ports.clock import Clock

log = logging.getLogger(__name__)

WAITS: dict[State, tuple[float, ...]] = {
    # The person waits for it.
    "missing": (2.0, 5.0, 15.0, 60.0, 300.0),
    # Nobody waits, but the DID hangs on fewer gateways than it should.
    "incomplete": (60.0, 300.0, 900.0, 3600.0),
    # The DHT keeps an item for about two hours (the DID DHT specification, "Republishing Data"). Gateways renew it
    # without a promise, as nothing here solves their retention challenges, and Pkarr relays need not. An hour leaves
    # time for a second attempt.
    "well": (3600.0,),
}
"""Seconds until the next attempt, by the state and the number of attempts that ended in it."""

SPREAD = 0.1
"""By what part a wait may be shorter, so that all the devices of the world do not come at once."""

NAP = 60.0
"""Seconds to sleep at a time, so that what became due while the device slept is not late by hours."""


class Publisher:
    """Publishes in the background, with growing waits between attempts, and refreshes what is published.

    Parameters:
        announcer: makes an attempt.
        dids: those whose documents are to be published; what is not a did:dht is left out.
        portable_did: gives one with its keys; raises Web5Error if it cannot.
        on_published: awaited when a version was found at a gateway that was not known to be; the DID may have a newer
            document than was held here. It is to be kept.
        chance: from 0 to 1, see `SPREAD`.
    """

    def __init__(
        self,
        publications: Publications,
        announcer: Announcer,
        clock: Clock,
        *,
        dids: Callable[[], Iterable[str]],
        portable_did: Callable[[str], Awaitable[PortableDid]],
        on_published: Callable[[PortableDid], Awaitable[None]],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._publications = publications
        self._announcer = announcer
        self._clock = clock
        self._dids = dids
        self._portable_did = portable_did
        self._on_published = on_published
        self._chance = chance
        self._new: set[str] = set()
        self._attempts: dict[str, _Attempt] = {}
        self._stopped = False
        self._loop: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def start(self) -> None:
        """Begin, or look again after an identity was added."""
        self._stopped = False
        if self._loop is None:
            self._loop = asyncio.create_task(self._keep_published())
        self._news.set()

    async def stop(self) -> None:
        """End all attempts, and make none until `start`. Safe to call at any time."""
        self._stopped = True
        running = [attempt.task for attempt in self._attempts.values()]
        if self._loop is not None:
            running.append(self._loop)
            self._loop = None
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def known(self, did: str) -> bool:
        """True if remote nodes can find the DID."""
        return not _is_dht(did) or self._publications.get(did).known

    async def publish(self, did: str) -> bool:
        """Publish the document as it is now, unless it is out already.

        Returns:
            when it is found at a gateway, or the attempt has failed; True if it is found.
        """
        if running := self._attempts.get(did):
            await asyncio.wait([running.task])  # it may have begun with the document before
        return await self._attempt(did)

    async def make_known(self, did: str) -> bool:
        """Like `publish`, but content with an attempt that has begun, and with any version of the document."""
        await self._attempt(did)
        return self.known(did)

    async def publish_all(self) -> bool:
        """An attempt for each DID that is not known yet; True when none is left."""
        return all(await asyncio.gather(*(self.make_known(did) for did in self._here())))

    def created(self, did: str) -> None:
        """Take note that a DID was made here just now, so that its publication need not be looked for first."""
        self._new.add(did)

    async def forget(self, did: str) -> None:
        """Publish a DID no longer; call it when `dids` has stopped giving it."""
        if running := self._attempts.get(did):
            running.task.cancel()
            await asyncio.wait([running.task])
        self._new.discard(did)
        await self._publications.forget(did)

    def _here(self) -> list[str]:
        return [did for did in self._dids() if _is_dht(did)]

    async def _attempt(self, did: str) -> bool:
        """Join or begin an attempt; back when the document is found, or the attempt is over."""
        if self._stopped or did not in self._here():
            return not _is_dht(did)
        attempt = self._join(did)
        await asyncio.wait([attempt.task, attempt.found], return_when=asyncio.FIRST_COMPLETED)
        return attempt.found.done()

    def _join(self, did: str) -> _Attempt:
        if did not in self._attempts:
            self._attempts[did] = _Attempt(self._run, did)
            self._attempts[did].task.add_done_callback(lambda _: self._ended(did))
        return self._attempts[did]

    def _ended(self, did: str) -> None:
        del self._attempts[did]
        self._news.set()

    async def _run(self, did: str, found: asyncio.Future[None]) -> None:
        try:
            await self._try(did, found)
        except Exception:
            # A fault, or a store that takes nothing: when to try again could not be kept, so rest here.
            log.exception("publishing %s failed", did)
            await self._clock.sleep(WAITS["missing"][0])

    async def _try(self, did: str, found: asyncio.Future[None]) -> None:
        before = latest = self._publications.get(did)
        changed, begun = False, b""

        async def on_found(now: Announced) -> None:
            nonlocal latest
            if not before.out or now.publication.sequence != before.sequence:
                await self._tell(now, begun)
            latest = now.publication
            await self._publications.put(latest)
            if not found.done():  # a newer version may have been found after this attempt's own
                found.set_result(None)

        try:
            portable_did = await self._portable_did(did)
            begun = document_hash(portable_did)
            latest, changed = self._begin(portable_did, before)
            if not changed and not self._is_due(latest):
                found.set_result(None)
                return
            attempt = self._announcer.announce if changed else self._announcer.check
            latest = (await attempt(Announced(portable_did, latest), on_found)).publication
            missing = not latest.out
        except Web5Error as error:
            latest = replace(latest, error=str(error))
            missing = changed or not latest.out
        state: State = "missing" if missing else "incomplete" if latest.error else "well"
        await self._publications.put(self._scheduled(before, latest, state))

    async def _tell(self, now: Announced, begun: bytes) -> None:
        """Hand out the version that was found; what was changed since the attempt had `begun` stays, to be published
        next."""
        held = await self._portable_did(now.portable_did.uri)
        changed = document_hash(held) != begun
        version = version_of(now.portable_did.metadata)
        await self._on_published(dht.with_version(held, version) if changed else now.portable_did)

    def _begin(self, portable_did: PortableDid, known: Publication) -> tuple[Publication, bool]:
        """What an attempt begins with, and whether the document is to be published anew."""
        if document_hash(portable_did) == known.document_hash:
            return known, False
        if known.document_hash is None:
            elsewhere = portable_did.uri not in self._new
        else:  # another device may have changed and published it, and given its DID to this one
            version = version_of(portable_did.metadata)
            elsewhere = bool(portable_did.metadata.get("published")) and version > (known.sequence or 0)
        return (published_elsewhere(portable_did, self._clock.now()), False) if elsewhere else (known, True)

    def _is_due(self, publication: Publication) -> bool:
        new_gateways = not publication.error and not self._announcer.uris <= set(publication.holders)
        return not publication.out or new_gateways or publication.next_try <= self._clock.now()

    def _scheduled(self, before: Publication, after: Publication, state: State) -> Publication:
        attempts = 0 if state == "well" else 1 + (before.attempts if before.state == state else 0)
        wait = WAITS[state][min(attempts, len(WAITS[state])) - 1] * (1 - SPREAD * self._chance())
        next_try = self._clock.now() + int(wait * 1_000_000)
        return replace(after, state=state, attempts=attempts, next_try=next_try)

    async def _keep_published(self) -> None:
        due = self._here()  # all of them: invariant 2
        while True:
            for did in due:
                self._join(did)
            due = await self._next_due()

    async def _next_due(self) -> list[str]:
        while True:
            self._news.clear()
            now = self._clock.now()
            tries = {did: self._publications.get(did).next_try for did in self._here() if did not in self._attempts}
            if due := [did for did, at in tries.items() if at <= now]:
                return due
            soonest = min(((at - now) / 1_000_000 for at in tries.values()), default=NAP)
            await self._rest(min(soonest, NAP))

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not past news."""
        waiting = [asyncio.create_task(self._clock.sleep(seconds)), asyncio.ensure_future(self._news.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


class _Attempt:
    """One that runs; `found` is done as soon as the document is found, which may be long before the slowest gateway
    has answered. If the attempt fails, it never is."""

    def __init__(self, run: Callable[[str, asyncio.Future[None]], Coroutine[Any, Any, None]], did: str) -> None:
        self.found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(run(did, self.found))


def _is_dht(did: str) -> bool:
    return did.startswith("did:dht:")
