"""What is said of the person's devices."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui.screens.settings.devices import device_words

PHONE: dict[str, Any] = {"id": "a", "name": "Safari on iPhone", "seen": 0, "here": False}


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:152.0) Gecko/20100101 Firefox/152.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 17) AppleWebKit/537.36 Chrome/149.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Something", "A browser"),
    ],
)
def test_a_device_calls_itself_by_browser_and_system(user_agent: str, name: str) -> None:
    assert device_words.own_name(user_agent) == name


def test_when_a_device_was_there_is_said_as_it_is() -> None:
    minute = 60_000
    assert device_words.seen({**PHONE, "here": True}, 0) == ("good", "This one")
    assert device_words.seen(PHONE, 29 * minute) == ("good", "There just now")
    assert device_words.seen(PHONE, 180 * minute) == (None, "Last there 3 hours ago")


def test_to_take_one_off_the_list_is_not_said_to_lock_it_out() -> None:
    assert "not locked out" in device_words.removal(PHONE)
    assert "A device without a name" in device_words.removal({**PHONE, "name": ""})


def test_the_time_of_a_code_is_said() -> None:
    assert device_words.minutes(599) == "It is of use once, for 10 minutes."


def test_names_of_others_stay_in_their_line() -> None:
    told = device_words.asks("a\u202e\nb" * 200)
    assert "\u202e" not in told
    assert "\n" not in told
    assert "Another device" in device_words.asks("")
    assert "the one with the code" in device_words.show_number("")
