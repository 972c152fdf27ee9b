"""The same on PostgreSQL."""

from tests.unit.dwn.test_records_query import *  # noqa: F403
