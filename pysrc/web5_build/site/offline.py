"""The list of what a site's service worker keeps in the browser: the page and all that it needs, by their hashes."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
from pathlib import Path

from web5_build.site import compressed

WORKER = "service-worker.js"
PAGE = "index.html"

NOT_KEPT = (
    WORKER,
    "_headers",
    "config.json",  # it belongs to whoever runs the site; the node remembers what it said last
    "docs/*",
    "examples/*",
    "simple/*",
    "licences/*",
    "playground/*",
    "boot/interpreter.mjs",  # for other pages
    "pyodide-*/micropip-*",
    "pyscript-*/codemirror*",  # for the playground
    "boot/language.js",
    "pyodide-*/pyodide.mjs",  # it is in boot/agent.mjs
    "pyodide-*/pyodide-lock.json",
)
"""The files of the site that the page does not need."""

TEXTS = "boot/texts-*"
"""The files of languages: the page has the one kept that it speaks."""


def write(site: Path) -> None:
    """Write the list of what is to be kept into a site's service worker. Everything else of the site has to be there.

    Parameters:
        site: its folder, with the service worker's source in it, or an older list.
    """
    files = {"" if path == PAGE else path: _hash(site / path) for path in kept(site)}
    texts = {path.relative_to(site).as_posix(): _hash(path) for path in sorted(site.glob(TEXTS))}
    version = hashlib.sha256(json.dumps([files, texts], sort_keys=True).encode()).hexdigest()[:16]
    worker = site / WORKER
    source = worker.read_text().split("\n", 1)
    code = source[1] if source[0].startswith("const SITE = ") else "\n".join(source)
    worker.unlink()  # it may be a link to another site's
    worker.write_text(f"const SITE = {json.dumps({'version': version, 'files': files, 'texts': texts})};\n{code}")


def kept(site: Path) -> list[str]:
    """Return the paths of the files that are kept."""
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return [path for path in paths if not any(fnmatch.fnmatch(path, pattern) for pattern in (*NOT_KEPT, TEXTS))]


def _hash(path: Path) -> str:
    """Return the hash of a file's content, unpacked if it is compressed."""
    return base64.b64encode(hashlib.sha256(compressed.content(path)).digest()).decode()
