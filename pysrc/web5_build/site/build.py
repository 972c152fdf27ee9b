"""Assembles dist/site: our pages, and beside them every runtime and wheel they need, from this origin alone.

Folders and files with a content hash in their name never change and may be cached for ever; the rest is to be asked for
again.
Pages name the runtimes plainly (`pyscript/core.js`); the build writes the hashed name in.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from web5_build import project
from web5_build.console import Step, step
from web5_build.environment import node_env, python_env
from web5_build.packages import bundles, lean_wheels, package_index, stdlib, wheels
from web5_build.paths import PYSRC, SITE, WEB, WORK
from web5_build.site import boot, compressed, esbuild, licences, offline, screens, worker_files
from web5_build.stamp import Stamp, digest

NOT_SITE = {"boot", "licences", "node_modules", "package.json", "package-lock.json", ".npmrc", *worker_files.NAMES}
"""The files of web/ that are not copied as they are."""

MODULES = WEB / "node_modules"
RUNTIMES = {
    # Without what it loads on pages that have terminals, and for settings that are no JSON.
    "pyscript": (
        MODULES / "@pyscript" / "core" / "dist",
        (
            *(
                "codemirror*.js",
                "core*.js",
                "core.css",
                "deprecations-manager-*.js",
                "donkey-*.js",
                "error-*.js",
                "index-*.js",
                "mpy-*.js",
            ),
            *("py-*.js", "storage.js"),
        ),
    ),
    "pyodide": (
        MODULES / "pyodide",
        ("pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json"),  # boot.make makes what else it has
    ),
}
"""The source of each runtime's files, by its folder's name in the site."""

COMPRESSED = ("pyodide.asm.mjs", "pyodide.asm.wasm")
"""The files of runtimes that are carried compressed."""

PAGES = {".html", ".json", ".toml", ".py", ".mjs", ".js", ".css"}
RUNTIME_NAME = re.compile(rf"(?<=[\"'/(=])({'|'.join(RUNTIMES)})/(?=[\w.])")
"""A runtime's folder, where a page names it."""

CHARSET = '<meta charset="utf-8">'
"""The beginning of each page's head; its policy comes next, before anything that it is for."""

FIRST_MODULE = '<script type="module"'
"""The beginning of the elements of our page that load modules."""
CHUNKS = ("core-*.js", "error-*.js")
"""The modules that PyScript's first one imports: our page fetches them at once, instead of one after the other."""

DEFAULT_CONFIG = {"dwn_endpoints": ["dwn0", "dwn1"], "did_dht_gateways": ["dht"]}


def build() -> None:
    """Bring dist/site up to date, and everything it is made of."""
    python_env.ensure()
    node_env.npm_ci(WEB, "Web runtimes from npm: Pyodide, PyScript, MicroPython, noble-curves")
    esbuild.secp256k1()
    dependencies, own, installer = wheels.dependencies(), wheels.own(), wheels.micropip()
    of_page = wheels.page()
    packages, web5 = bundles.compiled("packages", [*dependencies, *of_page]), bundles.compiled("web5", [own])
    pyscript = bundles.compiled("pyscript", [bundles.pyscript_sources()])
    app = bundles.compiled("app", [worker_files.sources()])
    named_in = [part.modules.with_name("sources") for part in (pyscript, app)]
    parts = stdlib.compiled([installer, *dependencies, *of_page, own], named_in)
    modules = boot.Modules(stdlib=parts, packages=packages, pyscript=pyscript, web5=web5, app=app)
    lean = WORK / "lean-wheels"
    carried = [
        own,
        *lean_wheels.make(dependencies, packages, lean / "packages"),
        *lean_wheels.make([own], web5, lean / "web5"),
    ]
    [micropip] = lean_wheels.make([installer], bundles.compiled("micropip", [installer]), lean / "micropip")
    pages = [path for path in sorted(WEB.iterdir()) if path.name != "node_modules"]
    stamp = Stamp(
        WORK / "site.stamp",
        digest(*pages, *carried, micropip, parts.digest, *modules.folders, PYSRC / "web5_build"),
    )
    if not stamp.holds(SITE / "index.html", SITE / "boot" / "interpreter.mjs"):
        with step("Site into dist/site") as current:
            fresh = WORK / "site"
            shutil.rmtree(fresh, ignore_errors=True)
            _assemble(current, fresh, carried, [micropip, *of_page], modules)
            stamp.clear()
            shutil.rmtree(SITE, ignore_errors=True)
            SITE.parent.mkdir(exist_ok=True)
            fresh.rename(SITE)
            stamp.set()


