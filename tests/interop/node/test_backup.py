"""`web5-node backup` beside a node that is written to, and a node that is started on the copy."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.interop.node.test_embedded_server import Owner
from web5.errors import Unreachable
from web5.node.program.main import main


async def test_a_node_on_a_copy_has_what_was_acknowledged_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acknowledged: dict[str, bytes] = {}
    async with EmbeddedServer(tmp_path / "data") as server:
        owner = await Owner.make(server)

        async def write_on(size: int) -> None:
            while True:
                data = os.urandom(size)
                try:
                    acknowledged[await owner.write(data)] = data
                except Unreachable:
                    return

        writers = [asyncio.ensure_future(write_on(size)) for size in (40, 40_000, 400_000)]
        while len(acknowledged) < 10:
            await asyncio.wait(writers, timeout=0.01)
        before = dict(acknowledged)
        assert await asyncio.to_thread(main, ["backup", str(tmp_path / "copy"), "--data", str(tmp_path / "data")]) == 0
        assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
        await asyncio.gather(*writers)
    for folder in ("copy", "data"):
        assert await asyncio.to_thread(main, ["check", "--data", str(tmp_path / folder)]) == 0, capsys.readouterr().out
    async with EmbeddedServer(tmp_path / "copy") as again:
        owner._server = again
        assert before.keys() <= await owner.record_ids()
        for record_id, data in before.items():
            assert await owner.read(record_id) == data
