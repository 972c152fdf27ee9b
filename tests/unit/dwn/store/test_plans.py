"""Every common question is answered from the index that is meant for it: in order, without a scan and without sorting.

The plans are those of a tenant with many records, because what leads is tried out on the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apsw
import pytest

from web5.dwn.store.database import open_memory
from web5.dwn.store.schema import columns_of, tag_values
from web5.dwn.store.search import NARROW, SORTS, query_events, search
from web5.dwn.store.store import Store
from web5.dwn.store.terms import PUBLISHED, record_terms, seen_by
from web5.dwn.values.timestamps import format_timestamp

TENANT, BOB = "did:example:alice", "did:example:bob"
START = 1_704_067_200_000_000
NEWEST = SORTS["createdDescending"]
SOON, LATE = format_timestamp(START + 5_000_000), format_timestamp(START + 3 * NARROW * 1_000_000 - 5_000_000)


def message(i: int) -> dict[str, Any]:
    time = format_timestamp(START + i * 1_000_000)
    descriptor = {
        "method": "Write",
        "messageTimestamp": time,
        "dateCreated": time,
        "schema": "urn:a",
        "protocol": "urn:p",
        "protocolPath": "thread",
        "dataFormat": "text/plain",
        "dataCid": f"data{i}",
        "dataSize": i,
        "published": i % 2 == 0,
        "datePublished": time,
        "tags": {"same": "x", "number": i, "word": f"w{i:05}"},
    }
    return {"recordId": f"r{i}", "contextId": f"c{i % 4}/r{i}", "descriptor": descriptor}


@pytest.fixture(scope="module")
def store() -> Store:
    database = open_memory()
    store = Store(database)
    store.open()
    with database.transaction():
        tenant = store.enrol(TENANT)
        for i in range(3 * NARROW):
            one = message(i)
            given = {"latest": True, "initial": True, "data": b""}
            store.put(columns_of(tenant, TENANT, f"m{i:05}", one, TENANT, one, **given), tag_values(one))
    return store


class Plans:
    """The plans of the statements that are run, less those that try out whether a term is narrow."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[str] = []

    def trace(self, cursor: apsw.Cursor, sql: str, bindings: Any) -> bool:
        if sql.startswith("SELECT") and "count(*)" not in sql and "dwn_tenant" not in sql:
            explained = self.store.connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", bindings)
            self.seen += [row[3] for row in explained if "json_each" not in row[3]]
        return True

    def search(self, filter: dict[str, Any], *, requester: str = TENANT, **more: Any) -> list[Any]:
        alternatives = seen_by(requester, TENANT, list(record_terms(filter, TENANT, asked_by=requester)))
        given = {"method": "Write", "sort": NEWEST, "limit": 20} | more
        return list(search(self.store.connection, 1, alternatives, **given))


@pytest.fixture
def plans(store: Store) -> Iterator[Plans]:
    plans = Plans(store)
    store.connection.exec_trace = plans.trace
    yield plans
    store.connection.exec_trace = None


