"""Shapes of messages that were built beforehand (web5/dwn/messages/prepared.py)."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

import web5.api.web5  # noqa: F401  (it imports every module that has a shape)
from web5.dwn.messages import prepared
from web5.dwn.messages.schema import Schema

VALUES: list[Any] = [
    None,
    {},
    {"descriptor": {}, "unknown": 1},
    {"descriptor": {"interface": "Records", "method": "Query", "filter": {"dataSize": {"gt": "x"}, "author": 5}}},
    {"descriptor": {"interface": "Protocols", "method": "Configure", "definition": {"types": 1}}, "authorization": {}},
    {"id": "did:example:a#b", "type": "JsonWebKey", "controller": "did:example:a", "publicKeyJwk": {"kty": "OKP"}},
    {"authorization": {"signature": {"payload": "e30", "signatures": [{"protected": "?"}]}}, "recordId": []},
]


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "shapes.bin"
    path.write_bytes(prepared.prepare({schema.key: schema.core() for schema in Schema.made}))
    monkeypatch.setattr(prepared, "FILE", path)
    prepared._read.cache_clear()
    yield path
    prepared._read.cache_clear()


def _judged(validator: SchemaValidator, value: Any) -> Any:
    try:
        return validator.validate_python(value)
    except ValidationError as error:
        return [(fault["type"], fault["loc"], str(fault.get("ctx"))) for fault in error.errors(include_url=False)]


def test_each_shape_judges_as_the_one_from_its_annotations() -> None:
    assert len({schema.key for schema in Schema.made}) == len(Schema.made) > 20
    for schema in Schema.made:
        validator = prepared.prepared(schema.key)
        assert validator is not None, schema.key
        built: Any = TypeAdapter(schema._shape).validator
        for value in VALUES:
            assert _judged(validator, value) == _judged(built, value), (schema.key, value)


def test_those_of_another_version_of_pydantic_are_not_used(file: Path) -> None:
    _, shapes = marshal.loads(file.read_bytes())
    file.write_bytes(marshal.dumps(("0.0", shapes)))
    prepared._read.cache_clear()
    assert prepared.prepared(Schema.made[0].key) is None
    assert Schema.made[0].validator


def test_where_there_are_none_they_come_from_the_annotations(file: Path) -> None:
    file.unlink()
    prepared._read.cache_clear()
    assert prepared.prepared(Schema.made[0].key) is None
