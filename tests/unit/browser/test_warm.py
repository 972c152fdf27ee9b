from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from web5.browser.warm import build_models
from web5.dwn.messages.schema import Schema


class Shape(TypedDict):
    number: int


class Late(BaseModel):
    __module__ = "web5.late"
    model_config = ConfigDict(defer_build=True)
    number: int


class LateInTheApp(Late):
    __module__ = "app.late"


def test_what_is_built_at_first_use_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schema, "made", Schema.made.copy())
    schema = Schema("Shape", Shape)
    assert "validator" not in vars(schema)
    assert not (Late.__pydantic_complete__ or LateInTheApp.__pydantic_complete__)
    build_models()
    assert all("validator" in vars(one) for one in Schema.made)
    assert Late.__pydantic_complete__ and LateInTheApp.__pydantic_complete__
