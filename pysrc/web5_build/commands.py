"""The command table of build.py."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from web5_build import lanes
from web5_build.console import BuildError, say
from web5_build.docs import build as docs
from web5_build.environment import browsers, chromium, databases, node_env, python_env, scratch
from web5_build.lanes import Suite
from web5_build.paths import INTEROP, PYSRC, PYTHON, ROOT, SITE, WORK
from web5_build.site import build as site
from web5_build.site import jupyter
from web5_build.stamp import exclusive

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)
LANES = (
    ("browser",),
    ("checks", "browsers", "security", "simulation", "contracts", "unit", "bench", "interop"),
)
"""The suites, folders of tests/ but for the checks. Lanes run side by side, in each the quick suites first; one that is
through helps the other."""
PYTEST = ("-m", "pytest", "-o", "tmp_path_retention_policy=failed", "--durations=20")
"""The command of a suite: it keeps only the folders of tests that fail, since those of all are gigabytes, and its log
has the tests that took longest."""
SUITES = tuple(sorted(name for lane in LANES for name in lane))


@dataclass(frozen=True)
class Command:
    help: str
    run: Callable[[argparse.Namespace, list[str]], int]
    others: str = ""
    """The other arguments that it takes and passes on to the program it runs."""


def _build() -> None:
    site.build()
    docs.build()


def _site(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        _build()
    say(site.address())
    return 0


def _docs(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        _build()
    say(f"{docs.FOLDER.relative_to(ROOT)}/index.html; build.py serve has it at /docs/")
    return 0


def _jupyter(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        site.build()
        jupyter.build()
    say(jupyter.address())
    return 0


def _serve(options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        _build()
    say("==> Starting two remote nodes (/dwn0, /dwn1), a DID DHT gateway (/dht) and the site; Ctrl-C ends it")
    where = ["--port", str(options.port), "--site", str(SITE), "--data", str(WORK / "data")]
    _become(["-m", "web5.node", "serve", "--paths", "/dwn0,/dwn1", *where])


def _check(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        python_env.ensure()
    worst = 0
    for name, *arguments in CHECKS:
        say(f"==> {name} {' '.join(arguments)}".rstrip())
        worst = max(worst, subprocess.call([PYTHON.with_name(name), *arguments], cwd=ROOT))
    return worst


def _test(_options: argparse.Namespace, rest: list[str]) -> int:
    named = _leading(rest)
    options = rest[len(named) :]
    if named == ["checks"]:
        return _check(_options, [])
    env = _everything()
    paths = [f"tests/{name}" if name in SUITES else name for name in named]
    if len(paths) == 1 or any(name not in SUITES for name in named):
        say(f"==> pytest {' '.join([*paths, *options])}")
        _become(["-m", "pytest", *paths, *options], env)
    chosen = [[_suite(name, options) for name in lane if not named or name in named] for lane in LANES]
    with scratch.folder(WORK / "test" / "left") as memory:
        if memory is not None:
            env["TMPDIR"] = str(memory)
        return asyncio.run(lanes.run(chosen, cwd=ROOT, env=env))


def _leading(arguments: list[str]) -> list[str]:
    """Return the suites, or files and folders, that are named before the first option."""
    named: list[str] = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        if argument not in SUITES and not (ROOT / argument.split("::")[0]).exists():
            raise BuildError(f"there is no suite {argument}; there are {', '.join(SUITES)}")
        named.append(argument)
    return named


def _suite(name: str, options: list[str]) -> Suite:
    log = WORK / "test" / f"{name}.log"
    if name == "checks":
        return Suite(name, [[PYTHON.with_name(program), *rest] for program, *rest in CHECKS], log, is_pytest=False)
    return Suite(name, [[PYTHON, *PYTEST, f"tests/{name}", *options]], log)


def _fuzz(_options: argparse.Namespace, rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        python_env.ensure()
        node = node_env.npm_ci(INTEROP, "Reference packages from npm", compiled=("better-sqlite3",))
    _become(["-m", "tests.interop.engine.fuzz", *rest], node.env)


def _simulate(_options: argparse.Namespace, rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        python_env.ensure()
    _become(["-m", "tests.simulation", *rest])


def _bench(_options: argparse.Namespace, rest: list[str]) -> int:
    _become(["tests/bench/run.py", *rest], _everything())


def _screenshots(_options: argparse.Namespace, rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        _build()
        browser = chromium.ensure()
    _become(["-m", "tests.browser.gallery", *rest], {"WEB5_CHROMIUM": str(browser)})


def _everything() -> dict[str, str]:
    """All set-up that tests and benchmarks need; the environment to run them in."""
    with exclusive(WORK / "lock"):
        _build()
        jupyter.build()
        title = "Reference packages from npm: dwn-sdk-js, dwn-server, web5-js (one compiles, for about a minute)"
        node = node_env.npm_ci(INTEROP, title, compiled=("better-sqlite3",))
        browser = chromium.ensure()
        browsers.ensure()
        databases.ensure()
    return {**os.environ, **node.env, "WEB5_CHROMIUM": str(browser)}


def _become(arguments: list[str], env: Mapping[str, str] | None = None) -> NoReturn:
    """Run Python in place of this process, so that its exit status is ours and signals reach nobody else."""
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), *arguments], {**os.environ, "PYTHONPATH": str(PYSRC), **(env or {})})


COMMANDS = {
    "site": Command("build the static site into dist/site", _site),
    "docs": Command("build the documentation into dist/site/docs, beside the app", _docs),
    "jupyter": Command("build a JupyterLite with web5-py into dist/jupyter", _jupyter),
    "serve": Command("build the site and serve it with two remote nodes and a DID DHT gateway", _serve),
    "test": Command(
        "set up and run the checks and all tests",
        _test,
        f"SUITE … | tests/PATH … (one or some of {', '.join(SUITES)}) and pytest's options, such as -k WORD",
    ),
    "check": Command("ruff and mypy", _check),
    "fuzz": Command("new messages for both engines, ours and the reference", _fuzz, "--minutes N --seed S"),
    "simulate": Command(
        "sync under seeded faults",
        _simulate,
        "--seeds N --first S, or --seed S for one seed with its story; --of agents: whole agents",
    ),
    "screenshots": Command(
        "take pictures of all screens of the page, light and dark, on a phone and a desk",
        _screenshots,
        "--only WORD --out FOLDER",
    ),
    "bench": Command("measure against web5-js", _bench, "--quick --only TABLE --every-size --out FILE"),
}


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments of build.py and documents its commands."""
    one = argparse.ArgumentParser(prog="build.py", description="Sets up, builds, serves, checks and tests web5-py.")
    commands = one.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        more = f"other arguments: {command.others}" if command.others else None
        added = commands.add_parser(name, help=command.help, description=command.help, epilog=more)
        if name == "serve":
            added.add_argument("--port", type=int, default=8000, help="default 8000")
    return one


def main(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    reader = parser()
    options, rest = reader.parse_known_args(arguments)
    command = COMMANDS[options.command]
    if rest and not command.others:
        reader.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return command.run(options, rest)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
