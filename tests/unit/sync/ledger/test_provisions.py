"""The dependencies that came lately."""

import pytest

from web5.sync.ledger import provisions
from web5.sync.ledger.provisions import Provisions


def test_what_came_after_a_moment_is_known_by_tenant() -> None:
    came = Provisions()
    came.note("alice", ["record:a", "role:r"])
    before = came.count
    assert came.came_after(0, "alice", "record:a")
    assert not came.came_after(before, "alice", "record:a")
    assert not came.came_after(0, "bob", "record:a")
    came.note("alice", ["record:a"])
    assert came.came_after(before, "alice", "record:a")
    assert not came.came_after(before, "alice", "role:r")


def test_only_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisions, "MOST", 2)
    came = Provisions()
    for key in ("a", "b", "a", "c"):
        came.note("alice", [key])
    assert [key for key in "abc" if came.came_after(0, "alice", key)] == ["a", "c"]