def _assemble(current: Step, target: Path, carried: list[Path], apart: list[Path], modules: boot.Modules) -> None:
    """Put the site together; `apart` are micropip's wheel, and those that no index names."""
    micropip = apart[0]
    for path in WEB.iterdir():
        if path.name in NOT_SITE:
            continue
        if path.is_dir():
            inside = ("*.py", *screens.NOT_SITE) if path.name == "ui" else ()  # in an archive (`boot`), or in the page
            shutil.copytree(path, target / path.name, ignore=shutil.ignore_patterns("__pycache__", *inside))
        else:
            target.mkdir(exist_ok=True)
            shutil.copy2(path, target / path.name)
    screens.put_together(target)
    more: dict[str, list[Path | str]] = {"pyodide": [micropip, modules.stdlib.digest, WEB / "boot"]}
    folders = {name: _copy_runtime(target, name, more.get(name, [])) for name in RUNTIMES}
    package_index.carry_micropip(target / folders["pyodide"], micropip)
    _name_runtimes(target, folders)
    _preload(target / "index.html", target / folders["pyscript"])
    package_index.make(target / "simple", carried)
    if not (target / "config.json").exists():
        (target / "config.json").write_text(json.dumps(DEFAULT_CONFIG, indent=2) + "\n")
    licences.make(target, [*carried, *apart])
    boot.make(current, target, folders["pyodide"], modules)
    _confine_pages(target)
    offline.write(target)


def _copy_runtime(target: Path, name: str, more: list[Path | str]) -> str:
    """Copy a runtime into a folder with a name that is hashed of it, and of what more will lie there; that name."""
    source, patterns = RUNTIMES[name]
    files = sorted({path for pattern in patterns for path in source.glob(pattern)})
    folder = f"{name}-{digest(*files, *more)[: boot.HASH_LENGTH]}"
    (target / folder).mkdir(parents=True)
    for path in files:
        text = path.suffix in {".js", ".mjs", ".css"}
        content = path.read_bytes()
        if text:  # source maps are not carried along
            content = re.sub(rb"\n//# sourceMappingURL=\S+", b"", content)
        if path.name in COMPRESSED:
            compressed.write(content, target / folder / path.name)
        else:
            (target / folder / path.name).write_bytes(content)
    return folder


def _name_runtimes(target: Path, folders: dict[str, str]) -> None:
    for page in target.rglob("*"):
        if page.suffix not in PAGES or page.relative_to(target).parts[0] in folders.values():
            continue
        text = page.read_text()
        page.write_text(RUNTIME_NAME.sub(lambda found: folders[found[1]] + "/", text))


def _preload(page: Path, pyscript: Path) -> None:
    """Have a page fetch early what PyScript imports."""
    found = [path for pattern in CHUNKS for path in pyscript.glob(pattern)]
    assert len(found) == len(CHUNKS), found
    links = "".join(f'<link rel="modulepreload" href="{pyscript.name}/{path.name}">\n  ' for path in found)
    before, element, after = page.read_text().partition(FIRST_MODULE)
    page.write_text(before + links + element + after)


def _confine_pages(target: Path) -> None:
    """Write the Content-Security-Policy of `_headers` into the pages, for hosts that send no headers."""
    meta = policy_element((target / "_headers").read_text())
    for page in [
        *target.glob("*.html"),
        *target.glob("examples/*.html"),
        *target.glob("licences/*.html"),
        *target.glob("playground/*.html"),
        *target.glob("simple/**/*.html"),
    ]:
        text = page.read_text()
        assert text.count(CHARSET) == 1, page
        page.write_text(text.replace(CHARSET, f"{CHARSET}\n{meta}"))


def policy_element(headers: str) -> str:
    """Return the policy of a `_headers` file as an element; where a page may be framed, only a header can say."""
    header = re.search(r"^ +Content-Security-Policy: (.+)$", headers, re.MULTILINE)
    assert header is not None
    policy = "; ".join(rule for rule in header[1].split("; ") if not rule.startswith("frame-ancestors"))
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def address() -> str:
    """One line on what was built."""
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    return f"dist/site is web5 {project.version()}, {size / 1e6:.1f} MB; any static server can serve it, at any path"
