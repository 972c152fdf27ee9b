"""Puts the pages together: the templates of the screens into index.html, and the styles of each page into one file.

So the first paint needs no more requests than before there were screens.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from web5_build.paths import WEB

PAGE, STYLE = "index.html", "style.css"
NOT_SITE = ("*.html", "*.css", "*.json")
"""The files of web/ui that are in the page, its style or its texts, and not carried besides."""

_PLACE = re.compile(r'^ *<template src="([^"]+)"></template>\n', re.MULTILINE)
_IMPORT = re.compile(r'^@import "([^"]+)";\n', re.MULTILINE)
_STYLES = ("ui/tokens.css", "ui/shell/shell.css", "ui/kit/kit.css")


def put_together(target: Path, web: Path = WEB) -> None:
    """Write the page and its style into a site.

    Parameters:
        web: where the page, and the folders of its screens, are.

    Raises:
        ValueError: the page names a template that is not there, or leaves one out.
    """
    named: list[str] = []

    def template(found: re.Match[str]) -> str:
        path = web / found[1]
        if not path.is_file():
            raise ValueError(f"{PAGE} names {found[1]}, which is not there.")
        named.append(found[1])
        return path.read_text()

    page = _PLACE.sub(template, (web / PAGE).read_text())
    there = {path.relative_to(web).as_posix() for path in (web / "ui").rglob("*.html")}
    if left := sorted(there - set(named)):
        raise ValueError(f"{PAGE} does not name {left[0]}: put <template src> where it belongs, or delete it.")
    (target / PAGE).write_text(page)
    styles = [web / name for name in _STYLES if (web / name).is_file()]
    styles += [path for path in sorted((web / "ui").rglob("*.css")) if path not in styles]
    (target / STYLE).write_text("\n".join(path.read_text() for path in styles))
    for style in sorted((web / "playground").glob("*.css")):
        (target / "playground" / style.name).write_text(_IMPORT.sub(partial(_imported, style), style.read_text()))


def _imported(style: Path, found: re.Match[str]) -> str:
    """Return what a style imports, which is no file of the site by itself."""
    return (style.parent / found[1]).read_text()
