"""One tenant in a file, and back. The numbers are the invariants of `web5.node.upkeep.tenant`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import AT, LARGE, PROTOCOL, Node
from web5.archive.local_files import open_sink, open_source
from web5.archive.taking import ImportReport
from web5.dwn import Dwn, compose
from web5.errors import StorageFull
from web5.node.serve import open_node
from web5.node.tenants.registry import Quota
from web5.node.tenants.tenancy import TenantRules
from web5.node.upkeep.tenant import export_tenant, import_tenant

TEAM = {
    "protocol": "https://protocol.example/team",
    "published": False,
    "types": {"member": {}, "note": {}},
    "structure": {
        "member": {"$role": True},
        "note": {"$actions": [{"role": "member", "can": ["create", "read", "query", "subscribe"]}]},
    },
}


async def fill(node: Node) -> None:
    """Records of every kind: updated, deleted, of guests, large, by a role that has ended."""
    await node.configure()
    await node.write(LARGE, node.guest_signer, **AT)
    await node.write(b"first", **AT)
    await node.write(LARGE, existing=node.last)
    await node.write(LARGE[::-1], **AT)
    await node.delete(node.last["recordId"])
    await node.write(b"", **AT)
    for number in range(70):
        await node.write(str(number).encode(), tags={"number": number})
    team = await compose.protocols_configure(node.signer, clock, definition=TEAM)
    assert await node.process(team) == (202, "Accepted")
    at = {"protocol": TEAM["protocol"]}
    await node.write(b"", protocol_path="member", recipient=node.guest, **at)
    role = node.last["recordId"]
    by_a_member = {"protocol_path": "note", "protocol_role": "member", **at}
    assert await node.write(b"by a member", node.guest_signer, **by_a_member) == (202, "Accepted")
    await node.delete(role)
    published = {**PROTOCOL, "types": {"post": {}, "more": {}}, "structure": {**PROTOCOL["structure"], "more": {}}}
    await node.process(await compose.protocols_configure(node.signer, clock, definition=published))


def cids(dwn: Dwn, did: str) -> set[str]:
    return {cid for _, cid in dwn.store.entries_after(did, 0, 10_000)}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    node = await Node.make(tmp_path / "here" / "dwn")
    await node.open()
    await fill(node)
    yield node
    await node.close()


@asynccontextmanager
async def there(node: Node, stores: Any, rules: TenantRules | None = None) -> AsyncIterator[Dwn]:
    async with open_node(stores, node._resolver, rules=rules or TenantRules()) as (dwn, _):
        yield dwn


async def exported(node: Node, folder: Path) -> Path:
    file = folder / "tenant.zip"
    await export_tenant(node.dwn, node.did, await open_sink(file), clock)
    return file


async def imported(dwn: Dwn, file: Path, *, history: bool = True) -> ImportReport:
    source = await open_source(file)
    try:
        return await import_tenant(dwn, source, history=history)
    finally:
        await source.close()


async def moves(node: Node, stores: Any, tmp_path: Path) -> None:
    """Everything arrives, whole, and arrives once."""
    file = await exported(node, tmp_path)
    assert not file.with_name("tenant.zip.part").exists()
    async with there(node, stores) as dwn:
        report = await imported(dwn, file)
        assert report.complete, report.refusals
        assert report.taken == report.messages
        assert cids(dwn, node.did) == cids(node.dwn, node.did)
        query = await compose.records_query(node.signer, clock, filter={"protocol": AT["protocol"]})
        replies = [await one.process_message(node.did, query) for one in (dwn, node.dwn)]
        assert replies[0]["entries"] == replies[1]["entries"]
        large = [entry["recordId"] for entry in replies[0]["entries"] if entry["descriptor"]["dataSize"] == len(LARGE)]
        assert len(large) == 2
        for record_id in large:
            read = await compose.records_read(node.signer, clock, filter={"recordId": record_id})
            assert await (await dwn.process_message(node.did, read))["entry"]["data"].read() == LARGE
        again = await imported(dwn, file)
        assert (again.taken, again.there, again.refused) == (0, report.messages, 0)


async def test_everything_of_a_tenant_moves(node: Node, tmp_path: Path) -> None:
    """1, 3"""
    await moves(node, tmp_path / "there", tmp_path)


async def test_2_what_was_allowed_once_is_taken_by_the_operator_s_word_alone(node: Node, tmp_path: Path) -> None:
    file = await exported(node, tmp_path)
    async with there(node, tmp_path / "there") as dwn:
        report = await imported(dwn, file, history=False)
        assert report.refused == 1
        missing = cids(node.dwn, node.did) - cids(dwn, node.did)
        assert missing == {one.message_cid for one in report.refusals}
        report = await imported(dwn, file)
        assert (report.taken, report.refused) == (1, 0)


async def test_the_quota_holds_and_an_import_goes_on(node: Node, tmp_path: Path) -> None:
    """3"""
    file = await exported(node, tmp_path)
    async with there(node, tmp_path / "there", TenantRules(quota=Quota(messages=70))) as dwn:
        with pytest.raises(StorageFull, match="web5-node tenants quota"):
            await imported(dwn, file)
        assert 0 < len(cids(dwn, node.did)) <= 70
    async with there(node, tmp_path / "there") as dwn:
        report = await imported(dwn, file)
        assert report.complete
        assert report.there > 0
        assert cids(dwn, node.did) == cids(node.dwn, node.did)


async def test_a_file_appears_when_it_is_whole(node: Node, tmp_path: Path) -> None:
    """1"""
    await node.dwn.blobs.delete(await node.dwn.blobs.keys())
    file = tmp_path / "tenant.zip"
    exported = await export_tenant(node.dwn, node.did, await open_sink(file), clock)
    assert len(exported.left_out) >= 2  # what is lost is named, and all else is there
    async with there(node, tmp_path / "there") as dwn:
        report = await imported(dwn, file)
        assert report.taken + report.refused == exported.messages
        assert {one.reason for one in report.refusals} == {"its data are not in the archive"}
