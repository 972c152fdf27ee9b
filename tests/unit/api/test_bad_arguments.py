"""Arguments that cannot be used are refused by name before anything happens; doing the same again does nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import Encryption, ProtocolPermissions, Web5
from web5.errors import InvalidArgument
from web5.sync import State

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


NOTES = "https://example.org/notes"


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (
            {"interface": "Record", "method": "Read", "protocol": NOTES},
            "no interface 'Record'; did you mean 'Records'?",
        ),
        ({"interface": "Records", "method": "Raed", "protocol": NOTES}, "no method 'Raed'; did you mean 'Read'?"),
        ({"interface": "Protocols", "method": "Write"}, "no method 'Write'; there are Configure, Query."),
        ({"interface": "Records", "method": "Read", "protokoll": NOTES}, "'protokoll'; did you mean 'protocol'?"),
        ({"interface": "Records", "method": "Read", "protocol": 5}, "scope['protocol']=5 has to be a str"),
        ({"interface": "Records"}, "has no 'method'"),
        ({"interface": ["Records"], "method": "Read"}, "no interface"),
        (None, "scope=None has to be a mapping"),
        ({5: 6}, "has to be a mapping"),
    ],
)
async def test_a_scope_has_words_that_exist(web5: Web5, scope: Any, said: str) -> None:
    for call in (
        lambda: web5.dwn.permissions.request(scope=scope, store=True),
        lambda: web5.dwn.permissions.grant(scope=scope, granted_to="did:example:bob", date_expires=timedelta(days=1)),
    ):
        with pytest.raises(InvalidArgument, match=re.escape(said)):
            await call()  # type: ignore[no-untyped-call]
    assert await web5.dwn.permissions.query_grants() == []


async def test_words_of_which_there_are_few_name_the_nearest(web5: Web5) -> None:
    scope: Any = {"interface": "Protocols", "method": "Query"}
    record = await web5.dwn.records.create("x")
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("no publication 'required'; did you mean 'Required'?",
         lambda: web5.dwn.permissions.request(scope=scope, conditions={"publication": "required"})),  # type: ignore[typeddict-item]
        ("no condition 'publik'", lambda: web5.dwn.permissions.request(scope=scope, conditions={"publik": 1})),  # type: ignore[typeddict-unknown-key]
        ("no direction 'pul'; did you mean 'pull'?", lambda: web5.sync.now("pul")),  # type: ignore[arg-type]
        ("no order 'createdDesc'; did you mean 'createdDescending'?",
         lambda: web5.dwn.records.query(date_sort="createdDesc")),  # type: ignore[arg-type]
        ("no method 'dth'; did you mean 'dht'?", lambda: web5.did.create("dth")),  # type: ignore[arg-type]
        ("no algorithm 'ed25519'; did you mean 'Ed25519'?",
         lambda: web5.did.create("jwk", algorithm="ed25519")),  # type: ignore[arg-type]
        ("no permission 'raed'; did you mean 'read'?",
         lambda: web5.authorize(permissions=[ProtocolPermissions(GOOD, ["raed"])])),  # type: ignore[list-item]
        ("has to be a list of texts", lambda: web5.authorize(permissions=[ProtocolPermissions(GOOD, "read")])),  # type: ignore[arg-type]
        ("no scheme 'schema'; did you mean 'schemas'?",
         lambda: record.update(data="y", encryption=Encryption(schemes=["schema"]))),  # type: ignore[list-item]
    ]  # fmt: skip
    for said, call in calls:
        with pytest.raises(InvalidArgument, match=re.escape(said)):
            await call()
    with pytest.raises(InvalidArgument, match="no state 'refuse'; did you mean 'refused'"):
        web5.sync.unsettled(states=["refuse"])  # type: ignore[list-item]
    with pytest.raises(InvalidArgument, match="has to be a list of texts"):
        web5.sync.unsettled(states="refused")  # type: ignore[arg-type]
    assert web5.sync.unsettled(states=["refused", State.BLOCKED]) == []  # type: ignore[list-item]
    assert await web5.dwn.protocols.query() == []
