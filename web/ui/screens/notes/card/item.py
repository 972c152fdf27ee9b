"""What a note and a file have in common in the list: how old they are, where they are, who can read them."""

from ui import sync_words, words
from ui.kit.dom import local_time, now, say, show, slot, tone
from ui.kit.texts import t
from ui.screens.notes import note_words
from ui.screens.notes.card.sharing import Sharing


class Item:
    """A list item.

    Parameters:
        agent: stores the changes.
        notes: the list that it is in.
        element: a copy of its template.

    Attributes:
        actions: what its buttons do, by their names in the template.
        is_placed: True once it stands where the agent has it among the others.
        is_edited: True while the person is changing it, so that nothing else may.
    """

    is_edited = False

    def __init__(self, agent, notes, element):
        self._agent = agent
        self._notes = notes
        self.is_placed = False
        self._note = None
        self._sharing = None
        self._told_at = self._told_until = 0
        self.element = element
        self._time = slot(element, "time")
        self.actions = {
            "delete": lambda _: self._notes.deletions.delete(self._note["id"]),
            "share": self._share,
        }

    def update(self, note):
        """Show the newest version of it."""
        before, self._note = self._note, note
        if before is None or any(before[what] != note[what] for what in ("version", "damaged")):
            self._told_until = 0
            self.element.id = "note-" + note["id"]
            self.element.setAttribute("data-note", note["id"])
            slot(self.element, "link").href = "#/notes/" + note["id"]
            self._changed(note, before)
        chip = slot(self.element, "waiting")
        show(chip, bool(note["waiting"]))
        if note["waiting"]:
            name, text = sync_words.waiting(note["waiting"])
            tone(chip, name)
            say(chip, text)
            chip.title = note_words.lacking(note["waiting"])
        show(slot(self.element, "published"), note["published"])
        if self._sharing:
            self._sharing.update(note)
        self.tick()

    def tick(self):
        """Say again how long ago it was written, if that is another text by now."""
        moment = now()
        if self._told_at <= moment < self._told_until:
            return
        note = self._note
        seconds = (moment - note["modified"]) / 1000
        self._told_at = moment
        self._told_until = moment + 1000 * words.true_for(seconds)
        ago = words.ago(seconds)
        say(self._time, t("Edited {ago}", ago=ago) if note["edited"] else ago)
        self._time.title = local_time(note["modified"])

    def restore(self):
        """Go on with what was begun with it before a reload."""

    def take_off(self):
        """Take it off the page."""
        self.element.remove()

    def _changed(self, note, before):
        """Show what is in it; `before` is None the first time."""

    def _share(self, _):
        if self._sharing:
            self._sharing.close()
            self._sharing = None
            return
        self._sharing = Sharing(self._agent, self.update)
        self._sharing.update(self._note)
        self.actions.update(self._sharing.actions)
        self.element.append(self._sharing.element)
        self._sharing.focus()
