"""Everything of an identity goes into an archive and comes back on an empty device."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.memory import MIB, at_most
from tests.unit.conftest import World
from web5 import Web5
from web5.agent.agent import Agent
from web5.archive.exporting import export_archive
from web5.archive.local_files import LocalSink
from web5.archive.taking import ImportReport
from web5.dwn import Delivery, compose
from web5.dwn.values.cid import data_cid, message_cid
from web5.errors import IdentityError, InvalidArgument, StorageFull, VaultLocked, WrongPassword

PASSWORD = "eight or more"
CHAT = {
    "protocol": "https://example.org/chat",
    "published": True,
    "types": {
        "thread": {"dataFormats": ["text/plain"]},
        "member": {"dataFormats": ["text/plain"]},
        "message": {"dataFormats": ["text/plain"]},
        "secret": {"dataFormats": ["text/plain"], "encryptionRequired": True},
    },
    "structure": {
        "thread": {
            "member": {"$role": True},
            "message": {
                "$actions": [{"role": "thread/member", "can": ["create", "read", "query", "subscribe"]}],
                "$tags": {"color": {"type": "string"}},
            },
        },
        "secret": {},
    },
}
LARGE = bytes(range(256)) * 4000


async def connect(agent: Agent, endpoints: list[str]) -> Web5:
    return (await Web5.connect(agent=agent, dwn_endpoints=endpoints, sync="off")).web5


async def fill(web5: Web5) -> dict[str, str]:
    """Records of every kind: updated, deleted, nested, tagged, encrypted, large, under a role, under older rules."""
    records, protocols, uri = web5.dwn.records, web5.dwn.protocols, CHAT["protocol"]
    await protocols.configure(CHAT)
    made: dict[str, str] = {}

    async def thread_with(name: str, text: str) -> Any:
        thread = await records.create(text, protocol=uri, protocol_path="thread", data_format="text/plain")
        made[name] = thread.id
        return thread

    thread = await thread_with("thread", "first words")
    child = await records.create(
        "milk",
        protocol=uri,
        protocol_path="thread/message",
        parent_context_id=thread.context_id,
        data_format="text/plain",
        tags={"color": "white"},
    )
    made["child"] = child.id
    await thread.update(data="last words")
    gone = await thread_with("gone", "soon gone")
    orphan = await records.create(
        "of one that is gone",
        protocol=uri,
        protocol_path="thread/message",
        parent_context_id=gone.context_id,
        data_format="text/plain",
    )
    made["orphan"] = orphan.id
    await records.delete(gone.id)
    pruned = await thread_with("pruned", "pruned")
    await records.delete(pruned.id, prune=True)
    secret = await records.create("12-34-56", protocol=uri, protocol_path="secret", data_format="text/plain")
    made["secret"] = secret.id
    large = await records.create(LARGE, schema="https://example.org/film", published=True)
    made["large"] = large.id
    again = await records.create(LARGE[:40_000], schema="https://example.org/film")
    await again.update(data=LARGE[:50_000])
    made["changed"] = again.id
    empty = await records.create(b"", schema="https://example.org/empty")
    made["empty"] = empty.id
    changed = json.loads(json.dumps(CHAT))
    changed["types"]["thread"]["schema"] = "https://example.org/thread"
    await protocols.configure(changed)
    return made


def held(agent: Agent, did: str) -> dict[str, tuple[Any, ...]]:
    """What a device holds of a tenant."""
    store = agent.dwn.store
    rows = store.connection.execute(
        "SELECT cid, method, latest, initial, message, data FROM dwn_message WHERE tenant = ?", (store.tenant(did),)
    )
    return {cid: rest for cid, *rest in rows}


async def settle(web5: Web5) -> None:
    """Sync until all is where it should be."""
    for _ in range(5):
        if (await web5.sync.now()).complete or (await web5.sync.retry()).complete:
            return
    assert web5.sync.unsettled() == []


async def moved(world: World, path: Path, **options: Any) -> tuple[Agent, Web5, ImportReport]:
    """A second device, with an agent of its own, that has imported the archive."""
    other = await world.device("phone")
    web5 = await connect(other, [])
    report = await web5.import_(path, **options)
    return other, await web5.use(report.did), report


async def test_all_of_an_identity_comes_back_on_an_empty_device(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    made = await fill(web5)
    path, told = tmp_path / "me.zip", list[tuple[str, int, int]]()
    exported = await web5.export(path, password=PASSWORD, on_progress=lambda *step: told.append(step))
    assert exported.messages == len(held(agent, web5.connected_did))
    assert (exported.data, exported.data_bytes, exported.left_out) == (2, len(LARGE) + 50_000, ())
    assert told[-1] == ("messages", exported.messages, exported.messages)
    assert ("data", exported.data_bytes, exported.data_bytes) in told
    assert path.stat().st_mode & 0o077 == 0

    other, there, report = await moved(world, path, password=PASSWORD)
    assert report.created_identity and report.complete
    assert (report.did, report.taken, report.there) == (web5.connected_did, exported.messages, 0)
    assert held(other, report.did) == held(agent, report.did)
    records = there.dwn.records
    assert await (await records.read(made["secret"])).data.text() == "12-34-56"
    assert await (await records.read(made["large"])).data.bytes() == LARGE
    assert await (await records.read(made["thread"])).data.text() == "last words"
    assert await (await records.read(made["orphan"])).data.text() == "of one that is gone"
    assert there.identities.list()[-1].name == "Default"
    assert len(await there.dwn.protocols.query()) == len(await web5.dwn.protocols.query())

    again = await there.import_(path)
    assert (again.taken, again.there, again.created_identity) == (0, exported.messages, False)


async def test_an_archive_is_read_by_zipfile_and_json_alone(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    await fill(web5)
    target = io.BytesIO()
    await web5.export(target, keys="none")
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        lines = [
            json.loads(line)
            for file in manifest["files"]
            if file["name"].startswith("messages/")
            for line in archive.read(file["name"]).splitlines()
        ]
        identity = json.loads(archive.read("identity.json"))
        document = json.loads(archive.read("did.json"))
        data = {name: archive.read(name) for name in archive.namelist() if name.startswith("data/")}
        assert "identity.jwe" not in archive.namelist()
    assert manifest["did"] == web5.connected_did == identity["portableDid"]["uri"] == document["id"]
    assert "privateKeys" not in identity["portableDid"]
    assert len(lines) == manifest["messages"]
    assert all(message_cid(one["message"]) == one["cid"] for one in lines)
    assert all(name == f"data/{data_cid(content)}" for name, content in data.items())


async def test_what_was_imported_syncs_with_the_nodes_that_have_it(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    await fill(web5)
    assert await agent.publish_all()
    await settle(web5)
    await web5.dwn.records.create("only in the archive", schema="https://example.org/late")
    path = tmp_path / "me.zip"
    await web5.export(path, keys="plain")
    other, there, report = await moved(world, path)
    assert report.complete
    assert await other.publish_all()
    await settle(there)
    assert all(one.same for one in await there.sync.check())
    await settle(web5)
    assert held(other, report.did) == held(agent, report.did)


async def test_roles_and_grants_that_ended_come_along(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    bob_agent = await world.device("bob")
    bob = await connect(bob_agent, world.endpoints)
    uri = str(CHAT["protocol"])
    await web5.dwn.protocols.configure(CHAT)
    thread = await web5.dwn.records.create("t", protocol=uri, protocol_path="thread", data_format="text/plain")
    role = await web5.dwn.records.create(
        "",
        protocol=uri,
        protocol_path="thread/member",
        parent_context_id=thread.context_id,
        recipient=bob.connected_did,
        data_format="text/plain",
    )
    assert await agent.publish_all() and await bob_agent.publish_all()
    assert (await web5.sync.now()).complete
    await bob.dwn.protocols.configure(CHAT)
    said = await bob.dwn.records.create(
        "said by Bob",
        protocol=uri,
        protocol_path="thread/message",
        parent_context_id=thread.context_id,
        protocol_role="thread/member",
        data_format="text/plain",
        store=False,
    )
    assert (await said.send(web5.connected_did)).failed == []
    assert (await web5.sync.now()).complete
    await web5.dwn.records.delete(role.id)
    scope = {"interface": "Records", "method": "Read", "protocol": uri}
    grants = [
        await web5.dwn.permissions.grant(
            granted_to=bob.connected_did, scope=scope, date_expires=timedelta(days=number + 1)
        )
        for number in range(3)
    ]
    await grants[0].revoke()
    await web5.dwn.records.delete(grants[1].id)
    await thread.update(data="after he left")
    path = tmp_path / "me.zip"
    exported = await web5.export(path, keys="plain")
    other, there, report = await moved(world, path)
    assert (report.refusals, report.taken) == ([], exported.messages)
    assert await (await there.dwn.records.read(said.id)).data.text() == "said by Bob"
    assert held(other, report.did) == held(agent, report.did)


async def test_the_keys_are_as_the_person_wants_them(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    path, before = tmp_path / "me.zip", os.listdir(tmp_path)
    for options in ({}, {"password": "short"}, {"keys": "plain", "password": PASSWORD}, {"keys": "secret"}):
        with pytest.raises(InvalidArgument):
            await web5.export(path, **options)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == before
    await web5.export(path, password=PASSWORD)
    private = (await agent.identities.portable_did(web5.connected_did)).private_keys or []
    assert not any(key["d"].encode() in path.read_bytes() for key in private)
    other = await world.device("phone")
    phone = await connect(other, [])
    with pytest.raises(VaultLocked):
        await phone.import_(path)
    with pytest.raises(WrongPassword):
        await phone.import_(path, password="another one")
    await web5.export(path, keys="none")
    with pytest.raises(IdentityError, match="no keys"):
        await phone.import_(path)
    assert len(phone.identities.list()) == 1
    assert (await web5.import_(path)).complete  # where the identity is


class Interrupting(LocalSink):
    """A sink in memory; once so much of the archive is written, something else happens before it goes on."""

    def __init__(self, target: io.BytesIO, after: int, what: Callable[[], Awaitable[object]]) -> None:
        super().__init__(target, None)
        self._target, self._after, self._what = target, after, what

    async def write(self, data: bytes) -> None:
        await super().write(data)
        if self._target.tell() >= self._after:
            self._after = sys.maxsize
            await self._what()


@pytest.mark.parametrize("change", ["update", "delete", "update and delete all"])
@pytest.mark.parametrize("after", [1, 400_000, 1_000_000])
async def test_records_that_change_meanwhile_are_exported_as_they_were_or_are(
    world: World, after: int, change: str
) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    films = [await web5.dwn.records.create(LARGE[number:], schema="https://example.org/film") for number in range(3)]

    async def meanwhile() -> None:
        if "update" in change:
            for film in films:
                await film.update(data=b"another" * 10_000)
        if "delete" in change:
            for film in films[: None if "all" in change else 1]:
                await film.delete()

    target = io.BytesIO()
    sink = Interrupting(target, after, meanwhile)
    report = await export_archive(agent, web5.connected_did, sink, keys="plain")
    assert report.left_out == ()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
    phone = await connect(await world.device("phone"), [])
    taken = await phone.import_(target)
    assert (taken.refusals, taken.complete) == ([], True)
    there = (await phone.use(taken.did)).dwn.records
    for film in await there.query(schema="https://example.org/film"):
        assert data_cid(await film.data.bytes()) == film.data_cid


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_an_export_that_does_not_end_leaves_nothing(world: World, tmp_path: Path, how: str) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    await web5.dwn.records.create(LARGE, schema="https://example.org/film")
    path, before = tmp_path / "me.zip", os.listdir(tmp_path)
    under_way = asyncio.Event()

    def told(step: str, done: int, total: int) -> None:
        under_way.set()
        if how == "failed":
            raise ValueError("the app's own")

    export = asyncio.create_task(web5.export(path, keys="plain", on_progress=told))
    await under_way.wait()
    export.cancel()
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await export
    assert os.listdir(tmp_path) == before


async def test_an_import_that_finds_no_room_goes_on_once_there_is_some(world: World, tmp_path: Path) -> None:
    web5 = await connect(await world.device("laptop"), [])
    for number in range(100):
        await web5.dwn.records.create(f"{number} " * 1000, schema="https://example.org/note")
    path = tmp_path / "me.zip"
    await web5.export(path, keys="plain")
    other = await world.device("phone")
    phone, db = await connect(other, []), other.dwn.database.connection
    [(pages,)] = db.execute("PRAGMA page_count")
    db.execute(f"PRAGMA max_page_count = {pages + 40}").fetchall()
    with pytest.raises(StorageFull):
        await phone.import_(path)
    db.execute(f"PRAGMA max_page_count = {2 << 20}").fetchall()
    report = await phone.import_(path)
    assert (report.taken + report.there, report.complete) == (100, True)
    assert held(other, report.did) == held(web5.agent, report.did)


async def test_ten_thousand_messages_are_not_held_in_memory(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    signer = await agent.signer(web5.connected_did)
    for start in range(0, 10_000, 500):
        deliveries = []
        for number in range(start, start + 500):
            data = f"note {number}".encode()
            message = await compose.records_write(
                signer, agent.clock, data=data, data_format="text/plain", schema="https://example.org/note"
            )
            deliveries.append(Delivery(message, data, message_cid(message)))
        assert all(reply["status"]["code"] == 202 for reply in await agent.dwn.process_writes(signer.did, deliveries))
    path = tmp_path / "me.zip"
    with at_most(12 * MIB):
        exported = await web5.export(path, keys="plain")
    assert exported.messages == 10_000
    phone = await connect(await world.device("phone"), [])
    with at_most(32 * MIB):
        report = await phone.import_(path)
    assert (report.taken, report.complete) == (10_000, True)
