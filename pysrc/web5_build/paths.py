"""The places of the build's inputs and outputs."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYSRC = ROOT / "pysrc"
WEB = ROOT / "web"
INTEROP = ROOT / "tests" / "interop"
DIST = ROOT / "dist"
SITE = DIST / "site"
JUPYTER = DIST / "jupyter"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WORK = ROOT / ".build"
"""Caches, logs and stamps; safe to delete."""
