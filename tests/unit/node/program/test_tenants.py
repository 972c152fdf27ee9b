"""`web5-node tenants`, `backup` and `check`, beside a node that runs in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.node.tenants.test_tenancy import LARGE, Node
from web5.node.program.main import main
from web5.node.tenants.registry import Quota
from web5.node.tenants.tenancy import NOT_ADMITTED, SUSPENDED, TenantRules

STRANGER = "did:example:stranger"


class Operator:
    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data, self._capsys = data, capsys

    async def __call__(self, *arguments: str, status: int = 0) -> str:
        """Run a command in another thread, as it has an event loop of its own; what it says."""
        assert await asyncio.to_thread(main, [*arguments, "--data", str(self.data)]) == status
        output = self._capsys.readouterr()
        assert bool(output.err) == (status in (1, 2))
        return output.err or output.out

    async def list(self, *flags: str) -> list[dict[str, Any]]:
        return json.loads(await self("tenants", "list", "--json", *flags))


@pytest.fixture
async def node(tmp_path: Path):
    node = await Node.make(tmp_path / "data" / "dwn")
    await node.open(TenantRules("list", Quota(messages=2)))
    yield node
    await node.close()


@pytest.fixture
def operator(tmp_path: Path, node: Node, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path / "data", capsys)


async def test_the_operator_says_who_is_served(node: Node, operator: Operator) -> None:
    flags = ("--admission", "list", "--tenant-messages", "2")
    assert await node.write() == (401, NOT_ADMITTED)
    assert await operator.list(*flags) == []
    await operator("tenants", "allow", node.did)
    assert (await node.write(LARGE))[0] == 202
    [row] = await operator.list(*flags)
    quota = {"bytes": None, "messages": 2}
    assert row == {"did": node.did, "state": "served", "messages": 1, "bytes": node.used().bytes, "quota": quota}
    await operator("tenants", "suspend", node.did)
    assert await node.write() == (401, SUSPENDED)
    assert [row["state"] for row in await operator.list(*flags)] == ["suspended"]
    await operator("tenants", "resume", node.did)
    assert (await node.write())[0] == 202
    await operator("tenants", "disallow", node.did)
    assert await node.write() == (401, NOT_ADMITTED)


async def test_the_operator_gives_quotas(node: Node, operator: Operator) -> None:
    await operator("tenants", "allow", node.did)
    await operator("tenants", "quota", node.did, "--messages", "1", "--bytes", "50000000")
    assert [(await node.write())[0] for _ in range(2)] == [202, 507]
    shown = await operator("tenants", "show", node.did, "--admission", "list")
    assert shown == f"{node.did}\n  served, 1 of 1 messages, {node.used().bytes:,} of 50,000,000 bytes\n"
    await operator("tenants", "quota", node.did, "--messages", "usual", "--bytes", "any")
    assert [(await node.write())[0] for _ in range(2)] == [202, 507]
    await operator("tenants", "quota", node.did, "--messages", "any")
    assert (await node.write())[0] == 202


async def test_a_tenant_is_erased_while_nobody_uses_the_folder(node: Node, operator: Operator) -> None:
    await operator("tenants", "allow", node.did)
    await node.write(LARGE)
    assert "open already" in await operator("tenants", "delete", node.did, status=1)
    assert node.used().messages == 1
    await node.close()
    await operator("tenants", "delete", node.did)
    assert [row["messages"] for row in await operator.list()] == [0]
    await node.open()
    assert node.stored() == node.used()
    assert node.stored().messages == 0
    assert await node.dwn.blobs.keys() == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show"], "wants the DID of a tenant"),
        (["allow", "nobody"], "wants the DID of a tenant"),
        (["allow", f"{STRANGER}#key"], "wants the DID of a tenant"),
        (["quota", STRANGER], "wants --bytes, --messages or both"),
        (["list", "--at", "/other"], "say which DWN, with --at: /"),
        (["list", "--paths", "/a,/b"], "say which DWN, with --at: /a, /b"),
    ],
)
async def test_what_is_not_understood_is_said(operator: Operator, arguments: list[str], words: str) -> None:
    assert words in await operator("tenants", *arguments, status=2)


async def test_there_is_no_such_dwn(operator: Operator) -> None:
    assert "there is no DWN in" in await operator("tenants", "list", "--paths", "/a", status=1)
    assert not (operator.data / "a").exists()


@pytest.mark.parametrize("amount", ["0", "-1", "many", "1.5", "9" * 30])
def test_a_quota_that_is_none(amount: str) -> None:
    with pytest.raises(SystemExit):
        main(["tenants", "quota", STRANGER, "--bytes", amount, "--data", "x"])


async def test_copies_and_checks(node: Node, operator: Operator, tmp_path: Path) -> None:
    await operator("tenants", "allow", node.did)
    await node.write(LARGE)
    said = await operator("backup", str(tmp_path / "copy"))
    assert said.startswith(f"{tmp_path / 'copy'}: 2 databases, 1 blobs, ")
    assert await operator("check") == f"{operator.data}: all is whole\n"
    assert "is there already" in await operator("backup", str(tmp_path / "copy"), status=1)
    for file in (node.folder / "blobs" / "whole").iterdir():
        file.unlink()
    assert (await operator("check", status=3)).endswith(f"{operator.data}: 1 faults\n")
