"""docs/reference/node-settings.md: the settings of `web5-node`, from their model."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from web5.node.program.settings import NodeSettings, is_secret, shown
from web5.node.program.sources import FILE, flag, variable
from web5_build.docs.tables import table


def node_settings() -> str:
    """Return the text of docs/reference/node-settings.md."""
    return "\n".join(
        [
            "# Settings of a node",
            "",
            "Made from `web5.node.program.settings` by `python -m web5_build.docs.rule_docs`; do not edit.",
            "",
            "Each is a flag of `web5-node serve`, a variable of the environment, or a line of the TOML file that",
            f"`--config`, or `{FILE}`, names. The first of these that has it counts. A list is written with commas",
            "in flags and variables; an empty variable is one that is not set. What is unknown or impossible is",
            "refused at the start, by the name that it was given by. `web5-node config`, with the same flags, prints",
            "what is in force as such a file, and where each value comes from.",
            "",
            *table(("In the file", "Flag and variable", "Meaning", "Default"), _rows()),
        ]
    )


def _rows() -> Iterable[tuple[str, ...]]:
    for name, field in NodeSettings.model_fields.items():
        flags = f"`{flag(name)}`" if field.annotation is not bool else f"`{flag(name)}`, `{flag(f'no_{name}')}`"
        ways = f"`{variable(name)}`" if is_secret(name) else f"{flags}, `{variable(name)}`"
        yield f"`{name}`", ways, field.description or "", _default(field)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "has to be set"
    return "not set" if field.default is None else f"`{shown(field.default)}`"
