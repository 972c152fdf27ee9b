"""The same on PostgreSQL."""

from tests.unit.dwn.test_messages_query import *  # noqa: F403
