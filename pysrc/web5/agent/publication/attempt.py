"""One attempt to have a DID document found by everybody: what to give to gateways, and what to make of their answers.

Invariants:
1. A document that was not changed here never replaces a newer one: then the newer one is taken.
2. A document that was changed here replaces what is there, whatever sequence number that has.
3. What is only renewed keeps its bytes, signature and sequence number, so devices that share an identity do not
   outbid each other, and no private key is needed.
4. A document is found only once a gateway has shown it with its sequence number; that one took it says less.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, version_of
from web5.dids.dht.gateways import Answer, Answers, Gateways
from web5.dids.models import PortableDid
from web5.errors import DidError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto

CONFLICT_ROUNDS = 3
"""The number of times that one attempt outbids a newer document; more would mean that another device does the same."""


@dataclass
class Delivery:
    """A document that is, or was, given to the gateways.

    Parameters:
        portable_did: the DID with the document, its version in its metadata.
        item: the document as a signed item.
        is_shown: a gateway has shown it (invariant 4).
        answers: of the gateways, as they come.
    """

    portable_did: PortableDid
    item: SignedItem
    is_shown: bool
    answers: list[Answer] = field(default_factory=list)

    @property
    def refusals(self) -> str:
        """The reasons of the gateways that did not take it."""
        return Answers(self.answers).reason


@dataclass
class PublishAttempt:
    """An attempt for one DID.

    Parameters:
        portable_did: the DID with the document that is held here.
        own: the item that was published from here last.
        on_found: awaited as soon as a gateway has shown what is delivered, while slower gateways are still being asked.
    """

    gateways: Gateways
    crypto: Crypto
    clock: Clock
    portable_did: PortableDid
    own: SignedItem | None
    on_found: Callable[[Delivery], Awaitable[None]]

    async def run(self, *, changed: bool) -> Delivery:
        """Publish the document, or renew what is published.

        Parameters:
            changed: the document was changed here, so that it becomes a new version. Else what the gateways have is
                taken if it is newer, and the newest is given to all of them again.

        Raises:
            Web5Error: no gateway took it, and none has it; or none was reached.
        """
        version = version_of(self.portable_did.metadata)
        if changed:
            # The version of a document that is out nowhere is this device's time, which may have been ahead.
            known = version if self.portable_did.metadata.get("published") else 0
            delivery = await self._publish(max(known, self.own.seq if self.own else 0), outbid=True)
        else:
            delivery = await self._renew(self.own.seq if self.own else version)
        if not delivery.is_shown and all(answer.error for answer in delivery.answers):
            raise DidError("internalError", delivery.refusals)
        return delivery

    async def _renew(self, version: int) -> Delivery:
        answers = await self.gateways.survey(dht.identity_key(self.portable_did.uri))
        there, own = answers.newest, self.own
        if there is None or there.seq < version:
            if own is not None:
                return await self._deliver(self.portable_did, own)
            if there is None and all(answer.code != "notFound" for answer in answers.failed):
                raise answers.error()
            return await self._publish(version)
        if there.seq > version:
            return await self._take(there)
        if own is not None and own.value != there.value:  # two devices have published in the same second
            return await self._publish(version)
        return await self._deliver(self.portable_did, own or there, is_shown=True)

    async def _publish(self, above: int, *, outbid: bool = False) -> Delivery:
        now = dht.sequence_at(self.clock.now())
        for _ in range(CONFLICT_ROUNDS):
            seq = max(now, above + 1)
            item = await dht.sign_document(self.portable_did, self.crypto, seq, self.gateways.uris[0])
            delivery = await self._deliver(self.portable_did, item)
            told = [answer.clock for answer in delivery.answers if answer.clock is not None]
            if len(told) == len(delivery.answers) and max(*told, above + 1) < seq:
                now = max(told)  # this device's clock is ahead
                continue
            if not any(answer.conflict for answer in delivery.answers):
                break
            newest = (await self.gateways.survey(item.key)).newest
            if newest is None or newest.seq < seq or newest == item:
                break
            if not outbid:
                return await self._take(newest)
            above = newest.seq
        return delivery

    async def _take(self, newer: SignedItem) -> Delivery:
        """Hold a document that was published elsewhere, and give it to the gateways that do not have it."""
        found = await dht.read_document(self.portable_did.uri, newer, self.crypto)
        metadata = {**self.portable_did.metadata, **found.metadata}
        taken = self.portable_did.model_copy(update={"document": found.document, "metadata": metadata})
        return await self._deliver(taken, newer, is_shown=True)

    async def _deliver(self, portable_did: PortableDid, item: SignedItem, *, is_shown: bool = False) -> Delivery:
        delivery = Delivery(dht.with_version(portable_did, item.seq), item, is_shown)
        if is_shown:
            await self.on_found(delivery)
        async with aclosing(self.gateways.put(item)) as answers:
            async for answer in answers:
                delivery.answers.append(answer)
                if answer.error is None and not delivery.is_shown:
                    seen = (await self.gateways.ask(answer.gateway, item.key)).item
                    if seen is not None and seen.seq >= item.seq:
                        delivery.is_shown = True
                        await self.on_found(delivery)
        return delivery
