"""The program `web5`: `web5 export`, `web5 import` and `web5 status`.

Its exit status is 0 if all went well, 1 if not, 2 for a command that it does not understand, 3 if a part of an archive
could not be taken, or of an identity not exported, and 130 if it was interrupted. What is wrong is said in one line.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from web5.errors import Web5Error

FAILED, INTERRUPTED = 1, 130

PASSWORDS = """\
A password is asked for on the terminal, or taken from the environment: WEB5_PASSWORD opens the agent's vault, and
WEB5_ARCHIVE_PASSWORD encrypts or opens the keys in an archive."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(prog="web5", description="Look after an agent's identities.", epilog=PASSWORDS)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    export = commands.add_parser("export", help="write everything of an identity into one file", epilog=PASSWORDS)
    _add_common(export)
    export.add_argument("file", type=Path, help="the archive to write")
    export.add_argument("--did", help="the identity (by default the one in use)")
    export.add_argument(
        "--keys",
        choices=("encrypted", "plain", "none"),
        default="encrypted",
        help="the identity's private keys: encrypted by a password, plain, or left out (%(default)s)",
    )
    export.add_argument("--force", action="store_true", help="write over a file that is there")

    take = commands.add_parser("import", help="take in an archive, and its identity if it is new", epilog=PASSWORDS)
    _add_common(take)
    take.add_argument("file", type=Path, help="the archive to read")
    take.add_argument("--did", help="refuse the archive of any other identity")
    take.add_argument("--skip-damaged", action="store_true", help="take what is whole of a broken archive")

    status = commands.add_parser("status", help="say what is where", epilog=PASSWORDS)
    _add_common(status)
    status.add_argument("--did", help="only this identity")
    status.add_argument("--json", action="store_true", help="as JSON")
    return whole


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data",
        type=Path,
        default=Path("DATA") / "AGENT",
        metavar="DIR",
        help="the folder of the agent (%(default)s)",
    )
    command.add_argument(
        "--gateway", action="append", default=[], metavar="URL", help="a DID DHT gateway; can be repeated"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = parser().parse_args(arguments)
    try:
        from web5.cli import commands

        return asyncio.run(commands.COMMANDS[options.command](options))
    except ModuleNotFoundError as error:
        return _failed(f"{error.name} is not installed: pip install 'web5-py[node]'")
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except (Web5Error, OSError) as error:
        return _failed(str(error))


def _failed(line: str) -> int:
    print(f"web5: {' '.join(line.split())}", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
