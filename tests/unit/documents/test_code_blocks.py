"""Every block of code in the documentation runs: those of a page in its order, against nodes that are served."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.served import served
from tests.unit.documents.blocks import SERVED, Block, blocks_of, fits, pairs, run
from web5.node.serve import embedded
from web5.settings import read_settings
from web5_build.paths import ROOT, WEB

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
NOT_CODE = {"text", "{eval-rst}", "{toctree}", "{literalinclude}"}
WITH_PYTHON = [page for page in PAGES if any(block.info == "python" for block in blocks_of(page))]


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    kinds = {block.info.split(" ")[0] for page in PAGES for block in blocks_of(page)}
    assert kinds <= {"python", *NOT_CODE}


def test_files_that_are_shown_are_examples_which_run_in_a_browser_or_start_a_node() -> None:
    shown = [
        (page.parent / block.info.split(" ")[1]).resolve()
        for page in PAGES
        for block in blocks_of(page)
        if block.info.startswith("{literalinclude}")
    ]
    assert shown
    tested = (WEB / "examples", ROOT / "deploy")
    assert [path for path in shown if path.parent not in tested or not path.exists()] == []


def test_the_settings_that_the_documentation_shows_can_be_read() -> None:
    [shown] = re.findall(r"^ +```json\n(.*?)```", (DOCS / "how-to" / "hosting.md").read_text(), re.M | re.DOTALL)
    assert read_settings(shown.encode(), "https://example.org/config.json").dwn_endpoints


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.relative_to(DOCS).with_suffix("").as_posix())
async def test_the_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where the agents' folders are made
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # pydantic looks names up in it
    async with embedded(tmp_path / "remotes", None) as app, served(app) as address:
        for block, shown in pairs(blocks_of(page)):
            here = Block(block.info, block.text.replace(SERVED, address), block.line)
            printed = await run(page, here, module.__dict__)
            if shown is not None:
                assert fits(printed, shown), f"{page.name}:{block.line} printed {printed!r}"
