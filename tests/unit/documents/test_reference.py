"""The reference is complete: every public name has a docstring and a place, and every error a way out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import web5
from web5 import errors
from web5_build.paths import ROOT

DOCS = ROOT / "docs"
SHOWN = [
    path
    for page in sorted((DOCS / "reference").glob("*.md"))
    for path in re.findall(r"^\.\. autoclass:: (\S+)", page.read_text(), re.MULTILINE)
]
ERRORS = {
    name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.Web5Error)
}


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _undocumented(one: type) -> Iterator[str]:
    if not (one.__doc__ or "").strip() or one.__doc__.startswith(f"{one.__name__}("):  # as dataclasses make it
        yield one.__name__
    for base in one.__mro__:
        if not base.__module__.startswith("web5"):
            continue
        for name, member in vars(base).items():
            if name.startswith("_") or not (
                callable(member) or isinstance(member, property | classmethod | staticmethod)
            ):
                continue
            if not inspect.getdoc(getattr(one, name)):
                yield f"{one.__name__}.{name}"


def test_every_name_of_the_package_has_a_place_in_the_reference() -> None:
    shown = {id(_class(path)) for path in SHOWN}
    aliases = {"Records"} if not isinstance(web5.Records, type) else set()
    assert [name for name in web5.__all__ if name not in aliases and id(getattr(web5, name)) not in shown] == []


@pytest.mark.parametrize("path", SHOWN)
def test_every_public_name_has_a_docstring(path: str) -> None:
    assert list(_undocumented(_class(path))) == []


def test_every_error_has_a_way_out() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", (DOCS / "exceptions.md").read_text(), re.MULTILINE)
    assert [name for name, _, _ in rows] == list(dict.fromkeys(name for name, _, _ in rows))
    assert {name for name, _, _ in rows} == set(ERRORS)
