"""The earlier texts of a note, and bringing one back."""

from ui import words
from ui.kit.dom import clone, local_time, now, say, show, slot, window
from ui.screens.notes import note_words
from ui.shell import banner


class History:
    """What is below a note while its earlier texts are looked at.

    Parameters:
        agent: has them.
        note_id: the note's.
        brought_back: called with a text that is to be the note's again; a coroutine function.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, agent, note_id, brought_back):
        self._agent = agent
        self._note_id = note_id
        self._brought_back = brought_back
        self._shown = {}
        self.element = clone("history-template")
        self.actions = {"version-open": self._open, "version-back": self._bring_back}

    async def refresh(self):
        """Show those that are there now."""
        found = await banner.attempt(self._agent, "note_versions", id=self._note_id)
        if found is None:
            return
        say(slot(self.element, "history-words"), note_words.history(len(found)))
        self._shown = {one["id"]: one for one in found}
        rows = slot(self.element, "history-list")
        rows.replaceChildren()
        for one in found:
            row = clone("version-template")
            row.setAttribute("data-version", one["id"])
            time = slot(row, "version-time")
            say(time, words.ago((now() - one["written"]) / 1000))
            time.title = local_time(one["written"])
            say(slot(row, "version-begin"), note_words.beginning(one["text"]))
            rows.append(row)

    def focus(self):
        """Lead to the newest of them."""
        first = slot(self.element, "version-open")
        if first:
            first.focus()

    def close(self):
        """Take it off the page."""
        self.element.remove()

    async def _open(self, event):
        row, one = self._chosen(event)
        button, body = slot(row, "version-open"), slot(row, "version-body")
        opened = body.hidden
        if opened:
            text = await self._text(one)
            html = text and await banner.attempt(self._agent, "render_note", text=text)
            if html is None:
                return
            window.web5Markup(slot(row, "version-text"), html)
        show(body, opened)
        button.setAttribute("aria-expanded", "true" if opened else "false")

    async def _bring_back(self, event):
        text = await self._text(self._chosen(event)[1])
        if text is not None:
            await self._brought_back(text)

    async def _text(self, one):
        if one["whole"]:
            return one["text"]
        return await banner.attempt(self._agent, "read_version", id=one["id"])

    def _chosen(self, event):
        row = event.target.closest("[data-version]")
        return row, self._shown[row.getAttribute("data-version")]
