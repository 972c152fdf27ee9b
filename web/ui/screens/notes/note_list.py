"""The newest notes, kept in step with the agent."""

from ui.client import AgentError
from ui.kit.dom import el, on, on_items, place, show, window
from ui.kit.rounds import Rounds
from ui.screens.notes.card.cards import made, read_along
from ui.shell import banner

_PAGE = 50


class NoteList:
    """The list under the composer.

    Parameters:
        agent: has the notes.
        deletions: knows which of them the person has deleted.

    Attributes:
        find, tag: what they have in them, all words and the tag; empty texts narrow nothing. `narrow` applies them.
        on_tag: called with a tag that was chosen on a note.
        widen: called when something is to be seen that does not fit; `find` and `tag` are to be empty then.
        on_answer: called with each answer of the agent, once it is shown; coroutine functions.
        number: how many are shown.
    """

    def __init__(self, agent, deletions):
        self._agent = agent
        self.deletions = deletions
        self.find = self.tag = ""
        self.on_tag = self.widen = None
        self.on_answer = []
        self.number = 0
        self._asked_for = ("", "")
        self._hidden = set()
        self._cards = {}
        self._limit = _PAGE
        self._token = ""
        self._rounds = Rounds(self._ask)
        self._closed = False
        parent = el("note-list")
        on_items(parent, "data-note", self._cards)
        on(parent, "submit", lambda event: self._of(event).submit(event))
        on(parent, "keydown", self._key)
        on(parent, "input", self._typed)
        read_along(parent, self._cards)
        on(el("more-button"), "click", self._more)

    @property
    def is_empty(self):
        """True if no note is shown."""
        return not self._cards

    @property
    def is_narrowed(self):
        """True while only some notes are asked for."""
        return bool(self.find.strip() or self.tag)

    async def refresh(self):
        """Show what the agent has now."""
        self._closed = False
        try:
            await self._rounds.run()
        except AgentError as error:
            banner.show_error(error, self.refresh)

    def drop(self, note_id):
        """Take a note off the page, since it is no more."""
        card = self._cards.pop(note_id, None)
        if card:
            card.take_off()

    async def narrow(self):
        """Show the notes that have `find` and `tag` in them."""
        self._limit = _PAGE
        await self.refresh()

    async def _ask(self):
        wanted = self.find.strip(), self.tag
        if wanted != self._asked_for:
            self._token = ""
        page = await self._agent.call("notes", limit=self._limit, since=self._token, find=wanted[0], tag=wanted[1])
        if self._closed or wanted != (self.find.strip(), self.tag):
            return  # it is asked for anew already
        self._asked_for = wanted
        self._show(page)
        for answered in self.on_answer:
            await answered(page)

    def close(self):
        """Take the notes off the page until the next refresh; what is being edited stays as it is."""
        self._closed = True
        self._token = ""
        window.web5EndPreview()
        for note_id in list(self._cards):
            if not self._cards[note_id].is_edited:
                self._cards.pop(note_id).take_off()

    def add(self, note):
        """Show a note that was just saved, before the next refresh."""
        if self.is_narrowed:
            self.widen()
        elif note["id"] not in self._cards:
            card = self._card(note)
            el("note-list").prepend(card.element)
            show(el("notes-empty"), False)
            show(el("note-search"), True)

    def tick(self):
        """Say again how old the notes are."""
        for card in self._cards.values():
            card.tick()

    def _of(self, event):
        """Return the card in which something happened."""
        return self._cards[event.target.closest("[data-note]").getAttribute("data-note")]

    def _key(self, event):
        if event.target.localName == "textarea":
            return self._of(event).key(event)

    def _typed(self, event):
        if event.target.localName == "textarea":
            return self._of(event).typed()

    def _card(self, note):
        card = self._cards[note["id"]] = made(self._agent, self, note)
        card.update(note)
        if place()[1] != note["id"]:
            card.restore()
        return card

    async def _more(self, _):
        self._limit += _PAGE
        await self.refresh()

    def _show(self, page):
        window.web5EndPreview()
        self._token = page["token"]
        gone = page["gone"]
        if page["whole"]:
            here = {note["id"] for note in page["put"]}
            gone = [note_id for note_id in self._cards if note_id not in here]
        for note_id in gone:
            self._take_off(note_id)
        for note in page["put"]:
            card = self._cards.get(note["id"])
            if card is None:
                card = self._card(note)
            else:
                card.update(note)
            if page["whole"] or not card.is_placed:  # else it stands where it belongs: a note never changes its place
                self._put_after(card, note["after"])
        self._hide(self.deletions.ids())
        self.number = len(self._cards) - len(self._hidden)
        show(el("notes-empty"), not self.number and not self.is_narrowed)
        show(el("notes-none"), not self.number and self.is_narrowed and page.get("complete", True))
        show(el("note-search"), bool(self.number or self.is_narrowed))
        show(el("more"), page["more"])

    def _hide(self, deleted):
        """Show all but those that the person has just deleted."""
        hidden = {note_id for note_id in deleted if note_id in self._cards and not self._cards[note_id].is_edited}
        for note_id in hidden | self._hidden:
            if note_id in self._cards:
                show(self._cards[note_id].element, note_id not in hidden)
        self._hidden = hidden

    def _put_after(self, card, before_id):
        parent = el("note-list")
        before = self._cards.get(before_id)
        if before_id and before is None:
            self._token = ""  # it was deleted here meanwhile; the next round finds the place
        place = before.element.nextElementSibling if before else parent.firstElementChild
        if place is None or place.id != card.element.id:
            parent.insertBefore(card.element, place)
        card.is_placed = True

    def _take_off(self, note_id):
        card = self._cards.get(note_id)
        if card is None:
            return
        if card.is_edited:
            card.lost()
        else:
            self.drop(note_id)
