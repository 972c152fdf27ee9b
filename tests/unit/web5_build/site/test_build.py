"""The built site stands on its own: any static server can serve it, at any path, with no other host in sight."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from web5_build.packages import bundles
from web5_build.paths import WEB
from web5_build.site import licences
from web5_build.site.build import RUNTIME_NAME, RUNTIMES

HASH = re.compile(r"[.-][0-9a-f]{16}(?=[./]|$)")
WHEEL = re.compile(r"[\w./+-]+\.whl")
REFERENCE = re.compile(r"""(?:src|href|config)\s*=\s*["']([^"'{]+)["']""")


def _pages(site: Path) -> list[Path]:
    """What we wrote, not what is vendored."""
    return [
        path
        for path in site.rglob("*")
        if path.suffix in {".html", ".json", ".css", ".py"} and not HASH.search(path.relative_to(site).as_posix())
    ]


def _archive(site: Path, name: str) -> zipfile.ZipFile:
    (packed,) = [*(site / "boot").glob(f"{name}.*.zip.gz"), *site.glob(f"pyodide-*/{name}.zip.gz")]
    return zipfile.ZipFile(io.BytesIO(gzip.decompress(packed.read_bytes())))


def _without_docs(site: Path) -> list[Path]:
    """All pages but the documentation, which speaks of other sites, and leads to them."""
    return [path for path in _pages(site) if path.relative_to(site).parts[0] != "docs"]


def test_no_page_names_another_host(site: Path) -> None:
    # example.org is nobody's: it stands in texts for a person to read.
    found = {
        path.name: re.findall(r"(?:https?:)?//(?!example\.org)[\w-]+\.[\w.-]+", path.read_text())
        for path in _without_docs(site)
        if path.suffix in {".html", ".json", ".css"}
    }
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_no_page_refers_to_an_absolute_path(site: Path) -> None:
    html = [path for path in _pages(site) if path.suffix == ".html"]
    assert html
    for page in html:
        assert [found for found in REFERENCE.findall(page.read_text()) if found.startswith("/")] == []


def test_everything_that_a_page_refers_to_is_there(site: Path) -> None:
    for page in _pages(site):
        if page.suffix == ".html":
            other = ("#", "data:", "https://") if page.is_relative_to(site / "docs") else ("#", "data:")
            relative = [found for found in REFERENCE.findall(page.read_text()) if not found.startswith(other)]
            assert [found for found in relative if not (page.parent / re.split("[?#]", found)[0]).exists()] == [], page


def test_the_documentation_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list((site / "docs").rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text()
        loaded = re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc="([^"]+)|<link[^>]*\shref="([^"]+)""", text)
        assert loaded, page
        assert [address for found in loaded for address in found if "//" in address] == [], page
    for style in (site / "docs").rglob("*.css"):
        assert re.findall(r"url\((?![\"']?data:)|@import", style.read_text()) == [], style


def test_every_page_has_the_policy_of_the_headers_before_anything_else(site: Path) -> None:
    (named,) = re.findall(r"^ +Content-Security-Policy: (.+)$", (site / "_headers").read_text(), re.MULTILINE)
    rules = named.split("; ")
    assert "frame-ancestors 'none'" in rules  # which a page cannot say of itself
    policy = "; ".join(rule for rule in rules if not rule.startswith("frame-ancestors"))
    for page in [path for path in _pages(site) if path.suffix == ".html"]:
        first, second = re.findall(r"<(?:meta|link|script|style)[^>]*>", page.read_text())[:2]
        assert first == '<meta charset="utf-8">'
        assert second == f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def test_no_page_has_a_script_or_style_of_its_own_in_it(site: Path) -> None:
    for page in [path for path in _pages(site) if path.suffix == ".html"]:
        text = page.read_text()
        assert re.findall(r"\s(?:on\w+|style)\s*=|<style|javascript:", text) == [], page
        for attributes, content in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
            assert not content.strip() or re.search('type="(py|mpy)"', attributes), page  # which a browser does not run


def test_every_wheel_that_a_page_names_is_there(site: Path) -> None:
    for page in _pages(site):
        text = re.sub(r'"filename": "[^"]+"', "", page.read_text())  # the address is beside it
        assert [found for found in WHEEL.findall(text) if not (page.parent / found).exists()] == [], page


