"""The work of SQLite for something, whatever the machine: steps of its virtual machine, and plans of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import apsw
from apsw.ext import query_info

from web5.dwn.store.schema import Columns

GROWING = ("dwn_message", "dwn_tag", "sync_out", "sync_in", "sync_ahead")
"""Tables that grow with the store, or with what is pending."""


@dataclass
class Work:
    """The statements that were run, with the steps that each took, its triggers included."""

    statements: list[tuple[str, int]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return sum(steps for _, steps in self.statements)

    def scans(self, db: apsw.Connection) -> list[str]:
        """Return the statements whose plan reads a growing table from one end to the other, with that plan."""
        found = []
        for sql in {
            sql: None for sql, _ in self.statements if sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        }:
            unbound = [None] * query_info(db, sql).bindings_count
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", unbound).fetchall()]
            scanned = {line.split()[1] for line in plan if line.startswith("SCAN")}
            if scanned.intersection(GROWING):
                found.append(f"{sql}: {plan}")
        return found


@contextmanager
def measured(db: apsw.Connection) -> Iterator[Work]:
    """Note what is run on a connection."""
    work = Work()

    def note(event: dict[str, Any]) -> None:
        work.statements.append((event["sql"], event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]))

    db.trace_v2(apsw.SQLITE_TRACE_PROFILE, note, id=note)
    try:
        yield work
    finally:
        db.trace_v2(0, None, id=note)


def multiply(db: apsw.Connection, seq: int, number: int) -> None:
    """Store so many copies of a message, as others of other records; nobody is told of them."""
    changed = {"cid": "cid || '-' || n", "record_id": "record_id || '-' || n"}
    columns = ", ".join(changed.get(name, name) for name in Columns._fields)
    db.execute(
        "WITH RECURSIVE copies(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM copies WHERE n < ?)"
        f" INSERT INTO dwn_message (seq, {', '.join(Columns._fields)}) SELECT seq + n, {columns}"
        " FROM copies CROSS JOIN dwn_message WHERE seq = ?",
        (number, seq),
    )
