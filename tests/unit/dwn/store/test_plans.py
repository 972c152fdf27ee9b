"""The common questions are answered from an index, in order, without a scan of the tenant and without sorting."""

from __future__ import annotations

from typing import Any

import apsw
import pytest

from web5.dwn.store.database import open_memory
from web5.dwn.store.search import SORTS, conditions, search
from web5.dwn.store.store import Store

TENANT = "did:example:alice"


@pytest.fixture
def plans() -> tuple[apsw.Connection, list[str]]:
    """An empty store, and the query plans of what is asked of it."""
    database = open_memory()
    Store(database).open()
    connection, plans = database.connection, []

    def trace(cursor: apsw.Cursor, sql: str, bindings: Any) -> bool:
        if sql.startswith("SELECT"):
            plans.extend(row[3] for row in connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", bindings))
        return True

    connection.exec_trace = trace
    return connection, plans


SHAPES = [
    ({"schema": "urn:a"}, "dwn_by_schema"),
    ({"schema": "urn:a", "dataFormat": "text/plain"}, "dwn_by_schema"),
    ({"protocol": "urn:a", "protocolPath": "b"}, "dwn_by_protocol"),
    ({"contextId": "abc"}, "dwn_by_context"),
    ({"parentId": "abc"}, "dwn_by_parent"),
    ({"recipient": "did:example:bob"}, "dwn_by_recipient"),
    ({"author": "did:example:bob"}, "dwn_by_guest"),
    ({"attester": "did:example:bob"}, "dwn_by_attester"),
    ({"dateCreated": {"from": "2024", "to": "2025"}}, "dwn_by_created"),
    ({"published": False}, "dwn_by_created"),
]
UNSORTED = {"contextId"}
"""A range of contexts is not in the order of dates; a context is small."""


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("filter", "index"), SHAPES)
def test_shapes(plans: tuple[apsw.Connection, list[str]], filter: dict[str, Any], index: str, descending: bool) -> None:
    connection, seen = plans
    sort = SORTS["createdDescending" if descending else "createdAscending"]
    search(connection, 1, list(conditions(filter, TENANT)), method="Write", sort=sort, limit=20)
    assert f"USING INDEX {index} " in seen[0] and seen[0].startswith("SEARCH"), seen
    assert any("TEMP B-TREE" in line for line in seen) == bool(UNSORTED & filter.keys()), seen


def test_newest_pages(plans: tuple[apsw.Connection, list[str]]) -> None:
    connection, seen = plans
    search(connection, 1, [], method="Write", sort=SORTS["createdDescending"], after=("2024", "x"), limit=20)
    assert seen == [
        "SEARCH dwn_message USING INDEX dwn_by_created (tenant=? AND method=? AND (date_created,cid)<(?,?))"
    ]


def test_publication(plans: tuple[apsw.Connection, list[str]]) -> None:
    connection, seen = plans
    search(connection, 1, [("published = 1", ())], method="Write", sort=SORTS["publishedDescending"], limit=20)
    assert len(seen) == 1 and "USING INDEX dwn_by_published (tenant=?)" in seen[0]


def test_one_record(plans: tuple[apsw.Connection, list[str]]) -> None:
    connection, seen = plans
    search(connection, 1, list(conditions({"recordId": "x"}, TENANT)), limit=2)
    assert "USING INDEX dwn_by_record (tenant=? AND record_id=?)" in seen[0]


@pytest.mark.parametrize("wanted", ["x", 1, True, {"startsWith": "x"}, {"gt": 1}, {"gte": "a", "lt": "b"}])
def test_tags(plans: tuple[apsw.Connection, list[str]], wanted: Any) -> None:
    connection, seen = plans
    search(
        connection, 1, list(conditions({"tags": {"a": wanted}}, TENANT)), method="Write", sort=SORTS["createdAscending"]
    )
    assert any("SEARCH dwn_tag USING PRIMARY KEY (tenant=? AND name=? AND value" in line for line in seen), seen
    assert not any(line.startswith("SCAN") for line in seen), seen
