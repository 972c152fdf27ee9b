"""The same on PostgreSQL."""

from tests.unit.dwn.test_history import *  # noqa: F403