IN_ORDER = [
    ({"schema": "urn:a"}, "dwn_by_schema (tenant=? AND schema=? AND method=?)"),
    ({"schema": "urn:a", "dataFormat": "text/plain"}, "dwn_by_schema (tenant=? AND schema=? AND method=?)"),
    (
        {"protocol": "urn:p", "protocolPath": "thread"},
        "dwn_by_protocol (tenant=? AND protocol=? AND latest=? AND protocol_path=? AND method=?)",
    ),
    ({"parentId": "r1"}, "dwn_by_parent (tenant=? AND parent_id=? AND latest=? AND method=?)"),
    ({"recipient": BOB}, "dwn_by_recipient (tenant=? AND recipient=? AND method=?)"),
    ({"recipient": [BOB], "schema": "urn:a"}, "dwn_by_recipient (tenant=? AND recipient=? AND method=?)"),
    ({"author": BOB, "protocol": "urn:p"}, "dwn_by_guest (tenant=? AND guest=? AND method=?)"),
    ({"attester": BOB}, "dwn_by_attester (tenant=? AND attester=? AND method=?)"),
    ({"author": TENANT}, "dwn_by_created (tenant=? AND method=?)"),
    ({"published": False}, "dwn_by_created (tenant=? AND method=?)"),
    (
        {"dateCreated": {"from": SOON, "to": LATE}},
        "dwn_by_created (tenant=? AND method=? AND date_created>? AND date_created<?)",
    ),
    (
        {"schema": "urn:a", "dateCreated": {"from": SOON}},
        "dwn_by_schema (tenant=? AND schema=? AND method=? AND date_created>?)",
    ),
    # Wide ranges do not lead.
    ({"dateUpdated": {"from": SOON}}, "dwn_by_created (tenant=? AND method=?)"),
    ({"contextId": "c", "schema": "urn:a"}, "dwn_by_schema (tenant=? AND schema=? AND method=?)"),
]
NARROW_ONES = [
    ({"recordId": "r1"}, "dwn_by_record (tenant=? AND record_id=?)"),
    ({"contextId": "c1", "schema": "urn:a"}, "dwn_by_context (tenant=? AND context_id>? AND context_id<?)"),
    ({"dateUpdated": {"to": SOON}}, "dwn_by_updated (tenant=? AND message_timestamp<?)"),
    ({"dateUpdated": {"from": LATE}, "schema": "urn:b"}, "dwn_by_updated (tenant=? AND message_timestamp>?)"),
    ({"recipient": [BOB, TENANT], "schema": "urn:a"}, "dwn_by_recipient (tenant=? AND recipient=?"),
    ({"author": [BOB, "did:example:carol"]}, "dwn_by_guest (tenant=? AND guest=?"),
]


@pytest.mark.parametrize("direction", ["createdAscending", "createdDescending"])
@pytest.mark.parametrize(("filter", "index"), IN_ORDER)
def test_in_order(plans: Plans, filter: dict[str, Any], index: str, direction: str) -> None:
    plans.search(filter, sort=SORTS[direction])
    assert plans.seen == [f"SEARCH dwn_message USING INDEX {index}"]


@pytest.mark.parametrize(("filter", "index"), NARROW_ONES)
def test_what_is_narrow_leads_and_is_sorted(plans: Plans, filter: dict[str, Any], index: str) -> None:
    plans.search(filter)
    assert plans.seen[0].startswith(f"SEARCH dwn_message USING INDEX {index}"), plans.seen
    assert not any(line.startswith("SCAN") for line in plans.seen)


def test_pages(plans: Plans) -> None:
    plans.search({"schema": "urn:a"}, after=("2024", "x"))
    index = "dwn_by_schema (tenant=? AND schema=? AND method=? AND (date_created,cid)<(?,?))"
    assert plans.seen == [f"SEARCH dwn_message USING INDEX {index}"]


def test_publication(plans: Plans) -> None:
    soon = record_terms({"datePublished": {"from": SOON}, "schema": "urn:a"}, TENANT, asked_by=TENANT)
    for terms in ([PUBLISHED], list(soon)):
        plans.seen.clear()
        list(search(plans.store.connection, 1, [terms], method="Write", sort=SORTS["publishedDescending"], limit=20))
        assert len(plans.seen) == 1
        assert plans.seen[0].startswith("SEARCH dwn_message USING INDEX dwn_by_published (tenant=?")


def test_strangers(plans: Plans) -> None:
    """What is published, what they made and what is for them have each their own index."""
    plans.search({"schema": "urn:a"}, requester=BOB)
    assert [line.partition(" (")[0].rpartition(" ")[2] for line in plans.seen] == [
        "dwn_by_schema",
        "dwn_by_guest",
        "dwn_by_recipient",
    ]


@pytest.mark.parametrize("wanted", ["x", 1, True])
def test_tags_that_equal(plans: Plans, wanted: Any) -> None:
    """In the order of creation: only records of one moment are sorted."""
    plans.search({"tags": {"same": wanted}, "schema": "urn:a"})
    assert plans.seen[:2] == [
        "SEARCH dwn_tag USING PRIMARY KEY (tag_tenant=? AND name=? AND value=?)",
        "SEARCH dwn_message USING INTEGER PRIMARY KEY (rowid=?)",
    ]
    assert plans.seen[2:] == ["USE TEMP B-TREE FOR LAST TERM OF ORDER BY"]


