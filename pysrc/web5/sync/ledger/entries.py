"""What the two sides of the ledger have in common: a row is one message that is not settled with one endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import apsw

from web5.sync.plan.policy import LONGEST
from web5.sync.states import State

Table = Literal["sync_in", "sync_out"]


@dataclass(frozen=True, slots=True)
class Row:
    """`order` is the message's place in the log it comes from; the rest is as in `states.Unsettled`."""

    order: int
    cid: str
    state: State
    code: int
    detail: str
    attempts: int
    next_try: int | None
    waits_for: str | None = None
    since: int | None = None


def is_due(now: int) -> tuple[str, tuple[int, int]]:
    """SQL that is true of a row that may be tried at `now` (microseconds), and its values."""
    return "(next_try IS NULL OR next_try <= ? OR next_try > ?)", (now, now + int(LONGEST * 1_000_000))


def rows(
    db: apsw.Connection,
    table: Table,
    order: Literal["position", "seq"],
    where: str,
    values: Sequence[str | int],
    limit: int = -1,
) -> list[Row]:
    """The rows that `where` (this package's own SQL) picks, in their order; -1: no limit."""
    found = db.execute(
        f"SELECT {order}, cid, state, code, detail, attempts, next_try, waits_for, since FROM {table}"
        f" WHERE {where} ORDER BY {order} LIMIT ?",
        (*values, limit),
    )
    return [Row(place, cid, State(state), *rest) for place, cid, state, *rest in found]


def counts(db: apsw.Connection, table: Table, endpoint: int) -> tuple[int, int]:
    """How many unsettled rows the endpoint has, and how many of them were refused or blocked."""
    found = db.execute(
        f"SELECT count(*), count(*) FILTER (WHERE state IN ('refused', 'blocked')) FROM {table}"
        " WHERE endpoint = ? AND state <> 'settled'",
        (endpoint,),
    ).fetchone()
    return (found[0], found[1]) if found else (0, 0)


def next_due(db: apsw.Connection, table: Table, endpoint: int) -> int | None:
    """When the first row that must not be tried yet may be tried; None if there is none."""
    found = db.execute(
        f"SELECT min(next_try) FROM {table} WHERE endpoint = ? AND state <> 'settled'", (endpoint,)
    ).fetchone()
    return found[0] if found else None


def release(db: apsw.Connection, table: Table, endpoint: int, keys: Sequence[str]) -> None:
    """Let what waits for one of these be tried again. Inside a transaction."""
    # Left to itself, SQLite looks at every row of the endpoint.
    db.executemany(
        f"UPDATE {table} INDEXED BY {table}_waiting SET next_try = NULL"
        " WHERE endpoint = ? AND waits_for = ? AND next_try IS NOT NULL",
        [(endpoint, key) for key in keys],
    )


def retry(db: apsw.Connection, table: Table, endpoint: int, cid: str | None) -> int:
    """Let a message, or everything, be tried at the next visit, whatever its backoff; how many that are."""
    db.execute(
        f"UPDATE {table} SET next_try = NULL WHERE endpoint = ? AND state <> 'settled' AND ifnull(cid = ?, 1)",
        (endpoint, cid),
    )
    return db.changes()
