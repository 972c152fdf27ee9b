"""The public names of `@web5/api`, read from its own types, are those of the table behind docs/web5-js.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

from web5_build.docs.js_api import NAMES, VERSION
from web5_build.paths import INTEROP

PACKAGE = INTEROP / "node_modules/@web5/api"
TYPES = PACKAGE / "dist/types"

INTERNAL = {"index", "utils"}
"""Files without names of their own that the package exports."""

WITH_MEMBERS = {"Web5ConnectOptions", "Web5ConnectResult"}
"""Types that are no classes, and whose members people write or read by name."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DECLARED = re.compile(r"^export (?:declare class|interface|type) (\w+)")
_MEMBER = re.compile(r"^(?:static |readonly |get )*(\w+)\??[:(<]")


def test_every_public_name_has_a_row_and_no_row_is_made_up() -> None:
    named = {name for file in TYPES.glob("*.d.ts") if file.name[:-5] not in INTERNAL for name in _names(file)}
    assert len(named) > 150
    assert (sorted(named - NAMES.keys()), sorted(NAMES.keys() - named)) == ([], [])


def test_it_is_the_version_that_the_table_is_about() -> None:
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    assert version.startswith(f"{VERSION}.")


def _names(file: Path) -> list[str]:
    found: list[str] = []
    where: list[str] = []
    for line in _COMMENT.sub("", file.read_text()).splitlines():
        text, depth = line.strip(), (len(line) - len(line.lstrip())) // 4
        if (declared := _DECLARED.match(line)) is not None:
            where = [declared[1]]
            is_class = line.startswith("export declare class")
            found.append(declared[1])
            counts = is_class or declared[1] in WITH_MEMBERS
            continue
        if not where or not counts or not 0 < depth <= 2 or text.startswith(("private", "constructor")):
            continue
        member = _MEMBER.match(text)
        del where[depth:]
        if member is None or len(where) < depth:
            continue
        if depth == 1:
            where.append(member[1] if text.startswith("get ") and text.endswith("{") else "")
            found.append(f"{where[0]}.{member[1]}")
        elif where[1]:
            found.append(f"{where[0]}.{where[1]}.{member[1]}")
    return found
