"""The headers with which a browser gets what a stranger has published: shown where it is asked for, and harmless.

Invariants:
1. Nothing that is published runs as a program in anybody's page, or as a page at the node's own origin: HTML, SVG and
   whatever else could hold a program are sandboxed, and saved instead of shown where somebody goes there.
2. A browser takes nothing for another type than it was published as. A program or a style sheet is text: a page of the
   same origin, which trusts what lies there, would else use it.
3. No header holds a character that the type or ID of a record brought along, unless it was checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

UNKNOWN = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
LONGEST_TYPE = 200

_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,80}"
_TYPE = re.compile(rf'({_TOKEN})/({_TOKEN})((?: ?; ?{_TOKEN}=(?:{_TOKEN}|"[A-Za-z0-9 ,.:_+-]{{0,80}}"))*)')
_PROGRAM = re.compile(r"(application|text)/(x-)?(javascript|ecmascript|jscript|livescript)[0-9.]{0,4}|text/css")
_SHOWN = re.compile(r"image/(?!svg)[a-z0-9.+-]+|(audio|video)/[a-z0-9.+-]+|text/plain|application/json")
_PARTS = re.compile(r"multipart/.*|message/.*")
_ID = re.compile(r"[a-z0-9]{1,100}")

_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
CONFINED = {
    "content-security-policy": _POLICY,
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers that all of it has: other sites may embed it, and it may embed nothing."""


def media_type(data_format: Any) -> str:
    """Return the media type that a browser is given for a record's `dataFormat`."""
    found = _TYPE.fullmatch(data_format) if isinstance(data_format, str) and len(data_format) <= LONGEST_TYPE else None
    if found is None:
        return UNKNOWN
    essence = f"{found[1]}/{found[2]}".lower()
    if _PROGRAM.fullmatch(essence):
        return TEXT
    return UNKNOWN if _PARTS.fullmatch(essence) else f"{essence}{found[3]}"


def content_headers(write: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers for the data of a RecordsWrite."""
    kind = media_type(write["descriptor"].get("dataFormat"))
    shown = "inline" if _SHOWN.fullmatch(kind.partition(";")[0].strip()) else "attachment"
    name = f'; filename="{write["recordId"]}"' if _ID.fullmatch(str(write["recordId"])) else ""
    return {**CONFINED, "content-type": kind, "content-disposition": f"{shown}{name}"}
