"""The choice of the page's language: that of the browser, or one that the person has chosen here."""

from ui.kit.dom import el, keep, kept, on, window

_CHOSEN = "web5-language"


class Language:
    """The field for it. Another language is there once the page is loaded anew, with all that was written in it."""

    def __init__(self):
        el("language").value = kept("localStorage", _CHOSEN) or ""
        on(el("language"), "change", self._choose)

    def _choose(self, _):
        keep("localStorage", _CHOSEN, el("language").value or None)
        window.location.reload()
