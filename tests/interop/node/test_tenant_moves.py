"""A tenant that goes from one node to another with its DID document, by the program, and is known there by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.interop.node.test_embedded_server import Owner, crypto
from web5.archive.local_files import open_source
from web5.archive.taking import open_archive
from web5.dids import dht
from web5.dids.dht.bep44 import parse_relay_payload
from web5.dids.dht.identity import identity_key
from web5.dwn.store.database import open_memory
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.program.main import main
from web5.node.upkeep.document import document_of, read_document, take_document
from web5.ports.clock import SystemClock


async def payload_in(file: Path) -> bytes:
    source = await open_source(file)
    archive, manifest, _ = await open_archive(source)
    found = await read_document(archive, manifest)
    await source.close()
    assert found is not None
    return found


async def served(node: EmbeddedServer, owner: Owner) -> bytes:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{node.url}/dht/{owner.did.removeprefix('did:dht:')}")
    assert answer.status_code == 200
    return answer.content


async def test_a_tenant_brings_its_did_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"

    async def run(*words: str, status: int = 0) -> str:
        assert await asyncio.to_thread(main, list(words)) == status
        return capsys.readouterr().out

    async def export(name: str) -> Path:
        flags = ("--data", str(here), "--paths", "/dwn0,/dwn1", "--at", "/dwn0")
        said = await run("export", owner.did, str(tmp_path / name), *flags)
        assert f", the DID document of {owner.did}" in said
        return tmp_path / name

    async def take(file: Path, *more: str, status: int = 0) -> str:
        return await run("import", str(file), "--data", str(there), "--paths", "/dwn0", *more, status=status)

    async with EmbeddedServer(here) as one:
        owner = await Owner.make(one)
        record_id = await owner.write(b"brought along")
        first = await export("first.zip")
        # By the document that came along, the new node verifies what the tenant has signed.
        said = await take(first)
        assert "1 of 1 messages taken" in said and "its DID document was taken" in said
        assert "its DID document was here" in await take(first)
        await dht.publish(owner.portable, owner._http, crypto, one.url + "/dht")
        second = await export("second.zip")
    assert parse_relay_payload(identity_key(owner.did), await payload_in(first)).seq < (
        newest := parse_relay_payload(identity_key(owner.did), await payload_in(second)).seq
    )
    assert "its DID document was taken" in await take(second)
    assert "a newer DID document is here" in await take(first)
    assert "this node has no gateway" in await take(first, "--no-gateway", "--gateways", "http://127.0.0.1:9")
    async with EmbeddedServer(there) as two:
        owner._server = two
        assert await owner.read(record_id) == b"brought along"
        assert parse_relay_payload(identity_key(owner.did), await served(two, owner)).seq == newest


async def test_a_document_that_its_owner_has_not_signed_is_refused(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path / "here") as one:
        owner = await Owner.make(one)
        held = await served(one, owner)
    database = open_memory()
    items = GatewayItems(database, crypto, SystemClock(), GatewayLimits())
    for payload in (b"", held[:50], bytes([held[0] ^ 1]) + held[1:], held + b"x"):
        taken = await take_document(items, owner.did, payload)
        assert taken.is_refused and "was not taken" in taken.words
        assert await document_of(items, owner.did) is None
    assert (await take_document(items, "did:web:example.org", held)).is_refused
    assert await document_of(items, "did:web:example.org") is None
    assert not (await take_document(items, owner.did, held)).is_refused
    assert await document_of(items, owner.did) == held
    await database.close()
