"""The code points of each Unicode property that `\\p{…}` can name.

`properties.bin` is made by `tests/interop/engine/make_properties.mjs` from Node's own engine: JSON of
`{name: [start, length]}`, then for each set the distances between its boundaries as variable-length integers.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from functools import cache
from importlib import resources

from web5.strict_json import parse_own

_ALIASES = {"General_Category": "gc", "Script": "sc", "Script_Extensions": "scx"}


def boundaries(name: str, value: str | None) -> tuple[int, ...] | None:
    """Return where a property begins and ends to hold, in turn; None if there is no such property.

    Parameters:
        name: of a binary property or a general category, or of a property that takes a value.
        value: after the `=`.

    Source: ECMA-262, table 67 to 69 and `UnicodeMatchProperty`: names are matched as they are written.
    """
    if value is None:
        return _set(name) or _set(f"gc={name}")
    return _set(f"{_ALIASES.get(name, name)}={value}") if name in _ALIASES or name in _ALIASES.values() else None


def holds(bounds: tuple[int, ...], code_point: int) -> bool:
    """Return True if a property with these boundaries holds of a code point."""
    return bisect_right(bounds, code_point) % 2 == 1


@cache
def _file() -> tuple[dict[str, tuple[int, int]], bytes]:
    packed = resources.files("web5.ecma_regexp").joinpath("properties.bin").read_bytes()
    raw = zlib.decompress(packed)
    length = int.from_bytes(raw[:4], "big")
    return parse_own(raw[4 : 4 + length]), raw[4 + length :]


@cache
def _set(name: str) -> tuple[int, ...] | None:
    names, data = _file()
    if name not in names:
        return None
    start, length = names[name]
    found: list[int] = []
    last = distance = shift = 0
    for byte in data[start : start + length]:
        distance |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            last += distance
            found.append(last)
            distance = shift = 0
    return tuple(found)
