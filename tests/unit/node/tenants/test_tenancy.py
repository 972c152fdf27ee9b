"""Who is served, and how much each may keep. The numbers are the invariants of `web5.node.tenants`' modules."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.unit.node.nodes import Known, clock, crypto
from web5.dids import dht, jwk
from web5.dids.jwk import DidJwk
from web5.dids.keys import signer_for
from web5.dids.resolver import UniversalResolver
from web5.dwn import compose
from web5.dwn.engine import Dwn
from web5.dwn.store.database import open_file
from web5.node.serve import open_node
from web5.node.stores import DATABASE, REGISTRY
from web5.node.tenants import use
from web5.node.tenants.registry import Quota, Registry, Said
from web5.node.tenants.tenancy import NOT_ADMITTED, SUSPENDED, TenantRules
from web5.node.tenants.use import Amount, all_used, used

PROTOCOL = {
    "protocol": "https://protocol.example/wall",
    "published": True,
    "types": {"post": {}},
    "structure": {"post": {"$actions": [{"who": "anyone", "can": ["create", "update", "delete"]}]}},
}
AT = {"protocol": PROTOCOL["protocol"], "protocol_path": "post"}
LARGE = bytes(range(256)) * 200


class Node:
    """A node in a folder, a tenant, a guest, and the operator's hand on it."""

    dwn: Dwn

    @classmethod
    async def make(cls, folder: Path) -> Node:
        self = cls()
        self.folder = folder
        portable = await dht.create(crypto)
        guest = await jwk.create(crypto)
        self._resolver = UniversalResolver([Known(portable), DidJwk()])
        self.did, self.signer = portable.uri, await signer_for(portable, crypto)
        self.guest, self.guest_signer = guest.uri, await signer_for(guest, crypto)
        self._stack = AsyncExitStack()
        return self

    async def open(self, rules: TenantRules | None = None) -> None:
        """Close it, and open it by these rules."""
        await self.close()
        self.dwn, _ = await self._stack.enter_async_context(
            open_node(self.folder, self._resolver, rules=rules or TenantRules())
        )

    async def close(self) -> None:
        await self._stack.aclose()

    async def say(self, said: Said) -> None:
        """Say something of the tenant from another connection, as another process does."""
        database = open_file(self.folder / REGISTRY)
        await Registry(database).say(self.did, said)
        await database.close()

    async def process(self, message: dict[str, Any], data: bytes | None = None) -> tuple[int, str]:
        status = (await self.dwn.process_message(self.did, message, data))["status"]
        return status["code"], status["detail"].partition(":")[0]

    async def write(self, data: bytes = b"text", signer: Any = None, **options: Any) -> tuple[int, str]:
        options = options if "existing" in options else {"data_format": "text/plain", **options}
        message = await compose.records_write(signer or self.signer, clock, data=data, **options)
        self.last = message
        return await self.process(message, data)

    async def delete(self, record_id: str) -> tuple[int, str]:
        return await self.process(await compose.records_delete(self.signer, clock, record_id=record_id))

    async def configure(self) -> None:
        message = await compose.protocols_configure(self.signer, clock, definition=PROTOCOL)
        assert (await self.process(message))[0] == 202

    def used(self, guest: str | None = None) -> Amount:
        return used(self.dwn.database.connection, self.did, guest)

    def stored(self) -> Amount:
        """What is really there, counted row by row."""
        db = self.dwn.database.connection
        size = "octet_length(message) + coalesce(octet_length(data), 0)"
        [(messages, size)] = db.execute(f"SELECT count(*), coalesce(sum({size}), 0) FROM dwn_message")
        [(blobs,)] = db.execute("SELECT coalesce(sum(size), 0) FROM dwn_blob")
        return Amount(messages, size + blobs)


@pytest.fixture
async def node(tmp_path: Path):
    node = await Node.make(tmp_path / "node")
    await node.open()
    yield node
    await node.close()


async def test_what_is_counted_is_what_is_stored(node: Node) -> None:
    """1, 2"""
    await node.configure()
    for data in (b"", b"text", LARGE):
        await node.write(data, **AT)
        assert node.used() == node.stored()
        first = node.last
        for newer in (LARGE, b"small", LARGE[::-1]):
            await node.write(newer, existing=first)
            assert node.used() == node.stored()
        await node.delete(first["recordId"])
        assert node.used() == node.stored()
    assert node.used(node.guest) == Amount()
    await node.write(LARGE, node.guest_signer, **AT)
    of_guest = node.used(node.guest)
    assert of_guest.messages == 1
    assert len(LARGE) < of_guest.bytes < len(LARGE) + 5000
    assert all_used(node.dwn.database.connection) == {node.did: node.stored()}
    await node.delete(node.last["recordId"])
    assert node.used() == node.stored()
    assert node.used(node.guest).bytes < len(LARGE)


