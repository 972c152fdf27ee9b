"""Chance after Python's memory was restored from a snapshot (web/boot/snapshot.mjs).

A snapshot serves one worker only, so that even its seeds are nobody else's. But it has lain in a file, and what is
drawn from here on must not follow from that.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import uuid

import apsw

_SEED_BYTES = 64


def renew() -> None:
    """Seed anew everything that draws from a seed of its own, before any other code runs.

    `secrets`, `os.urandom` and `uuid.uuid4` draw from the browser each time. The seed of Python's hashes stays: all
    strings have theirs, and dicts are laid out by them.
    """
    random.seed(os.urandom(_SEED_BYTES))
    apsw.randomness(0)  # SQLite asks for another seed when it draws next
    for name in ("_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7"):
        setattr(uuid, name, None)
    uuid._last_counter_v7 = 0  # type: ignore[attr-defined]
    tempfile._name_sequence = None  # type: ignore[attr-defined]
    if ssl := sys.modules.get("ssl"):
        ssl.RAND_add(os.urandom(_SEED_BYTES), float(_SEED_BYTES))
