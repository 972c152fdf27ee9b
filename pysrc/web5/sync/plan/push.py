"""The order in which messages go to one endpoint, and the effect of its replies: pure, no clock, sockets or database.

Invariants:
1. Messages of one record are sent one at a time, in the order of the local event log: the initial write first.
2. A message is not sent before an earlier one of its parent record has its reply.
3. A message that others depend on in their order is sent alone: after everything before it, before everything after
   it. These are the definitions of protocols, and the ends of grants.
4. Nothing of a record is sent in this visit after one of its messages failed: it waits, and says for which.
5. Until the endpoint's first reply, one request is in flight; then up to `WIDTH`.
6. A message that is refused for want of another does not wait for that one if it got there while it was under way.
7. After a failure of the whole endpoint (`ends_visit`), or `FAILURES_IN_A_ROW` of the node, nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from web5.sync.plan.dependencies import NO_RECORD, record_key
from web5.sync.plan.policy import AT_NEXT_VISIT, FAILURES_IN_A_ROW, Outcome, node_failed, waiting_for
from web5.sync.states import State

WIDTH = 6
"""Requests in flight to one endpoint: a dwn-server takes a write in 10 ms then, where it needs 15 ms for one alone."""


@dataclass(slots=True)
class Item:
    """One message on its way to one endpoint, where it provides these dependency keys; `alone`: see invariant 3.

    Attributes:
        settled_before: how many messages had got there when it was sent.
    """

    seq: int
    cid: str
    ordering_key: str
    parent: str | None = None
    provides: tuple[str, ...] = ()
    alone: bool = False
    sent: bool = False
    settled_before: int = 0

    @property
    def goes_alone(self) -> bool:
        return self.alone or self.ordering_key == NO_RECORD


@dataclass(slots=True)
class PushPlan:
    """The order of one endpoint's pushes in one visit. Add items in the order in which they are to be sent."""

    halted: Outcome | None = None
    _items: dict[int, Item] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _settled: int = 0
    _provided: dict[str, int] = field(default_factory=dict)
    _in_flight: int = 0
    _answered: bool = False
    _failures: int = 0

    def add(self, item: Item) -> None:
        self._items[item.seq] = item

    def __contains__(self, seq: int) -> bool:
        """Return True if an item has no outcome yet."""
        return seq in self._items

    def __len__(self) -> int:
        """Return the number of items without an outcome."""
        return len(self._items)

    def ready(self) -> list[Item]:
        """Return the items to send now; each counts as in flight until `done`."""
        room = 0 if self.halted else (WIDTH if self._answered else 1) - self._in_flight
        chosen: list[Item] = []
        ahead: set[str] = set()
        for item in self._items.values():
            key = item.ordering_key
            if len(chosen) >= room or (item.goes_alone and ahead):
                break
            if not (item.sent or key in ahead or item.parent in ahead):
                item.sent, item.settled_before = True, self._settled
                chosen.append(item)
            if item.goes_alone:
                break
            ahead.add(key)
        self._in_flight += len(chosen)
        return chosen

    def done(self, item: Item, outcome: Outcome) -> list[tuple[Item, Outcome]]:
        """Take the outcome of an item that was `ready`; return the outcomes to record, its followers' included."""
        self._in_flight -= 1
        self._items.pop(item.seq, None)
        self._answered = self._answered or outcome.code != 0
        self._failures = self._failures + 1 if node_failed(outcome) else 0
        if not outcome.settled and (outcome.ends_visit or self._failures >= FAILURES_IN_A_ROW):
            self.halted = self.halted or outcome
        if outcome.settled:
            self._settled += 1
            self._provided.update(dict.fromkeys(item.provides, self._settled))
        elif self._provided.get(outcome.waits_for or "", 0) > item.settled_before:
            outcome = replace(outcome, backoff=AT_NEXT_VISIT)
        if outcome.settled or outcome.state is State.PENDING or item.ordering_key == NO_RECORD:
            return [(item, outcome)]
        self._failed[item.ordering_key] = item.cid
        held_back = [(one, reason) for one in self._items.values() if (reason := self.held_back(one))]
        for one, _ in held_back:
            del self._items[one.seq]
        return [(item, outcome), *held_back]

    def held_back(self, item: Item) -> Outcome | None:
        """Return the outcome of an item whose record's earlier message failed in this visit; None if none did."""
        failed = self._failed.get(item.ordering_key)
        if failed is None:
            return None
        return waiting_for(record_key(item.ordering_key), f"the earlier message {failed} of the same record")
