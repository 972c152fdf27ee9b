"""`@web5/agent`'s `DwnRegistrar` at a node of ours that demands registration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.interop.reference import ReferenceError, ReferenceScript, reference_fixture

TERMS = "Sei nett. — Be kind.\n"


reference = reference_fixture("client.mjs")


async def test_the_reference_registers_and_is_served_then(tmp_path: Path, reference: ReferenceScript) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text(TERMS, encoding="utf-8")
    async with EmbeddedServer(tmp_path / "data", None, "--terms", str(terms), "--proof-of-work", "2000") as server:
        endpoint = f"{server.url}/dwn0"
        did = await reference.call("newDid", gateway=f"{server.url}/dht")
        info = await reference.call("info", endpoint=endpoint)
        assert info["registrationRequirements"] == ["proof-of-work-sha256-v0", "terms-of-service"]
        refused = await reference.call("write", endpoint=endpoint, did=did, text="hello")
        assert refused["status"] == {"code": 401, "detail": "Not a registered tenant."}
        await reference.call("register", endpoint=endpoint, did=did)
        written = await reference.call("write", endpoint=endpoint, did=did, text="hello")
        assert written["status"]["code"] == 202
        other = await reference.call("write", endpoint=f"{server.url}/dwn1", did=did, text="hello")
        assert other["status"]["code"] == 401

        # Who is registered is not forgotten; who agreed to other terms is asked to do so anew.
        await server.stop()
        await server.start()
        again = await reference.call("write", endpoint=f"{server.url}/dwn0", did=did, text="hello")
        assert again["status"]["code"] == 202
        await server.stop()
        terms.write_text("Be kinder.", encoding="utf-8")
        await server.start()
        outdated = await reference.call("write", endpoint=f"{server.url}/dwn0", did=did, text="hello")
        assert outdated["status"] == {"code": 401, "detail": "Agreed terms-of-service is outdated."}


async def test_by_default_nothing_is_demanded(tmp_path: Path, reference: ReferenceScript) -> None:
    async with EmbeddedServer(tmp_path / "data") as server:
        info = await reference.call("info", endpoint=f"{server.url}/dwn0")
        assert info["registrationRequirements"] == []
        with pytest.raises(ReferenceError):
            await reference.call("register", endpoint=f"{server.url}/dwn0", did="did:example:alice")
        assert not list((tmp_path / "data").rglob("registrations*"))
