"""A store of every released version opens with all that is in it; one of a newer version is refused as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.stores import make
from web5 import Web5
from web5.agent.schema import COMPONENTS
from web5.cpython.agent import open_agent
from web5.cpython.crypto import CPythonCrypto
from web5.dids.models import DidResolutionResult
from web5.dwn.store.database import open_file, open_memory
from web5.dwn.store.schema import STEPS
from web5.errors import StorageNewer
from web5.node.gateway import create_gateway
from web5.node.registration import Registrations, RegistrationSettings
from web5.node.serve import open_node
from web5.ports.clock import SystemClock

GATEWAYS = ["http://gateway.example"]
FILE = "web5.sqlite"
VERSIONS = sorted(path for path in Path(make.__file__).parent.iterdir() if (path / "device").is_dir())
"""The stores of released versions, and of the one that is being worked on."""


class Nobody:
    """Knows no DID."""

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        return DidResolutionResult.failed("notFound", "nobody is known")


async def _make(folder: Path) -> None:
    agent = await open_agent(gateway_uris=GATEWAYS, data_path=folder)
    await agent.initialize(dwn_endpoints=[])
    await agent.close()


async def _upgrade(file: Path, component: str, steps: int) -> None:
    """Mark a database as migrated by a newer version."""
    database = open_file(file)
    with database.transaction() as db:
        db.execute("INSERT OR REPLACE INTO component VALUES (?, ?)", (component, steps))
        db.execute("CREATE TABLE newer (anything TEXT)")
    await database.close()


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("component", [*COMPONENTS, "one of which nothing is known yet"])
async def test_an_agent_does_not_touch_what_a_newer_version_wrote(tmp_path: Path, component: str) -> None:
    await _make(tmp_path)
    await _upgrade(tmp_path / FILE, component, len(COMPONENTS.get(component, ())) + 1)
    (tmp_path / "blobs" / "partial" / "something of the newer version").write_text("being written")
    before = _contents(tmp_path)
    with pytest.raises(StorageNewer, match=r"newer version .* Reload the page, or install"):
        await open_agent(gateway_uris=GATEWAYS, data_path=tmp_path)
    assert _contents(tmp_path) == before


async def test_all_components_of_an_agent_are_known(tmp_path: Path) -> None:
    await _make(tmp_path)
    database = open_file(tmp_path / FILE)
    stored = dict(database.connection.execute("SELECT name, version FROM component"))
    await database.close()
    assert stored == {component: len(steps) for component, steps in COMPONENTS.items()}


async def test_a_node_does_not_touch_what_a_newer_version_wrote(tmp_path: Path) -> None:
    async with open_node(tmp_path, Nobody()):
        pass
    await _upgrade(tmp_path / "dwn.sqlite", "dwn", len(STEPS) + 1)
    (tmp_path / "blobs" / "partial" / "something").write_text("being written")
    before = _contents(tmp_path)
    with pytest.raises(StorageNewer):
        async with open_node(tmp_path, Nobody()):
            pass
    assert _contents(tmp_path) == before


def test_registrations_and_gateways_are_refused_too() -> None:
    database = open_memory()
    database.migrate("something newer", ["CREATE TABLE newer (anything TEXT)"])
    before = database.connection.execute("SELECT * FROM sqlite_schema").fetchall()
    with pytest.raises(StorageNewer):
        Registrations(database, RegistrationSettings(hashes=1), SystemClock())
    with pytest.raises(StorageNewer):
        create_gateway(database, CPythonCrypto())
    assert database.connection.execute("SELECT * FROM sqlite_schema").fetchall() == before


@pytest.mark.parametrize("stores", VERSIONS, ids=lambda path: path.name)
async def test_a_store_of_every_version_opens_with_all_that_is_in_it(stores: Path, tmp_path: Path) -> None:
    make.restore(stores, tmp_path)
    async with make.running(tmp_path) as (agent, _):
        web5 = (await Web5.connect(agent=agent, sync="off")).web5
        assert [identity.did for identity in web5.identities.list()] == [web5.connected_did]
        assert len((await web5.vault.recovery_phrase() or "").split()) == 12
        records = await web5.dwn.records.query(data_format="text/plain")
        assert sorted([await record.data.text() for record in records]) == make.TEXTS
        assert len(await web5.dwn.records.query(protocol=make.PROTOCOL["protocol"], tags={"color": "red"})) == 1
        waiting = [entry for entry in web5.sync.unsettled() if entry.direction == "push" and entry.target is None]
        assert sorted(entry.endpoint for entry in waiting) == make.NODES
        assert len({entry.message_cid for entry in waiting}) == 1
        kept = web5.sync.unsettled(target=web5.connected_did)
        assert sorted({entry.endpoint for entry in kept}) == make.NODES and len({one.message_cid for one in kept}) == 2
        await agent.publish_all()
        report = await web5.sync.now()
        assert report.ok and report.pushed == 2
        assert all(found.same for found in await web5.sync.check())


@pytest.mark.parametrize("stores", VERSIONS, ids=lambda path: path.name)
async def test_a_store_of_every_version_ends_with_the_tables_of_a_new_one(stores: Path, tmp_path: Path) -> None:
    make.restore(stores, tmp_path / "old")
    for name in ("old", "new"):
        async with make.running(tmp_path / name):
            pass
    edited = "a released step was edited; add another. Of the version in work: python -m tests.stores.make"
    for file in (tmp_path / "new").rglob("*.sqlite"):
        old = tmp_path / "old" / file.relative_to(tmp_path / "new")
        assert _schema(old) == _schema(file), edited


def _schema(file: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(file) as database:
        found = database.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return sorted((name, " ".join(sql.split())) for name, sql in found)
