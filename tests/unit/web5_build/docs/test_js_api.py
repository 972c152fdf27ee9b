"""What stands for each name of `@web5/api` is there."""

from __future__ import annotations

import inspect
from functools import reduce
from importlib import import_module
from typing import Any

import pytest

from web5_build.docs.js_api import NAMES, is_name, web5_js

OURS = sorted({ours for ours in NAMES.values() if is_name(ours)})


@pytest.mark.parametrize("ours", OURS)
def test_what_stands_for_a_name_is_there(ours: str) -> None:
    path, _, member = ours.rstrip(")").partition("(")
    found = _found(path)
    if not member:
        return
    if inspect.isclass(found):
        assert member in inspect.getsource(found), "an attribute that instances have"
    else:
        assert member in inspect.signature(found).parameters


def test_every_sentence_ends_as_one() -> None:
    assert [ours for ours in NAMES.values() if not is_name(ours) and not ours.endswith(".")] == []


def test_the_page_names_what_an_app_writes() -> None:
    page = web5_js()
    assert "| `DwnApi.records.createFrom` | `RecordsApi.create_from` |" in page
    assert "| `Web5.dwn` | `Web5.dwn` |" in page
    assert "| `Web5ConnectOptions.password` | `Web5.connect(password=…)` |" in page


def _found(path: str) -> Any:
    parts = path.split(".")
    first = next(number for number, part in enumerate(parts) if part[0].isupper())
    return reduce(getattr, parts[first:], import_module(".".join(parts[:first])))
