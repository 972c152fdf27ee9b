"""The examples: short, typed, and nothing but the public API."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from web5_build.paths import ROOT, WEB

WORKER = WEB / "examples" / "worker.py"
"""What the page worker.html, which the documentation shows beside the six, has its worker do."""
EXAMPLES = sorted(path for path in (WEB / "examples").glob("*.html") if path.stem not in ("index", "worker"))
MOST_LINES = 60
MOST_COLUMNS = 120
PUBLIC = re.compile(r"web5(\.errors)?")


def script_of(page: Path) -> str:
    if page == WORKER:
        return page.read_text()
    [found] = re.findall(r'<script type="py" async>\n(.*?)</script>', page.read_text(), re.DOTALL)
    return str(found)


def test_there_are_six_and_the_index_leads_to_each() -> None:
    index = (WEB / "examples" / "index.html").read_text()
    assert re.findall(r'<li><a href="(\w+\.html)">', index) == [
        f"{name}.html" for name in ("hello", "list", "chat", "photos", "diary", "page")
    ]
    assert {path.name for path in EXAMPLES} == set(re.findall(r'<li><a href="(\w+\.html)">', index))


@pytest.mark.parametrize("page", [*EXAMPLES, WORKER], ids=lambda page: page.stem)
def test_each_is_short_and_uses_the_public_api_alone(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert len(lines) <= MOST_LINES
    assert [line for line in lines if len(line) > MOST_COLUMNS] == []
    for node in ast.walk(
        compile(script_of(page), page.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert [name for name in names if name.startswith("web5") and not PUBLIC.fullmatch(name)] == []


def test_type_checkers_find_nothing(tmp_path: Path) -> None:
    for page in (*EXAMPLES, WORKER):
        # A script in a page may await where it likes, for which a type checker wants a function around it.
        (tmp_path / f"{page.stem}.py").write_text(f"async def script() -> None:\n{indent(script_of(page), '    ')}")
    options = ["--strict", "--allow-untyped-decorators"]  # PyScript has no types
    files = sorted(str(path) for path in tmp_path.glob("*.py"))
    config = ["--config-file", str(ROOT / "pyproject.toml")]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *config, *options, *files], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
