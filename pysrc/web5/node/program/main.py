"""The program `web5-node`: `web5-node serve` and `web5-node config`.

Its exit status is 0 when it was ended by a signal, 1 if the node could not start, and 2 if the command or a setting is
wrong. Each thing that is wrong is said in one line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from web5.errors import Web5Error

if TYPE_CHECKING:
    from web5.node.program.sources import Found

FAILED, WRONG = 1, 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    from web5.node.program.sources import add_flags

    whole = argparse.ArgumentParser(
        prog="web5-node",
        description="A remote DWN. Every setting is a flag, a variable WEB5_NODE_… of the environment, or a line of a"
        " TOML file; the first of these that has it counts.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_flags(commands.add_parser("serve", help="serve until SIGINT or SIGTERM"))
    add_flags(commands.add_parser("config", help="print the settings that are in force, and where each comes from"))
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    try:
        from web5.node.program import commands
        from web5.node.program.sources import WrongSettings, read
    except ModuleNotFoundError as error:
        return _failed(f"{error.name} is not installed: pip install 'web5-py[node]'")
    options = parser().parse_args(arguments)
    run: Mapping[str, Callable[[Found], int]] = {"serve": commands.serve, "config": commands.config}
    try:
        return run[options.command](read(options))
    except WrongSettings as error:
        return _failed(str(error), WRONG)
    except (Web5Error, OSError) as error:
        return _failed(" ".join(str(error).split()))
    except KeyboardInterrupt:
        return 0


def _failed(lines: str, status: int = FAILED) -> int:
    for line in lines.splitlines():
        print(f"web5-node: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
