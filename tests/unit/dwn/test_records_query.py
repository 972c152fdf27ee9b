"""RecordsQuery: filters, who sees what, order and pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.dwn.conftest import World
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp


async def three(world: World) -> list[dict[str, Any]]:
    """Three records, one a millisecond, that differ in everything."""
    return [
        await world.write(data=b"1", schema="urn:a", tags={"n": 1, "t": "x", "on": True}, recipient=world.bob.did),
        await world.write(data=b"22", schema="urn:b", tags={"n": 2.5, "t": "xy", "on": False}, published=True),
        await world.write(data=b"333", data_format="text/html", tags={"n": [3, 10], "t": ["y", "x\U0001f600"]}),
    ]


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"schema": "urn:a"}, [0]),
    ({"dataFormat": "text/plain"}, [0, 1]),
    ({"dataFormat": "text/plain", "schema": "urn:b"}, [1]),
    ({"dataSize": {"gt": 1}}, [1, 2]),
    ({"dataSize": {"gte": 1, "lt": 3}}, [0, 1]),
    ({"dataSize": {"lte": 1.5}}, [0]),
    ({"published": True}, [1]),
    ({"published": False}, [0, 2]),
    ({"tags": {"n": 1}}, [0]),
    ({"tags": {"n": 10}}, [2]),
    ({"tags": {"n": {"gte": 2, "lt": 4}}}, [1, 2]),
    ({"tags": {"n": {"lt": 3}}}, [0, 1]),
    ({"tags": {"n": {"gt": 0}}}, [0, 1, 2]),
    ({"tags": {"n": "1"}}, []),
    ({"tags": {"n": True}}, []),
    ({"tags": {"on": True}}, [0]),
    ({"tags": {"t": "x"}}, [0]),
    ({"tags": {"t": {"startsWith": "x"}}}, [0, 1, 2]),
    ({"tags": {"t": {"gt": "x", "lte": "xy"}}}, [1]),
    ({"tags": {"t": {"lt": "y"}}}, [0, 1, 2]),
    ({"tags": {"t": {"startsWith": "x"}, "on": False}}, [1]),
    ({"tags": {"none": "x"}}, []),
    ({"contextId": "x"}, []),
    ({"author": []}, [0, 1, 2]),
    ({"recipient": []}, [0, 1, 2]),
]


@pytest.mark.parametrize(("filter", "found"), FILTERS)
async def test_filters(world: World, filter: dict[str, Any], found: list[int]) -> None:
    written = await three(world)
    assert await world.query(by=world.alice, **filter) == [written[i]["recordId"] for i in found]


async def test_filters_by_persons_and_identifiers(world: World) -> None:
    first, second, third = [write["recordId"] for write in await three(world)]
    alice, bob, carol = world.alice.did, world.bob.did, world.carol.did
    assert await world.query(by=world.alice, author=alice) == [first, second, third]
    assert await world.query(by=world.alice, author=[bob, carol]) == []
    assert await world.query(by=world.alice, author=[bob, alice]) == [first, second, third]
    assert await world.query(by=world.alice, recipient=[bob, carol]) == [first]
    assert await world.query(by=world.alice, recordId=second) == [second]
    assert await world.query(by=world.alice, parentId=second) == []


async def test_filters_by_dates_include_the_start_and_not_the_end(world: World) -> None:
    writes = await three(world)
    dates = [write["descriptor"]["dateCreated"] for write in writes]
    update = await world.write(existing=writes[0], data=b"new", published=True)
    ids = [write["recordId"] for write in writes]
    updated = update["descriptor"]["messageTimestamp"]
    assert await world.query(by=world.alice, dateCreated={"from": dates[0], "to": dates[1]}) == ids[:1]
    assert await world.query(by=world.alice, dateCreated={"to": dates[2]}) == ids[:2]
    assert await world.query(by=world.alice, dateUpdated={"from": updated}) == ids[:1]
    assert await world.query(by=world.alice, datePublished={"from": dates[0]}) == ids[:2]


async def test_an_update_is_found_by_its_new_properties_only(world: World) -> None:
    first = await world.write(tags={"state": "open"})
    await world.write(existing=first, data=b"two", tags={"state": "done"})
    assert await world.query(by=world.alice, tags={"state": "open"}) == []
    assert await world.query(by=world.alice, tags={"state": "done"}) == [first["recordId"]]


async def test_deleted_records_are_not_found(world: World) -> None:
    write = await world.write(schema="urn:note", tags={"a": 1})
    await world.send(await world.delete(write))
    assert await world.query(by=world.alice, schema="urn:note") == []
    assert await world.query(by=world.alice, tags={"a": 1}) == []


async def test_who_sees_what(world: World) -> None:
    to_bob, public, private = [write["recordId"] for write in await three(world)]
    everything = {"dataSize": {"gt": 0}}
    assert await world.query(by=world.alice, **everything) == [to_bob, public, private]
    assert await world.query(by=world.bob, **everything) == [to_bob, public]
    assert await world.query(by=world.bob, published=False, **everything) == [to_bob]
    assert await world.query(by=world.carol, **everything) == [public]
    assert await world.query(by=None, **everything) == [public]


async def test_nobody_asks_for_what_is_not_published(world: World) -> None:
    query = await compose.records_query(None, world.clock, filter={"published": False})
    assert await world.status(query) == (401, "AuthenticateJwsMissing")


async def test_large_data_is_not_in_the_reply(world: World) -> None:
    await world.write(data=bytes(30_000))
    await world.write(data=bytes(30_001))
    query = await compose.records_query(world.alice.signer, world.clock, filter={"dataFormat": "text/plain"})
    assert ["encodedData" in entry for entry in (await world.send(query))["entries"]] == [True, False]


@pytest.mark.parametrize("sort", ["publishedAscending", "publishedDescending"])
async def test_sorting_by_publication_shows_published_records(world: World, sort: str) -> None:
    late = await world.write(published=True, date_published="2030-01-01T00:00:00.000000Z")
    early = await world.write(published=True)
    await world.write()
    ids = [early["recordId"], late["recordId"]]
    expected = ids if sort.endswith("Ascending") else ids[::-1]
    assert await world.query(by=world.alice, date_sort=sort, dataFormat="text/plain") == expected


async def test_unpublished_records_cannot_be_sorted_by_publication(world: World) -> None:
    query = await compose.records_query(
        world.alice.signer, world.clock, filter={"recordId": "x"}, date_sort="publishedAscending"
    )
    query["descriptor"]["filter"]["published"] = False
    assert await world.status(query) == (400, "RecordsQueryParseFilterPublishedSortInvalid")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.integers(0, 3), min_size=1, max_size=9), limit=st.integers(1, 5), descending=st.booleans())
async def test_pages_join_to_the_whole_in_order(world: World, moments: list[int], limit: int, descending: bool) -> None:
    schema = f"urn:x{world.clock.now()}"
    start = parse_timestamp(format_timestamp(world.clock.now()))
    writes = [
        await world.write(data=bytes([i]), schema=schema, date_created=format_timestamp(start + moment))
        for i, moment in enumerate(moments)
    ]
    expected = sorted(
        ((write["descriptor"]["dateCreated"], message_cid(write)) for write in writes), reverse=descending
    )
    found, cursor = [], None
    while True:
        query = await compose.records_query(
            world.alice.signer,
            world.clock,
            filter={"schema": schema},
            date_sort="createdDescending" if descending else "createdAscending",
            pagination={"limit": limit, "cursor": cursor},
        )
        reply = await world.send(query)
        found += [(entry["descriptor"]["dateCreated"], _cid(entry)) for entry in reply["entries"]]
        cursor = reply.get("cursor")
        if cursor is None:
            break
        assert len(reply["entries"]) == limit
        assert cursor == {"messageCid": found[-1][1], "value": found[-1][0]}
    assert found == expected


def _cid(entry: dict[str, Any]) -> str:
    return message_cid({name: value for name, value in entry.items() if name != "initialWrite"})


@pytest.mark.parametrize(("value", "ascending", "descending"), [(7, 0, 1), (-7, 1, 0), ("2000", 1, 0), ("3", 0, 1)])
async def test_a_cursor_may_hold_anything(world: World, value: Any, ascending: int, descending: int) -> None:
    await world.write()
    for sort, count in (("createdAscending", ascending), ("createdDescending", descending)):
        query = await compose.records_query(
            world.alice.signer,
            world.clock,
            filter={"dataFormat": "text/plain"},
            date_sort=sort,
            pagination={"cursor": {"messageCid": "x", "value": value}},
        )
        assert len((await world.send(query))["entries"]) == count


async def test_a_role_needs_a_path_and_a_protocol_that_is_there(world: World) -> None:
    query = await compose.records_query(
        world.bob.signer, world.clock, filter={"protocol": "urn:p"}, protocol_role="friend"
    )
    assert await world.status(query) == (400, "RecordsQueryFilterMissingRequiredProperties")
    query = await compose.records_query(
        world.bob.signer, world.clock, filter={"protocol": "urn:p", "protocolPath": "a"}, protocol_role="friend"
    )
    assert await world.status(query) == (401, "ProtocolAuthorizationProtocolNotFound")
