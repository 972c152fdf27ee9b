"""The form in which a note is changed, with a look at what will come of it."""

from ui.client import AgentError
from ui.kit.dom import clone, keep, kept, say, show, slot, window
from ui.kit.rounds import Rounds
from ui.screens.notes.card import edits

_SHOWN = "web5-notes-preview"


class Editor:
    """The form.

    Parameters:
        agent: renders the preview.
        note_id: what is written is kept under it.
        text: to begin with.
        version: of the note that was there.

    Attributes:
        before: that text.
    """

    def __init__(self, agent, note_id, text, version):
        self._agent = agent
        self._note_id = note_id
        self._version = version
        self._rendered = None
        self._rounds = Rounds(self._render)
        self.before = text if edits.unsaved(note_id) is None else None
        self.element = clone("editor-template")
        self._area = slot(self.element, "text")
        self._area.value = text
        self._previewing(kept("localStorage", _SHOWN) == "yes")

    @property
    def text(self):
        """What is written now."""
        return self._area.value

    def focus(self):
        """Go on at the end of the text."""
        self._area.focus()
        self._area.setSelectionRange(len(self.text), len(self.text))

    def typed(self):
        """Keep what is written."""
        edits.put(self._note_id, self.text, self._version)
        return self._rounds.run()

    def toggle(self):
        """Show the preview, or not."""
        shown = slot(self.element, "rendered").hidden
        keep("localStorage", _SHOWN, "yes" if shown else None)
        self._previewing(shown)
        return self._rounds.run()

    def saving(self, is_saving):
        """Take no second request to save, while one is carried out."""
        slot(self.element, "save").disabled = is_saving

    def warn(self, text):
        """Say what there is to know before it is saved."""
        problem = slot(self.element, "problem")
        show(problem, True)
        say(problem, text)

    def close(self):
        """Take it off the page; what was written is saved, or given up."""
        edits.put(self._note_id, None, None)
        self.element.remove()

    def _previewing(self, shown):
        show(slot(self.element, "rendered"), shown)
        slot(self.element, "preview").setAttribute("aria-pressed", "true" if shown else "false")

    async def _render(self):
        place = slot(self.element, "rendered")
        if place.hidden or self.text == self._rendered:
            return
        text = self.text
        try:
            html = await self._agent.call("render_note", text=text)
        except AgentError:
            return  # the next key tries again
        self._rendered = text
        window.web5Markup(place, html)