@pytest.mark.parametrize("wanted", [{"startsWith": "w0000"}, {"gt": "w014"}, {"gte": "w0000", "lt": "w0001"}])
def test_tags_in_a_narrow_range(plans: Plans, wanted: Any) -> None:
    plans.search({"tags": {"word": wanted}, "schema": "urn:a"})
    assert plans.seen[0] == "SEARCH dwn_message USING INTEGER PRIMARY KEY (rowid=?)"
    assert any(
        line.startswith("SEARCH dwn_tag USING PRIMARY KEY (tag_tenant=? AND name=? AND value") for line in plans.seen
    )


def test_tags_in_a_wide_range(plans: Plans) -> None:
    plans.search({"tags": {"number": {"gt": 1}}, "schema": "urn:a"})
    assert plans.seen[0].startswith("SEARCH dwn_message USING INDEX dwn_by_schema (")
    assert not any(line.startswith("SCAN") for line in plans.seen)


def test_one_record_by_what_it_is(plans: Plans) -> None:
    plans.search({"schema": "urn:a"}, method=None, limit=2)
    assert plans.seen == ["SEARCH dwn_message USING INDEX dwn_by_schema (tenant=? AND schema=?)"]


LOG = [
    ([], None, ["dwn_by_tenant (tenant=? AND seq>?)"]),
    ([{"interface": "Records"}], None, ["dwn_by_tenant (tenant=? AND seq>?)"]),
    ([{"method": "Delete"}], None, ["dwn_deletes (tenant=? AND rowid>?)"]),
    ([{"interface": "Protocols"}], None, ["dwn_by_configured (tenant=?)"]),
    (
        [{"interface": "Records", "method": "Write", "protocol": "urn:q"}],
        None,
        ["dwn_by_protocol (tenant=? AND protocol=?)"],
    ),
    ([{"messageTimestamp": {"from": LATE}}], None, ["dwn_by_updated (tenant=? AND message_timestamp>?)"]),
    (
        [{"protocol": "urn:q"}],
        7,
        ["dwn_by_tenant (tenant=? AND seq>?)", "dwn_by_tenant (tenant=? AND seq=? AND rowid>?)"],
    ),
]


@pytest.mark.parametrize(("filters", "after", "indexes"), LOG)
def test_the_log(plans: Plans, filters: list[Any], after: int | None, indexes: list[str]) -> None:
    store = plans.store
    cursor = after and {"messageCid": "x", "value": f"{store.identity}-{after:016d}"}
    query_events(store, TENANT, filters, cursor)
    used = [
        line.partition(" INDEX ")[2]
        for line in plans.seen
        if line.startswith("SEARCH dwn_message") and " INDEX " in line
    ]
    assert used == indexes, plans.seen
    assert not any(line.startswith("SCAN") for line in plans.seen)


OF_THE_STORE = [
    (lambda store: store.record(1, "x"), "INDEX dwn_by_record (tenant=? AND record_id=?)"),
    (lambda store: store.initial_write(1, "x"), "INDEX dwn_by_record (tenant=? AND record_id=?)"),
    (lambda store: store.message(1, "x"), "INDEX dwn_by_cid (tenant=? AND cid=?)"),
    (lambda store: store.missing(TENANT, ["x", "y"]), "COVERING INDEX dwn_by_cid (tenant=? AND cid=?)"),
    (lambda store: store.entries_after(TENANT, 7, 20), "INDEX dwn_by_tenant (tenant=? AND seq>?)"),
]


@pytest.mark.parametrize(("ask", "index"), OF_THE_STORE)
def test_what_other_components_ask(plans: Plans, ask: Callable[[Store], Any], index: str) -> None:
    ask(plans.store)
    assert plans.seen[0] == f"SEARCH dwn_message USING {index}"
    assert not any(line.startswith(("SCAN", "USE TEMP")) for line in plans.seen)
