"""The README: its ten lines are those of the example that is served, and its other blocks run."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.served import served
from tests.unit.documents.blocks import Block, blocks_of, run
from web5 import Web5
from web5.node.serve import embedded
from web5_build.paths import ROOT, WEB

README = ROOT / "README.md"
TEN_LINES, *BLOCKS = [block for block in blocks_of(README) if block.info == "python"]

# What the text around a block takes for granted, by what is first named in the block.
GRANTED = {
    "todo = Protocol(": (
        "from pydantic import BaseModel",
        "from web5 import Protocol",
        "web5, alice_did = await Web5.connect()",
        "bob_did = (await web5.identities.create('Bob')).did",
    ),
    "web5, did = await Web5.connect(password=": (),
    "# All messages and data, and the keys": (
        "web5, did = await Web5.connect()",
        "await web5.dwn.records.create('mine')",
        "await web5.sync.now()",
    ),
    "notes = ProtocolPermissions(": (
        "from datetime import timedelta",
        "from web5 import ProtocolPermissions",
        "web5, did = await Web5.connect()",
        "definition = {'protocol': 'https://example.org/notes', 'published': False,"
        " 'types': {'note': {}}, 'structure': {'note': {}}}",
    ),
    "ticket = web5.vc.create(": (
        "web5, guest_did = await Web5.connect()",
        "door_did, nonce = 'did:example:door', '1234'",
    ),
    "await web5.dwn.records.create(": (
        "web5, did = await Web5.connect()",
        "diary = {'protocol': 'https://example.org/diary', 'published': False, 'structure': {'day': {}}}",
    ),
}


def test_the_ten_lines_are_those_of_the_example() -> None:
    page = (WEB / "examples" / "hello.html").read_text()
    script = page.split('<script type="py" async>\n', 1)[1].split("</script>", 1)[0]
    assert len([line for line in script.splitlines() if line]) <= 10
    assert script == TEN_LINES.text


class Shown(Exception):
    """A block that would go on for ever has printed something."""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # pydantic looks names up in it
    yield module


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.text.splitlines()[0])
async def test_a_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[Web5] = []
    devices = itertools.count()

    def shown(*values: Any) -> None:
        raise Shown

    async with embedded(tmp_path / "remotes", None) as app, served(app) as address:
        here = {
            "did_dht_gateways": [f"{address}/dht"],
            "dwn_endpoints": [f"{address}/dwn0"],
            "allow_local": True,
            "sync": "off",
        }

        class OnDevices(Web5):
            """Each connection is another device's; the README leaves open where its nodes are."""

            @classmethod
            async def connect(cls, **arguments: Any) -> Any:
                connection = await Web5.connect(data_path=tmp_path / f"device {next(devices)}", **here, **arguments)
                opened.append(connection.web5)
                await connection.web5.sync.now()
                return connection

            @classmethod
            async def connect_as_delegate(cls, delegation: Any, **arguments: Any) -> Any:
                path = tmp_path / f"device {next(devices)}"
                connection = await Web5.connect_as_delegate(delegation, data_path=path, **here, **arguments)
                opened.append(connection.web5)
                return connection

        names = module.__dict__
        names.update(Web5=OnDevices, print=shown)
        [granted] = [lines for start, lines in GRANTED.items() if block.text.startswith(start)]
        try:
            await run(README, Block("python", "\n".join(granted), 0), names)
            await run(README, block, names)
        except Shown:
            assert "async for" in block.text
        finally:
            for web5 in opened:
                await web5.close()
