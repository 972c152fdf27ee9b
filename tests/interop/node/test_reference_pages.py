"""`@web5/agent`'s client at a node whose replies have little room: it goes on by the cursor, as after a `limit`."""

from __future__ import annotations

from pathlib import Path

from tests.interop.node.serving import EmbeddedServer
from tests.interop.reference import ReferenceScript, reference_fixture

COUNT = 12

reference = reference_fixture("client.mjs")


async def test_the_reference_goes_on_by_the_cursor(tmp_path: Path, reference: ReferenceScript) -> None:
    async with EmbeddedServer(tmp_path / "data", None, "--reply-bytes", "100000") as server:
        did = await reference.call("newDid", gateway=f"{server.url}/dht")
        place = {"endpoint": f"{server.url}/dwn0", "did": did}
        written = {
            (await reference.call("write", **place, size=20_000, schema="https://x.example/"))["recordId"]
            for _ in range(COUNT)
        }
        found: list[str] = []
        pagination: dict[str, object] | None = None
        pages = 0
        while pages < COUNT:
            pages += 1
            more = {} if pagination is None else {"pagination": pagination}
            reply = await reference.call("query", **place, filter={"schema": "https://x.example/"}, **more)
            assert 0 < len(reply["entries"]) < COUNT
            found += [entry["recordId"] for entry in reply["entries"]]
            if (cursor := reply.get("cursor")) is None:
                break
            pagination = {"cursor": cursor}
        assert pages > 2
        assert len(found) == COUNT
        assert set(found) == written
