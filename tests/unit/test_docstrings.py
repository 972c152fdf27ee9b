"""Docstrings read as an editor shows them: the first line stands alone and needs no riddle to be solved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PYSRC = Path(__file__).resolve().parents[2] / "pysrc"

RIDDLES = {"What", "Whether", "How", "Who", "Whom", "Whose", "When", "Where", "Why", "Those"}
"""Words that a first line does not begin with; ruff (D205, D400, D401) sees to the rest."""


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Give the line and text of each docstring, those below attributes included."""
    for node in ast.walk(ast.parse(path.read_text())):
        for statement in getattr(node, "body", ()) if not isinstance(node, (ast.Lambda, ast.IfExp)) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value


def test_no_first_line_is_a_riddle() -> None:
    found = [
        f"{path.relative_to(PYSRC)}:{line}: {text.splitlines()[0]}"
        for path in sorted(PYSRC.rglob("*.py"))
        for line, text in _docstrings(path)
        if text.split() and text.split()[0].strip(",:`") in RIDDLES
    ]
    assert found == []
