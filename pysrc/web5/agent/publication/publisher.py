"""Sees to it that the DID document of every identity here is published, found, and stays so.

A document that is not found makes remote nodes refuse all that its owner signs, so a gateway that is down must neither
stop the local node nor be forgotten: the reason is kept, and the attempt is repeated.

Invariants:
1. One attempt runs for a DID at a time; who asks meanwhile waits for it.
2. A document that was changed is published, also if the process ended before it could be; what others have published
   meanwhile is taken over first.
3. `known` is never taken back: later versions have the same identity key, which signs.
4. What is to be done again is never late because a clock was wrong. Stored due times are by the wall clock, which may
   have been ahead then: one that is further ahead than its wait counts as passed. Within the process, a clock that
   never goes back counts too.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from math import inf
from typing import Any

from web5.agent.publication.attempt import Delivery, PublishAttempt
from web5.agent.publication.documents import Wanted
from web5.agent.publication.store import Publication, PublicationStore, State, document_hash
from web5.dids.dht.bep44 import encode
from web5.dids.dht.gateways import Gateways
from web5.dids.models import PortableDid
from web5.errors import Web5Error
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.tasks import first_of

log = logging.getLogger(__name__)

WAITS: dict[State, tuple[float, ...]] = {
    # The person waits for it.
    "missing": (2.0, 5.0, 15.0, 60.0, 300.0),
    # Nobody waits, but the DID hangs on fewer gateways than it should.
    "incomplete": (60.0, 300.0, 900.0, 3600.0),
    # The DHT keeps an item for about two hours (the DID DHT specification, "Republishing Data"). Gateways renew it
    # without a promise, as nothing here solves their retention challenges, and Pkarr relays need not. An hour leaves
    # time for a second attempt.
    "published": (3600.0,),
}
"""Seconds until the next attempt, by the state and the number of attempts that ended in it."""

SPREAD = 0.1
"""The part by which a wait may be shorter, so that all the devices of the world do not come at once."""

NAP = 60.0
"""Seconds to sleep at a time, so that what became due while the device slept is not late by hours."""


class DidPublisher:
    """Publishes in the background, with growing waits between attempts, and renews what is published.

    Parameters:
        wanted: gives a DID with its keys as it is to be published; raises Web5Error if it cannot.
        on_newer: awaited with a DID as somebody else has published it, before anything is published over that.
        on_published: awaited with a DID as it was published from here, once a gateway shows it.
        chance: from 0 to 1, see `SPREAD`.
    """

    def __init__(
        self,
        publications: PublicationStore,
        gateways: Gateways,
        crypto: Crypto,
        clock: Clock,
        *,
        wanted: Callable[[str], Awaitable[Wanted]],
        on_newer: Callable[[PortableDid], Awaitable[None]],
        on_published: Callable[[PortableDid], Awaitable[None]],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._publications = publications
        self._gateways = gateways
        self._crypto = crypto
        self._clock = clock
        self._wanted = wanted
        self._on_newer = on_newer
        self._on_published = on_published
        self._chance = chance
        self._created: set[str] = set()
        self._kept: dict[str, _Kept] = {}
        self._stopped = False

    def start(self) -> None:
        """Let `keep` begin to publish, after `stop`."""
        self._stopped = False

    async def stop(self) -> None:
        """End all attempts, and make none until `start`. Safe to call at any time."""
        self._stopped = True
        tasks = [kept.task for kept in self._kept.values()]
        self._kept.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def created(self, did: str) -> None:
        """Note that a DID was made here just now, so that its publication need not be looked for first."""
        self._created.add(did)

    def keep(self, portable_did: PortableDid) -> None:
        """Keep a DID published from now on; if it is kept already, publish a document that was changed."""
        did = portable_did.uri
        if self._stopped or not _is_dht(did):
            return
        if did in self._kept:
            self._kept[did].look_again()
        else:
            self._kept[did] = _Kept(lambda kept: self._keep_published(did, kept))

    async def forget(self, did: str) -> None:
        """Keep a DID published no longer."""
        if kept := self._kept.pop(did, None):
            kept.task.cancel()
            await asyncio.wait([kept.task])
        self._created.discard(did)
        await self._publications.forget(did)

    def may_be_known(self, did: str) -> bool:
        """Return True unless nothing of the DID can have been published from here."""
        kept, publication = self._kept.get(did), self._publications.get(did)
        tried = kept is not None and not kept.has_failed
        return tried or publication.known or publication.payload is not None

    def known(self, did: str) -> bool:
        """Return True if remote nodes can find the DID."""
        return not _is_dht(did) or self._publications.get(did).known

    async def publish(self, did: str) -> bool:
        """Publish the document of a DID that is kept, unless it is found already or about to be.

        Returns:
            True as soon as it is found at a gateway; False if the attempt failed, or the DID is not kept.
        """
        kept = self._kept.get(did)
        if kept is None:
            return not _is_dht(did)
        if kept.has_failed:
            kept.look_again()
        return await asyncio.shield(kept.found)

    def look_again(self) -> None:
        """Look after every DID that is kept now, since the gateways are others."""
        for kept in self._kept.values():
            kept.look_again()

    async def publish_all(self) -> bool:
        """Publish every DID that is kept; True if all of them are found."""
        return all(await asyncio.gather(*map(self.publish, self._kept)))

    async def _keep_published(self, did: str, kept: _Kept) -> None:
        try:
            while True:
                kept.wake.clear()
                if not self._gateways.uris:
                    kept.resolve(False)
                    await kept.wake.wait()
                    continue
                try:
                    await self._attempt(did, kept)
                except Exception:
                    # A fault, or a store that takes nothing: when to try again could not be kept, so rest here.
                    log.exception("publishing %s failed", did)
                    await self._clock.sleep(WAITS["missing"][0])
                kept.resolve(self._publications.get(did).is_current)
                await self._rest(did, kept)
        finally:
            kept.wake.clear()
            kept.resolve(False)

    async def _attempt(self, did: str, kept: _Kept) -> None:
        before = latest = self._publications.get(did)
        is_new, changed = before.document_hash is None and did in self._created, False

        async def on_newer(found: PortableDid) -> Wanted:
            await self._on_newer(found)
            return await self._wanted(did)

        async def on_found(delivery: Delivery) -> None:
            nonlocal latest
            if delivery.made_here and (not before.is_current or delivery.item.seq != before.sequence):
                await self._on_published(delivery.portable_did)
            # Not all have answered: after a crash all of them are to be asked again.
            latest = replace(_after(latest, delivery), state="incomplete", gateways="")
            await self._publications.put(latest)
            kept.resolve(True)

        try:
            wanted = await self._wanted(did)
            if document_hash(wanted.portable_did) == before.document_hash:
                wanted = replace(wanted, changed=False)  # gateways have taken it, and did not show it yet
            changed = is_new or wanted.changed
            latest = before if changed else _begin(wanted, before)
            if not changed and not self._is_due(latest, kept):
                return
            attempt = PublishAttempt(self._gateways, self._crypto, self._clock, wanted, latest.item, on_newer, on_found)
            self._created.discard(did)  # another attempt is to look for what this one may have left
            latest = _after(latest, await attempt.run(new=is_new))
        except Web5Error as error:
            state: State = "incomplete" if latest.is_current and not changed else "missing"
            latest = replace(latest, error=str(error), state=state)
        await self._publications.put(self._scheduled(before, latest, kept))

    def _is_due(self, publication: Publication, kept: _Kept) -> bool:
        new_gateways = set(self._gateways.uris) - set(publication.gateways.split())
        return not publication.is_current or bool(new_gateways) or self._left(publication, kept) <= 0

    def _scheduled(self, before: Publication, after: Publication, kept: _Kept) -> Publication:
        attempts = 0 if after.state == "published" else 1 + (before.attempts if before.state == after.state else 0)
        after = replace(after, gateways=" ".join(self._gateways.uris), attempts=attempts)
        wait = _longest_wait(after) * (1 - SPREAD * self._chance())
        kept.due = self._clock.monotonic() + wait
        return replace(after, next_try=self._clock.now() + int(wait * 1_000_000))

    def _left(self, publication: Publication, kept: _Kept) -> float:
        """Return the seconds until something is to be done again, by the clock that says less (invariant 4)."""
        left = (publication.next_try - self._clock.now()) / 1_000_000
        return 0.0 if left > _longest_wait(publication) else min(left, kept.due - self._clock.monotonic())

    async def _rest(self, did: str, kept: _Kept) -> None:
        while not kept.wake.is_set() and (seconds := self._left(self._publications.get(did), kept)) > 0:
            await first_of(self._clock.sleep(min(seconds, NAP)), kept.wake.wait())


class _Kept:
    """A DID that is kept published.

    Attributes:
        wake: set if the document is to be looked at before its time.
        found: done as soon as the document is found, which may be long before the slowest gateway has answered, or with
            False when the attempt has failed.
        due: when something is to be done again, by what was scheduled in this process (seconds, monotonic).
    """

    def __init__(self, run: Callable[[_Kept], Coroutine[Any, Any, None]]) -> None:
        self.due = inf
        self.wake = asyncio.Event()
        self.found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(run(self))

    @property
    def has_failed(self) -> bool:
        """True if no attempt runs that may still find it."""
        return self.found.done() and not self.found.result()

    def look_again(self) -> None:
        """Begin an attempt, now or after the one that runs."""
        self.wake.set()
        if self.found.done():
            self.found = asyncio.get_running_loop().create_future()

    def resolve(self, is_found: bool) -> None:
        """Report the result of an attempt, unless another one is to follow at once."""
        if self.wake.is_set():
            return
        if self.found.done():
            self.found = asyncio.get_running_loop().create_future()
        self.found.set_result(is_found)


def _begin(wanted: Wanted, known: Publication) -> Publication:
    """Return what is known of a document that was not changed here, before an attempt."""
    current = document_hash(wanted.portable_did)
    if current == known.document_hash:
        return known
    # It was imported, or another device has published it. What its own metadata say is believed for now, and checked
    # at once.
    published = bool(wanted.portable_did.metadata.get("published"))
    state: State = "incomplete" if published else "missing"
    return Publication(known.did, document_hash=current, state=state, known=known.known or published)


def _after(publication: Publication, delivery: Delivery) -> Publication:
    refusals = delivery.refusals or None
    state: State = "missing" if not delivery.is_shown else "incomplete" if refusals else "published"
    return replace(
        publication,
        document_hash=document_hash(delivery.portable_did),
        payload=encode(delivery.item),
        state=state,
        known=publication.known or delivery.is_shown,
        error=refusals if delivery.is_shown else refusals or "No gateway shows what was published yet.",
    )


def _longest_wait(publication: Publication) -> float:
    waits = WAITS[publication.state]
    return waits[min(publication.attempts, len(waits)) - 1]


def _is_dht(did: str) -> bool:
    return did.startswith("did:dht:")
