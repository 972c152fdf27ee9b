"""What flowed between this node and the remote ones in the last hour, minute by minute, from the events of sync."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from web5.sync import EndpointStatus, SyncEvent

MINUTES = 60


@dataclass(slots=True)
class _Minute:
    sent: int = 0
    fetched: int = 0
    bytes: int = 0
    delay: float = 0.0


class LastHour:
    """The minutes of the last hour in which something flowed; older ones are forgotten.

    Parameters:
        statuses: returns those of all endpoints.
        clock: seconds since 1970.
    """

    def __init__(
        self, statuses: Callable[[], Iterable[EndpointStatus]], clock: Callable[[], float] = time.time
    ) -> None:
        self._statuses = statuses
        self._clock = clock
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()
        self._visits: dict[tuple[str, str, str | None], tuple[int, int]] = {}
        self._since: float | None = None

    def wrote(self, tenant: str, message_cid: str) -> None:
        """Note that something is new here: the time runs until all nodes have it."""
        if self._since is None:
            self._since = self._clock()

    def hear(self, event: SyncEvent) -> None:
        """Note what an event of sync says."""
        if event.kind == "progress":
            self._moved(event)
        elif event.kind == "endpoint":  # a visit began or has ended
            for direction in ("push", "pull"):
                self._visits.pop((event.tenant, event.endpoint, direction), None)
            self._look()

    def told(self) -> dict[str, Any]:
        """Return the minutes, the oldest first: messages sent and fetched, bytes, and the longest delay in seconds."""
        now = self._now()
        minutes = [self._minutes.get(at) or _Minute() for at in range(now - MINUTES + 1, now + 1)]
        return {
            "sent": [one.sent for one in minutes],
            "fetched": [one.fetched for one in minutes],
            "bytes": [one.bytes for one in minutes],
            "delays": [round(one.delay, 1) for one in minutes],
        }

    def _moved(self, event: SyncEvent) -> None:
        key = (event.tenant, event.endpoint, event.direction)
        done, size = self._visits.get(key, (0, 0))
        at = max(done, event.done), max(size, event.bytes)
        self._visits[key] = at
        minute = self._minute()
        minute.bytes += at[1] - size
        if event.direction == "push":
            minute.sent += at[0] - done
        else:
            minute.fetched += at[0] - done

    def _look(self) -> None:
        """See whether all nodes have what is here."""
        if self._since is None:
            return
        nodes = [one for one in self._statuses() if one.endpoint]
        if any(one.pending_out for one in nodes):
            return
        if nodes:
            minute = self._minute()
            minute.delay = max(minute.delay, self._clock() - self._since)
        self._since = None

    def _minute(self) -> _Minute:
        now = self._now()
        if now not in self._minutes:
            self._minutes[now] = _Minute()
            while len(self._minutes) > MINUTES:
                self._minutes.popitem(last=False)
        return self._minutes[now]

    def _now(self) -> int:
        return int(self._clock() // 60)
