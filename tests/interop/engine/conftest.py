"""The reference engine in a Node process, and ours, for the same persons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.interop.reference import ReferenceScript


@pytest.fixture
async def reference(tmp_path: Path) -> AsyncIterator[ReferenceScript]:
    """tests/interop/reference/engine.mjs with an empty store."""
    script = await ReferenceScript.start("engine.mjs", env={"REFERENCE_FOLDER": str(tmp_path / "reference")})
    yield script
    await script.close()
