"""`@web5/agent`'s client at a node where its tenant may keep only so much, and ask only so often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.interop.reference import ReferenceError, ReferenceScript, reference_fixture

reference = reference_fixture("client.mjs")


async def test_the_reference_hears_that_there_is_no_room_and_that_it_asks_too_often(
    tmp_path: Path, reference: ReferenceScript
) -> None:
    limits = ("--tenant-messages", "2", "--address-rate", "36")  # six at once
    async with EmbeddedServer(tmp_path / "data", None, *limits) as server:
        did = await reference.call("newDid", gateway=f"{server.url}/dht")
        place = {"endpoint": f"{server.url}/dwn0", "did": did}
        statuses = [(await reference.call("write", **place, text="text"))["status"] for _ in range(3)]
        assert [status["code"] for status in statuses] == [202, 202, 507]
        assert statuses[-1]["detail"].startswith("TenantMessageQuotaExceeded: ")
        with pytest.raises(ReferenceError, match="too many requests; come back in"):
            for _ in range(4):
                await reference.call("write", **place, text="text")
