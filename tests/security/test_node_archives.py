"""Tenants' archives that an attacker made, or that broke, at a node: nothing of them comes in unverified."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.memory import MIB, at_most
from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import AT, LARGE, Node
from web5.archive.format import MOST_MANIFEST, MOST_PART
from web5.archive.local_files import open_sink, open_source
from web5.dwn import Dwn
from web5.dwn.values.cid import message_cid
from web5.errors import ArchiveDamaged, ArchiveError, ArchiveNewer, Web5Error
from web5.node.serve import open_node
from web5.node.tenants.tenancy import TenantRules
from web5.node.upkeep.tenant import export_tenant, import_tenant

Files = dict[str, bytes]
PART = "messages/000001.jsonl"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = await Node.make(tmp_path / "here")
    await node.open()
    await node.configure()
    await node.write(LARGE, **AT)
    await node.write(b"of a guest", node.guest_signer, **AT)
    yield node
    await node.close()


@pytest.fixture
async def dwn(node: Node, tmp_path: Path) -> AsyncIterator[Dwn]:
    async with open_node(tmp_path / "there", node._resolver, rules=TenantRules()) as (dwn, _):
        yield dwn


async def files_of(node: Node, folder: Path) -> Files:
    file = folder / "tenant.zip"
    await export_tenant(node.dwn, node.did, await open_sink(file), clock)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def fitting(files: Files, **changes: Any) -> Files:
    """The files with a manifest that fits them, as a forger makes it: nobody signs it."""
    manifest = json.loads(files["manifest.json"])
    for file in manifest["files"]:
        content = files[file["name"]]
        file |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "messages": content.count(b"\n")}
    manifest["messages"] = sum(file["messages"] for file in manifest["files"])
    data = [content for name, content in files.items() if name.startswith("data/")]
    manifest |= {"data": len(data), "data_bytes": sum(map(len, data)), **changes}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def zipped(files: Files, compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


async def take(dwn: Dwn, archive: io.BytesIO, *, history: bool = True) -> Any:
    return await import_tenant(dwn, await open_source(archive), history=history)


def held(dwn: Dwn) -> list[Any]:
    return list(dwn.database.connection.execute("SELECT cid FROM dwn_message ORDER BY cid"))


async def test_the_messages_of_one_tenant_are_nobody_else_s(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    files = fitting(await files_of(node, tmp_path), did=node.guest)
    report = await take(dwn, zipped(files))
    assert (report.taken, report.refused) == (0, report.messages)
    assert held(dwn) == []


async def test_a_name_that_is_no_did_is_refused(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    for did in ("", "did:example:a/../b", "x" * 1000):
        with pytest.raises(ArchiveError, match="names no DID"):
            await take(dwn, zipped(fitting(await files_of(node, tmp_path), did=did)))


async def test_a_message_that_was_changed_is_not_taken(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    """A forger has every digest fit, and cannot have the signature fit."""
    files = await files_of(node, tmp_path)
    lines = [json.loads(line) for line in files[PART].splitlines()]
    for line in lines:
        line["message"]["descriptor"]["messageTimestamp"] = "2020-01-01T00:00:00.000000Z"
    files[PART] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with pytest.raises(ArchiveError, match="not the one that stands there"):
        await take(dwn, zipped(fitting(files)))
    for line in lines:
        line["cid"] = message_cid(line["message"])
    files[PART] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    report = await take(dwn, zipped(fitting(files)))
    assert (report.taken, report.refused) == (0, len(lines))
    assert held(dwn) == []


async def test_other_data_are_not_taken(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    files = await files_of(node, tmp_path)
    [name] = [name for name in files if name.startswith("data/")]
    files[name] = bytes(len(LARGE))
    report = await take(dwn, zipped(fitting(files)))
    assert report.refused == 1
    assert await dwn.blobs.keys() == set()


async def test_a_part_that_was_changed_is_not_looked_into(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    files = await files_of(node, tmp_path)
    files[PART] = files[PART].replace(b'"cid"', b'"cie"', 1)
    with pytest.raises(ArchiveDamaged):
        await take(dwn, zipped(files))
    assert held(dwn) == []


async def test_a_newer_format_is_said_to_be_one(node: Node, dwn: Dwn, tmp_path: Path) -> None:
    with pytest.raises(ArchiveNewer):
        await take(dwn, zipped(fitting(await files_of(node, tmp_path), version=2)))


@pytest.mark.parametrize(("name", "most"), [("manifest.json", MOST_MANIFEST), (PART, MOST_PART)])
async def test_giants_are_refused_before_they_are_unpacked(
    node: Node, dwn: Dwn, tmp_path: Path, name: str, most: int
) -> None:
    files = await files_of(node, tmp_path)
    if name == PART:
        files = fitting({**files, PART: bytes(most + 1)})
    else:
        files[name] = bytes(most + 1)
    bomb = zipped(files, zipfile.ZIP_DEFLATED)
    assert len(bomb.getvalue()) < MIB
    del files
    with at_most(8 * MIB), pytest.raises(ArchiveError, match="larger than"):
        await take(dwn, bomb)
    assert held(dwn) == []


async def test_a_file_that_was_cut_off_anywhere_leaves_only_what_is_verified(
    node: Node, dwn: Dwn, tmp_path: Path
) -> None:
    whole = zipped(await files_of(node, tmp_path)).getvalue()
    for seed in range(30):
        with pytest.raises(Web5Error):
            await take(dwn, io.BytesIO(whole[: random.Random(seed).randrange(len(whole))]))
        assert held(dwn) == []
    assert (await take(dwn, io.BytesIO(whole))).complete
