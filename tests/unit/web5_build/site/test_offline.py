"""What the service worker keeps of a site."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from web5_build.paths import WEB
from web5_build.site import compressed, offline

NEEDED = {
    "index.html": "<title>A page</title>",
    "style.css": "body {}",
    "ui/main.py": "print(1)",
    "boot/agent.mjs": "start()",
}
PACKED = "pyodide-0123456789abcdef/pyodide.asm.wasm"
"""It is needed compressed."""
OTHERS = {
    "config.json": "{}",
    "_headers": "/*",
    "examples/index.html": "an example",
    "simple/web5-py/index.html": "an index",
    "boot/interpreter.mjs": "for others",
}


def _site(folder: Path) -> Path:
    for name, text in {**NEEDED, **OTHERS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    packed = folder / PACKED
    packed.parent.mkdir(parents=True)
    compressed.write(b"code", packed)
    (folder / offline.WORKER).write_text((WEB / offline.WORKER).read_text())
    offline.write(folder)
    return folder


def _list(site: Path) -> dict[str, Any]:
    first, code = (site / offline.WORKER).read_text().split("\n", 1)
    assert code == (WEB / offline.WORKER).read_text()
    found: dict[str, Any] = json.loads(first.removeprefix("const SITE = ").removesuffix(";"))
    return found


def test_the_page_and_what_it_needs_are_kept_and_nothing_else(tmp_path: Path) -> None:
    files = _list(_site(tmp_path))["files"]
    assert files.keys() == {"", *(NEEDED.keys() - {"index.html"}), f"{PACKED}.gz"}


def test_what_is_compressed_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    files = _list(_site(tmp_path))["files"]
    assert files[f"{PACKED}.gz"] == base64.b64encode(hashlib.sha256(b"code").digest()).decode()


def test_the_texts_of_languages_are_known_and_kept_by_those_who_speak_them(tmp_path: Path) -> None:
    site = _site(tmp_path)
    before = _list(site)
    compressed.write(b"{}", site / "boot" / "texts-de.0123456789abcdef.json")
    offline.write(site)
    after = _list(site)
    assert after["files"] == before["files"]
    assert after["version"] != before["version"]
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    assert (before["texts"], after["texts"]) == ({}, {"boot/texts-de.0123456789abcdef.json.gz": digest})


def test_the_version_is_that_of_all_contents(tmp_path: Path) -> None:
    site = _site(tmp_path)
    before = _list(site)
    offline.write(site)
    assert _list(site) == before
    (site / "config.json").write_text('{"dwn_endpoints": []}')
    offline.write(site)
    assert _list(site) == before
    (site / "ui" / "main.py").write_text("print(2)")
    offline.write(site)
    after = _list(site)
    assert after["version"] != before["version"]
    assert {name for name in after["files"] if after["files"][name] != before["files"][name]} == {"ui/main.py"}
