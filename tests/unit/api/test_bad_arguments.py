"""Arguments that cannot be used are refused by name before anything happens; doing the same again does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import Web5
from web5.errors import InvalidArgument

GOOD = {
    "protocol": "https://example.org/todo",
    "published": True,
    "types": {"list": {}},
    "structure": {"list": {}},
}


@pytest.fixture
async def web5(world: World) -> AsyncIterator[Web5]:
    web5, _ = await Web5.connect(agent=await world.device("laptop"), dwn_endpoints=[], sync="off")
    yield web5


@pytest.mark.parametrize(
    "definition",
    [
        {},
        [],
        None,
        "https://example.org/todo",
        {name: GOOD[name] for name in ("protocol", "published", "types")},
        {**GOOD, "structure": {}, "types": None},
        {**GOOD, "protocol": "\ud800"},
        {**GOOD, "types": {"\udfff": {}}},
        {**GOOD, "types": {"list": None}},
    ],
)
async def test_what_is_no_definition_of_a_protocol_is_refused(web5: Web5, definition: Any) -> None:
    with pytest.raises(InvalidArgument):
        await web5.dwn.protocols.configure(definition)
    assert await web5.dwn.protocols.query() == []


@pytest.mark.parametrize("from_", ["did:dht:abc#dwn", "bob", "", "did:", 7, "did:web:\ud800"])
async def test_who_is_asked_is_a_did(web5: Web5, from_: Any) -> None:
    for ask in (
        lambda: web5.dwn.records.query(from_=from_),
        lambda: web5.dwn.records.read("bafy", from_=from_),
        lambda: web5.dwn.records.delete("bafy", from_=from_),
        lambda: web5.dwn.protocols.query(from_=from_),
        lambda: web5.dwn.permissions.query_grants(from_=from_),
    ):
        with pytest.raises(InvalidArgument, match="from_"):
            await ask()  # type: ignore[no-untyped-call]


async def test_a_protocol_that_is_configured_again_as_it_is_writes_nothing(web5: Web5) -> None:
    first = await web5.dwn.protocols.configure(GOOD)
    changes: list[str] = []
    web5.on_change.append(lambda tenant, cid: changes.append(cid))
    again = await web5.dwn.protocols.configure(dict(GOOD))
    assert changes == [] and again.to_json() == first.to_json()
    await web5.dwn.protocols.configure({**GOOD, "published": False})
    assert len(changes) == 1
