"""Markdown as HTML that runs nothing, and loads nothing but the person's own pictures.

Invariants:
1. What is HTML in a text is shown as text; of links, only those to the web, to mail, and to places of this page are.
2. A picture is shown if it is a record of the person whose note it is, by its DRL, which comes from this browser or the
   person's own nodes. Any other is a link to it: whoever has it would else hear of everybody who looks at the note.
3. Headings go down step by step from `FIRST_LEVEL`, so that those of the page stay in their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from web5 import Drl
from web5.errors import InvalidArgument

LONGEST = 20_000
"""Characters of a text that are read as Markdown; a longer one is shown as it is."""

FIRST_LEVEL = 3
"""The level of the first heading in a note: the place that it is in has the second."""

KEPT = 256
"""Texts whose HTML is known."""

_LAST_LEVEL = 6
_OWNER = "owner"
_LINK = re.compile(r"(?:https?://|mailto:|#/)", re.IGNORECASE)


def html_of(text: str, owner: str) -> str:
    """Return the HTML of a text, with the pictures among the records of the DID that it belongs to."""
    return _rendered(text, owner) if len(text) <= LONGEST else f"<pre>{escapeHtml(text)}</pre>"


def forget() -> None:
    """Forget all texts."""
    _rendered.cache_clear()


@lru_cache(KEPT)
def _rendered(text: str, owner: str) -> str:
    return str(_READER.render(text, {_OWNER: owner})).rstrip()


def _in_step(state: StateCore) -> None:
    """Invariant 3."""
    last = FIRST_LEVEL - 1
    for token in state.tokens:
        if token.type == "heading_open":
            last = min(int(token.tag[1]) + FIRST_LEVEL - 1, last + 1, _LAST_LEVEL)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{last}"


def _picture(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Invariant 2."""
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    named = escapeHtml(self.renderInlineAsText(token.children or [], options, env) or source)
    if (drl := _own(source, env[_OWNER])) is not None:
        return f'<img src="{escapeHtml(drl)}" alt="{"" if named == escapeHtml(source) else named}">'
    types = [before.type for before in tokens[:index]]
    if types.count("link_open") > types.count("link_close"):
        return named
    return f'<a href="{escapeHtml(source)}">{named}</a>'


def _own(source: str, owner: str) -> str | None:
    """Return the DRL that this is, if it is that of one of the owner's records."""
    try:
        drl = Drl.parse(source)
    except InvalidArgument:
        return None
    return str(drl) if drl.did == owner and drl.record_id is not None else None


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: _LINK.match(url) is not None  # type: ignore[method-assign]
    reader.core.ruler.push("in_step", _in_step)
    reader.add_render_rule("image", _picture)
    return reader


_READER = _reader()
