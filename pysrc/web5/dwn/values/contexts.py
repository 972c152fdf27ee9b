"""Context IDs, which are paths of record IDs: one is within another by whole segments."""

from __future__ import annotations

END_OF_SEGMENT = "0"
"""The character after "/": from a context ID up to it with this appended lie the context and all within it."""


def is_within(context_id: str | None, ancestor: str) -> bool:
    """Return True if a context is `ancestor` or lies within it.

    The reference compares the texts' beginnings, so that one character opens every context that begins with it.
    """
    return context_id is not None and (context_id == ancestor or context_id.startswith(f"{ancestor}/"))
