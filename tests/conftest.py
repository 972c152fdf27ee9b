"""What every suite shares: the built site, and the programs that build.py found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # a busy machine is slow without being wrong
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def site() -> Path:
    """dist/site, as `build.py site` (or `build.py test`) made it."""
    folder = ROOT / "dist" / "site"
    assert (folder / "boot" / "interpreter.mjs").exists(), "there is no site: run python3 build.py site first"
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; build.py test passes it on."""
    program = os.environ.get("WEB5_CHROMIUM") or shutil.which("chromium")
    assert program, "there is no Chromium: run the tests with python3 build.py test, which gets it"
    return program
