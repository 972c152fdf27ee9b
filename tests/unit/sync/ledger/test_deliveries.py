"""The table of deliveries: what a failure of an endpoint writes, and what is found without looking at all rows."""

from __future__ import annotations

import pytest

from web5.dwn.store.database import Database, open_memory
from web5.errors import Unreachable
from web5.sync.ledger.deliveries import DeliveryTable, Letter
from web5.sync.ledger.schema import SCHEMA
from web5.sync.plan.policy import Outcome, classify_error
from web5.sync.states import State

ALICE, BOB, A, B = "did:alice", "did:bob", "http://a", "http://b"
DOWN = classify_error(Unreachable("connection refused"))


@pytest.fixture
def database() -> Database:
    database = open_memory()
    database.migrate("sync", SCHEMA)
    return database


@pytest.fixture
def table(database: Database) -> DeliveryTable:
    table = DeliveryTable(database)
    with database.transaction():
        table.add(ALICE, BOB, [Letter(f"c{number}", f"r{number}") for number in range(50)], 1)
        table.place(ALICE, BOB, [A, B])
    return table


def test_a_failure_that_lasts_writes_no_row_anew(database: Database, table: DeliveryTable) -> None:
    with database.transaction():
        table.halt(ALICE, BOB, A, DOWN, 5)
    before = database.connection.total_changes()
    with database.transaction():
        table.add(ALICE, BOB, [Letter("new", "r")], 6)
        table.place(ALICE, BOB, [A, B])
        placed = database.connection.total_changes()
        table.halt(ALICE, BOB, A, DOWN, 7)
    assert database.connection.total_changes() == placed + 1 and placed - before < 10
    assert {row.detail for row in table.page(None, url=A)} == {DOWN.detail}


def test_only_what_is_due_is_told_why_nothing_more_is_sent(database: Database, table: DeliveryTable) -> None:
    first, *_ = table.due(ALICE, BOB, A, 5, 32, 0)
    refused = Outcome("refused", State.REFUSED, code=400, detail="Bad: no", not_before=1000)
    with database.transaction():
        table.fail(first, refused, 5)
        table.halt(ALICE, BOB, A, DOWN, 5)
    states = [(row.state, row.code) for row in table.page(None, url=A)]
    assert states == [(State.REFUSED, 400)] + [(State.PENDING, 0)] * 49


def test_where_the_clock_was_put_back_due_times_count_for_nothing(database: Database, table: DeliveryTable) -> None:
    first, *_ = table.due(ALICE, BOB, A, 100, 1, 0)
    with database.transaction():
        table.fail(first, Outcome("refused", State.REFUSED, code=400, not_before=1000), 100)
    assert table.due(ALICE, BOB, A, 999, 1, 0)[0].cid == "c1"
    assert table.due(ALICE, BOB, A, 1000, 1, 0)[0].cid == "c0"
    assert table.due(ALICE, BOB, A, 99, 1, 0)[0].cid == "c0"


def test_what_a_send_asks_looks_at_few_rows(database: Database, table: DeliveryTable) -> None:
    for query, values in (
        ("author = ? AND target = ? AND state <> ? AND record = ?", (ALICE, BOB, "settled", "r1")),
        ("author = ? AND target = ? AND state <> ? AND cid = ?", (ALICE, BOB, "settled", "c1")),
        ("author = ? AND target = ? AND cid = ? AND state <> ?", (ALICE, BOB, "c1", "settled")),
        ("author = ? AND target = ? AND url = ? AND position > ?", (ALICE, BOB, A, 7)),
    ):
        plan = list(
            database.connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM sync_delivery WHERE {query}", values)
        )
        columns = plan[0][-1].partition("(")[2].count("=") + plan[0][-1].count(">")
        assert columns >= 3, plan
