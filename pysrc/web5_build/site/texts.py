"""The texts of the pages, and what they are in other languages: `web/ui/texts/de.json` is {English: German}.

Texts are where they are used, in English: in Python as arguments of `t`, `plural`, `forms` and `known`, in web/boot and
the playground as those of `t` and `plural`, and in the pages and templates between tags and in what names an element.
`python -m web5_build.site.texts` lists those that a language lacks, or has for nothing, and sorts its file.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from web5_build.paths import WEB

FOLDER = WEB / "ui" / "texts"
FILE = "texts-"
"""The beginning of the name of a language's file in the site's folder boot/."""

BETWEEN = " | "
"""The mark between the two forms of a text that goes with a number."""

NAMED = ("aria-label", "title", "placeholder", "alt")
"""The attributes that are read, as web/boot/language.mjs has them."""

_UNREAD = {"script", "style", "noscript", "code"}
_VOID = {"meta", "link", "img", "input", "br", "hr"}
_CALL = re.compile(r"\b(t|plural)\(")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(r"[a-z]+:\S*|\{.*|\W*\w?\W*|\w+(-\w+){3,}")
"""Texts that are the same in every language: addresses, JSON, single letters and codes."""

_PLACE = re.compile(r"\{(\w+)\}")


def languages() -> dict[str, Path]:
    """Return the files of the languages besides English."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read(path: Path) -> dict[str, str]:
    """Return what the texts are in a language."""
    found: dict[str, str] = json.loads(path.read_text())
    return found


def in_python(source: str) -> Iterator[str]:
    """Yield the texts of a module of web/ui.

    Raises:
        ValueError: a text is put together when it is asked for, so that none can be looked up.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in ("t", "known") and node.args:
            yield _literal(node.args[0])
        elif node.func.id == "forms" and len(node.args) == 2:
            yield BETWEEN.join(_literal(one) for one in node.args)
        elif node.func.id == "plural" and len(node.args) == 3:
            yield BETWEEN.join(_literal(one) for one in node.args[1:])


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError(f"line {node.lineno}: a text is one literal, with named places for what changes in it.")


def in_javascript(source: str) -> Iterator[str]:
    """Yield the texts of a module of JavaScript.

    Raises:
        ValueError: a text is no literal between double quotes.
    """
    for call in _CALL.finditer(source):
        if source[: call.start()].endswith(("function ", "import { ", "const ")):
            continue
        at = call.end()
        if call[1] == "plural":
            at = source.index(",", at) + 1
        first = _QUOTED.match(source, at)
        if not first:
            raise ValueError(f"{source[call.start() : call.start() + 60]!r}: a text is one literal in double quotes.")
        texts = [first[1]]
        if call[1] == "plural":
            second = _QUOTED.match(source, source.index(",", first.end()) + 1)
            if not second:
                raise ValueError(f"{source[call.start() : call.start() + 60]!r}: both forms are literals.")
            texts.append(second[1])
        yield BETWEEN.join(json.loads(f'"{text}"') for text in texts)


class _Page(HTMLParser):
    """The texts that can be read in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unread = 0
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._end()
        if tag in _UNREAD:
            self._unread += 1
        for name, value in attributes:
            if name in NAMED and value:
                self._add(value)

    def handle_endtag(self, tag: str) -> None:
        self._end()
        if tag in _UNREAD:
            self._unread -= 1

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._open += data

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        self._add(self._open)
        self._open = ""

    def _add(self, text: str) -> None:
        text = " ".join(text.split())
        if text and not _ADDRESS.fullmatch(text):
            self.texts.append(text)


def in_page(source: str) -> list[str]:
    """Return the texts of a page or template."""
    page = _Page()
    page.feed(source)
    page.close()
    return page.texts


def sources() -> Iterator[Path]:
    """Yield the files that have texts."""
    yield from (WEB / "index.html", WEB / "playground" / "index.html")
    yield from sorted((WEB / "ui").rglob("*.html"))
    yield from sorted((WEB / "ui").rglob("*.py"))
    scripts = [*(WEB / "boot").glob("*.mjs"), *(WEB / "playground").glob("*.mjs"), *(WEB / "ui").rglob("*.js")]
    yield from sorted(path for path in scripts if path.name != "language.mjs")


def texts_of(path: Path) -> list[str]:
    """Return the texts of a file.

    Raises:
        ValueError: one of them is no literal.
    """
    of = {".html": in_page, ".py": in_python}.get(path.suffix, in_javascript)
    try:
        return list(of(path.read_text()))
    except ValueError as error:
        raise ValueError(f"{path.relative_to(WEB)}: {error}") from error


def english() -> dict[str, str]:
    """Return all texts, each with the file that has it first."""
    found: dict[str, str] = {}
    for path in sources():
        for text in texts_of(path):
            found.setdefault(text, path.relative_to(WEB).as_posix())
    return found


def places(text: str) -> list[str]:
    """Return the names of the places in a text, for each of its forms."""
    return [",".join(sorted(_PLACE.findall(form))) for form in text.split(BETWEEN)]


def faults(path: Path) -> list[str]:
    """Return what is wrong with the file of a language: what it lacks, what it has for nothing, and wrong places."""
    there, known = english(), read(path)
    found = [f"{where}: {text!r} is not in {path.name}" for text, where in there.items() if text not in known]
    found += [f"{path.name}: nothing says {text!r} any more" for text in known if text not in there]
    found += [
        f"{path.name}: other places than in {text!r}"
        for text, own in known.items()
        if set(",".join(places(text)).split(",")) != set(",".join(places(own)).split(","))
        or len(places(text)) != len(places(own))
    ]
    return found


def written(texts: dict[str, str]) -> str:
    """Return the content of a language's file."""
    return json.dumps(dict(sorted(texts.items())), ensure_ascii=False, indent=0) + "\n"


def main() -> None:
    """List the faults of every language, and sort its file."""
    found = []
    for path in languages().values():
        path.write_text(written(read(path)))
        found += faults(path)
    print("\n".join(found) or "Every text is there in every language.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
