"""The note that the address names, by itself: what a link to a note leads to."""

from ui.client import AgentError
from ui.kit.dom import el, go, on, on_items, place, show
from ui.kit.rounds import Rounds
from ui.screens.notes.card.cards import made, read_along
from ui.shell import banner


class NoteAlone:
    """The one note, or that it is no longer here.

    Parameters:
        agent: has the notes.
        deletions: knows which of them the person has deleted.

    Attributes:
        on_tag: called with a tag that was chosen on it.
    """

    def __init__(self, agent, deletions):
        self._agent = agent
        self.deletions = deletions
        self.on_tag = None
        self._cards = {}
        self._rounds = Rounds(self._ask)
        parent = el("note-one")
        on_items(parent, "data-note", self._cards)
        on(parent, "submit", lambda event: self._only().submit(event))
        on(parent, "keydown", self._key)
        on(parent, "input", self._typed)
        read_along(parent, self._cards)

    async def refresh(self):
        """Show the note that the address names now, as the agent has it."""
        try:
            await self._rounds.run()
        except AgentError as error:
            banner.show_error(error, self.refresh)

    def close(self):
        """Take it off the page, unless it is being edited."""
        for note_id in list(self._cards):
            if not self._cards[note_id].is_edited:
                self._cards.pop(note_id).take_off()

    def drop(self, note_id):
        """Go back to all notes, since this one is no more."""
        card = self._cards.pop(note_id, None)
        if card:
            card.take_off()
        if place() == ("notes", note_id):
            go("notes")

    def tick(self):
        """Say again how old it is."""
        for card in self._cards.values():
            card.tick()

    def _only(self):
        return next(iter(self._cards.values()))

    def _key(self, event):
        if event.target.localName == "textarea":
            return self._only().key(event)

    def _typed(self, event):
        if event.target.localName == "textarea":
            return self._only().typed()

    async def _ask(self):
        where, wanted = place()
        if where != "notes" or not wanted:
            self.close()
            return
        note = None
        deleted = wanted in self.deletions.ids()
        if deleted and wanted in self._cards:
            self.drop(wanted)
            return
        try:
            note = None if deleted else await self._agent.call("note", id=wanted)
        except AgentError as error:
            if error.kind not in ("NotFound", "InvalidArgument"):
                raise
        if place() != ("notes", wanted):
            return
        for note_id in list(self._cards):
            card = self._cards[note_id]
            if note is None and card.is_edited and note_id == wanted:
                card.lost()
            elif note is None or note_id != note["id"]:
                self._cards.pop(note_id).take_off()
        show(el("note-gone"), not self._cards and note is None)
        if note is None:
            return
        card = self._cards.get(wanted)
        if card is None:
            card = self._cards[wanted] = made(self._agent, self, note)
            el("note-one").append(card.element)
            card.update(note)
            card.restore()
        card.update(note)
        card.element.id = "one-" + wanted
