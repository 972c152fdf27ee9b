"""What the place of the notes says."""

from __future__ import annotations

from ui.kit import file_words
from ui.screens.notes import note_words


def test_what_a_search_has_found() -> None:
    assert note_words.found(1, False, 10, True) == "1 note found"
    assert note_words.found(50, True, 1000, True) == "50 notes and more found"
    assert note_words.found(0, False, 1, True) == "Nothing found"
    assert note_words.found(0, False, 3000, False) == "Nothing found so far, in 3,000 notes"


def test_tags() -> None:
    assert note_words.tag_button("home", 0) == "#home"
    assert note_words.tag_button("home", 1200) == "#home 1,200"


def test_the_nodes_that_lack_it() -> None:
    waiting = [{"endpoint": f"https://{name}.example/"} for name in ("a", "b", "a")]
    assert note_words.lacking(waiting) == "Not yet on a.example, b.example"


def test_who_can_read_a_note() -> None:
    link = "https://dwn.example/did:dht:abc/records/x"
    waiting = [{"endpoint": "https://dwn.example/", "state": "pending"}]
    assert note_words.sharing(False, [], []).startswith("Only you")
    assert "no node" in note_words.sharing(True, [], [])
    assert "on its way" in note_words.sharing(True, [link], waiting)
    assert note_words.sharing(True, [link], []).endswith("It comes from dwn.example.")


def test_sizes_and_kinds() -> None:
    sizes = (0, 1, 999, 1000, 1250, 99_400, 999_600, 3_440_000, 52_000_000, 7_000_000_000_000)
    assert [file_words.size(number) for number in sizes] == [
        *("0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.3 kB", "99 kB", "1.0 MB", "3.4 MB", "52 MB", "7,000 GB"),
    ]
    assert file_words.about_file("image/png", 2000) == "Picture · 2.0 kB"
    assert file_words.about_file("application/pdf", 2000) == "PDF · 2.0 kB"
    assert file_words.about_file("", 2000) == "File · 2.0 kB"
    assert file_words.come(0, 2000) == "0 bytes of 2.0 kB"


def test_an_earlier_text_is_named_by_its_first_line_that_says_something() -> None:
    assert note_words.beginning("\n# **Lisbon** in `spring`\n\nmore") == "Lisbon in spring"
    assert note_words.beginning("> - a list") == "a list"
    assert note_words.beginning(" \n***\n") == ""
    assert len(note_words.beginning("x" * 500)) == 120
    assert note_words.history(0).startswith("There is no earlier text.")


def test_a_picture_in_a_note_is_named_as_its_file() -> None:
    drl = "https://dweb/did:dht:abc/records/bafy"
    assert file_words.picture("the pier.png", drl) == f"![the pier]({drl})"
    assert file_words.picture("a [b](c)_*`<&!\\.jpeg", drl) == f"![a b (c)]({drl})"
    assert [file_words.is_picture(one) for one in ("image/png", "image/svg+xml", "text/html")] == [True, False, False]
