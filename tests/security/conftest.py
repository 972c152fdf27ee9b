"""The world of the unit tests, for what strangers try in it."""

from __future__ import annotations

from tests.unit.conftest import world

__all__ = ["world"]
