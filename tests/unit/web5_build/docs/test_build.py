"""The documents that are made from tables, or that tests refer to, are up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.interop.engine.streams.differences import EXPLAINED
from web5.dwn.codes import Code
from web5_build.docs import rule_docs
from web5_build.docs.error_words import MEANINGS
from web5_build.docs.rule_docs import tabled_meanings
from web5_build.docs.ways_out import GROUPS
from web5_build.paths import INTEROP, ROOT

DOCS = ROOT / "docs"
MAKE = "run .venv/bin/python -m web5_build.docs.rule_docs with PYTHONPATH=pysrc"


@pytest.mark.parametrize("path", rule_docs.PAGES)
def test_generated_views_are_up_to_date(path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == rule_docs.PAGES[path](), MAKE


def test_every_code_is_given_somewhere() -> None:
    lines = rule_docs.errors().splitlines()
    unused = [code for code in Code if not re.search(rf"`{code.value}` \|.*\| `", "\n".join(lines))]
    assert unused == []


def test_every_code_has_one_meaning_and_one_way_out() -> None:
    codes = [code for group in GROUPS.values() for code in group]
    assert sorted(codes) == sorted(Code)
    assert MEANINGS.keys() & tabled_meanings().keys() == set()
    assert MEANINGS.keys() | tabled_meanings().keys() == set(Code)


def test_every_difference_is_documented_and_shown_by_a_test() -> None:
    headings = set(re.findall(r"^## (.+)$", _text(DOCS / "differences.md"), re.MULTILINE))
    shown = set(re.findall(r'^    """(.+)\."""$', _text(INTEROP / "engine" / "test_differences.py"), re.MULTILINE))
    assert set(EXPLAINED) <= headings
    assert headings <= shown


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_architecture_names_files_that_are_there() -> None:
    named = re.findall(r"`([a-z_5]+(?:/[a-z_0-9]+)*/?(?:\.py|\.html|\.md)?)`", _text(ROOT / "ARCHITECTURE.md"))
    paths = {name for name in named if "/" in name}
    assert len(paths) > 30
    roots = (ROOT, ROOT / "pysrc" / "web5")
    assert [name for name in sorted(paths) if not any((root / name).exists() for root in roots)] == []
