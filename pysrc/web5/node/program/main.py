"""The program `web5-node`: the node, and what its operator needs beside it.

Its exit status is 0 if all went well (also when it was ended by a signal), 1 if the node could not start or the command
failed, 2 if the command or a setting is wrong, and 3 if `check` found something, or an export or import is not
complete. What is wrong is said in lines.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from web5.errors import InvalidArgument, Web5Error

if TYPE_CHECKING:
    from web5.node.program.sources import Found

FAILED, WRONG = 1, 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    from web5.node.program.archives import add_export, add_import
    from web5.node.program.sources import add_flags
    from web5.node.program.tenants import add_actions

    whole = argparse.ArgumentParser(
        prog="web5-node",
        description="A remote DWN. Every setting is a flag, a variable WEB5_NODE_… of the environment, or a line of a"
        " TOML file; the first of these that has it counts.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, what: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, allow_abbrev=False, help=what, description=f"{what.capitalize()}.")
        add_flags(one)
        return one

    command("serve", "serve until SIGINT or SIGTERM")
    command("config", "print the settings that are in force, and where each comes from")
    add_actions(command("tenants", "see tenants, and say who is served and how much they may keep"))
    add_export(command("export", "write all of a tenant into a file, also while the node runs"))
    add_import(command("import", "take all of a tenant from such a file; a node with a folder must have ended"))
    backup = command("backup", "copy the data, also while the node runs")
    backup.add_argument("target", type=Path, metavar="FOLDER", help="the folder to make")
    backup.add_argument(
        "--without-blobs", action="store_true", help="the databases alone, where large data have copies of their own"
    )
    moving = command("move", "move all data, of a node that has ended, to a folder or a PostgreSQL database")
    moving.add_argument("target", metavar="TARGET", help="a folder, or a URL such as postgresql://user@host/name")
    moving.add_argument(
        "--target-blobs", default=None, metavar="URL", help="the place of large data there, such as s3://bucket/prefix"
    )
    command("check", "look whether all data are whole, also while the node runs")
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    try:
        from web5.node.program import archives, commands, tenants
        from web5.node.program.sources import WrongSettings, read
    except ModuleNotFoundError as error:
        return _failed(f"{error.name} is not installed: pip install 'web5-py[node]'")
    options = parser().parse_args(arguments)
    run: Mapping[str, Callable[[Found], int]] = {
        "serve": commands.serve,
        "config": commands.config,
        "tenants": lambda found: tenants.run(options, found.settings),
        "export": lambda found: archives.export(options, found.settings),
        "import": lambda found: archives.take(options, found.settings),
        "backup": lambda found: commands.backup(found, options.target, large=not options.without_blobs),
        "move": lambda found: commands.move(found, options.target, options.target_blobs),
        "check": commands.check,
    }
    try:
        return run[options.command](read(options))
    except (WrongSettings, InvalidArgument) as error:
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
