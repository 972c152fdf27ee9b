"""Copies of a node's folder while it is in use, and a look at whether all is whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import LARGE, Node
from web5.dwn import compose
from web5.errors import StorageError
from web5.node.upkeep.backup import PARTIAL, back_up, blob_file
from web5.node.upkeep.check import faults


@pytest.fixture
async def node(tmp_path: Path):
    node = await Node.make(tmp_path / "data" / "dwn")
    await node.open()
    for data in (b"text", LARGE, LARGE[::-1]):
        await node.write(data)
    yield node
    await node.close()


async def test_a_copy_of_a_node_in_use_has_all_of_it(node: Node, tmp_path: Path) -> None:
    copied = back_up(tmp_path / "data", tmp_path / "copy")
    assert (copied.databases, copied.blobs) == (2, 2)
    assert list(faults(tmp_path / "copy")) == []
    ids = node.last["recordId"]
    await node.close()
    node.folder = tmp_path / "copy" / "dwn"
    await node.open()
    read = await compose.records_read(node.signer, clock, filter={"recordId": ids})
    reply = await node.dwn.process_message(node.did, read)
    assert await reply["entry"]["data"].read() == LARGE[::-1]


async def test_a_copy_that_is_made_while_data_are_replaced_is_whole(node: Node, tmp_path: Path) -> None:
    record = node.last
    going_on = True

    async def replace() -> int:
        count = 0
        while going_on:
            count += 1
            assert (await node.write(LARGE[count:] + LARGE[:count], existing=record))[0] == 202
        return count

    replacing = asyncio.ensure_future(replace())
    for number in range(5):
        await asyncio.to_thread(back_up, tmp_path / "data", tmp_path / f"copy{number}")
        assert list(faults(tmp_path / f"copy{number}")) == []
    going_on = False
    assert await replacing > 0
    assert list(faults(tmp_path / "data")) == []


async def test_nothing_is_written_over_and_nothing_half_made_looks_whole(node: Node, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(StorageError, match="is there already"):
        back_up(tmp_path / "data", tmp_path / "copy")
    with pytest.raises(StorageError, match="there is no node"):
        back_up(tmp_path / "other", tmp_path / "new")
    [key] = [key for (key,) in node.dwn.database.connection.execute("SELECT key FROM dwn_blob LIMIT 1")]
    blob_file(node.folder, key).unlink()
    with pytest.raises(StorageError, match="changes faster"):
        back_up(tmp_path / "data", tmp_path / "broken")
    assert not (tmp_path / "broken").exists()
    assert (tmp_path / f"broken{PARTIAL}").exists()


async def test_what_is_not_whole_is_found(node: Node, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert list(faults(data)) == []
    db = node.dwn.database.connection
    keys = [key for (key,) in db.execute("SELECT key FROM dwn_blob ORDER BY size, key")]
    blob_file(node.folder, keys[0]).write_bytes(LARGE[:-1])
    blob_file(node.folder, keys[1]).unlink()
    db.execute("UPDATE dwn_message SET message = replace(message, 'text/plain', 'text/other') WHERE data IS NOT NULL")
    found = list(faults(data))
    assert len(found) == 3
    assert any("is another one" in line for line in found)
    assert any("are others, or not all" in line for line in found)
    assert any("cannot be read: No such file" in line for line in found)


async def test_a_file_that_is_no_database_is_found(node: Node, tmp_path: Path) -> None:
    await node.close()
    database = node.folder / "dwn.sqlite"
    whole = database.read_bytes()
    database.write_bytes(b"x" * len(whole))
    assert ["cannot be read as a database" in line for line in faults(tmp_path / "data")] == [True]
    middle = len(whole) // 2 // 4096 * 4096
    database.write_bytes(whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :])
    assert list(faults(tmp_path / "data"))