async def test_what_was_there_before_is_counted_once(node: Node) -> None:
    await node.configure()
    await node.write(LARGE, node.guest_signer, **AT)
    guests = node.used(node.guest)
    db = node.dwn.database.connection
    triggers = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
    assert len(triggers) == 11
    for trigger in triggers:
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute("DROP TABLE node_use; DROP TABLE node_guest_use; DELETE FROM component WHERE name = 'use'")
    await node.write()
    await node.open()
    assert node.used() == node.stored()
    assert node.used(node.guest) == guests


async def test_a_tenant_is_held_to_its_messages(node: Node) -> None:
    """1"""
    await node.open(TenantRules(quota=Quota(messages=2)))
    assert [await node.write() for _ in range(2)] == [(202, "Accepted")] * 2
    kept = node.stored()
    assert await node.write() == (507, "TenantMessageQuotaExceeded")
    assert node.stored() == kept == node.used()
    record_id = node.last["recordId"]
    assert await node.delete(record_id) == (404, "Not Found")


async def test_a_tenant_is_held_to_its_bytes_and_nothing_of_what_was_refused_stays(node: Node) -> None:
    """1"""
    await node.open(TenantRules(quota=Quota(bytes=20_000)))
    assert (await node.write(b"x" * 10_000))[0] == 202
    first = node.last
    assert await node.write(b"y" * 10_000) == (507, "TenantStorageQuotaExceeded")
    assert await node.write(LARGE) == (507, "TenantStorageQuotaExceeded")
    assert await node.dwn.blobs.keys() == set()
    assert (await node.write(b"z" * 9_000, existing=first))[0] == 202
    await node.open(TenantRules(quota=Quota(bytes=100)))
    assert await node.write(b"", existing=first) == (507, "TenantStorageQuotaExceeded")
    assert (await node.delete(first["recordId"]))[0] == 202


async def test_the_operator_s_word_for_one_counts_before_that_for_all(node: Node) -> None:
    await node.open(TenantRules(quota=Quota(messages=1)))
    assert (await node.write())[0] == 202
    assert (await node.write())[0] == 507
    await node.say(Said(messages=2))
    assert [(await node.write())[0] for _ in range(2)] == [202, 507]
    await node.say(Said(messages=0))
    assert (await node.write())[0] == 202
    await node.say(Said())
    assert (await node.write())[0] == 507


async def test_a_guest_is_held_to_its_part(node: Node) -> None:
    """2"""
    await node.open(TenantRules(guest_quota=Quota(messages=1, bytes=20_000)))
    await node.configure()
    assert (await node.write(b"one", node.guest_signer, **AT))[0] == 202
    assert await node.write(b"two", node.guest_signer, **AT) == (507, "TenantMessageQuotaExceeded")
    assert (await node.write(LARGE, **AT))[0] == 202
    await node.open(TenantRules(guest_quota=Quota(bytes=20_000)))
    assert await node.write(LARGE, node.guest_signer, **AT) == (507, "TenantStorageQuotaExceeded")
    assert (await node.write(b"two", node.guest_signer, **AT))[0] == 202


async def test_only_who_was_admitted_is_served(node: Node) -> None:
    await node.open(TenantRules("list"))
    assert await node.write() == (401, NOT_ADMITTED)
    await node.say(Said(admitted=True))
    assert (await node.write())[0] == 202


async def test_who_is_suspended_is_not_served_and_keeps_everything(node: Node) -> None:
    assert (await node.write())[0] == 202
    kept = node.stored()
    await node.say(Said(admitted=True, suspended=True))
    assert await node.write() == (401, SUSPENDED)
    query = await compose.records_query(None, clock, filter={"dataFormat": "text/plain"})
    assert await node.process(query) == (401, SUSPENDED)
    await node.say(Said())
    assert (node.stored(), (await node.write())[0]) == (kept, 202)


async def test_a_folder_that_no_tenants_were_counted_in_is_opened_too(tmp_path: Path) -> None:
    node = await Node.make(tmp_path / "node")
    async with open_node(node.folder, node._resolver) as (dwn, _):
        assert dwn.database.connection.table_exists(None, "node_use") is False
    await node.open()
    assert node.used() == Amount()
    await node.close()
    database = open_file(node.folder / DATABASE)
    assert dict(database.connection.execute("SELECT name, version FROM component"))["use"] == len(use.SCHEMA)
    await database.close()
