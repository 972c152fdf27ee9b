"""Keys that work anywhere on the page but where something is typed."""

from ui.kit.dom import document, el, go, is_typing, on, place, spent
from ui.screens.notes import search

_PLACES = {"h": "home", "n": "notes", "m": "messages", "d": "data", "o": "nodes", "s": "settings"}
_AFTER_G_MILLISECONDS = 1500


class Keyboard:
    """The keys of the whole page, and the dialog that lists them."""

    def __init__(self):
        self._going_until = 0
        on(document, "keydown", self._pressed)
        on(el("keys-open"), "click", lambda _: el("keys-dialog").showModal())
        on(el("keys-close"), "click", lambda _: el("keys-dialog").close())

    def _pressed(self, event):
        if event.defaultPrevented or event.ctrlKey or event.metaKey or event.altKey or is_typing(event.target):
            return
        if document.querySelector("dialog[open]"):
            return
        key, going = event.key, spent() < self._going_until
        self._going_until = 0
        if going and key in _PLACES:
            event.preventDefault()
            go(_PLACES[key])
        elif key == "g":
            self._going_until = spent() + _AFTER_G_MILLISECONDS
        elif key == "?":
            event.preventDefault()
            el("keys-dialog").showModal()
        elif key == "/":
            event.preventDefault()
            search.begin()
        elif key == "n":
            event.preventDefault()
            self._begin()

    def _begin(self):
        """Begin something new, in the place that is shown: a conversation, or else a note."""
        if place()[0] == "messages":
            el("person-open").click()
            return
        if place()[0] != "notes":
            go("notes")
        el("note-text").focus()
