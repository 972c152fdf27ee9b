"""The shapes of messages as pydantic's core has them, built when a site is built: a browser's start is quicker by that.

To work one out from its annotations takes a browser as long as to import a good part of this package. A file beside
this module, which only a site has, holds all of them, for one version of pydantic's core.
"""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, __version__

FILE = Path(__file__).with_name("shapes.bin")

_NOT_FOR_VALIDATION = frozenset({"metadata", "serialization"})


def prepared(key: str) -> SchemaValidator | None:
    """Return the validator of a shape; None if it is not there."""
    shape = _read().get(key)
    return None if shape is None else SchemaValidator(pickle.loads(shape))


def prepare(shapes: Mapping[str, CoreSchema]) -> bytes:
    """Return the content of the file that has these shapes."""
    return marshal.dumps((__version__, {key: pickle.dumps(_for_validation(shape)) for key, shape in shapes.items()}))


@cache
def _read() -> Mapping[str, bytes]:
    try:
        version, shapes = marshal.loads(FILE.read_bytes())
    except OSError:  # it is not there, or this module is in an archive
        return {}
    return shapes if version == __version__ else {}


def _for_validation(part: Any) -> Any:
    """Return a part of a shape without what describes it or writes JSON, which may have functions without a name."""
    if isinstance(part, list):
        return [_for_validation(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    is_shape = isinstance(part.get("type"), str)  # and no table of properties, of which one may have that name
    left_out = _NOT_FOR_VALIDATION if is_shape else ()
    return {key: _for_validation(value) for key, value in part.items() if key not in left_out}
