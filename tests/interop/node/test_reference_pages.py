"""`@web5/agent`'s client at a node whose replies have little room: it goes on by the cursor, as after a `limit`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.interop.reference import ReferenceScript, reference_fixture
from tests.served import served
from web5.node import server
from web5.node.limits import Limits, Usage
from web5.node.serve import embedded

COUNT = 12

reference = reference_fixture("client.mjs")


async def test_the_reference_goes_on_by_the_cursor(
    tmp_path: Path, reference: ReferenceScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "Usage", lambda _: Usage(Limits(reply=100_000)))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(await stack.enter_async_context(embedded(tmp_path, None))))
        did = await reference.call("newDid", gateway=f"{url}/dht")
        place = {"endpoint": f"{url}/dwn0", "did": did}
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
