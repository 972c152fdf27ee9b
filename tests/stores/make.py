"""Makes the stores of this version, as texts: `python -m tests.stores.make`, once for each release.

A folder `VERSION/` has what a device and its nodes keep: databases as SQL, other files as they are. The stores of the
release that is being worked on are made anew whenever a step of its schemas is edited; those of others are never.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from web5 import Web5
from web5.agent.agent import Agent
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn import compose
from web5.node.registration import RegistrationSettings
from web5.node.serve import embedded
from web5_build import project

HERE = Path(__file__).parent
ORIGIN = "http://stores"
NODES = [f"{ORIGIN}/dwn0", f"{ORIGIN}/dwn1"]
TERMS = "Be kind."
PROTOCOL = {
    "protocol": "https://stores.example/notes",
    "published": True,
    "types": {"note": {"schema": "https://stores.example/note", "dataFormats": ["text/plain"]}},
    "structure": {"note": {"$tags": {"color": {"type": "string"}}}},
}
SMALL, CHANGED, LARGE, TAGGED, WAITING = "small", "changed", "large " * 6_000, "tagged", "nodes lack this"
TEXTS = sorted([SMALL, CHANGED, LARGE, TAGGED, WAITING])
"""The data of all records that the device holds."""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Agent, ASGIApp]]:
    """Open the stores of a folder: a device's agent, and two nodes and a gateway that it reaches."""
    async with embedded(folder / "nodes", None, RegistrationSettings(TERMS, 2)) as app:
        http = HttpxHttp(httpx.ASGITransport(app))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=folder / "device", http=http)
        try:
            yield agent, app
        finally:
            await agent.close()


async def fill(folder: Path) -> None:
    """Make a device that has something in every table, and nodes that know it."""
    async with running(folder) as (agent, _):
        web5 = (await Web5.connect(agent=agent, dwn_endpoints=NODES, sync="off")).web5
        await agent.publish_all()
        for node in NODES:
            demands = await web5.sync.registration(node)
            assert demands.terms is not None
            await web5.sync.accept_terms(node, demands.terms.hash)
        records = web5.dwn.records
        await web5.dwn.protocols.configure(PROTOCOL)
        await records.create(SMALL, schema="https://stores.example/text", published=True)
        await (await records.create("first", data_format="text/plain")).update(data=CHANGED)
        await records.create(LARGE, data_format="text/plain")
        await records.delete((await records.create("deleted")).id)
        place = {"protocol": PROTOCOL["protocol"], "protocol_path": "note", "schema": "https://stores.example/note"}
        await records.create(TAGGED, data_format="text/plain", tags={"color": "red"}, **place)
        assert (await web5.sync.now()).ok
        await records.create(WAITING)
        signer = await agent.signer(web5.connected_did)
        unknown = {"protocol": "https://stores.example/unknown", "protocol_path": "note", "data_format": "text/plain"}
        for text in (SMALL, LARGE):
            data = text.encode()
            message = await compose.records_write(signer, agent.clock, data=data, **unknown)
            # To a node that lacks the protocol.
            sent = await agent.sync.send_messages(web5.connected_did, web5.connected_did, [(message, data)])
            assert all(one.pending for one in sent)


def dump(source: Path, target: Path) -> None:
    """Copy stores, databases as SQL."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.suffix == ".sqlite":
            copy.parent.mkdir(parents=True, exist_ok=True)
            with sqlite3.connect(path) as database:
                copy.with_suffix(".sql").write_text("\n".join(database.iterdump()) + "\n")
        elif path.is_file() and ".sqlite-" not in path.name and path.name != "lock":
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)


def restore(source: Path, target: Path) -> None:
    """Undo `dump`."""
    for path in filter(Path.is_file, sorted(source.rglob("*"))):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".sql":
            with sqlite3.connect(copy.with_suffix(".sqlite")) as database:
                database.executescript(path.read_text())
        else:
            shutil.copy2(path, copy)


def main() -> None:
    """Make the folder of this version anew."""
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(fill(Path(made)))
        target = HERE / project.version()
        shutil.rmtree(target, ignore_errors=True)
        dump(Path(made), target)


if __name__ == "__main__":
    main()
