"""The connections of a server, each with a deadline for what the node waits for, and a cap on their number.

Invariants:
1. Whoever the node waits for, with a request, its body or room for an answer, must come to the end or move at least
   `ConnectionLimits.slowest` bytes a second, or is disconnected. That the node itself is slow is held against nobody.
2. A connection that cannot be had without passing a limit takes the place of the oldest one without a request: of its
   own address if that has its fill, else of the address with the most. Where there is none, it is answered 503.
3. So nobody makes the node unreachable for another address, and what is open never exhausts the process's descriptors.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from web5.node.limits import KIB, address_of

DESCRIPTORS_BESIDE = 100
"""Open files that are no connections: databases, what is being accepted."""

BATCH = 32
"""Connections that are accepted at a time before their limit is looked at; they count among `DESCRIPTORS_BESIDE`."""


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds on connections; times are in seconds.

    Parameters:
        connections: the most altogether; less if the process may not have so many descriptors (`allowed`).
        per_address: the most of one address; None: half of them all, so that behind a proxy, all of whose clients come
            from one address, the node still serves half as many.
        head: for the head of a request, unless it comes faster than `slowest`.
        body: likewise for a request's body, and for the rest of a WebSocket's message.
        taking: likewise for taking an answer.
        idle: between two requests. Longer than proxies keep connections (60 s), so that they end them.
        slowest: bytes a second.
    """

    connections: int = 1000
    per_address: int | None = None
    head: float = 10.0
    body: float = 15.0
    taking: float = 20.0
    idle: float = 75.0
    slowest: int = KIB

    @property
    def allowed(self) -> int:
        """The connections that there may be: each can need a second descriptor, for a record's data."""
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if descriptors == resource.RLIM_INFINITY:
            return self.connections
        return max(1, min(self.connections, (descriptors - DESCRIPTORS_BESIDE) // 2))


class Connection(Protocol):
    """A connection, as the protocol that serves it knows it."""

    transport: asyncio.Transport

    def is_idle(self) -> bool:
        """Return True if there is no request whose answer the client waits for."""

    def waits_for(self) -> tuple[str, int] | None:
        """Return what the client has to do, by the name of its deadline, and how many bytes of it were moved."""


@dataclass(eq=False)
class _Entry:
    connection: Connection
    address: str
    waits_for: str | None = None
    since: float = 0.0
    moved: int = 0


@dataclass(eq=False)
class Connections:
    """The connections of one server, by their transports, the oldest first."""

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    _entries: dict[asyncio.Transport, _Entry] = field(default_factory=dict)
    _by_address: dict[str, dict[_Entry, None]] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self._most = self.limits.allowed
        self._most_per_address = self.limits.per_address or max(1, self._most // 2)
        self._tick = min(1.0, self.limits.head / 4, self.limits.body / 4, self.limits.taking / 4)

    def admit(self, connection: Connection) -> bool:
        """Take in a connection that was accepted; return False if there is no room for it."""
        address = address_of(connection.transport.get_extra_info("peername"))
        own = self._by_address.get(address, {})
        if len(own) >= self._most_per_address:
            if not self._give_up(own, only_idle=True):
                return False
        elif len(self._entries) >= self._most:
            largest = max(self._by_address.values(), key=len)
            is_fair = len(largest) > len(own) + 1
            if not self._give_up(largest if is_fair else own, only_idle=not is_fair):
                return False
        entry = _Entry(connection, address)
        self._entries[connection.transport] = entry
        self._by_address.setdefault(address, {})[entry] = None
        if self._timer is None:
            self._plan()
        return True

    def hand_over(self, connection: Connection) -> None:
        """Let another protocol speak for the connection of its transport."""
        if (entry := self._entries.get(connection.transport)) is not None:
            entry.connection, entry.waits_for = connection, None

    def drop(self, transport: asyncio.Transport) -> None:
        """Forget a connection that is lost."""
        if (entry := self._entries.pop(transport, None)) is not None:
            of_address = self._by_address[entry.address]
            del of_address[entry]
            if not of_address:
                del self._by_address[entry.address]

    def _give_up(self, entries: Iterable[_Entry], *, only_idle: bool) -> bool:
        candidates = list(entries)
        idle = (entry for entry in candidates if entry.connection.is_idle())
        if (entry := next(idle, None if only_idle else candidates[0])) is None:
            return False
        entry.connection.transport.abort()
        self.drop(entry.connection.transport)
        return True

    def _plan(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._tick_over)

    def _tick_over(self) -> None:
        self._timer = None
        self.look(asyncio.get_running_loop().time())
        if self._entries:
            self._plan()

    def look(self, now: float) -> None:
        """Disconnect who is overdue at a time, in seconds; to be called again and again."""
        for entry in list(self._entries.values()):
            if self._is_overdue(entry, now):
                entry.connection.transport.abort()

    def _is_overdue(self, entry: _Entry, now: float) -> bool:
        name, moved = entry.connection.waits_for() or (None, 0)
        if name is None:
            entry.waits_for = None
            return False
        seconds: float = getattr(self.limits, name)
        if name != entry.waits_for or moved - entry.moved >= self.limits.slowest * seconds:
            entry.waits_for, entry.since, entry.moved = name, now, moved
        return now >= entry.since + seconds
