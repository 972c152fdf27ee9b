"""A file in the list: what it is, a look at it if it is a picture, and the way to have it."""

from ui import words
from ui.kit import file_words
from ui.kit.dom import clone, say, slot
from ui.kit.file_reader import FileReader
from ui.screens.notes.card.item import Item


class FileCard(Item):
    """The list item of a file."""

    def __init__(self, agent, notes):
        super().__init__(agent, notes, clone("file-template"))
        self._reader = FileReader(self.element, "read_file")
        self.actions["download"] = lambda _: self._reader.save(self._note["id"], self._note["text"], self._note["size"])
        self.actions["stop"] = lambda _: self._reader.stop()

    def seen(self):
        """Show the picture, since somebody may look at it."""
        note = self._note
        return self._reader.show_picture(note["id"], words.theirs(note["text"]), note["type"], note["size"])

    def progress(self, key, done, total):
        """Say how much of it has come."""
        self._reader.progress(key, done, total)

    def take_off(self):
        """Take it off the page, and forget the picture."""
        self._reader.close()
        super().take_off()

    def _changed(self, note, before):
        name = words.theirs(note["text"]) or file_words.NAMELESS
        say(slot(self.element, "name"), name)
        say(slot(self.element, "about"), file_words.about_file(note["type"], note["size"]))
        self._reader.watch(note["type"], note["size"])
