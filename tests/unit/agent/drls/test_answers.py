"""What a browser is answered that asks for a record by its address. The numbers are those in `agent.drls.answers`."""

from __future__ import annotations

import json

import pytest

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import ORIGIN, World
from web5 import Drl, Web5
from web5.agent.drls import answers
from web5.agent.drls.answers import Answer
from web5.agent.shared.office import Office
from web5.errors import InvalidArgument, NotFound

PROTOCOL = "https://example.org/profile"
DEFINITION = {
    "protocol": PROTOCOL,
    "published": True,
    "types": {"avatar": {"dataFormats": ["image/png"]}},
    "structure": {"avatar": {}},
}
LARGE = bytes(range(251)) * 2000


async def asked(web5: Web5, address: str | Drl, **conditions: str) -> tuple[int, bytes, Answer]:
    found = await answers.answer(web5.agent, str(address), conditions)
    return found.status, await found.data.read(), found


async def test_what_is_held_here_needs_no_network(world: World) -> None:
    alice = await connected(world, "alice")
    world.down |= {"dwn0", "dwn1", "dht"}
    plain = await alice.dwn.records.create(LARGE, data_format="image/png")
    secret = await alice.dwn.records.create(LARGE, data_format="video/mp4", encryption=True)
    assert secret.drl == f"https://dweb/{alice.connected_did}/records/{secret.id}"
    for record, kind in ((plain, "image/png"), (secret, "video/mp4")):
        status, data, found = await asked(alice, record.drl)
        assert (status, data) == (200, LARGE)
        assert found.headers["content-type"] == kind
        assert (found.headers["content-length"], found.headers["cache-control"]) == (str(len(LARGE)), "no-store")
        assert "sandbox" in found.headers["content-security-policy"]
        for begin, end in ((0, 0), (7, 7), (15, 40), (300_001, 400_000), (len(LARGE) - 1, len(LARGE) - 1)):
            status, data, found = await asked(alice, record.drl, range=f"bytes={begin}-{end}")
            assert (status, data) == (206, LARGE[begin : end + 1])
            assert found.headers["content-range"] == f"bytes {begin}-{end}/{len(LARGE)}"
        assert (await asked(alice, record.drl, range=f"bytes={len(LARGE)}-"))[0] == 416
        assert (await asked(alice, record.drl, range="bytes=0-1", **{"if-range": '"other"'}))[0] == 200
    assert (await asked(alice, (await alice.dwn.records.create(b"")).drl))[:2] == (200, b"")


