"""What the rules of protocols ask is answered from an index, however many records a tenant has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
import pytest

from web5.dwn.store import protocols as stored
from web5.dwn.store.database import open_memory
from web5.dwn.store.store import Store

ROLE = {"protocol": "urn:p", "protocol_path": "thread/member", "recipient": "did:example:bob"}


@pytest.mark.parametrize(
    ("ask", "plan"),
    [
        (lambda store: stored.configured(store, 1, "urn:p"), "INDEX dwn_by_configured (tenant=? AND protocol=?)"),
        (
            lambda store: list(stored.configurations(store, 1, protocol=None, published_only=False)),
            "INDEX dwn_by_configured (tenant=?)",
        ),
        (
            lambda store: list(stored.configurations(store, 1, protocol="urn:p", published_only=True)),
            "INDEX dwn_by_configured (tenant=? AND protocol=?)",
        ),
        (lambda store: stored.link(store, 1, "x"), "INDEX dwn_by_record (tenant=? AND record_id=?)"),
        (lambda store: stored.parent(store, 1, "urn:p", "x"), "INDEX dwn_by_record (tenant=? AND record_id=?)"),
        (
            lambda store: stored.role_records(store, 1, context="x", **ROLE),
            "dwn_by_role (tenant=? AND recipient=? AND protocol=? AND protocol_path=? AND method=? AND context_id>?",
        ),
        (
            lambda store: stored.role_records(store, 1, context=None, **ROLE),
            "dwn_by_role (tenant=? AND recipient=? AND protocol=? AND protocol_path=? AND method=?)",
        ),
        (
            lambda store: stored.role_records(store, 1, context="x", at="2026", since="2026", **ROLE),
            "dwn_by_role (tenant=? AND recipient=? AND protocol=? AND protocol_path=? AND method=? AND context_id>?",
        ),
        (
            lambda store: stored.configured_at(store, 1, "urn:p", "2026"),
            "INDEX dwn_superseded (tenant=? AND protocol=?)",
        ),
        (lambda store: stored.superseded(store, 1), "INDEX dwn_superseded (tenant=?)"),
        (
            lambda store: list(stored.history(store, 1, 0)),
            "dwn_by_protocol (tenant=? AND protocol=? AND latest=? AND protocol_path=? AND method=?)",
        ),
        (lambda store: stored.parent(store, 1, "urn:p", "x", "2026"), "dwn_by_record (tenant=? AND record_id=?)"),
        (lambda store: stored.purge_descendants(store, 1, "x"), "(tenant=? AND parent_id=?"),
    ],
)
def test_questions(ask: Callable[[Store], Any], plan: str) -> None:
    database = open_memory()
    store = Store(database)
    store.open()
    plans: list[str] = []

    def trace(cursor: apsw.Cursor, sql: str, bindings: Any) -> bool:
        if not sql.startswith("EXPLAIN"):
            explain = store.connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", bindings)
            plans.extend(row[3] for row in explain)
        return True

    store.connection.exec_trace = trace
    ask(store)
    assert any(plan in line for line in plans), plans
    assert not any(line.startswith("SCAN dwn") for line in plans), plans
