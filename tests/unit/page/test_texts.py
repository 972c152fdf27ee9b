"""Every text of the pages is there in every language, and no language has others."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from web5_build.paths import WEB
from web5_build.site import texts

LANGUAGES = texts.languages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text_and_no_other(language: str) -> None:
    """`python -m web5_build.site.texts` says the same."""
    assert texts.faults(LANGUAGES[language]) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_sorted(language: str) -> None:
    path = LANGUAGES[language]
    assert path.read_text() == texts.written(texts.read(path))


def test_what_is_found_in_python() -> None:
    source = 'a = t("One {n}", n=1)\nb = plural(2, "{n} note", "{n} notes")\nc = forms("x", "y")\nd = other("no")'
    assert list(texts.in_python(source)) == ["One {n}", "{n} note | {n} notes", "x | y"]
    with pytest.raises(ValueError, match="line 1"):
        list(texts.in_python('t("One " + name)'))


def test_what_is_found_in_javascript() -> None:
    source = 'f(t("A \\"b\\"", { n })); (n) => plural(n, "{n} day", "{n} days"); import { plural, t } from "x";'
    assert list(texts.in_javascript(source)) == ['A "b"', "{n} day | {n} days"]
    with pytest.raises(ValueError, match="literal"):
        list(texts.in_javascript("t(`Loading ${name}`)"))


def test_what_is_found_in_a_page() -> None:
    source = (
        '<p title="A title">One\n   two <b>three</b>&amp; four<code>not this</code></p>'
        '<input placeholder="did:dht:…"><kbd>g</kbd><template><i aria-label="Five">→</i></template>'
    )
    assert texts.in_page(source) == ["A title", "One two", "three", "& four", "Five"]


def test_what_is_wrong_with_a_language(tmp_path: Path) -> None:
    known = texts.read(LANGUAGES["de"])
    del known["Undo"]
    known["Nobody says this"] = "Niemand"
    known["Word {n}"] = "Wort {m}"
    path = tmp_path / "xx.json"
    path.write_text(json.dumps(known))
    assert len(texts.faults(path)) == 3


ENGLISH = re.compile(r"[A-Z][a-z]+(…|\.|)|\S*[A-Za-z]{2,}\S* \S*[A-Za-z]{2,}.*", re.DOTALL)
"""A word that begins with a capital, or two words: what is said to a person looks like this."""
NOT_SAID = {
    *("Enter", "Escape", "Worker", "Quiet", "Newer", "Files", "Delete", "Write", "Configure"),
    *("Unreachable", "Fruitless"),
    *("signed by", "not needed"),
    *("Edge", "Opera", "Firefox", "Chrome", "Safari", "Android", "Windows", "Mac", "Linux", "Chromebook"),
    *("Mac OS X", "iPhone", "iPad", "Firefox/", "Chrome/", "Safari/"),
}
"""Names of keys, kinds, states, browsers and systems."""
NOT_TEXTS = {"querySelector", "querySelectorAll", "closest", "clone", "el", "ValueError"}
"""Functions that are not given texts."""


def _said(tree: ast.AST) -> set[int]:
    """The nodes of strings that are looked up, or are no texts."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in NOT_TEXTS | {"t", "plural", "forms", "known"}:
                found |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Expr):
            found.add(id(node.value))
        elif isinstance(node, ast.Compare):
            found |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Assign) and "className" in ast.unparse(node.targets[0]):
            found |= {id(part) for part in ast.walk(node.value)}
        elif isinstance(node, ast.Dict):
            found |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Subscript):
            found |= {id(part) for part in ast.walk(node.slice)}
    return found


@pytest.mark.parametrize("path", sorted((WEB / "ui").rglob("*.py")), ids=lambda path: path.relative_to(WEB).as_posix())
def test_nothing_is_said_that_is_not_looked_up(path: Path) -> None:
    tree = ast.parse(path.read_text())
    said = _said(tree)
    left = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in said
        and ENGLISH.fullmatch(node.value)
        and node.value not in NOT_SAID
    ]
    assert left == []


def test_texts_are_looked_up_beside_the_module(tmp_path: Path) -> None:
    """As the page has them: a file beside kit/texts.py, put there before Python starts."""
    kit = tmp_path / "ui" / "kit"
    kit.mkdir(parents=True)
    for package in (kit.parent, kit):
        (package / "__init__.py").touch()
    for name in ("kit/texts.py", "words.py", "sync_words.py", "reasons.py", "library_words.py"):
        (kit.parent / name).write_text((WEB / "ui" / name).read_text())
    (kit / "spoken.json").write_text(LANGUAGES["de"].read_text())
    said = "words.ago(7200), words.messages(12345), sync_words.rate(1_500_000)"
    program = f"from ui import sync_words, words; print({said}, sep='|')"
    found = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "vor 2 Stunden|12.345 Nachrichten|1,5 MB/s"