async def test_what_somebody_else_has_published_is_asked_for_without_a_signature(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await connected(world, "alice"), await connected(world, "bob")
    photo = await bob.dwn.records.create(LARGE, data_format="image/png", published=True)
    private = await bob.dwn.records.create("for me")
    for_alice = await bob.dwn.records.create("for Alice", recipient=alice.connected_did)
    sealed = await bob.dwn.records.create("sealed", published=True, encryption=True)
    await bob.sync.now()
    sent = []
    request = alice.agent.messages.request

    async def noting(target: str, message: dict[str, object]) -> dict[str, object]:
        sent.append("authorization" in message)
        return await request(target, message)

    monkeypatch.setattr(alice.agent.messages, "request", noting)
    assert (await asked(alice, photo.drl))[:2] == (200, LARGE)
    assert (await asked(alice, photo.drl, range="bytes=1000-1999"))[:2] == (206, LARGE[1000:2000])
    for record in (private, for_alice, sealed):
        status, data, _ = await asked(alice, record.drl)
        assert (status, data.decode()) == (404, answers.NOT_THERE)
    assert sent
    assert not any(sent)
    # A copy that is held here is given from here.
    await (await alice.dwn.records.read(for_alice.id, from_=bob.connected_did)).import_()
    world.down |= {"dwn0", "dwn1"}
    assert (await asked(alice, for_alice.drl))[:2] == (200, b"for Alice")
    status, data, _ = await asked(alice, photo.drl)
    assert (status, b"down" in data) == (502, True)


async def test_an_own_record_that_has_not_come_here_is_fetched(world: World) -> None:
    alice = await connected(world, "alice")
    record = await alice.dwn.records.create("private", store=False)
    await record.send()
    assert (await asked(alice, record.drl))[:2] == (200, b"private")


async def test_the_newest_record_of_a_place(world: World) -> None:
    alice, bob = await connected(world, "alice"), await connected(world, "bob")
    await bob.dwn.protocols.configure(DEFINITION)
    place = {"protocol": PROTOCOL, "protocol_path": "avatar", "data_format": "image/png"}
    drl = Drl(bob.connected_did, protocol=PROTOCOL, protocol_path="avatar")
    assert (await asked(bob, drl))[0] == 404
    await bob.dwn.records.create(b"private", **place)
    assert (await asked(bob, drl))[:2] == (200, b"private")
    await bob.dwn.records.create(b"first", published=True, **place)
    newest = await bob.dwn.records.create(b"second", published=True, **place)
    await bob.dwn.records.create(b"private again", **place)
    await bob.sync.now()
    for web5 in (alice, bob):
        assert (await asked(web5, drl))[:2] == (200, b"second")
        assert (await web5.dwn.records.read_drl(drl)).id == newest.id
        assert await (await web5.dwn.records.read_drl(newest.drl)).data.bytes() == b"second"
    async with Web5.anonymous(did_dht_gateways=[f"{ORIGIN}/dht"], http=world.network()) as anybody:
        assert (await anybody.records.read_drl(str(drl))).id == newest.id
        assert (await anybody.records.read_drl(newest.drl)).drl == newest.drl
        with pytest.raises(NotFound):
            await anybody.records.read_drl(Drl(bob.connected_did, protocol=PROTOCOL, protocol_path="other"))
    with pytest.raises(InvalidArgument, match="a DID's document"):
        await alice.dwn.records.read_drl(f"https://dweb/{bob.connected_did}")
    with pytest.raises(InvalidArgument, match="no DRL"):
        await alice.dwn.records.read_drl("https://example.org/picture.png")


async def test_a_did_alone_is_its_document(world: World) -> None:
    alice = await connected(world, "alice")
    status, data, found = await asked(alice, Drl(alice.connected_did))
    assert (status, json.loads(data)["didDocument"]["id"]) == (200, alice.connected_did)
    assert found.headers["content-type"] == "application/json"
    status, data, _ = await asked(alice, "https://dweb/did:dht:" + "y" * 52)
    assert (status, b"notFound" in data) == (404, True)


async def test_nothing_private_is_given_while_the_vault_is_locked(world: World) -> None:
    alice = await connected(world, "alice")
    await alice.vault.change_password(None, "correct horse battery")
    private = await alice.dwn.records.create(LARGE, encryption=True)
    public = await alice.dwn.records.create("For everybody", published=True)
    await alice.sync.now()
    begun = await answers.answer(alice.agent, private.drl, {})
    chunks = aiter(begun.data)
    assert await anext(chunks)
    await alice.agent.lock()
    with pytest.raises(Exception, match="unlocked"):
        while await anext(chunks, b""):
            pass
    assert (await asked(alice, private.drl))[:2] == (403, answers.LOCKED.encode())
    assert (await asked(alice, public.drl))[:2] == (200, b"For everybody")  # as anybody reads it
    await alice.agent.unlock("correct horse battery")
    assert (await asked(alice, private.drl))[:2] == (200, LARGE)


async def test_what_strangers_wrote_is_named_what_cannot_run(world: World) -> None:
    alice = await connected(world, "alice")
    for written, given in (
        ("text/javascript", "text/plain; charset=utf-8"),
        ("text/html", "text/html"),
        ("no type", "application/octet-stream"),
    ):
        record = await alice.dwn.records.create("<script>1</script>", data_format=written)
        headers = (await asked(alice, record.drl))[2].headers
        assert headers["content-type"] == given
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-disposition"].startswith("attachment" if given != "text/plain; charset=utf-8" else "in")


async def test_a_caller_elsewhere_takes_it_in_chunks(world: World) -> None:
    alice = await connected(world, "alice")
    record = await alice.dwn.records.create(LARGE)
    office = Office(alice.agent)
    session = json.loads(await office.answer("worker", "join", "{}"))

    async def call(name: str, **arguments: object) -> object:
        return json.loads(await office.answer("worker", name, json.dumps({"session": session, **arguments})))

    opened = await call("open_drl", drl=record.drl, conditions={"range": "bytes=5-"})
    assert isinstance(opened, dict)
    assert (opened["status"], opened["data"]["size"]) == (206, len(LARGE) - 5)
    size = 0
    while (chunk := await call("take", stream=opened["data"]["stream"])) is not None:
        size += len(str(chunk)) * 3 // 4
    assert size >= len(LARGE) - 5
    small = await call("open_drl", drl="nonsense", conditions={})
    assert isinstance(small, dict)
    assert (small["status"], small["data"]["stream"]) == (400, None)
    for conditions in ("x", {"range": 7}):
        with pytest.raises(InvalidArgument):
            await call("open_drl", drl=record.drl, conditions=conditions)
    office.close()
