"""The direction of imports, read from every module's source, so that a new module cannot slip past.

A package may import what stands before it in `LAYERS`; `vc` and `node` stand beside them. Imports inside of functions
and under `TYPE_CHECKING` count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYSRC, APP = ROOT / "pysrc", ROOT / "web/app"

BASE = {
    "budget",
    "chunks",
    "domains",
    "ecma_regexp",
    "errors",
    "lru",
    "patience",
    "settings",
    "strict_json",
    "tasks",
    "urls",
}
"""Modules of `web5` itself that every layer may use. They import nothing but each other."""

LAYERS: dict[str, set[str]] = {
    "ports": set(),
    "crypto": {"ports"},
    "dids": {"ports", "crypto"},
    "dwn": {"ports", "crypto", "dids"},
    "vc": {"ports", "crypto", "dids", "dwn"},
    "remote": {"ports", "crypto", "dids", "dwn"},
    "sync": {"ports", "crypto", "dids", "dwn", "remote"},
    "agent": {"ports", "crypto", "dids", "dwn", "remote", "sync"},
    "browser": {"ports", "crypto", "dids", "dwn", "remote", "sync", "agent"},
    "cpython": {"ports", "crypto", "dids", "dwn", "remote", "sync", "agent"},
    "node": {"ports", "crypto", "dids", "dwn", "remote", "sync", "archive", "cpython"},
    "archive": {"ports", "crypto", "dids", "dwn", "sync", "agent"},
    "platform": {"ports", "agent", "archive", "browser", "cpython"},
    "api": {"ports", "crypto", "dids", "dwn", "vc", "remote", "sync", "agent", "archive", "platform"},
    "cli": {"dwn", "sync", "agent", "archive", "platform", "api"},
    "__init__": {"agent", "api", "dwn", "errors"},
}

INSIDE: dict[str, set[str]] = {
    "crypto.jose": {"crypto.jose", "crypto.checks", "crypto.ecdsa", "crypto.encoding"},
    "dwn.values": {"dwn.values", "dwn.codes"},
    "dwn.wire": {"dwn.wire", "dwn.values", "dwn.events"},
    "dwn.signatures": {"dwn.signatures", "dwn.values", "dwn.codes", "dwn.messages"},
    "sync.plan": {"sync.plan", "sync.states"},
    "sync.ledger": {"sync.plan", "sync.ledger", "sync.states"},
    "sync.exchange": {"sync.plan", "sync.ledger", "sync.exchange", "sync.states"},
    "sync.schedule": {"sync.plan", "sync.exchange", "sync.schedule", "sync.states"},
    "agent.vault": {"agent.vault"},
    "agent.requests": {"agent.requests", "agent.holdings"},
    "browser.javascript": {"browser.javascript"},
    "browser.network": {"browser.network", "browser.javascript"},
    "browser.storage": {"browser.storage", "browser.javascript"},
    "browser.site": {"browser.site"},
    "node.http": {"node.http", "node.limits"},
    "node.dwn": {"node.dwn", "node.http", "node.limits", "node.metrics", "node.tenants"},
    "node.reading": {"node.reading", "node.dwn", "node.limits"},
    "node.tenants": {"node.tenants"},
}
"""Rooms that may import only these of their own house."""

BROWSER_ONLY = {"js", "pyodide", "pyodide_js", "pyscript", "_pyodide"}
CPYTHON_ONLY = {
    "coincurve",
    "cryptography",
    "fcntl",
    "httpcore",
    "http.server",
    "httpx",
    "multiprocessing",
    "obstore",
    "prometheus_client",
    "pydantic_settings",
    "socket",
    "sqlite3",
    "starlette",
    "subprocess",
    "threading",
    "uvicorn",
    "websockets",
}


def _modules() -> dict[str, Path]:
    """Return every module of `web5` by its name below it, a package's own as its name alone."""
    found = {}
    for path in sorted((PYSRC / "web5").rglob("*.py")):
        parts = path.relative_to(PYSRC / "web5").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


MODULES = _modules()


def _imports(name: str) -> Iterator[str]:
    """Give the full name of each module that a module imports, `from package import module` included."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            assert node.module is not None
            for alias in node.names:
                child = f"{node.module}.{alias.name}"
                yield child if child.removeprefix("web5.") in MODULES else node.module


def _own(name: str) -> list[str]:
    return [full.removeprefix("web5.") for full in _imports(name) if full.startswith("web5.")]


def _room(name: str) -> str:
    return ".".join(name.split(".")[:2])


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name: str) -> None:
    layer = name.split(".")[0]
    allowed = BASE if layer in BASE else LAYERS[layer] | BASE | {layer}
    assert [other for other in _own(name) if other.split(".")[0] not in allowed] == []


@pytest.mark.parametrize("name", [name for name in MODULES if _room(name) in INSIDE])
def test_rooms_import_only_what_they_are_built_on(name: str) -> None:
    house = name.split(".")[0]
    inside = [other for other in _own(name) if other.split(".")[0] == house]
    assert [other for other in inside if _room(other) not in INSIDE[_room(name)]] == []


@pytest.mark.parametrize("name", MODULES)
def test_platforms_are_imported_only_where_they_are(name: str) -> None:
    layer = name.split(".")[0]
    imported = set(_imports(name))
    roots = imported | {full.split(".")[0] for full in imported}
    if layer != "browser":
        assert not roots & BROWSER_ONLY
    if layer not in ("cpython", "node"):
        assert not roots & CPYTHON_ONLY


PARSERS = {"json.load", "json.loads", "json.JSONDecoder"}
PARSING_METHODS = {"json", "validate_json", "model_validate_json"}
"""Of what httpx and starlette give, and of pydantic."""


@pytest.mark.parametrize("path", [*MODULES.values(), *APP.rglob("*.py")], ids=lambda path: str(path.relative_to(ROOT)))
def test_json_is_parsed_by_strict_json_alone(path: Path) -> None:
    """A text of brackets that a stranger sends would otherwise end the interpreter of a page.

    `web/ui`, which runs on MicroPython and hears nothing but its own worker, is left out.
    """
    tree = ast.parse(path.read_text())
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {
        f"{node.module}.{one.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for one in node.names
    }
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    found = PARSERS & (used | imported) | PARSING_METHODS & called
    assert found == ({"json.JSONDecoder"} if path == MODULES["strict_json"] else set())


def test_no_circle_of_imports() -> None:
    graph = {name: sorted({other for other in _own(name) if other in MODULES and other != name}) for name in MODULES}
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        assert name not in path, " → ".join([*path[path.index(name) :], name])
        if name in done:
            return
        path.append(name)
        for other in graph[name]:
            visit(other)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)


def test_every_package_says_what_is_inside() -> None:
    packages = [path for path in MODULES.values() if path.name == "__init__.py"]
    silent = [str(path) for path in packages if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
