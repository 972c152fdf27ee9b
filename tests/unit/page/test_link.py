"""What the page's scripts repeat of its Python."""

from __future__ import annotations

import re

from app.service import SHARED

from web5_build.paths import WEB


def test_the_calls_that_may_go_to_another_tab_are_those_of_the_service() -> None:
    [listed] = re.findall(r"const SHARED = new Set\(\[(.*?)\]\);", (WEB / "boot" / "link.mjs").read_text(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', listed)) == SHARED


def test_the_places_of_the_address_are_those_of_the_page() -> None:
    [listed] = re.findall(r"const PLACES = \[(.*?)\];", (WEB / "boot" / "address.mjs").read_text())
    places = re.findall(r'"(\w+)"', listed)
    assert re.findall(r'<a href="#/(\w+)" data-place="\w+">', (WEB / "index.html").read_text()) == places
    screens = WEB / "ui" / "screens"
    assert sorted(path.name for path in screens.iterdir() if path.is_dir()) == sorted(places)
    for place in places:
        assert f'data-screen="{place}"' in (screens / place / f"{place}.html").read_text()
        assert (
            f':root:not([data-place="{place}"]) [data-screen="{place}"]'
            in (WEB / "ui" / "shell" / "shell.css").read_text()
        )
    [named] = re.findall(r"_NAMES = \{(.*?)\}", (WEB / "ui" / "shell" / "places.py").read_text(), re.DOTALL)
    assert re.findall(r'"(\w+)":', named) == places
