"""What a person acts on in the words after an error code: paths, values, CIDs, DIDs and dates.

Ours are other sentences; but what the reference tells of these, ours tell too. What is wrong with the shape of a
message is said in the words of JSON Schema, and so at the very same place in the same words.
"""

from __future__ import annotations

import json
import re

_FACT = re.compile(
    r"""
    did:[a-z0-9]+:[\w.:%-]*\w | \bba[fg][a-z0-9]{20,}(?:/ba[fg][a-z0-9]{20,})*
    | [a-z][a-z0-9+.-]*://\S*[\w/] | urn:\S*\w | \d{4}-\d\d-\d\dT\S+Z
    | \{".*\} | '[^']+' | `[^`]+` | \b\d+\b
    """,
    re.VERBOSE,
)
_CODE = re.compile(r"([A-Z][A-Za-z0-9]+): ")
_SHAPES = re.compile(r"SchemaValidator|ProtocolAuthorizationTagsInvalidSchema|ProtocolsConfigureInvalidTagSchema")
_NO_METHOD = "SchemaValidatorSchemaNotFound"
"""Tells the names of interface and method as JavaScript adds them, whatever they are."""


def untold(ours: str, theirs: str) -> list[str]:
    """Return what the reference's detail tells of a message, and ours of the same code does not."""
    code = _CODE.match(theirs)
    if code is None or code[1] == _NO_METHOD:  # what a library threw, or no more than a status
        return []
    if _SHAPES.match(code[1]):
        ours, theirs = (_plain(text) for text in (ours, theirs))
        # Ajv compiles a schema anew, and says of each part what is wrong with it; the first is what counts.
        return [] if ours.startswith(theirs) else [theirs]
    told = theirs[code.end() :]
    return [fact for fact in map(_bare, _FACT.findall(told)) if not _tells(ours, fact)]


def _plain(text: str) -> str:
    return text.replace("[0-9]", r"\d")


def _bare(fact: str) -> str:
    return fact[1:-1] if fact[0] in "'`" else fact


def _tells(ours: str, fact: str) -> bool:
    if fact in ours:
        return True
    try:
        return fact[0] == "{" and json.dumps(json.loads(fact)) in ours
    except ValueError:
        return False
