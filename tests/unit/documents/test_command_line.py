"""The page on the program `web5` has its options and no others; the commands that are shown are understood."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from web5.cli.main import parser
from web5_build.paths import ROOT

DOCS = ROOT / "docs"
PAGE = DOCS / "reference" / "command-line.md"
SHOWN = [
    line
    for page in (PAGE, DOCS / "archive.md")
    for line in re.findall(r"^    web5 ([^#\n]+)", page.read_text(), re.MULTILINE)
]


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


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_is_understood(line: str) -> None:
    assert parser().parse_args(shlex.split(line)).command == line.split()[0]
