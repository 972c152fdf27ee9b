"""JSON from strangers.

Python's own parser recurses. On CPython a deeply nested text ends in a RecursionError; in a browser it ends the
interpreter, and the agent with it. So the depth is known before it parses.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_NESTING = 500
"""Arrays and objects within one another; WebAssembly's stack bears about 2,000."""

_MARKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def parse(text: str) -> Any:
    """The value, as strictly as `JSON.parse`: NaN and the infinities are no JSON.

    Raises:
        ValueError: the text is not JSON, or it is nested too deeply.
    """
    if text.count("[") + text.count("{") > MAX_NESTING and _depth(text) > MAX_NESTING:
        raise ValueError("JSON nested too deeply")
    return _DECODER.decode(text)


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in _MARKS.finditer(text):
        depth += _STEPS.get(mark[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
"""Made once: `json.loads` makes one a call."""
