"""How hypothesis runs the checks that draw many examples against one engine or node."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def examples(count: int) -> settings:
    """So many examples, each for as long as it takes; none is kept, since the keys are other ones the next time."""
    return settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
