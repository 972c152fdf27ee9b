"""Keys in protocol definitions: the reference's, at all paths or only where a type asks for them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dwn.encryption.sealed import CRYPTO, DEFINITION
from web5.crypto.encoding import b64url_decode
from web5.dwn.encryption.derivation import RootKey
from web5.dwn.encryption.protocol_keys import key_at, required_types, with_keys, without_marks

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
ROOT = RootKey("did:example:alice#enc", b64url_decode(VECTORS["root"]["d"]))
MARKED: dict[str, Any] = {**DEFINITION, "types": {**DEFINITION["types"], "remark": {"encryptionRequired": True}}}


async def test_the_keys_are_the_references() -> None:
    vector = VECTORS["definition"]
    before = copy.deepcopy(vector["plain"])
    assert await with_keys(vector["plain"], ROOT, CRYPTO) == vector["injected"]
    assert vector["plain"] == before


async def test_a_marked_type_has_keys_wherever_it_stands_and_no_other_has() -> None:
    assert required_types(MARKED) == {"remark"}
    everywhere = await with_keys(DEFINITION, ROOT, CRYPTO)
    marked = await with_keys(MARKED, ROOT, CRYPTO, types=required_types(MARKED))
    for path in ("note/remark", "note/remark/remark"):
        assert key_at(marked, path) == key_at(everywhere, path) is not None
    for path in ("note", "scribble", "note/nothing", "note/$actions"):
        assert key_at(marked, path) is None
    assert marked["types"] == DEFINITION["types"]


async def test_keys_lie_below_the_url_that_records_have() -> None:
    given = {**DEFINITION, "protocol": "notes.example/"}
    assert (await with_keys(given, ROOT, CRYPTO))["structure"] == (await with_keys(DEFINITION, ROOT, CRYPTO))[
        "structure"
    ]


@pytest.mark.parametrize(
    "broken", [{}, {"types": []}, {**DEFINITION, "structure": []}, {**DEFINITION, "types": {"a": 1}}]
)
async def test_what_is_no_definition_is_left_for_the_node_to_refuse(broken: Any) -> None:
    assert required_types(broken) == set()
    assert await with_keys(broken, ROOT, CRYPTO) == without_marks(broken) == broken
