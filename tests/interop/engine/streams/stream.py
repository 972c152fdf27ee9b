"""A seeded stream of messages that covers every interface, role, grant and bad input.

A seed gives the same stream every time, to the last byte. What comes depends on what was sent before and never on the
replies: steps can be dropped from a stream (`shrink`),
and messages about things that are not there come by themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.interop.engine.streams.gate import Gate
from tests.interop.engine.streams.mutations import Mutations
from tests.interop.engine.streams.odd_writes import OddWrites
from tests.interop.engine.streams.permits import Permits
from tests.interop.engine.streams.protocols import Protocols
from tests.interop.engine.streams.questions import Questions
from tests.interop.engine.streams.step import Step
from tests.interop.engine.streams.world import World
from tests.interop.engine.streams.writes import Writes

Maker = Callable[[], Step]

FIRST = 8
"""Steps at the start that lay the ground: protocols, and roles and grants under them."""
HELD_BACK = 0.03
"""The share of messages that are delivered later than they were made."""


class Stream:
    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self._held: list[Step] = []
        self._gate = Gate(self.world)
        writes, permits = Writes(self.world), Permits(self.world)
        odd = OddWrites(self.world, writes)
        protocols, questions = Protocols(self.world), Questions(self.world)
        self._ground: list[Maker] = [protocols.configure, protocols.configure, writes.role_record, permits.grant]
        self._good: dict[Maker, float] = {
            writes.flat_record: 6,
            writes.protocol_record: 16,
            writes.role_record: 5,
            writes.update: 14,
            writes.delete: 6,
            writes.again: 3,
            writes.retained: 2,
            protocols.configure: 2,
            protocols.query: 3,
            permits.request: 1.5,
            permits.grant: 5,
            permits.grant_by_delegate: 0.7,
            permits.revoke: 1.5,
            questions.query: 12,
            questions.next_page: 5,
            questions.read: 9,
            questions.subscribe: 2,
            questions.unsubscribe: 1,
            questions.messages_query: 4,
            questions.messages_read: 4,
            questions.messages_subscribe: 1,
        }
        bad = Mutations(self.world, [maker for maker in self._good if maker != questions.unsubscribe])
        self._kinds = self._good | {
            protocols.faulty: 4,
            odd.odd: 7,
            odd.odd_encryption: 3,
            odd.moved: 2,
            odd.dataless_update: 2,
            odd.bad_delegate: 3,
            bad.changed: 7,
            bad.changed_descriptor: 8,
            bad.changed_claims: 4,
            bad.forged: 4,
            bad.whole: 1,
        }

        self._tempered()

    def _tempered(self) -> None:
        """Every seed has its own likings, so that some streams have little of this and much of that."""
        for maker in self._kinds:
            self._kinds[maker] *= self.world.one((0.3, 1, 1, 1, 2.5))

    def steps(self, count: int) -> list[Step]:
        """The next steps of the stream."""
        return [self.step() for _ in range(count)]

    def step(self) -> Step:
        world = self.world
        if self._held and world.maybe(HELD_BACK):
            step = self._held.pop(world.rng.randrange(len(self._held)))
        else:
            step = self._made()
            if step.closes is None and world.maybe(HELD_BACK):
                self._held.append(step)
                step = self._made()
        step.refused = self._gate.refused()
        world.sent.append(step)
        return step

    def _made(self) -> Step:
        world = self.world
        if len(world.sent) < FIRST:
            maker = self._ground[len(world.sent) % len(self._ground)]
        else:
            maker = world.weighted(self._kinds)
        step = maker()
        step.then()
        return step
