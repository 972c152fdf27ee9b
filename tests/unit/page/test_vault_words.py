"""What the page says of the vault, which needs no page."""

from __future__ import annotations

import pytest
from ui.screens.settings.keys import vault_words as words


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({}, "Looking for what the words belong to…"),
        ({"agent": (0, 1)}, "Looking for what the words belong to…"),
        ({"agent": (1, 1)}, "Found. Fetching your identities…"),
        ({"agent": (1, 1), "identities": (1, 1)}, "1 identity: fetching their notes…"),
        ({"agent": (1, 1), "identities": (3, 3), "records": (120, 1300)}, "3 identities: 120 of 1,300 messages"),
    ],
)
def test_how_far_a_recovery_has_come(steps: dict[str, tuple[int, int]], said: str) -> None:
    assert words.recovery(_by_name(steps)) == said


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((300, 300), "2 identities, 300 messages: here again."),
        ((1, 2), "2 identities, 1 message: here again. Notes that are still missing come as soon as"),
        (None, "2 identities: here again. Notes that are still missing"),
    ],
)
def test_what_has_come_back(records: tuple[int, int] | None, said: str) -> None:
    steps = {"agent": (1, 1), "identities": (2, 2)} | ({"records": records} if records else {})
    assert words.recovered(_by_name(steps)).startswith(said)


def test_what_has_come_back_is_not_called_all_while_a_node_is_silent() -> None:
    steps = _by_name({"agent": (1, 1), "identities": (2, 2), "records": (3, 3), "nodes": (1, 2)})
    assert words.recovered_title(steps) == "Not everything is back yet"
    assert words.recovered(steps).startswith("2 identities, 3 messages: here again. 1 of 2 nodes did not answer;")
    del steps["nodes"]
    assert words.recovered_title(steps) == "They are back"


def _by_name(steps: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"done": done, "total": total} for name, (done, total) in steps.items()}


@pytest.mark.parametrize(
    ("has_password", "owes_words", "said"),
    [
        (False, True, "Your keys are protected by this browser only"),
        (False, False, "Your keys have no password"),
        (True, True, "Write down your twelve words"),
        (True, False, ""),
    ],
)
def test_the_invitation_ends_when_nothing_is_left_to_do(has_password: bool, owes_words: bool, said: str) -> None:
    title, text = words.invitation(has_password, owes_words)
    assert title == said
    assert bool(text) == bool(said)
