"""The reference engine in a Node process, and ours, for the same persons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.reference import ReferenceScript


@pytest.fixture
async def reference(tmp_path: Path) -> AsyncIterator[ReferenceScript]:
    """tests/interop/reference/engine.mjs with an empty store."""
    script = await ReferenceScript.start("engine.mjs", env={"REFERENCE_FOLDER": str(tmp_path / "reference")})
    yield script
    await script.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reference_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReferenceScript]:
    """The same for a whole module, whose tests bring their own persons, or empty the store first (`run` does)."""
    folder = tmp_path_factory.mktemp("reference")
    script = await ReferenceScript.start("engine.mjs", env={"REFERENCE_FOLDER": str(folder)})
    yield script
    await script.close()
