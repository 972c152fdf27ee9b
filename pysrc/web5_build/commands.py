"""The command table of build.py."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from web5_build import chromium, fuzz, node_env, python_env, simulate, site
from web5_build.console import BuildError, say
from web5_build.paths import INTEROP, PYTHON, ROOT, SITE, WORK
from web5_build.stamp import exclusive

SUITES = {
    "unit": ("tests/unit",),
    "contracts": ("tests/contracts",),
    "interop": ("tests/interop",),
    "simulation": ("tests/simulation",),
    "browser": ("tests/browser",),
}
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)


@dataclass(frozen=True)
class Command:
    help: str
    run: Callable[[argparse.Namespace, list[str]], int]
    passes_on: bool = False
    """Arguments that it does not know go to the program it runs."""


def _site(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        site.build()
    say(site.address())
    return 0


def _serve(options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        site.build()
    say("==> Starting two remote nodes (/dwn0, /dwn1), a DID DHT gateway (/dht) and the site; Ctrl-C ends it")
    where = ["--port", str(options.port), "--site", str(SITE), "--data", str(WORK / "data")]
    os.chdir(ROOT)
    # In place of this process, so that a signal reaches the server and nobody else.
    os.execv(PYTHON, [str(PYTHON), "-m", "web5.node.serve", *where])


def _check(_options: argparse.Namespace, _rest: list[str]) -> int:
    with exclusive(WORK / "lock"):
        python_env.ensure()
    return _checks()


def _checks() -> int:
    worst = 0
    for name, *arguments in CHECKS:
        say(f"==> {name} {' '.join(arguments)}".rstrip())
        worst = max(worst, subprocess.call([PYTHON.with_name(name), *arguments], cwd=ROOT))
    return worst


def _everything() -> dict[str, str]:
    """All set-up that tests and benchmarks need; the environment to run them in."""
    with exclusive(WORK / "lock"):
        site.build()
        title = "Reference packages from npm: dwn-sdk-js, dwn-server, web5-js (one compiles, for about a minute)"
        node = node_env.npm_ci(INTEROP, title, compiled=("better-sqlite3",))
        browser = chromium.ensure()
    return {**os.environ, **node.env, "WEB5_CHROMIUM": str(browser)}


def _test(options: argparse.Namespace, rest: list[str]) -> int:
    env = _everything()
    checked = 0 if options.only else _checks()
    wanted = SUITES[options.only] if options.only else ("tests",)
    say(f"==> pytest {' '.join([*wanted, *rest])}")
    tested = subprocess.call([PYTHON, "-m", "pytest", *wanted, *rest], cwd=ROOT, env=env)
    if checked:
        say("ruff or mypy found something, see above")
    return tested or checked


def _bench(_options: argparse.Namespace, rest: list[str]) -> int:
    env = _everything()
    return subprocess.call([PYTHON, "tests/bench/run.py", *rest], cwd=ROOT, env=env)


COMMANDS = {
    "site": Command("build the static site into dist/site", _site),
    "serve": Command("build the site and serve it with two remote nodes and a DID DHT gateway", _serve),
    "test": Command("set up and run the checks and all tests (other arguments go to pytest)", _test, passes_on=True),
    "check": Command("ruff and mypy", _check),
    "fuzz": Command("new messages for both engines (other arguments: --minutes N --seed S)", fuzz.run, passes_on=True),
    "simulate": Command(
        "sync under seeded faults (other arguments: --seeds N --first S, or --seed S for one with its story)",
        simulate.run,
        passes_on=True,
    ),
    "bench": Command("measure against web5-js (other arguments go to tests/bench/run.py)", _bench, passes_on=True),
}


def main(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="build.py", description="Sets up, builds, serves, checks and tests web5-py.")
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {name: commands.add_parser(name, help=command.help) for name, command in COMMANDS.items()}
    parsers["serve"].add_argument("--port", type=int, default=8000, help="default 8000")
    parsers["test"].add_argument("--only", choices=sorted(SUITES), help="one suite, without the checks")
    options, rest = parser.parse_known_args(arguments)
    command = COMMANDS[options.command]
    if rest and not command.passes_on:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return command.run(options, rest)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