def test_runtimes_are_named_by_their_hash(site: Path) -> None:
    for page in _without_docs(site):
        assert RUNTIME_NAME.findall(page.read_text()) == [], page
    for name in RUNTIMES:
        (folder,) = site.glob(f"{name}-*")
        assert HASH.search(folder.name)


def test_what_the_worker_loads_is_named_by_its_hash(site: Path) -> None:
    plain = {path.name for path in (site / "boot").iterdir() if not HASH.search(path.name)}
    assert plain == {"agent.mjs", "interpreter.mjs", "language.js", "link.js", "micropython.mjs"}


@pytest.mark.parametrize("name", ["stdlib", "packages", "web5"])
def test_archives_are_stored_and_hold_only_pycs_that_are_never_checked_against_a_source(site: Path, name: str) -> None:
    with _archive(site, name) as opened:
        members = opened.infolist()
        assert len(members) > 20
        for member in members:
            assert member.compress_type == zipfile.ZIP_STORED
            if member.filename.endswith((".mjs", "/english.txt", ".bin")):
                continue
            assert member.filename.endswith(".pyc")
            assert int.from_bytes(opened.read(member)[4:8], "little") == 0b01, member.filename


def test_the_whole_standard_library_is_there_in_parts_that_have_nothing_in_common(site: Path) -> None:
    (runtime,) = site.glob("pyodide-*")
    late = [zipfile.ZipFile(runtime / f"{name}.zip").namelist() for name in ("library", "tools")]
    names = [name for part in (_archive(site, "stdlib").namelist(), *late) for name in part]
    assert len(names) == len(set(names))
    with zipfile.ZipFile(bundles.PYODIDE / "python_stdlib.zip") as original:
        sources = {f"{name}c" for name in original.namelist() if name.endswith(".py")}
    assert sources - set(names) == set()
    assert {"asyncio/tasks.pyc", "late_stdlib.pyc"} <= set(names) - {name for part in late for name in part}
    assert "statistics.pyc" in late[0] and "unittest/mock.pyc" in late[1]


def test_compiled_wheels_are_for_pyodide_and_record_what_they_have(site: Path) -> None:
    wheels = [path for path in (site / "simple").rglob("*.whl") if "pyemscripten" in path.name]
    assert {path.name.split("-")[0] for path in wheels} > {"web5_py", "pydantic", "apsw"}
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            (record,) = [name for name in wheel.namelist() if name.endswith(".dist-info/RECORD")]
            listed = [line.split(",") for line in wheel.read(record).decode().splitlines()]
            assert sorted(name for name, _, _ in listed) == sorted(wheel.namelist())
            for name, expected, size in listed:
                content = wheel.read(name)
                if name != record:
                    found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
                    assert (f"sha256={found}", str(len(content))) == (expected, size), name


def test_the_licence_of_all_that_is_carried_is_there_and_named(site: Path) -> None:
    page = (site / "licences" / "index.html").read_text()
    wheels = {path.name.split("-")[0] for path in site.rglob("*.whl")}
    npm = {*json.loads((WEB / "package.json").read_text())["dependencies"], *licences.npm_packages()}
    for name in {"Python", "furo", "sphinx"} | wheels | npm:
        (text,) = re.findall(rf'<a href="([^"]+)">{re.escape(name)} [\d.]', page)
        assert len((site / "licences" / text).read_text()) > 500, name
    assert 'href="licences/index.html"' in (site / "index.html").read_text()


def test_the_server_side_is_not_sent_to_browsers(site: Path) -> None:
    names = _archive(site, "web5").namelist()
    assert "site-packages/web5/errors.pyc" in names
    assert "site-packages/web5/ecma_regexp/properties.bin" in names
    server = tuple(f"site-packages/{package}/" for package in ("web5/node", "web5/cpython", "web5_build"))
    assert [name for name in names if name.startswith(server)] == []


def test_no_source_map_is_asked_for(site: Path) -> None:
    for path in site.rglob("*js"):
        assert b"sourceMappingURL" not in path.read_bytes()[-300:], path


def test_worker_files_are_compiled_in_and_not_fetched(site: Path) -> None:
    names = _archive(site, "web5").namelist()
    sources = [WEB / "agent.py", *(WEB / "app").glob("*.py")]
    assert len(sources) > 3
    for source in sources:
        assert f"home/{source.relative_to(WEB).with_suffix('.pyc').as_posix()}" in names
        assert not (site / source.relative_to(WEB)).exists()
