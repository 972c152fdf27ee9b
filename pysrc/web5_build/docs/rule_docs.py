"""The tables of rules, error codes, names and settings, for people: docs/rules.md and what else is in `PAGES`.

Run with `python -m web5_build.docs.rule_docs` in the environment that `build.py` makes; a test sees to it that the
files are up to date.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence

from web5.dwn.codes import Code
from web5.dwn.messages.records_write import MUTABLE
from web5.dwn.permissions import rules as grants
from web5.dwn.permissions.records import SCOPES
from web5.dwn.protocols import authorization, integrity, shape, validation
from web5_build.docs.error_words import MEANINGS
from web5_build.docs.js_api import web5_js
from web5_build.docs.node_docs import node_settings
from web5_build.docs.sync_docs import sync
from web5_build.docs.tables import table
from web5_build.docs.ways_out import WAYS_OUT
from web5_build.paths import PYSRC, ROOT

DOCS = ROOT / "docs"
ENGINE = PYSRC / "web5" / "dwn"
SOURCES = "https://github.com/TBD54566975/dwn-sdk-js, version 0.5.2"


def rules() -> str:
    """Return the text of docs/rules.md."""
    return "\n".join(
        [
            "# Rules of the engine",
            "",
            "Made from the tables in `pysrc/web5/dwn` by `python -m web5_build.docs.rule_docs`; do not edit.",
            "",
            *_updates(),
            *_definitions(),
            *_integrity(),
            *_actions(),
            *_grants(),
        ]
    )


def errors() -> str:
    """Return the text of docs/errors.md."""
    places, meanings = _places(), {**MEANINGS, **tabled_meanings()}
    rows = [(f"`{code.value}`", meanings[code], WAYS_OUT[code], ", ".join(places.get(code.name, ()))) for code in Code]
    return "\n".join(
        [
            "# Error codes",
            "",
            "Made from `web5.dwn.codes` by `python -m web5_build.docs.rule_docs`; do not edit.",
            "",
            "A reply that refuses a message has the code, a colon and words in `status.detail`. The codes are those of",
            f"the reference ({SOURCES}), but for",
            f"`{Code.TimestampAhead}` and `{Code.TimestampOutsideWindow}`; the words are not.",
            "",
            "In Python, they are raised as the classes of [](exceptions.md), with the code as `error.code`.",
            "",
            *table(("Code", "What must hold", "What to do", "Given in `web5.dwn`"), sorted(rows)),
        ]
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "rules.md": rules,
    "errors.md": errors,
    "sync.md": sync,
    "web5-js.md": web5_js,
    "reference/node-settings.md": node_settings,
}
"""The makers of the pages, by their paths in docs."""


def write() -> None:
    for path, text in PAGES.items():
        (DOCS / path).write_text(text(), encoding="utf-8")


def _updates() -> Iterable[str]:
    yield from ("## Updates of a record", "")
    yield "An update may change these properties of a RecordsWrite's descriptor and no others"
    yield f"(`{Code.RecordsWriteImmutablePropertyChanged}`): {_words(sorted(MUTABLE))}."
    yield ""


def _definitions() -> Iterable[str]:
    yield from (
        "## Protocol definitions",
        "",
        "An action rule allows some actions, either to an actor or to a role:",
        "",
    )
    yield from table(
        ("For", "`can`"),
        [
            (f"`who`: {_words(shape.ACTORS)}", _words(shape.ACTOR_ACTIONS)),
            ("`role`: the protocol path of a role", _words(shape.ROLE_ACTIONS)),
        ],
    )
    yield from ("Every action rule fulfils, in this order:", "")
    rows = [(demand.says, f"`{demand.code}`") for demand in validation.DEMANDS]
    yield from table(("What must hold", "Code"), rows)


def _integrity() -> Iterable[str]:
    yield from ("## Records of a protocol", "", "Every RecordsWrite with a protocol fulfils, in this order:", "")
    rows = [(check.says, _words(check.codes)) for check in integrity.CHECKS]
    yield from table(("What must hold", "Codes"), rows)


def _actions() -> Iterable[str]:
    yield from ("## Who may do what with the records of a protocol", "")
    yield "The tenant may do everything. Anybody else needs an action rule, at the record's protocol path, that names"
    yield f"one of the actions for the message (or else `{Code.ProtocolAuthorizationActionNotAllowed}`)"
    yield from ("", *table(("Message", "What it does", "Action"), [_action(row) for row in authorization.ACTIONS]))
    yield from ("and that is for who asks. The first of these lines that fits the rule and the message decides:", "")
    yield from (f"{number}. {actor.says}" for number, actor in enumerate(authorization.ACTORS, 1))
    yield ""


def _action(row: authorization.Action) -> tuple[str, str, str]:
    case = f"{row.case} by the author of the record" if row.by_author else row.case
    return f"Records{row.method}", case, f"`{row.action}`"


def _grants() -> Iterable[str]:
    yield from ("## What a permission grant allows", "", "A grant's scope names an interface and a method:", "")
    yield from table(("Interface", "Methods", "May be limited by"), [_scope(name) for name in SCOPES])
    yield from ("Every use of a grant fulfils, in this order:", "")
    yield from table(("What must hold", "Code"), [_rule(rule) for rule in grants.BASE])
    yield from ("and then, for each kind of message:", "")
    rows = [(kind, *_rule(rule)) for kind, several in grants.RULES.items() for rule in several]
    yield from table(("Message", "What must hold", "Code"), rows)


def _scope(interface: str) -> tuple[str, str, str]:
    methods, limits = SCOPES[interface]
    return interface, _words(sorted(methods)), _words(sorted(limits))


def _rule(rule: grants.Rule) -> tuple[str, str]:
    return rule.must, f"`{rule.code}`"


def tabled_meanings() -> Mapping[Code, str]:
    """Return the conditions that the tables of rules give for a code."""
    meanings = {demand.code: demand.says for demand in validation.DEMANDS}
    for check in integrity.CHECKS:
        meanings |= dict.fromkeys(check.codes, check.says)
    for rule in (*grants.BASE, *(rule for several in grants.RULES.values() for rule in several)):
        meanings[rule.code] = rule.must
    return meanings


def _places() -> Mapping[str, Sequence[str]]:
    """Return the modules that name each code."""
    found: dict[str, list[str]] = {}
    for path in sorted(ENGINE.rglob("*.py")):
        module = ".".join(path.relative_to(ENGINE).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_code(node)}:
            found.setdefault(name, []).append(f"`{module}`")
    return found


def _is_code(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "Code"


def _words(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


if __name__ == "__main__":
    write()
