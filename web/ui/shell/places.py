"""The place of the page that is shown: its title, the focus in it, and what in other places needs the person.

Which one it is, boot/address.mjs reads from the address.
"""

from ui.kit.dom import document, el, on, place, say, show, tone
from ui.kit.texts import t

_NAMES = {
    "home": t("Home"),
    "notes": t("Notes"),
    "messages": t("Messages"),
    "data": t("Data"),
    "nodes": t("Nodes"),
    "settings": t("Settings"),
}


class Places:
    """The places, of which one is shown.

    Parameters:
        shown: called when another one is, with its name and what of it (an ID, or an empty text).
    """

    def __init__(self, shown):
        self._shown = shown
        self._focused = {}
        self._name = document.title
        self._place = place()
        on(document, "web5-place", lambda _: self._change())
        on(document, "focusin", self._keep_focus)
        self._title()

    def _change(self):
        before, self._place = self._place, place()
        if before == self._place:
            return
        self._title()
        self._shown(*self._place)
        if before[0] != self._place[0]:
            self._focus()

    def _title(self):
        name = self._place[0]
        document.title = self._name if name == "notes" else _NAMES[name] + " · " + self._name

    def _keep_focus(self, event):
        """Know what was focused last in each place, so that the focus is there again when the person comes back."""
        screen = event.target.closest("[data-screen]")
        if screen and event.target.id:
            self._focused[screen.getAttribute("data-screen")] = event.target.id

    def _focus(self):
        if document.activeElement.closest("nav"):
            return  # who goes through the places by keyboard stays among them
        name = self._place[0]
        last = el(self._focused.get(name) or "")
        if last is None or last.offsetParent is None:
            last = document.querySelector('[data-screen="' + name + '"] .screen-title')
        if last:
            last.focus()


def need(name, number, said, kind=None):
    """Show beside a place how much in it needs the person.

    Parameters:
        said: what that is, for whoever does not see the number.
        kind: the tone: None, "warn" or "bad".
    """
    badge = el("badge-" + name)
    show(badge, bool(number))
    tone(badge, kind)
    if number:
        say(badge, str(number) if number < 100 else "99+")
        badge.setAttribute("title", said)
        badge.setAttribute("aria-label", said)
        badge.setAttribute("role", "img")
