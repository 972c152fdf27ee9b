"""Both engines give every message and all data the same CID."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.interop.reference import ReferenceScript
from web5.dwn.values.cid import dag_cbor_cid, data_cid
from web5.dwn.values.javascript import as_javascript

VALUES = 600
SIZES = [0, 1, 2, 29_999, 30_000, 30_001, 262_143, 262_144, 262_145, 524_288, 524_289, 1_000_000]
BEYOND_ONE_NODE = [45_613_056, 45_613_057, 52_428_800]
"""174 leaves hang in one node; with 175 there are two levels of nodes."""

NUMBERS = ["0", "-0", "1.0", "1.5", "-0.1", "1e21", "1e300", "5e-324", "9007199254740991", "9007199254740992"]
NUMBERS += ["-9007199254740991", "-9007199254740993", "18446744073709551616", "123456789012345678901234567890", "1E2"]
LETTERS = 'abzAZ09_-. "\\/é€😀\u0000\u007f￿'


def _text(rng: random.Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.choice((0, 1, 2, 5, 23, 24, 25, 260))))


def _json_text(rng: random.Random, depth: int = 0) -> str:
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind == 2:
        return repr(rng.uniform(-1e6, 1e6)) if rng.random() < 0.5 else str(rng.randrange(-(10**9), 10**9))
    if kind == 3:
        return rng.choice(("true", "false", "null"))
    if kind < 6:
        return json.dumps(_text(rng))
    items = range(rng.randrange(6))
    if kind == 6:
        return "[" + ",".join(_json_text(rng, depth + 1) for _ in items) + "]"
    return "{" + ",".join(f"{json.dumps(_text(rng))}:{_json_text(rng, depth + 1)}" for _ in items) + "}"


async def test_generated_json_values(reference: ReferenceScript) -> None:
    rng = random.Random(20260701)
    values: list[Any] = [json.loads(_json_text(rng)) for _ in range(VALUES)]
    theirs = await reference.call("cids", values=values)
    ours = [dag_cbor_cid(as_javascript(value)) for value in values]
    assert [(value, cid) for value, cid, other in zip(values, ours, theirs, strict=True) if cid != other] == []


async def test_data_of_many_sizes(reference: ReferenceScript) -> None:
    rng = random.Random(7)
    sizes = SIZES + [rng.randrange(2_000_000) for _ in range(20)] + BEYOND_ONE_NODE
    theirs = await reference.call("dataCids", sizes=sizes)
    pattern = bytes(range(256)) * (max(sizes) // 256 + 1)
    assert dict(zip(sizes, theirs, strict=True)) == {size: data_cid(pattern[:size]) for size in sizes}
