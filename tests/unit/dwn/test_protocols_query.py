"""ProtocolsQuery: who sees which protocols."""

from __future__ import annotations

import pytest

from tests.unit.dwn.chat import URI, chat, install
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person, signed
from web5.dwn import compose
from web5.dwn.values.types import Message

OPEN = "https://example.com/open"


async def found(world: World, *, by: Person | None, protocol: str | None = None) -> list[str]:
    query = await compose.protocols_query(by and by.signer, world.clock, protocol=protocol)
    reply = await world.send(query)
    assert reply["status"]["code"] == 200
    return [entry["descriptor"]["definition"]["protocol"] for entry in reply["entries"]]


@pytest.fixture
async def two(world: World) -> None:
    await install(world, chat())
    await install(world, chat(protocol=OPEN, published=True))


@pytest.mark.usefixtures("two")
async def test_the_tenant_sees_all_oldest_first(world: World) -> None:
    assert await found(world, by=world.alice) == [URI, OPEN]
    await install(world, chat())
    assert await found(world, by=world.alice) == [OPEN, URI]
    assert await found(world, by=world.alice, protocol=URI) == [URI]
    assert await found(world, by=world.alice, protocol="https://example.com/none") == []


@pytest.mark.usefixtures("two")
async def test_others_see_what_is_published(world: World) -> None:
    for by in (None, world.bob):
        assert await found(world, by=by) == [OPEN]
        assert await found(world, by=by, protocol=OPEN) == [OPEN]
        assert await found(world, by=by, protocol=URI) == []
    await install(world, chat(protocol=OPEN, published=False))
    assert await found(world, by=None) == []


@pytest.mark.usefixtures("two")
async def test_a_signature_that_does_not_hold_shows_nothing(world: World) -> None:
    query = await compose.protocols_query(world.bob.signer, world.clock)
    other = await compose.protocols_query(world.carol.signer, world.clock)
    jws = query["authorization"]["signature"]
    jws["signatures"][0]["signature"] = other["authorization"]["signature"]["signatures"][0]["signature"]
    assert await world.status(query) == (401, "GeneralJwsVerifierInvalidSignature")
    invoking = await compose.protocols_query(world.bob.signer, world.clock, permission_grant_id="none")
    assert await world.status(invoking) == (401, "GrantAuthorizationGrantMissing")


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ({"protocol": "example.com"}, "UrlProtocolNotNormalized"),
        ({}, "SchemaValidatorFailure"),
        ({"protocol": 1}, "SchemaValidatorFailure"),
        ({"recipient": "did:example:bob"}, "UrlProtocolNotNormalized"),
        ({"protocol": URI, "schema": "x"}, "SchemaValidatorAdditionalPropertyNotAllowed"),
    ],
)
async def test_filters(world: World, filter: Message, code: str) -> None:
    message = await compose.protocols_query(world.alice.signer, world.clock)
    message["descriptor"]["filter"] = filter
    assert await world.status(await signed(world.alice.signer, message)) == (400, code)


@pytest.mark.usefixtures("two")
async def test_no_protocol_has_a_recipient(world: World) -> None:
    message = await compose.protocols_query(world.alice.signer, world.clock)
    message["descriptor"]["filter"] = {"protocol": URI, "recipient": world.bob.did}
    assert (await world.send(await signed(world.alice.signer, message)))["entries"] == []
