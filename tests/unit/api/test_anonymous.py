"""Somebody without a DID reads what others have published, and nothing else."""

from __future__ import annotations

import pytest

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import ORIGIN, World
from web5 import Web5
from web5.errors import BadRequest, InvalidArgument, NotFound, TargetUnresolved, Unauthorized, Unreachable

SCHEMA = "https://example.org/page"
LARGE = bytes(range(256)) * 1000


async def test_what_is_published_is_read_without_a_did(world: World) -> None:
    alice = await connected(world, "alice")
    page = await alice.dwn.records.create("For everybody", schema=SCHEMA, published=True)
    photo = await alice.dwn.records.create(LARGE, schema=SCHEMA, data_format="image/png", published=True)
    secret = await alice.dwn.records.create("For me", schema=SCHEMA)
    await alice.sync.now()
    async with Web5.anonymous(did_dht_gateways=[f"{ORIGIN}/dht"], http=world.network()) as anybody:
        did = alice.connected_did
        read = await anybody.records.read(page.id, from_=did)
        assert (read.id, read.author, read.owner, read.published) == (page.id, did, did, True)
        assert await read.data.text() == "For everybody"
        assert read.date_published == page.date_published
        found = await anybody.records.query(from_=did, schema=SCHEMA)
        assert {one.id for one in found} == {page.id, photo.id}
        assert await (await anybody.records.read(photo.id, from_=did)).data.bytes() == LARGE
        assert [one.id async for one in anybody.records.query(from_=did, schema=SCHEMA, limit=1)] == [page.id, photo.id]
        with pytest.raises((Unauthorized, NotFound)):
            await anybody.records.read(secret.id, from_=did)
        world.down |= {"dwn0"}  # the other one answers
        assert (await anybody.records.read(page.id, from_=did)).id == page.id
        world.down |= {"dwn1"}
        with pytest.raises(Unreachable):
            await anybody.records.read(page.id, from_=did)


async def test_what_cannot_be_asked_for_says_so(world: World) -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'allow_local'"):
        Web5.anonymous(allow_locl=True)
    async with Web5.anonymous(did_dht_gateways=[], http=world.network()) as nobody:
        with pytest.raises(TargetUnresolved):
            await nobody.records.read("bafy", from_="did:dht:" + "y" * 52)
    async with Web5.anonymous(did_dht_gateways=[f"{ORIGIN}/dht"], http=world.network()) as anybody:
        with pytest.raises(InvalidArgument):
            await anybody.records.read("bafy", from_="alice")
        with pytest.raises(InvalidArgument, match="did you mean 'createdDescending'"):
            anybody.records.query(from_="did:dht:" + "y" * 52, date_sort="createdDesc")  # type: ignore[arg-type]
        with pytest.raises(TargetUnresolved):
            await anybody.records.read("bafy", from_="did:dht:" + "y" * 52)
        with pytest.raises((NotFound, BadRequest)):
            alice = await connected(world, "alice")
            await anybody.records.read(
                "bafyreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", from_=alice.connected_did
            )
