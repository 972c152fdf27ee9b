"""The deliberate faults of storage, for the table in `mutants`: each gets the original, and gives its substitute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from web5.dwn.store.durable.flusher import Flusher
from web5.sync.exchange.taking.arrivals import Arrivals


def missing_is_settled(damaged_here: Any) -> Any:
    return lambda cid, error: replace(damaged_here(cid, error), state=None)


def failed_read_is_gone(record: Any) -> Any:
    def fault(self: Arrivals, cid: str, outcome: Any) -> None:
        if outcome.waits_for or outcome.settled:
            record(self, cid, outcome)
        else:
            self._inbox.gone(self._id, cid)

    return fault


def blobs_stay(drop_blobs: Any) -> Any:
    def fault(self: Any, tenant: int, record_id: str, *, keep: str | None) -> list[str]:
        drop_blobs(self, tenant, record_id, keep=keep)
        return []

    return fault


def is_not_looked_after(probe: Any) -> Any:
    return lambda self: None


def loss_is_a_failure(lose: Any) -> Any:
    """Take a storage that was gone for one that has what it had."""

    def fault(self: Flusher, detail: str) -> None:
        self.health.losses += 1

    return fault


def reserve_is_kept(begin: Any) -> Any:
    return lambda self, *, makes_room: begin(self, makes_room=False)
