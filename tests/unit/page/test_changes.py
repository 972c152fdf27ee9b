"""A page that follows the answers of `Lists` has the list as it is."""

from __future__ import annotations

import random
from typing import Any

from app.changes import KEPT, Lists

Item = dict[str, Any]


class Page:
    """A list that is brought up to date as web/ui/screens/notes/note_list.py does."""

    def __init__(self) -> None:
        self.token = ""
        self.shown: list[Item] = []

    def apply(self, answer: Item) -> int:
        """Returns how many items had to be touched."""
        if answer["whole"]:
            self.shown = []
        self.shown = [one for one in self.shown if one["id"] not in answer["gone"]]
        for item in answer["put"]:
            after = item.pop("after")
            ids = [one["id"] for one in self.shown]
            if item["id"] in ids:
                self.shown[ids.index(item["id"])] = item
            else:
                self.shown.insert(ids.index(after) + 1 if after else 0, item)
        self.token = answer["token"]
        return len(answer["put"]) + len(answer["gone"])


def test_any_changes_lead_to_the_same_list() -> None:
    chance = random.Random(7)
    lists, pages = Lists(), [Page(), Page()]
    items: list[Item] = []
    for number in range(400):
        if items and chance.random() < 0.3:
            del items[chance.randrange(len(items))]
        if items and chance.random() < 0.3:
            at = chance.randrange(len(items))
            items[at] = {**items[at], "text": str(number)}
        items.insert(chance.randrange(len(items) + 1), {"id": f"n{number}", "text": "new"})
        for page in chance.sample(pages, chance.randrange(3)):
            page.apply(lists.since(page.token, items))
            assert page.shown == items


def test_one_change_among_many_is_one() -> None:
    lists, page = Lists(), Page()
    items: list[Item] = [{"id": str(number), "text": ""} for number in range(650)]
    assert page.apply(lists.since("", items)) == 650
    assert page.apply(lists.since(page.token, items)) == 0
    assert page.apply(lists.since(page.token, [{"id": "new"}, *items])) == 1
    assert page.apply(lists.since(page.token, items)) == 1


def test_a_token_that_nobody_knows_is_answered_with_all() -> None:
    lists = Lists()
    first = lists.since("another tab's", [{"id": "a"}])
    assert first["whole"] and [one["id"] for one in first["put"]] == ["a"]
    for _ in range(KEPT):
        lists.since("", [])
    assert lists.since(first["token"], [{"id": "a"}])["whole"]
