"""Searching the notes by their words, and narrowing the list to a tag."""

from ui.client import AgentError
from ui.kit.dom import document, el, go, on, place, say, show, spawn, window
from ui.kit.rounds import Rounds
from ui.screens.notes import note_words

_MOST = 12


class NoteSearch:
    """The field above the list, and the tags below it.

    Parameters:
        agent: knows the tags.
        notes: the list.
    """

    def __init__(self, agent, notes):
        self._agent = agent
        self._notes = notes
        self._tags = []
        self._did = ""
        self._rounds = Rounds(self._ask_tags)
        self._field = el("note-find")
        on(self._field, "input", lambda _: self._filter())
        on(self._field, "focus", lambda _: self._rounds.run())
        on(self._field, "keydown", self._key)
        on(el("note-tags"), "click", self._clicked)
        notes.on_answer.append(self._answered)

    def choose(self, tag):
        """Show only the notes that have a tag; "" shows all."""
        self._notes.tag = tag
        self._draw()
        if place()[1]:
            go("notes")
        return self._filter()

    def use(self, did):
        """Know which identity is in use; what was looked for among the notes of another is no more."""
        if self._did and did != self._did:
            self.close()
        self._did = did

    def widen(self):
        """Show all notes again."""
        self.close()
        spawn(self._notes.narrow())

    def close(self):
        """Forget what was looked for."""
        self._field.value = ""
        self._tags = []
        self._notes.find = self._notes.tag = ""
        self._draw()
        show(el("note-found"), False)

    def _key(self, event):
        if event.key == "Escape" and self._field.value:
            event.preventDefault()
            self._field.value = ""
            return self._filter()

    def _filter(self):
        self._notes.find = self._field.value
        return self._notes.narrow()

    async def _answered(self, page):
        shown = bool(self._notes.find.strip())
        show(el("note-found"), shown)
        if shown:
            number = self._notes.number
            say(el("note-found"), note_words.found(number, page["more"], page["searched"], page["complete"]))
            await self._rounds.run()

    async def _ask_tags(self):
        try:
            self._tags = await self._agent.call("note_tags")
        except AgentError:
            return  # the list says what is wrong
        self._draw()

    def _draw(self):
        chosen = self._notes.tag
        shown = [one for one in self._tags if one[0] != chosen][:_MOST]
        if chosen:
            shown.insert(0, [chosen, 0])
        row = el("note-tags")
        show(row, bool(shown))
        labels = [note_words.tag_button(tag, number) for tag, number in shown]
        buttons = list(row.querySelectorAll("button"))
        for at in range(max(len(shown), len(buttons))):
            if at >= len(shown):
                buttons[at].remove()
                continue
            if at < len(buttons):
                button = buttons[at]
            else:
                button = document.createElement("button")
                button.type = "button"
                button.className = "chip tag"
                row.append(button)
            say(button, labels[at])
            button.setAttribute("data-tag", shown[at][0])
            button.setAttribute("aria-pressed", "true" if shown[at][0] == chosen else "false")

    def _clicked(self, event):
        button = event.target.closest("[data-tag]")
        if button:
            tag = button.getAttribute("data-tag")
            return self.choose("" if tag == self._notes.tag else tag)


def begin():
    """Lead to the field, from wherever the page is."""
    if place() != ("notes", ""):
        go("notes")
    if not el("note-search").hidden:
        el("note-find").focus()
        window.scrollTo(0, 0)
