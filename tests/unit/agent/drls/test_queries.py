"""Questions about records and protocols by addresses. The numbers are the invariants of `agent.drls.queries`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.agent.drls.test_answers import DEFINITION, PROTOCOL, asked
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import Web5
from web5.agent.drls import queries
from web5.crypto.encoding import b64url_encode

NOTE = "https://example.org/note"
ALL = f"query?filter.schema={quote(NOTE, safe='')}"


async def answered(web5: Web5, did: str | None, question: str) -> tuple[int, Any]:
    status, data, _ = await asked(web5, f"https://dweb/{did}/{question}")
    return status, json.loads(data) if status == 200 else data.decode()


def ids(reply: Any) -> list[str]:
    return [entry["recordId"] for entry in reply["entries"]]


async def test_one_s_own_dwn_tells_all_and_others_what_is_published(world: World) -> None:  # 1, 2
    alice, bob = await connected(world, "alice"), await connected(world, "bob")
    private = await alice.dwn.records.create("private", schema=NOTE)
    public = await alice.dwn.records.create("public", schema=NOTE, published=True)
    await alice.sync.now()
    for web5, found in ((alice, [private.id, public.id]), (bob, [public.id])):
        status, reply = await answered(web5, alice.connected_did, f"{ALL}&dateSort=createdAscending")
        assert (status, ids(reply)) == (200, found)
        assert reply["status"]["code"] == 200
    other = "query?filter.schema=https://example.org/other"
    assert ids((await answered(bob, alice.connected_did, other))[1]) == []
    world.down |= {"dwn0", "dwn1", "dht"}
    assert ids((await answered(alice, alice.connected_did, ALL))[1]) != []
    assert (await answered(bob, alice.connected_did, ALL))[0] == 502


async def test_a_long_answer_goes_on_by_its_cursor(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # 3
    monkeypatch.setattr(queries, "MOST", 3)
    alice = await connected(world, "alice")
    made = [(await alice.dwn.records.create(str(number), schema=NOTE)).id for number in range(5)]
    question = f"{ALL}&dateSort=createdAscending&pagination.limit=100"
    _, first = await answered(alice, alice.connected_did, question)
    assert ids(first) == made[:3]
    cursor = first["cursor"]
    at = "".join(f"&pagination.cursor.{name}={quote(cursor[name], safe='')}" for name in ("messageCid", "value"))
    _, second = await answered(alice, alice.connected_did, question + at)
    assert ids(second) == made[3:]
    assert "cursor" not in second


async def test_protocols_are_told_as_a_node_does(world: World) -> None:
    alice, bob = await connected(world, "alice"), await connected(world, "bob")
    await alice.dwn.protocols.configure(DEFINITION)
    await alice.sync.now()
    one = f"read/protocols/{b64url_encode(PROTOCOL.encode())}"
    for web5 in (alice, bob):
        status, found = await answered(web5, alice.connected_did, "query/protocols")
        assert (status, [entry["descriptor"]["definition"]["protocol"] for entry in found]) == (200, [PROTOCOL])
        status, entry = await answered(web5, alice.connected_did, one)
        assert (status, entry["descriptor"]["definition"]["types"]) == (200, DEFINITION["types"])
        assert (await answered(web5, bob.connected_did, one))[0] == 404


async def test_nothing_private_is_told_while_the_vault_is_locked(world: World) -> None:  # 1
    alice = await connected(world, "alice")
    await alice.vault.change_password(None, "correct horse battery")
    await alice.dwn.records.create("private", schema=NOTE)
    public = await alice.dwn.records.create("public", schema=NOTE, published=True)
    await alice.sync.now()
    await alice.agent.lock()
    assert ids((await answered(alice, alice.connected_did, ALL))[1]) == [public.id]


@pytest.mark.parametrize(
    "question",
    [
        "query",
        "query?",
        "query?filter=x",
        "query?filter.published=maybe",
        "query?filter.nothing=1",
        "query?filter.schema=a&filter.schema=b",
        "query?filter.recordId=a&dateSort=sideways",
        "query?filter.recordId=a&pagination=1",
        "query?filter.recordId=a&pagination.limit=-1",
        "query?filter.recordId=%ff",
        "query?" + "&".join(f"filter.tags.t{number}=1" for number in range(100)),
        "query?filter.a.b.c.d.e.f.g=1",
        "query/records",
        "read/protocols/%%%",
    ],
)
async def test_what_is_no_question_is_refused(world: World, question: str) -> None:
    alice = await connected(world, "alice")
    status, words = await answered(alice, alice.connected_did, question)
    assert status == 400, words
