"""The nodes of identities: what cannot be named is refused before anything changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.conftest import ORIGIN, World
from web5.errors import DidError, InvalidArgument

UNFIT = {
    "a password": f"http://user:secret@{ORIGIN.removeprefix('http://')}/dwn0",
    "a comma": "https://example.org/a,b",
    "a semicolon": "https://example.org/a;b=c",
    "too long": "https://example.org/" + "x" * 900,
    "no URL": "example.org",
}


@pytest.mark.parametrize("unfit", UNFIT)
async def test_an_address_that_no_document_can_name_changes_nothing(world: World, unfit: str) -> None:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Private", world.endpoints)
    assert await agent.publish_all()
    await agent.sync.now()
    for did in (identity.did, agent.vault.agent_did or ""):
        document, publication = (await agent.keyring.portable_did(did)), agent.publications.get(did)
        with pytest.raises(InvalidArgument):
            await agent.set_dwn_endpoints(did, [*world.endpoints, UNFIT[unfit]])
        assert await agent.keyring.portable_did(did) == document
        assert (await agent.resolver.resolve(did)).did_document == document.document
        assert agent.publications.get(did).document_hash == publication.document_hash
        assert [one.endpoint for one in agent.sync.status(did)] == world.endpoints


@pytest.mark.parametrize("unfit", UNFIT)
async def test_nothing_is_made_for_an_address_that_no_document_can_name(world: World, unfit: str) -> None:
    agent = await world.blank_device("laptop")
    with pytest.raises((InvalidArgument, DidError)):
        await agent.initialize(dwn_endpoints=[UNFIT[unfit]])
    assert agent.vault.state == "new"
    await agent.initialize(dwn_endpoints=world.endpoints)
    with pytest.raises((InvalidArgument, DidError)):
        await agent.create_identity("Private", [UNFIT[unfit]])
    assert agent.identities.list() == []


async def test_every_form_of_an_address_is_one_node(world: World) -> None:
    forms: list[Any] = [f"{ORIGIN}/dwn0/", "HTTP://World:80/dwn0", f"{ORIGIN}/x/../dwn0#a"]
    agent = await world.blank_device("laptop")
    await agent.initialize(dwn_endpoints=forms)
    identity = await agent.create_identity("Private", forms)
    await agent.publish_all()
    for did in (identity.did, agent.vault.agent_did):
        assert [end.endpoint for end in (await agent.sync.now(tenant=did)).endpoints] == world.endpoints[:1]
    await agent.set_dwn_endpoints(identity.did, [*forms, f"{ORIGIN}/dwn1"])
    await agent.sync.now()
    assert [one.endpoint for one in agent.sync.status(identity.did)] == world.endpoints
