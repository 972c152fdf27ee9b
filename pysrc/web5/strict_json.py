"""JSON from strangers, and our own.

Python's own parser recurses. On CPython a deeply nested text ends in a RecursionError; in a browser it ends the
interpreter, and the agent with it. So the depth is known before it parses. Nothing else here calls Python's parser
(`tests/unit/test_architecture.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any, NoReturn

MAX_NESTING = 500
"""Arrays and objects within one another; WebAssembly's stack bears about 2,000."""

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_OPENING = bytes.maketrans(b"{}", b"[]")
_SHALLOW = 16
_STEPS = {ord("["): 1, ord("]"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def decoder(parse_float: Callable[[str], Any] = float) -> json.JSONDecoder:
    """Return a decoder for `parse`; it is made once, as `json.loads` makes one a call.

    Parameters:
        parse_float: returns the number for a text with a fraction or an exponent.
    """
    return json.JSONDecoder(parse_constant=_refuse, parse_float=parse_float)


_DECODER = decoder()
_OWN = json.JSONDecoder()


def parse(text: str, decoder: json.JSONDecoder = _DECODER) -> Any:
    """Parse a JSON text as strictly as `JSON.parse`: NaN and the infinities are no JSON.

    Raises:
        ValueError: the text is not JSON, or it is nested too deeply.
    """
    if text.count("[") + text.count("{") > MAX_NESTING and _depth(text) > MAX_NESTING:
        raise ValueError("JSON nested too deeply")
    return decoder.decode(text)


def parse_own(text: str | bytes) -> Any:
    """Parse a JSON text that only this code can have written, such as a message in the store. It is quicker.

    Raises:
        ValueError: the text is not JSON.
    """
    return _OWN.raw_decode(text if isinstance(text, str) else text.decode())[0]


def _depth(text: str) -> int:
    """Return how deeply the text is nested, or more if it is not JSON."""
    outside = "".join(_ESCAPE.sub("", text).split('"')[::2]).encode("utf-8", "replace")
    brackets = outside.translate(_OPENING, _NO_BRACKETS)
    depth = 0
    # Where it is not deep, taking away the innermost pairs, all at once, is much faster than walking along the text.
    while depth < _SHALLOW and (rest := brackets.replace(b"[]", b"")) != brackets:
        brackets = rest
        depth += 1
    return depth + max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
