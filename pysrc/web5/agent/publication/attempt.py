"""One attempt to have a DID document found by everybody: what to give to gateways, and what to make of their answers.

Invariants:
1. A newer document than the one that is known here is taken first, and nothing older ever replaces it: what was changed
   here is made to the newest one that the gateways have, whatever sequence number that has.
2. So before a document is published, all gateways are asked what they have, unless it was only just made.
3. What is only renewed keeps its bytes, signature and sequence number, so devices that share an identity do not
   outbid each other, and no private key is needed.
4. A document is found only once a gateway has shown it, and no newer one; that one took it says less.
5. The version before a document that cannot be published is renewed, so that the DID does not vanish with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from web5.agent.publication.documents import Wanted
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem
from web5.dids.dht.gateways import Answer, Answers, Gateways
from web5.dids.models import PortableDid
from web5.errors import DidError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto

CONFLICT_ROUNDS = 3
"""The number of times that one attempt publishes anew because something newer came meanwhile."""


@dataclass
class Delivery:
    """A document that is, or was, given to the gateways.

    Parameters:
        portable_did: the DID with the document, its version in its metadata.
        item: the document as a signed item.
        is_shown: a gateway has shown it (invariant 4).
        is_overtaken: a gateway has shown something newer.
        made_here: it was published from here.
        answers: of the gateways, as they come.
    """

    portable_did: PortableDid
    item: SignedItem
    is_shown: bool
    made_here: bool = False
    is_overtaken: bool = False
    answers: list[Answer] = field(default_factory=list)

    @property
    def refusals(self) -> str:
        """The reasons of the gateways that did not take it."""
        return Answers(self.answers).reason


@dataclass
class PublishAttempt:
    """An attempt for one DID.

    Parameters:
        wanted: the DID with the document that is held here.
        own: the item that was published from here last.
        on_newer: awaited with the DID as somebody else has published it; returns what is wanted then.
        on_found: awaited as soon as a gateway has shown what is delivered, while slower gateways are still being asked.
    """

    gateways: Gateways
    crypto: Crypto
    clock: Clock
    wanted: Wanted
    own: SignedItem | None
    on_newer: Callable[[PortableDid], Awaitable[Wanted]]
    on_found: Callable[[Delivery], Awaitable[None]]

    def __post_init__(self) -> None:
        self._version = max(self.wanted.version, self.own.seq if self.own else 0)

    async def run(self, *, new: bool) -> Delivery:
        """Publish the document, or renew what is published.

        Parameters:
            new: the DID was only just made here, so that nobody has anything of it.

        Raises:
            Web5Error: no gateway took it, and none has it; or none was reached.
        """
        delivery = await (self._publish() if new else self._look())
        if not delivery.is_shown and all(answer.error for answer in delivery.answers):
            raise DidError("internalError", delivery.refusals)
        return delivery

    async def _look(self) -> Delivery:
        """Take what the gateways have if it is newer; publish what was changed in it, or give all of them the newest.

        Nothing is published while no gateway says what is there.
        """
        answers = await self.gateways.survey(dht.identity_key(self.wanted.portable_did.uri))
        there, own = answers.newest, self.own
        if own is not None and there is not None and own.seq < there.seq:
            own = None  # somebody else has published since, be it the same document
        if there is None and all(answer.code != "notFound" for answer in answers.failed):
            if own is None or self.wanted.changed:
                raise answers.error()
            return await self._deliver(own, made_here=True)
        if there is not None and there.seq > self._version and not await self._take(there):
            return await self._deliver(there, is_shown=True)
        if self.wanted.changed:
            try:
                return await self._publish()
            except DidError:
                if (before := there or own) is not None:
                    await self._renew(before)
                raise
        if there is None or there.seq < self._version:
            return await (self._publish() if own is None else self._deliver(own, made_here=True))
        if own is not None and own.value != there.value:  # two devices have published in the same second
            return await self._publish()
        return await self._deliver(own or there, is_shown=True, made_here=own is not None)

    async def _renew(self, item: SignedItem) -> None:
        async with aclosing(self.gateways.put(item)) as answers:
            async for _ in answers:
                pass

    async def _publish(self) -> Delivery:
        now = dht.sequence_at(self.clock.now())
        for _ in range(CONFLICT_ROUNDS):
            seq = max(now, self._version + 1)
            item = await dht.sign_document(self.wanted.portable_did, self.crypto, seq, self.gateways.preferred)
            delivery = await self._deliver(item, made_here=True)
            told = [answer.clock for answer in delivery.answers if answer.clock is not None]
            if len(told) == len(delivery.answers) and max(*told, self._version + 1) < seq:
                now = max(told)  # this device's clock is ahead
                continue
            if not delivery.is_overtaken and not any(answer.conflict for answer in delivery.answers):
                break
            newest = (await self.gateways.survey(item.key)).newest
            if newest is None or newest.seq < seq or newest == item:
                break
            if not await self._take(newest):
                return await self._deliver(newest, is_shown=True)
        return delivery

    async def _take(self, newer: SignedItem) -> bool:
        """Take over a newer document that was published elsewhere; True if there is something to change in it."""
        held = self.wanted.portable_did
        found = await dht.read_document(held.uri, newer, self.crypto)
        taken = held.model_copy(update={"document": found.document, "metadata": {**held.metadata, **found.metadata}})
        self.wanted = await self.on_newer(dht.with_version(taken, newer.seq))
        self._version = newer.seq
        return self.wanted.changed

    async def _deliver(self, item: SignedItem, *, is_shown: bool = False, made_here: bool = False) -> Delivery:
        portable_did = dht.with_version(self.wanted.portable_did, item.seq)
        delivery = Delivery(portable_did, item, is_shown, made_here)
        if is_shown:
            await self.on_found(delivery)
        async with aclosing(self.gateways.put(item)) as answers:
            async for answer in answers:
                delivery.answers.append(answer)
                if answer.error is None and not delivery.is_shown:
                    await self._check_shown(delivery, answer)
        return delivery

    async def _check_shown(self, delivery: Delivery, answer: Answer) -> None:
        item = delivery.item
        seen = (await self.gateways.ask(answer.gateway, item.key)).item
        if seen is not None and (seen.seq, seen.value) == (item.seq, item.value):
            delivery.is_shown = True
            await self.on_found(delivery)
        elif seen is not None and seen.seq >= item.seq:
            delivery.is_overtaken = True
