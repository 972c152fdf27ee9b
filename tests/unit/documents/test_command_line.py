"""The page on the program `web5` has its options and no others; the commands that are shown run."""

from __future__ import annotations

import argparse
import asyncio
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from web5 import Web5
from web5.cli.main import main, parser
from web5_build.paths import ROOT

DOCS = ROOT / "docs"
PAGE = DOCS / "reference" / "command-line.md"
SHOWN = {
    page.stem: re.findall(r"^    web5 ([^#\n]+)", page.read_text(), re.MULTILINE)
    for page in (PAGE, DOCS / "archive.md")
}


def _commands() -> dict[str, argparse.ArgumentParser]:
    [several] = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(several.choices)


def _options() -> Iterator[tuple[str, str]]:
    commands = _commands()
    for name, command in commands.items():
        for action in command._actions:
            if action.dest != "help":
                yield name, action.option_strings[0] if action.option_strings else "FILE"


def test_every_option_has_a_row_and_no_row_is_made_up() -> None:
    rows = re.findall(r"^\| (`\w+`|all) \| `(--[a-z-]+|FILE)", PAGE.read_text(), re.MULTILINE)
    shown = {(name, option) for who, option in rows for name in (_commands() if who == "all" else [who.strip("`")])}
    assert shown == set(_options())


@pytest.mark.parametrize("lines", SHOWN.values(), ids=SHOWN)
async def test_the_commands_that_a_page_shows_do_what_it_says(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WEB5_ARCHIVE_PASSWORD", "eight or more")
    async with await Web5.connect(data_path="DIR", did_dht_gateways=[], dwn_endpoints=[], sync="off") as web5:
        await web5.dwn.records.create("a note", schema="https://example.org/note")
        did = web5.connected_did
    assert lines
    for line in lines:
        arguments = [did if one == "DID" else one for one in shlex.split(line)]
        assert await asyncio.to_thread(main, arguments) == 0, line
    assert zipfile.is_zipfile("me.zip")
