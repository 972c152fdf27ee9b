"""The items of a list: which one stands for what, and what they hear together."""

import json

from ui.kit.dom import document, on
from ui.screens.notes.card.file_card import FileCard
from ui.screens.notes.card.note_card import NoteCard


def made(agent, notes, note):
    """Return a new item for a note or a file."""
    return (FileCard if note["kind"] == "file" else NoteCard)(agent, notes)


def read_along(parent, cards):
    """Have the files of a list show their pictures when they come into sight, and how much of them has come.

    Parameters:
        cards: the items by their IDs.
    """

    def seen(event):
        card = cards.get(event.target.getAttribute("data-note") or "")
        return card.seen() if card else None

    def read(event):
        heard = json.loads(event.detail)
        card = cards.get(heard["key"].split("-", 2)[-1])
        if card:
            card.progress(heard["key"], heard["done"], heard["total"])

    on(parent, "web5-seen", seen)
    on(document, "web5-file", read)
