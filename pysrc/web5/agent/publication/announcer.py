"""One attempt to have a DID document found by everybody: what to give to gateways, and what to make of their answers.

Invariants:
1. A document that was not changed here never replaces a newer one: then the newer one is taken.
2. A document that was changed here replaces what is there, whatever sequence number that has.
3. What is only refreshed keeps its bytes, signature and sequence number, so devices that share an identity do not
   outbid each other, and no private key is needed.
4. A document is found only once a gateway has shown it with its sequence number; that one took it says less.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from web5.agent.publication.store import Publication, document_hash
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, encode, parse_relay_payload, version_of
from web5.dids.dht.gateways import Answer, Answers, Gateways, words
from web5.dids.models import PortableDid
from web5.errors import DidError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto

CONFLICT_ROUNDS = 3
"""How often one attempt outbids a newer document; more would mean that another device does the same."""


@dataclass(frozen=True)
class Announced:
    """A DID and the state of its publication, after or in the midst of an attempt."""

    portable_did: PortableDid
    publication: Publication


OnFound = Callable[[Announced], Awaitable[None]]


def published_elsewhere(portable_did: PortableDid, now: int) -> Publication:
    """What to assume of a DID that was not made here: what its own metadata say, to be checked at once.

    Parameters:
        now: microseconds since 1970.
    """
    at = now if portable_did.metadata.get("published") else None
    version = version_of(portable_did.metadata)
    return Publication(portable_did.uri, document_hash(portable_did), sequence=version, published=at, confirmed=at)


class Announcer:
    """Makes attempts; when, `web5.agent.publication.publisher` says."""

    def __init__(self, gateways: Gateways, crypto: Crypto, clock: Clock) -> None:
        self._gateways = gateways
        self._crypto = crypto
        self._clock = clock

    @property
    def uris(self) -> frozenset[str]:
        """The gateways."""
        return frozenset(self._gateways.uris)

    async def announce(self, held: Announced, on_found: OnFound) -> Announced:
        """Publish the document as it is held here, as a new version.

        Parameters:
            on_found: awaited as soon as a gateway shows it, while slower gateways are still being asked.

        Raises:
            Web5Error: no gateway took it; nothing has changed.
        """
        changed_here = held.publication.document_hash not in (None, document_hash(held.portable_did))
        above = max(held.publication.sequence or 0, version_of(held.portable_did.metadata))
        for _ in range(CONFLICT_ROUNDS):
            seq = max(dht.sequence_at(self._clock.now()), above + 1)
            item = await dht.sign_document(held.portable_did, self._crypto, seq, self._gateways.uris[0])
            delivery = _Delivery(held, item, on_found)
            conflict = await self._deliver(delivery)
            newest = (await self._gateways.survey(item.key)).newest if conflict else None
            if newest is None or newest.seq < seq or newest == item:
                return delivery.result()
            if not changed_here:
                return await self._take(held, newest, on_found)
            above = newest.seq
        return delivery.result()

    async def check(self, held: Announced, on_found: OnFound) -> Announced:
        """See what the gateways have, take it if it is newer, and give the newest to all of them again.

        Parameters:
            on_found: awaited as soon as a gateway has shown what is now held.

        Raises:
            Web5Error: no gateway took it, and none has it; or none was reached.
        """
        publication = held.publication
        answers = await self._gateways.survey(dht.identity_key(held.portable_did.uri))
        there, own = answers.newest, _own_item(held)
        if _is_lost(answers, own, publication) or _is_another(there, own):
            above = max(publication.sequence or 0, there.seq if there else 0)
            return await self.announce(replace(held, publication=replace(publication, sequence=above)), on_found)
        if there is not None and there.seq > (publication.sequence or 0):
            return await self._take(held, there, on_found)
        item = own or there
        if item is None:
            raise answers.error()
        delivery = _Delivery(held, item, on_found, shown=there is not None and there.seq == item.seq)
        await self._deliver(delivery)
        return delivery.result()

    async def _take(self, held: Announced, newer: SignedItem, on_found: OnFound) -> Announced:
        """Hold a document that was published elsewhere, and give it to the gateways that do not have it."""
        found = await dht.read_document(held.portable_did.uri, newer, self._crypto)
        metadata = {**held.portable_did.metadata, **found.metadata}
        taken = held.portable_did.model_copy(update={"document": found.document, "metadata": metadata})
        delivery = _Delivery(replace(held, portable_did=taken), newer, on_found, shown=True)
        await self._deliver(delivery)
        return delivery.result()

    async def _deliver(self, delivery: _Delivery) -> bool:
        """Give an item to all gateways; True if one refused it because it has something newer."""
        await delivery.tell(self._clock)
        conflict = False
        async with aclosing(self._gateways.put(delivery.item)) as answers:
            async for answer in answers:
                delivery.add(answer, self._clock)
                conflict = conflict or answer.conflict
                if answer.error is None and not delivery.shown:
                    seen = (await self._gateways.ask(answer.gateway, delivery.item.key)).item
                    delivery.shown = seen is not None and seen.seq >= delivery.item.seq
                    await delivery.tell(self._clock)
        return conflict


class _Delivery:
    """An item on its way to the gateways.

    Attributes:
        shown: a gateway has shown it (invariant 4).
    """

    def __init__(self, held: Announced, item: SignedItem, on_found: OnFound, *, shown: bool = False) -> None:
        self.item = item
        self.shown = shown
        self._before = held.publication
        self._portable_did = dht.with_version(held.portable_did, item.seq)
        self._on_found = on_found
        self._took: list[str] = []
        self._refused: list[Answer] = []
        self._published = held.publication.published
        self._shown_at: int | None = None

    def add(self, answer: Answer, clock: Clock) -> None:
        if answer.error is not None:
            self._refused.append(answer)
            return
        if not self._took:
            self._published = clock.now()
        self._took.append(answer.gateway)

    async def tell(self, clock: Clock) -> None:
        """Let it be known that the item is found, once."""
        if self.shown and self._shown_at is None:
            self._shown_at = clock.now()
            await self._on_found(self._so_far())

    def result(self) -> Announced:
        """What has become of it.

        Raises:
            DidError: no gateway has it.
        """
        if not self._took and not self.shown:
            raise DidError("internalError", self._refusals())
        return self._so_far()

    def _refusals(self) -> str:
        return words(self._refused, len(self._took) + len(self._refused))

    def _so_far(self) -> Announced:
        before, published, confirmed = self._before, self._published, self._before.confirmed
        if self._shown_at is not None:
            published = published or self._shown_at
            confirmed = max(published, self._shown_at)
        holders = {*self._took, *(before.holders if before.sequence == self.item.seq else ())}
        error = self._refusals() if self._refused else None
        return Announced(
            self._portable_did,
            replace(
                before,
                document_hash=document_hash(self._portable_did),
                item=encode(self.item),
                sequence=self.item.seq,
                published=published,
                confirmed=confirmed,
                holders=tuple(sorted(holders)),
                error=error if self.shown else error or "No gateway shows what was published yet.",
            ),
        )


def _own_item(held: Announced) -> SignedItem | None:
    payload = held.publication.item
    return None if payload is None else parse_relay_payload(dht.identity_key(held.portable_did.uri), payload)


def _is_lost(answers: Answers, own: SignedItem | None, publication: Publication) -> bool:
    """True if the gateways have nothing, or only something older, and the item that said it is not here either."""
    there = answers.newest
    return own is None and (answers.unknown if there is None else there.seq < (publication.sequence or 0))


def _is_another(there: SignedItem | None, own: SignedItem | None) -> bool:
    """True if two devices have published different documents in the same second."""
    return there is not None and own is not None and there.seq == own.seq and there.value != own.value
