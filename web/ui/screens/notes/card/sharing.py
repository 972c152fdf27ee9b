"""Publishing a note, and its link for others."""

from ui.kit.dom import clone, copied, say, show, slot
from ui.screens.notes import note_words
from ui.shell import banner


class Sharing:
    """What is below a note while it is about who can read it.

    Parameters:
        agent: publishes.
        changed: called with the note as it is then.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._note = None
        self.element = clone("sharing-template")
        self.actions = {
            "publish": lambda _: self._publish(True),
            "unpublish": lambda _: self._publish(False),
            "copy": self._copy,
        }

    def update(self, note):
        """Say how it is with the note now."""
        self._note = note
        links = note["links"]
        self._say(note_words.sharing(note["published"], links, note["waiting"]))
        link = slot(self.element, "sharing-link")
        show(link, bool(links))
        link.value = links[0] if links else ""
        for name, shown in (
            ("publish", not note["published"]),
            ("unpublish", note["published"]),
            ("copy", bool(links)),
        ):
            show(slot(self.element, name), shown)

    def focus(self):
        """Lead to what can be done."""
        for name in ("copy", "publish", "unpublish"):
            if not slot(self.element, name).hidden:
                slot(self.element, name).focus()
                return

    def close(self):
        """Take it off the page."""
        self.element.remove()

    async def _publish(self, published):
        note = await banner.attempt(self._agent, "publish_note", id=self._note["id"], published=published)
        if note:
            self._changed(note)
            self.focus()

    async def _copy(self, _):
        if await copied(slot(self.element, "sharing-link").value):
            self._say(note_words.COPIED)
        else:
            slot(self.element, "sharing-link").select()
            self._say(note_words.NOT_COPIED)

    def _say(self, text):
        say(slot(self.element, "sharing-words"), text)
