"""In which order messages go to one endpoint, and what its replies change: pure, no clock, no sockets, no database.

Invariants:
1. Messages of one record are sent one at a time, in the order of the local event log: the initial write first.
2. A message is not sent before an earlier one of its parent record has its reply.
3. A message that is not of a record (a protocol definition) is sent alone: after everything before it, before
   everything after it.
4. Nothing of a record is sent in this visit after one of its messages failed: it waits, and says for which.
5. Until the endpoint's first reply, one request is in flight; then up to `width`.
6. After a failure that means the whole endpoint (`Halt.ENDPOINT`), or `FAILURES_IN_A_ROW` of the node, nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from web5.sync.plan.dependencies import record_key
from web5.sync.plan.ordering import ALONE
from web5.sync.plan.policy import FAILURES_IN_A_ROW, Halt, Verdict, node_failed, waiting_for
from web5.sync.states import State

WIDTH = 6
"""Requests in flight to one endpoint: a dwn-server takes a write in 10 ms then, where it needs 15 ms for one alone."""


@dataclass(slots=True)
class Item:
    """One message on its way to one endpoint."""

    seq: int
    cid: str
    lane: str
    parent: str | None = None
    provides: tuple[str, ...] = ()
    sent: bool = False


@dataclass(slots=True)
class PushPlan:
    """The order of one endpoint's pushes in one visit. Add items in ascending `seq`."""

    width: int = WIDTH
    halted: Verdict | None = None
    _items: dict[int, Item] = field(default_factory=dict)
    _failed: dict[str, str] = field(default_factory=dict)
    _in_flight: int = 0
    _answered: bool = False
    _failures: int = 0

    def add(self, item: Item) -> None:
        """Take an item into the plan."""
        self._items[item.seq] = item

    def __len__(self) -> int:
        """Items that have no outcome yet."""
        return len(self._items)

    def ready(self) -> list[Item]:
        """What to send now; it counts as in flight until `done`."""
        room = 0 if self.halted else (self.width if self._answered else 1) - self._in_flight
        chosen: list[Item] = []
        ahead: set[str] = set()
        for item in self._items.values():
            if len(chosen) >= room or ALONE in ahead or (item.lane == ALONE and ahead):
                break
            if not (item.sent or item.lane in ahead or item.parent in ahead):
                item.sent = True
                chosen.append(item)
            ahead.add(item.lane)
        self._in_flight += len(chosen)
        return chosen

    def done(self, item: Item, verdict: Verdict) -> list[tuple[Item, Verdict]]:
        """Take the outcome of an item that was `ready`; returns the outcomes to record, followers' included."""
        self._in_flight -= 1
        self._items.pop(item.seq, None)
        self._answered = self._answered or verdict.code != 0
        self._failures = self._failures + 1 if node_failed(verdict) else 0
        if not verdict.settled and (verdict.halt is Halt.ENDPOINT or self._failures >= FAILURES_IN_A_ROW):
            self.halted = self.halted or verdict
        if verdict.settled or verdict.state is State.PENDING or item.lane == ALONE:
            return [(item, verdict)]
        self._failed[item.lane] = item.cid
        return [(item, verdict), *self._give_up(item.lane)]

    def _give_up(self, lane: str) -> list[tuple[Item, Verdict]]:
        followers = [item for item in self._items.values() if item.lane == lane]
        for item in followers:
            del self._items[item.seq]
        return [(item, self.waits(item)) for item in followers]

    def waits_already(self, item: Item) -> bool:
        """True if an earlier message of the item's record failed in this visit, so that it need not be added."""
        return item.lane in self._failed

    def waits(self, item: Item) -> Verdict:
        """The verdict on an item whose record's earlier message failed."""
        return waiting_for(record_key(item.lane), f"the earlier message {self._failed[item.lane]} of the same record")
