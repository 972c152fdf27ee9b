"""`web5-node tenants`, `backup` and `check`, beside a node that runs in this process."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import AT, LARGE, Node
from web5.dwn import compose
from web5.node.program.main import main
from web5.node.stores import REGISTRY
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
        assert bool(output.err) == (status in (1, 2)), output.err
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
    assert "open already" in await operator("tenants", "delete", node.did, "--yes", status=1)
    assert node.used().messages == 1
    await node.close()
    assert "say --yes" in await operator("tenants", "delete", node.did, status=2)
    assert [row["messages"] for row in await operator.list()] == [1]
    await operator("tenants", "delete", node.did, "--yes")
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


async def test_the_operator_is_asked_before_a_tenant_is_erased(
    node: Node, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator("tenants", "allow", node.did)
    await node.write(LARGE)
    await node.close()

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert "nothing was erased" in await operator("tenants", "delete", node.did, status=2)
    assert [row["messages"] for row in await operator.list()] == [1]
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert "Erase 1 messages" in await operator("tenants", "delete", node.did)
    assert [row["messages"] for row in await operator.list()] == [0]


async def test_nothing_of_another_tenant_is_erased(node: Node, operator: Operator) -> None:
    await node.open()
    await node.configure()
    await node.write(LARGE, node.guest_signer, **AT)
    message = await compose.records_write(node.guest_signer, clock, data=LARGE, data_format="text/plain")
    assert (await node.dwn.process_message(node.guest, message, LARGE))["status"]["code"] == 202
    before = node.used(node.guest)
    await node.close()
    await operator("tenants", "delete", node.guest, "--yes")
    await node.open()
    assert node.used(node.guest) == before
    assert [row["did"] for row in await operator.list()] == [node.did]
    assert len(await node.dwn.blobs.keys()) == 1


async def test_the_operator_invites_and_revokes(node: Node, operator: Operator) -> None:
    code = (await operator("tenants", "invite", "--note", "Ann", "--admission", "invitation")).strip()
    assert len(code) == 24
    one = json.loads(await operator("tenants", "invite", "--uses", "5", "--days", "1", "--json"))
    listed = json.loads(await operator("tenants", "invitations", "--json"))
    assert {(row["id"], row["uses"], row["note"]) for row in listed} >= {(one["id"], 5, "")}
    assert code not in str(listed) + (node.folder / REGISTRY).read_bytes().decode("latin-1")
    assert "0 of 2 used, until" in await operator("tenants", "invitations")
    await operator("tenants", "revoke", one["id"])
    assert "there is no invitation" in await operator("tenants", "revoke", one["id"], status=2)
    assert [row["note"] for row in json.loads(await operator("tenants", "invitations", "--json"))] == ["Ann"]


async def test_a_tenant_goes_to_another_node(node: Node, operator: Operator, tmp_path: Path) -> None:
    """The node runs while it is exported, and the other one, which has ended, checks what comes."""
    await node.open()
    await node.configure()
    await node.write(LARGE, node.guest_signer, **AT)
    await node.write(b"small", **AT)
    file = tmp_path / "tenant.zip"
    held = node.used().messages
    assert f"{held} messages, 1 large data of {len(LARGE):,} bytes" in await operator("export", node.did, str(file))
    await node.close()
    there = Operator(tmp_path / "there", operator._capsys)
    flags = ("--no-gateway",)  # so that nobody knows the DID of the tenant
    said = await there("import", str(file), *flags, status=3)
    assert f"0 of {held} messages taken" in said
    assert "need --gateways" in said
    assert "nothing here" in await operator("export", "did:web:nobody.example", str(file), status=2)
