"""What `web5-node serve` changes in its process is as before after a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from web5.node.logs import BoundedHandler


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """End the log that a test has set up: its stream ends with the test."""
    root, ours = logging.getLogger(), logging.getLogger("web5")
    levels = root.level, ours.level
    yield
    for handler in [one for one in root.handlers if isinstance(one, BoundedHandler)]:
        root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
