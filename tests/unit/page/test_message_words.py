"""What the page says of messages, which needs no page."""

from __future__ import annotations

import pytest

from web.ui.screens.messages import message_words

DID = "did:dht:" + "y" * 52


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        (DID, DID),
        (f"  {DID}\n", DID),
        (f"https://notes.example.org/app/#/messages/{DID}", DID),
        ("did:web:example.org%3A8000", "did:web:example.org%3A8000"),
        ("", None),
        ("Bob", None),
        ("did:dht", None),
        ("did:", None),
        (f"{DID} and more", None),
        ("https://notes.example.org/#/messages/", None),
        ("did:dht:" + "y" * 3000, None),
    ],
)
def test_an_address_is_found_in_what_was_pasted(pasted: str, found: str | None) -> None:
    assert message_words.address_in(pasted) == found


def test_somebody_goes_by_the_name_that_they_were_given() -> None:
    assert message_words.name({"did": DID, "name": "Bob\u202e"}) == "Bob\ufffd"
    assert message_words.face({"did": DID, "name": "Bob"}) == "B"
    assert message_words.name({"did": DID, "name": ""}) == "did:dht:yyyyyyy\u2026yyyyy"


def test_what_needs_the_person() -> None:
    assert message_words.needs(0, 0) == ""
    assert message_words.needs(1, 2) == "2 new messages and 1 request"
