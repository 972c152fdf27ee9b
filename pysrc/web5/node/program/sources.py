"""The places that settings come from: flags, then variables of the environment, then a TOML file, then defaults."""

from __future__ import annotations

import argparse
import os
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from web5.errors import Web5Error
from web5.node.program.settings import PREFIX, NodeSettings, is_secret

FILE = f"{PREFIX}CONFIG"
"""The variable that names the file where the flag `--config` does not."""

_SHOWN = 80


@dataclass(frozen=True)
class Found:
    """Settings, and the place that each of them has its value from, in words."""

    settings: NodeSettings
    places: Mapping[str, str]


class WrongSettings(Web5Error):
    """Settings that cannot be used: a line for each, which names it as it was given."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser a flag for each setting that is no secret, and one for the file."""
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"a TOML file with settings ({FILE})")
    for name, field in NodeSettings.model_fields.items():
        if not is_secret(name):
            what = (field.description or "").replace("`", "").replace("%", "%%")
            if field.annotation is bool:
                parser.add_argument(
                    flag(name), dest=name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=what
                )
            else:
                parser.add_argument(flag(name), dest=name, metavar=kind(field), default=argparse.SUPPRESS, help=what)


def kind(field: FieldInfo) -> str:
    """Return a word for the values of a setting."""
    if "Literal" in str(field.annotation):
        return "|".join(get_args(field.annotation))
    kinds = {field.annotation, *get_args(field.annotation)}
    if isinstance(field.annotation, types.GenericAlias):
        return "TEXT,TEXT…"
    return "NUMBER" if int in kinds else "PATH" if Path in kinds else "TEXT"


def read(options: argparse.Namespace) -> Found:
    """Gather the settings.

    Parameters:
        options: what a parser with `add_flags` has parsed.

    Raises:
        WrongSettings: one is missing, unknown or impossible, or the file cannot be read.
    """
    named = options.config or (Path(os.environ[FILE]) if os.environ.get(FILE) else None)
    flags = {name: value for name, value in vars(options).items() if name in NodeSettings.model_fields}
    gathered: dict[str, Any] = {}
    places: dict[str, str] = {}
    sources = (
        (flags, flag),
        (_variables(), variable),
        ({} if named is None else _in_file(named), lambda name: f"{name} in {named}"),
    )
    for values, place in sources:
        for name, value in values.items():
            if name not in gathered:
                gathered[name], places[name] = value, place(name)
    try:
        return Found(NodeSettings(**gathered), places)
    except ValidationError as error:
        raise WrongSettings(*(_fault(one, gathered, places) for one in error.errors())) from None


def _variables() -> dict[str, Any]:
    """Return the settings that the environment has. An empty variable is one that is not set."""
    known = {variable(name) for name in NodeSettings.model_fields} | {FILE}
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            raise WrongSettings(f"{name}: there is no such variable{_similar(name, known)}")
    return EnvSettingsSource(NodeSettings, case_sensitive=False, env_ignore_empty=True)()


def _in_file(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise WrongSettings(f"{path}: there is no such file")
        return TomlConfigSettingsSource(NodeSettings, path)()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongSettings(f"{path}: it cannot be read as TOML ({error})") from None


def _fault(error: Any, gathered: Mapping[str, Any], places: Mapping[str, str]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    words = error["msg"].removeprefix("Value error, ")
    if not name:
        setting, _, words = words.partition(": ")
        return f"{places.get(setting, setting)}: {words}"
    if error["type"] == "missing":
        return f"{name}: it has to be set, by {flag(name)}, by {variable(name)}, or in the file of --config"
    if error["type"] == "extra_forbidden":
        return f"{places[name]}: there is no such setting{_similar(name, NodeSettings.model_fields)}"
    given = "" if is_secret(name) else f" = {str(gathered[name])[:_SHOWN]}"
    return f"{places[name]}{given}: {words[:1].lower()}{words[1:]}"


def _similar(name: str, known: Any) -> str:
    near = get_close_matches(name, known, 1)
    return f"; there is {near[0]}" if near else ""
