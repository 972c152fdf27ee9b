"""The newest notes, kept in step with the agent."""

from ui import banner
from ui.client import AgentError
from ui.dom import el, on, show, window
from ui.note_card import NoteCard
from ui.rounds import Rounds

_PAGE = 50


class NoteList:
    """The list under the composer."""

    def __init__(self, agent):
        self._agent = agent
        self._cards = {}
        self._limit = _PAGE
        self._rounds = Rounds(self._ask)
        self._closed = False
        on(el("more-button"), "click", self._more)

    @property
    def is_empty(self):
        """True if no note is shown."""
        return not self._cards

    async def refresh(self):
        """Show what the agent has now."""
        self._closed = False
        try:
            await self._rounds.run()
        except AgentError as error:
            banner.show_error(error, self.refresh)

    async def _ask(self):
        page = await self._agent.call("notes", limit=self._limit)
        if not self._closed:
            self._show(page)

    def close(self):
        """Take the notes off the page until the next refresh; what is being edited stays as it is."""
        self._closed = True
        window.web5EndPreview()
        for note_id in list(self._cards):
            if not self._cards[note_id].is_edited:
                self._cards.pop(note_id).element.remove()

    def add(self, note):
        """Show a note that was just saved, before the next refresh."""
        if note["id"] not in self._cards:
            card = self._card(note)
            el("note-list").prepend(card.element)
            show(el("notes-empty"), False)

    def tick(self):
        """Say again how old the notes are."""
        for card in self._cards.values():
            card.tick()

    def _card(self, note):
        card = self._cards[note["id"]] = NoteCard(self._agent, self.refresh)
        card.update(note)
        return card

    async def _more(self, _):
        self._limit += _PAGE
        await self.refresh()

    def _show(self, page):
        parent = el("note-list")
        window.web5EndPreview()
        here = {note["id"] for note in page["notes"]}
        for note_id in list(self._cards):
            card = self._cards[note_id]
            if note_id in here or card.is_leaving:
                continue
            if card.is_edited:
                card.lost()
            else:
                del self._cards[note_id]
                card.element.remove()
        place = parent.firstElementChild
        for note in page["notes"]:
            card = self._cards.get(note["id"])
            if card is None:
                card = self._card(note)
            else:
                card.update(note)
            if place is not None and place.id == card.element.id:
                place = place.nextElementSibling
            else:
                parent.insertBefore(card.element, place)
        show(el("notes-empty"), not self._cards)
        show(el("more"), page["more"])
