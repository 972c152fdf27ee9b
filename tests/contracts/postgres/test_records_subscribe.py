"""The same on PostgreSQL."""

from tests.unit.dwn.test_records_subscribe import *  # noqa: F403
