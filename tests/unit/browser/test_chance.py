from __future__ import annotations

import random
import tempfile
import uuid

from web5.browser.chance import renew


def test_what_is_drawn_afterwards_does_not_follow_from_what_was_there_before() -> None:
    state = random.getstate()
    drawn = []
    for _ in range(2):
        random.setstate(state)
        renew()
        drawn.append((random.random(), tempfile.mktemp()))
    random.setstate(state)
    drawn.append((random.random(), tempfile.mktemp()))
    for values in zip(*drawn, strict=True):
        assert len(set(values)) == len(drawn)


def test_times_in_uuids_begin_anew() -> None:
    later = uuid.uuid1().time
    if hasattr(uuid, "uuid7"):
        later = max(later, uuid.uuid7().time)
    uuid._last_timestamp = later + 10**12  # type: ignore[attr-defined]
    renew()
    assert uuid.uuid1().time < later + 10**12
