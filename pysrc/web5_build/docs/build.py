"""Makes the documentation, and lays it beside the app: dist/site/docs.

Sphinx's theme has scripts and styles within its pages, which the site's Content-Security-Policy forbids: they become
files of their own, and run where they did.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from pathlib import Path

from web5_build import project
from web5_build.console import step
from web5_build.paths import PYSRC, PYTHON, ROOT, SITE, WEB, WORK
from web5_build.process import run
from web5_build.site import build as site
from web5_build.site import weights
from web5_build.stamp import Stamp, digest

SOURCES = ROOT / "docs"
FOLDER = SITE / "docs"
_MADE = WORK / "docs"
_TREES = WORK / "docs-trees"
"""The pages as Sphinx has read them, so that it reads only those that have changed."""
_NOT_SITE = ("objects.inv", ".buildinfo", "_sources")
_SOURCE_MAP = re.compile(r"\n(?://|/\*)# sourceMappingURL=.*")

_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*\btype=\"application/)[^>]*>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_STYLED = re.compile(r"<(\w+)([^>]*?)\sstyle=\"([^\"]*)\"")
_CHARSET = re.compile(r"<meta charset=\"utf-8\"\s*/?>", re.IGNORECASE)


def build() -> None:
    """Bring dist/site/docs up to date; the site has to be there."""
    inputs = _make()
    stamp = Stamp(FOLDER / ".stamp", inputs)
    if not stamp.holds(FOLDER / "index.html"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(_MADE, FOLDER)


def _make() -> str:
    """Have Sphinx make the pages, unless they are made; the digest of what they are made of."""
    policy = site.policy_element((WEB / "_headers").read_text())
    own = [Path(__file__), WEB / "assets" / "mark.svg", ROOT / "pyproject.toml", ROOT / "deploy"]
    sizes = str(weights.table(SITE))
    inputs = digest(SOURCES, PYSRC / "web5", *own, policy, sizes, project.locked(["sphinx", "furo", "myst-parser"]))
    stamp = Stamp(_MADE / ".stamp", inputs)
    if stamp.holds(_MADE / "index.html"):
        return inputs
    with step("Documentation into dist/site/docs") as current:
        fresh = WORK / "docs-fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        options = ["-q", "-W", "--keep-going", "-d", str(_TREES)]
        run(current, [PYTHON, "-m", "sphinx", *options, str(SOURCES), str(fresh)], env={"PYTHONPATH": str(PYSRC)})
        for path in (fresh / name for name in _NOT_SITE):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in (*fresh.rglob("*.js"), *fresh.rglob("*.css")):
            path.write_text(_SOURCE_MAP.sub("", path.read_text()))
        for path in fresh.rglob("*.map"):
            path.unlink()
        for page in sorted(fresh.rglob("*.html")):
            _confine(page, fresh, policy)
        shutil.rmtree(_MADE, ignore_errors=True)
        fresh.rename(_MADE)
        stamp.set()
    return inputs


def _confine(page: Path, folder: Path, policy: str) -> None:
    """Give a page the site's policy, and move what that forbids out of it."""
    up = "../" * (len(page.relative_to(folder).parts) - 1)
    text = page.read_text()

    def kept(content: str, suffix: str) -> str:
        name = f"_static/{sha256(content.encode()).hexdigest()[:16]}{suffix}"
        (folder / name).write_text(content)
        return up + name

    text = _SCRIPT.sub(lambda found: f'<script src="{kept(found[1], ".js")}"></script>', text)
    text = _STYLE.sub(lambda found: f'<link rel="stylesheet" href="{kept(found[1], ".css")}">', text)
    text, rules = _without_style_attributes(text)
    meta = f"{site.CHARSET}\n{policy}"
    if rules:
        meta += f'\n<link rel="stylesheet" href="{kept("".join(rules), ".css")}">'
    text, count = _CHARSET.subn(meta, text, count=1)
    assert count == 1, page
    page.write_text(text)


def _without_style_attributes(text: str) -> tuple[str, Iterable[str]]:
    """Replace style attributes by classes; the page, and the rules of these classes."""
    rules: dict[str, str] = {}

    def classed(found: re.Match[str]) -> str:
        tag, rest, style = found.groups()
        name = f"s{sha256(style.encode()).hexdigest()[:8]}"
        rules[name] = f".{name}{{{unescape(style)}}}"
        rest, replaced = re.subn(r'class="', f'class="{name} ', rest)
        return f"<{tag}{rest}" if replaced else f'<{tag}{rest} class="{name}"'

    return _STYLED.sub(classed, text), rules.values()
