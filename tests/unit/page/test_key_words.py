"""What the page says of the agent's own records."""

from __future__ import annotations

from typing import Any

import pytest
from ui.screens.settings.keys import key_words

from tests.unit.page.test_sync_words import REFUSED, node, registration


@pytest.mark.parametrize(
    ("keys", "tone", "said"),
    [
        ([node()], "good", "All synced"),
        ([], "warn", "Keys kept here only"),
        ([node(), node(refused=1)], "bad", "Keys refused"),
        ([node(**REFUSED)], "bad", "Keys refused"),
        ([node(), node(reachable=False)], "warn", "Keys: 1 of 2 unreachable"),
        ([node(registration=registration(state="terms"), **REFUSED)], "warn", "Keys: not synced"),
        ([node(activity="failing", last_error={"code": 0, "detail": "no"})], "warn", "Keys: not synced"),
        ([node(pending_out=1)], "warn", "Keys waiting"),
        ([node(pending_in=1)], "warn", "Keys waiting"),
        ([node(last_success=None)], None, "Keys not synced yet"),
    ],
)
def test_all_is_synced_only_if_the_keys_are(keys: list[dict[str, Any]], tone: str | None, said: str) -> None:
    assert key_words.summary([node()], False, None, keys) == (tone, said)
    assert key_words.summary([node()], True, None, keys) == ("busy", "Syncing")
    assert key_words.summary([], False, None, keys) == (None, "Kept here only")
    assert key_words.summary([node(refused=2)], False, None, keys) == ("bad", "2 messages refused")


def test_which_node_has_not_the_keys() -> None:
    assert key_words.trouble([node(endpoint="http://a"), node(endpoint="http://b")]) == ""
    assert "your words bring nothing back" in key_words.trouble([])
    full = {"last_error": {"code": 507, "detail": "quota is full"}, "activity": "blocked", "pending_out": 3}
    told = key_words.trouble(
        [
            node(endpoint="http://a/dwn", **full),
            node(endpoint="http://b", pending_out=1),
            node(endpoint="http://c", pending_in=2),
            node(endpoint="http://d", last_success=None),
            node(endpoint="http://e"),
        ]
    )
    assert told == (
        "Your keys and identities: a/dwn refuses them (507 quota is full); b lacks 1 message of them; "
        "c has 2 messages of them that are not here yet; d may not have them yet."
    )
