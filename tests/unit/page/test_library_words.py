"""Messages of the library in the language of the page."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from web5.errors import NodeNeeded
from web5_build.paths import PYSRC, WEB
from web5_build.site import texts

PATTERNS = [one for one in texts.in_python((WEB / "ui" / "library_words.py").read_text()) if one != "english"]
SOURCES = [*(PYSRC / "web5").rglob("*.py"), *(WEB / "app").rglob("*.py")]
FILLED = {"definition of a protocol", "request of an app"}
"""Words that one of the messages has in a place."""


def _said(node: ast.expr) -> str:
    """A text as it is in the code, with {} for each of its places."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join("{}" if isinstance(part, ast.FormattedValue) else _said(part) for part in node.values)
    return ""


def _messages() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in SOURCES)
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr))
    return {_said(node) for node in nodes}


def test_each_is_still_said() -> None:
    said = _messages()
    said |= {text.replace("{}", word, 1) for text in said for word in FILLED if text.startswith("That is not the {}")}
    assert [one for one in PATTERNS if re.sub(r"\{\w+\}", "{}", one) not in said] == []


@pytest.fixture
def german(tmp_path: Path) -> Path:
    """The page's Python with German beside it, as the page has it."""
    ui = tmp_path / "ui"
    for name in ("__init__.py", "kit/__init__.py", "kit/texts.py", "library_words.py", "reasons.py", "words.py"):
        target = ui / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = WEB / "ui" / name
        target.write_text(source.read_text() if source.exists() else "")
    (ui / "kit" / "spoken.json").write_text(texts.languages()["de"].read_text())
    return tmp_path


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("This needs the password.", "Dafür braucht es das Passwort."),
        (
            "Word 3 of the recovery phrase, 'abot', is not one of its list. Is it misspelt?",
            "Wort 3, 'abot', steht nicht auf der Liste. Ist es verschrieben?",
        ),
        (
            "That is not the request of an app: it should be JSON, from { to }. {x}",
            "Das ist nicht die Anfrage einer App: Es sollte JSON sein, von { bis }. {x}",
        ),
        ("'ftp://x' is not the URL of a DWN: it begins with https:// or http://. And more", ""),
        ("Nobody translated this.", ""),
        (str(NodeNeeded("https://a", 3, "HTTP 503")), "https://a hat 3 Nachrichten, die kein anderer hat (HTTP 503)."),
        (str(NodeNeeded("https://a", 1, "HTTP 503")), "https://a hat eine Nachricht, die kein anderer hat (HTTP 503)."),
        (
            str(NodeNeeded("https://a", None, "it has not answered yet")),
            "Ob https://a etwas hat, das kein anderer hat, ist nicht zu erfahren (er hat noch nicht geantwortet).",
        ),
    ],
)
def test_in_german(german: Path, message: str, said: str) -> None:
    program = f"from ui import library_words; print(library_words.said({json.dumps(message)}))"
    found = subprocess.run([sys.executable, "-c", program], cwd=german, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == said


def test_english_stays_as_it_is() -> None:
    from web.ui import library_words, problems

    assert library_words.said("Nobody translated this.") == "Nobody translated this."
    assert problems.left_out("InvalidArgument", "Nobody translated this.") == ""


@pytest.mark.parametrize(
    ("reason", "german_words", "english"),
    [
        ("TimedOut: https://dwn.example: nothing came for 20 s", "keine Antwort", "No answer came in time."),
        ("GET https://dht.example/x failed: TypeError: Failed to fetch", "nicht zu erreichen", "could not be reached"),
        ("the DID DHT gateway answered PUT with 503: busy", "Gateway", "A gateway answered with an error."),
        ("403 RecordsWrite: TenantStorageQuotaExceeded", "kein Platz", "no room left"),
        ("The other device did not let this one in.", "nicht hereingelassen", "did not let this one in."),
        ("418 teapot", "", "418 teapot"),
    ],
)
def test_reasons_of_machines_are_words_or_nothing(german: Path, reason: str, german_words: str, english: str) -> None:
    from web.ui import reasons

    assert english in reasons.why(reason)
    program = f"from ui import reasons, words; print(reasons.why({reason!r})); print(words.did_error({reason!r}))"
    found = subprocess.run([sys.executable, "-c", program], cwd=german, capture_output=True, text=True, check=True)
    said, sentence = found.stdout.splitlines()
    assert german_words in said and bool(said) == bool(german_words)
    assert sentence.startswith("Das öffentliche Dokument") and sentence.endswith(said or "zur Hand.")


def test_a_move_that_was_not_done_says_what_is_safe() -> None:
    from web.ui import problems

    message = "https://a is not removed: what it alone may have would be out of reach (wait). Force it if that may be."
    assert "nowhere else" in problems.complaint("NodeNeeded", message) and "Force" not in problems.complaint(
        "NodeNeeded", message
    )
    assert problems.left_out("NodeNeeded", message) == message
