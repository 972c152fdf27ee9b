"""`web5.vc` on real nodes: issuing, showing and keeping credentials."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.api.test_web5_connect import connected, second_device
from tests.unit.conftest import World
from web5.errors import CredentialError, IdentityError, NotFound
from web5.vc import Code, jwt

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()


async def test_one_person_issues_and_another_shows(world: World) -> None:
    shop, alice, cinema = [await connected(world, name) for name in ("shop", "alice", "cinema")]
    credential = shop.vc.create(
        type="Membership",
        subject=alice.connected_did,
        data={"level": "gold"},
        expiration_date=datetime(2100, 1, 1, tzinfo=UTC),
    )
    vc_jwt = await shop.vc.sign(credential)
    assert await alice.vc.verify(vc_jwt) == credential
    assert alice.vc.parse_jwt(vc_jwt) == credential
    assert await alice.vc.status(credential) is None

    presentation = alice.vc.create_presentation([vc_jwt], type="Entry")
    vp_jwt = await alice.vc.sign_presentation(presentation, audience=cinema.connected_did, nonce="42")
    shown = await cinema.vc.verify_presentation(vp_jwt, audience=cinema.connected_did, nonce="42")
    assert (shown.holder, shown.credentials) == (alice.connected_did, (credential,))
    assert cinema.vc.parse_presentation_jwt(vp_jwt) == presentation == shown.presentation


async def test_a_person_answers_what_a_verifier_asks_for(world: World) -> None:
    shop, alice = await connected(world, "shop"), await connected(world, "alice")
    kept = []
    for kind in ("Membership", "Ticket"):
        credential = shop.vc.create(type=kind, subject=alice.connected_did, data={"row": 7})
        kept.append(await alice.vc.store(await shop.vc.sign(credential)))
    wanted = {"path": ["$.vc.type[*]"], "filter": {"const": "Ticket"}}
    definition = {"id": "entry", "input_descriptors": [{"id": "ticket", "constraints": {"fields": [wanted]}}]}
    chosen = alice.vc.select_credentials([one.jwt for one in await alice.vc.list()], definition)
    assert chosen == [kept[1].jwt]
    shown = await alice.vc.sign_presentation(alice.vc.answer(chosen, definition))
    assert (await shop.vc.verify_presentation(shown, definition=definition)).holder == alice.connected_did
    with pytest.raises(CredentialError, match=Code.NOT_SATISFIED):
        alice.vc.answer([kept[0].jwt], definition)


async def test_the_key_can_be_chosen_among_those_for_assertions(world: World) -> None:
    shop = await connected(world)
    credential = shop.vc.create(subject="did:example:alice", data={})
    for key_id, expected in ((None, "#0"), ("#sig", "#sig"), (f"{shop.connected_did}#sig", "#sig")):
        vc_jwt = await shop.vc.sign(credential, key_id=key_id)
        assert jwt.parse(vc_jwt).key_id == shop.connected_did + expected
        await shop.vc.verify(vc_jwt)
    with pytest.raises(CredentialError, match=Code.KEY_NOT_ALLOWED):
        await shop.vc.sign(credential, key_id="#enc")


async def test_only_an_identity_of_this_agent_issues(world: World) -> None:
    shop, other = await connected(world, "shop"), await connected(world, "other")
    with pytest.raises(IdentityError):
        await shop.vc.sign(shop.vc.create(issuer=other.connected_did, subject="did:example:alice", data={}))
    work = await shop.identities.create("Work", dwn_endpoints=[])
    vc_jwt = await shop.vc.sign(shop.vc.create(issuer=work.did, subject="did:example:alice", data={}))
    assert (await shop.vc.verify(vc_jwt)).issuer_id == work.did


async def test_kept_credentials_are_records_and_travel(world: World) -> None:
    laptop = await connected(world)
    kept = []
    for level in ("gold", "silver"):
        credential = laptop.vc.create(subject=laptop.connected_did, data={"level": level, "why": "x" * 40_000})
        kept.append(await laptop.vc.store(await laptop.vc.sign(credential)))
    assert (kept[0].record.data_format, kept[0].record.published) == ("application/vc+jwt", False)
    assert kept[0].record.tags == {}
    assert (await laptop.sync.now()).ok

    phone = await second_device(world, laptop)
    assert (await phone.sync.now()).ok
    found = await phone.vc.list()
    assert [one.jwt for one in found] == [one.jwt for one in kept]
    assert [one.credential.subjects[0]["level"] for one in found] == ["gold", "silver"]

    await phone.vc.delete(found[0].record.id)
    assert [one.jwt for one in await phone.vc.list()] == [kept[1].jwt]
    with pytest.raises(NotFound):
        await phone.vc.delete(found[0].record.id)


async def test_what_is_no_credential_is_not_kept(world: World) -> None:
    web5 = await connected(world)
    presentation = await web5.vc.sign_presentation(web5.vc.create_presentation([]))
    for text in ("Hello", presentation):
        with pytest.raises(CredentialError):
            await web5.vc.store(text)
    assert await web5.vc.list() == []


async def test_all_pages_are_listed_and_a_record_that_is_no_credential_says_so(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.records.create(b"\xff", data_format="application/vc+jwt")
    vc_jwt = await web5.vc.sign(web5.vc.create(subject="did:example:alice", data={}))
    await web5.vc.store(vc_jwt, schema="https://example.org/ticket")
    strange, good = await web5.vc.list(page_size=1)
    with pytest.raises(CredentialError, match=Code.MALFORMED_JWT):
        _ = strange.credential
    assert good.credential == web5.vc.parse_jwt(vc_jwt)
    assert [one.jwt for one in await web5.vc.list(schema="https://example.org/ticket")] == [vc_jwt]


async def test_the_example_of_the_readme_runs(world: World) -> None:
    example = README.split("## Credentials\n", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    web5 = await connected(world)
    names = {"web5": web5, "guest_did": web5.connected_did, "door_did": "did:example:door", "nonce": "n"}
    await eval(compile(example, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    assert [one.jwt for one in await web5.vc.list()] == [names["vc_jwt"]]
