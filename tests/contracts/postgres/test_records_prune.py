"""The same on PostgreSQL."""

from tests.unit.dwn.test_records_prune import *  # noqa: F403
