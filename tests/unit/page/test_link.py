"""What the page's scripts repeat of its Python."""

from __future__ import annotations

import re

from app.service import SHARED

from web5_build.paths import WEB


def test_the_calls_that_may_go_to_another_tab_are_those_of_the_service() -> None:
    [listed] = re.findall(r"const SHARED = new Set\(\[(.*?)\]\);", (WEB / "boot" / "link.mjs").read_text(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', listed)) == SHARED
