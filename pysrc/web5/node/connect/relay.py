"""Texts that wait at the relay until somebody takes them, once, or are gone after ten minutes.

Invariants:
1. What was left is given to one who asks, once; never after `KEPT_SECONDS`.
2. What is held is bounded, and so is the share of one address. Nothing that is held makes room for something else, so
   nobody can drive out what others have left.
3. Only compact JWEs are taken: this node cannot read what it relays, and is no place for files.

Source: `src/web5-connect/web5-connect-server.ts` of `@web5/dwn-server` 0.6.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from web5.budget import Budget
from web5.dwn.store.database import Database
from web5.errors import Web5Error
from web5.lru import LruCache
from web5.node.limits import KIB, MIB
from web5.ports.clock import Clock

KEPT_SECONDS = 600
"""The reference's `ttlInSeconds`."""

Kind = Literal["request", "response"]

_JWE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,512}")
_SCHEMA = (
    """
    CREATE TABLE left_to_connect (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        text TEXT NOT NULL,
        address TEXT NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID;
    CREATE INDEX left_to_connect_by_expires ON left_to_connect (expires);
    CREATE INDEX left_to_connect_by_address ON left_to_connect (address);
    """,
)


@dataclass(frozen=True)
class RelayLimits:
    """Bounds on what strangers can leave.

    Parameters:
        text: characters of one request or response. Grants of a protocol have some 30 KiB.
        held: characters of all that is held.
        of_address: texts of one address that are held.
        burst: texts that an address may leave at once.
        per_minute: texts that it may leave in the long run.
        asked_burst, asked_per_minute: the same for questions whether something is there; an app asks every few seconds.
        addresses: addresses that are remembered.
    """

    text: int = 512 * KIB
    held: int = 64 * MIB
    of_address: int = 100
    burst: int = 60
    per_minute: int = 30
    asked_burst: int = 300
    asked_per_minute: int = 600
    addresses: int = 10_000


class Refused(Web5Error):
    """Something that is not taken, or given.

    Parameters:
        status: of HTTP.
        seconds: after which it may be tried again; None: not as it is.
    """

    def __init__(self, status: int, message: str, seconds: int | None = None) -> None:
        self.status = status
        self.seconds = seconds
        super().__init__(message)


class Relay:
    """The texts that apps and wallets have left for each other.

    Parameters:
        database: keeps it; the caller opens and closes it.
    """

    def __init__(self, database: Database, clock: Clock, limits: RelayLimits | None = None) -> None:
        database.check_version({"connect": _SCHEMA})
        database.migrate("connect", _SCHEMA)
        self.limits = limits or RelayLimits()
        self._database = database
        self._clock = clock
        self._leaving: LruCache[str, Budget] = LruCache(self.limits.addresses)
        self._asking: LruCache[str, Budget] = LruCache(self.limits.addresses)

    async def leave(self, kind: Kind, name: str, text: object, address: str) -> None:
        """Hold a text until somebody takes it.

        Parameters:
            name: by which it is asked for: letters, digits and "._~-".
            address: of the one who leaves it.

        Raises:
            Refused: it is malformed (400), too large (413), too much of this address (429), or of all (503), or under
                this name something is held already (409).
        """
        limits, now = self.limits, self._now()
        if not isinstance(text, str) or not _NAME.fullmatch(name):
            raise Refused(400, "Bad Request")
        if len(text) > limits.text:
            raise Refused(413, f"Content Too Large: at most {limits.text} characters")
        if not _JWE.fullmatch(text):
            raise Refused(400, "Bad Request: only an encrypted object (a compact JWE) is relayed")
        _charge(self._leaving, address, limits.burst, limits.per_minute, self._clock)

        def leave() -> None:
            db = self._database.connection
            db.execute("DELETE FROM left_to_connect WHERE expires <= ?", (now,))
            [(of_address,)] = db.execute("SELECT count(*) FROM left_to_connect WHERE address = ?", (address,))
            [(held,)] = db.execute("SELECT ifnull(sum(length(text)), 0) FROM left_to_connect")
            if of_address >= limits.of_address:
                raise Refused(429, "Too Many Requests: take what was left before", KEPT_SECONDS)
            if held + len(text) > limits.held:
                raise Refused(503, "Service Unavailable: too much waits to be taken", KEPT_SECONDS)
            row = (kind, name, text, address, now + KEPT_SECONDS)
            query = "INSERT INTO left_to_connect VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"
            if not db.execute(query, row).fetchall():
                raise Refused(409, "Conflict")

        await self._database.commit(leave)

    async def take(self, kind: Kind, name: str, address: str, *, only_look: bool = False) -> str | None:
        """Return what was left under a name, and hold it no longer; None if there is nothing.

        Parameters:
            only_look: go on to hold it.

        Raises:
            Refused: this address asks too often (429).
        """
        _charge(self._asking, address, self.limits.asked_burst, self.limits.asked_per_minute, self._clock)
        db, values = self._database.connection, (kind, name, self._now())
        where = "FROM left_to_connect WHERE kind = ? AND name = ? AND expires > ?"
        if only_look:
            found = await self._database.read(lambda: db.execute(f"SELECT text {where}", values).fetchall())
        else:
            query = f"DELETE {where} RETURNING text"
            found = await self._database.commit(lambda: db.execute(query, values).fetchall(), of=name)
        return str(found[0][0]) if found else None

    def _now(self) -> int:
        return self._clock.now() // 1_000_000


def _charge(known: LruCache[str, Budget], address: str, burst: int, per_minute: int, clock: Clock) -> None:
    now = clock.monotonic()
    if (budget := known.get(address)) is None:
        budget = Budget(burst, per_minute)
        known.put(address, budget)
    if (left := budget.left(now)) < 1:
        raise Refused(429, "Too Many Requests", -int((left - 1) * 60 // per_minute))
    budget.spend(1, now)
